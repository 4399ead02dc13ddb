"""The contract, kept by a folder of files."""

from __future__ import annotations

from connectors.conformance import Conformance
from connectors.sandbox.folder_stage import FolderStage


class TestFolder(Conformance):
    stage = staticmethod(FolderStage)
