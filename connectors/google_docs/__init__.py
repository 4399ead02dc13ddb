"""Google Docs' settings; its client, parser and connector will live here."""

from connectors.google_docs.settings import Settings

__all__ = ["Settings"]
