"""The block of the configuration file for a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from connectors.settings import ConnectorSettings, Strict


class FolderKnowledge(Strict):
    """Who may read the files."""

    audience: Literal["public", "internal"] = Field(
        default="internal", description="public: customers may read every file; a file may still narrow itself to internal"
    )


class Settings(ConnectorSettings):
    """Markdown, HTML and text files under one folder."""

    type: Literal["folder"] = Field(description="what kind of system this is")
    path: Path = Field(description="the folder, relative to the configuration file", examples=["./handbook"])
    knowledge: FolderKnowledge = Field(default=FolderKnowledge(), description="who may read the files")
