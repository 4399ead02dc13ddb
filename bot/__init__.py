"""What the bot does with knowledge and tickets."""

__version__ = "0.1.0"
