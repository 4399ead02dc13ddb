"""Google Docs: documents in Drive folders and shared drives as knowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.google_docs.settings import Settings

if TYPE_CHECKING:
    from connectors.google_docs.connector import GoogleDocs
    from connectors.http import HttpFactory

__all__ = ["Settings", "connect"]


def connect(settings: Settings, http: HttpFactory) -> GoogleDocs:
    """The connector for one service account; makes no request yet."""
    from connectors.google_docs.connector import GoogleDocs

    return GoogleDocs(settings, http)
