"""The console: what the bot drafted and knows, and the people who look after it. Server-made pages that work without a script."""
