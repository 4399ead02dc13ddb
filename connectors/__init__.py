"""Other people's systems: knowledge and tickets in, a reply back. Imports nothing of ours."""
