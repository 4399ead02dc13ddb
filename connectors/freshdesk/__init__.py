"""Freshdesk: solution articles and canned responses as knowledge, tickets as the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.freshdesk.settings import Settings

if TYPE_CHECKING:
    from connectors.freshdesk.connector import Freshdesk
    from connectors.http import HttpFactory

__all__ = ["Settings", "connect"]


def connect(settings: Settings, http: HttpFactory) -> Freshdesk:
    """The connector for one Freshdesk account; makes no request yet."""
    from connectors.freshdesk.connector import Freshdesk

    return Freshdesk(settings, http)
