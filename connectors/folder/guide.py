"""The folder's part of `draftdesk init`."""

from __future__ import annotations

from connectors.guide import Guide, Question, Way

GUIDE = Guide(
    title="Folder: Markdown, HTML and plain text files on this machine",
    name="handbook",
    ways=(
        Way(
            "path",
            "A folder",
            ("Its files are read with all folders below; hidden ones are left out.",),
            (
                Question("path", "The folder", "./handbook"),
                Question("knowledge.audience", "Who may read it: public (customers too) or internal", default="internal"),
            ),
        ),
    ),
)
