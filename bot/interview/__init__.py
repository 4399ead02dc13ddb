"""`draftdesk init`: from nothing to a configuration that works, asking and trying as it goes."""

from bot.interview.course import hold

__all__ = ["hold"]
