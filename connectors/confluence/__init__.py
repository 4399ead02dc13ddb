"""Confluence's settings; its client, parser and connector, for Cloud and Data Center, will live here."""

from connectors.confluence.settings import Settings

__all__ = ["Settings"]
