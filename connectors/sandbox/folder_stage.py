"""A folder of files as the conformance suite plays on it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.conformance.stage import Shown
from connectors.folder.connector import Folder
from connectors.http import HttpFactory

ILLEGIBLE = b"\x93\x00\xff\xfe not a text"


class FolderStage:
    """Files are named by number and lie at the top or in a sub-folder; what is taken away is kept, so that it can come back."""

    site = None
    crowd = 420  # two hundred files are one page

    def __init__(self) -> None:
        self._at = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self._room = TemporaryDirectory(prefix="draftdesk-folder-")
        self.folder = Path(self._room.name) / "handbook"
        self.folder.mkdir()
        self._numbers = count(1)
        self._files: dict[str, Shown] = {}
        self._away: dict[str, Shown] = {}

    def now(self) -> datetime:
        return self._at

    def advance(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)

    def close(self) -> None:
        self._room.cleanup()

    def connect(self, http: HttpFactory, *, wrong_credential: bool = False) -> Folder:
        return Folder("handbook", self.folder, "public", now=self.now)

    def create(self, marker: str, *, public: bool = True) -> str:
        id = f"folder:handbook:{next(self._numbers)}.md"
        self._write(id, Shown(marker, public))
        return id

    def edit(self, id: str, marker: str) -> None:
        self._write(id, Shown(marker, self._files[id].public))

    def delete(self, id: str) -> None:
        self._away[id] = self._files.pop(id)
        self._path(id).unlink()

    def restore(self, id: str) -> None:
        self._write(id, self._away.pop(id))

    def restrict(self, id: str) -> None:
        self._write(id, Shown(self._files[id].marker, False))

    def unrestrict(self, id: str) -> None:
        self._write(id, Shown(self._files[id].marker, True))

    def obscure(self, id: str) -> None:
        self._write(id, Shown(self._files[id].marker, False), audience="whoever")

    def spoil(self, id: str) -> None:
        shown = self._files[id]
        self._files[id] = Shown(shown.marker, shown.public, readable=False)
        self._put(id, ILLEGIBLE)

    def mend(self, id: str) -> None:
        shown = self._files[id]
        self._write(id, Shown(shown.marker, shown.public))

    def truth(self) -> dict[str, Shown]:
        return dict(self._files)

    def _write(self, id: str, shown: Shown, *, audience: str = "") -> None:
        self._files[id] = shown
        said = audience or ("public" if shown.public else "internal")
        self._put(id, f"---\naudience: {said}\n---\n# About {shown.marker}\n\nWhoever asks for {shown.marker} finds it here.\n".encode())

    def _put(self, id: str, content: bytes) -> None:
        path = self._path(id)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        # The stage's clock, not the machine's; no two files of one moment have the same inode and size and change unseen (ctime moves).
        os.utime(path, (self._at.timestamp(), self._at.timestamp()))

    def _path(self, id: str) -> Path:
        return self.folder / id.split(":", 2)[2]
