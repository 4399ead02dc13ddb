"""`python -m bot` is `draftdesk`."""

from bot.cli import main

main()
