"""Freshdesk's settings; its client, parser and connector will live here."""

from connectors.freshdesk.settings import Settings

__all__ = ["Settings"]
