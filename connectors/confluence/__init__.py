"""Confluence, Cloud and Data Center: the pages of the spaces that are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.confluence.settings import Settings

if TYPE_CHECKING:
    from connectors.confluence.connector import Confluence
    from connectors.http import HttpFactory

__all__ = ["Settings", "connect"]


def connect(settings: Settings, http: HttpFactory) -> Confluence:
    """The connector for one Confluence site; makes no request yet."""
    from connectors.confluence.connector import Confluence

    return Confluence(settings, http)
