"""Zendesk: Help Center articles and macros as knowledge, Support tickets as the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.zendesk.settings import Settings

if TYPE_CHECKING:
    from connectors.http import HttpFactory
    from connectors.zendesk.connector import Zendesk

__all__ = ["Settings", "connect"]


def connect(settings: Settings, http: HttpFactory) -> Zendesk:
    """The connector for one Zendesk account; makes no request yet."""
    from connectors.zendesk.connector import Zendesk

    return Zendesk(settings, http)
