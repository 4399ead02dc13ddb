"""A folder of Markdown, HTML and text files as knowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.folder.settings import Settings

if TYPE_CHECKING:
    from connectors.folder.connector import Folder
    from connectors.http import HttpFactory

__all__ = ["Settings", "connect"]


def connect(settings: Settings, http: HttpFactory) -> Folder:
    """The connector for one folder; it reads nothing yet, and never uses the network."""
    from connectors.folder.connector import Folder

    return Folder(settings.name, settings.path, settings.knowledge.audience)
