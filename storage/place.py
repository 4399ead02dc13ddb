"""Where generations of the index are kept: folders beside one another, or collections of a server behind an alias."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Engine

from connectors.base import ConfigProblem
from storage.edge import open_folder
from storage.marks import Marks, turn
from storage.server import Layout, ServerVectors, make_collection, told
from storage.vectors import FORMAT, Vectors

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

POINTER = "serving.json"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Whose vectors a generation holds."""

    embedder: str
    dimensions: int
    format: int = FORMAT

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.format}\0{self.embedder}\0{self.dimensions}".encode()).hexdigest()[:12]


def sheet_of(found: Any) -> Sheet | None:
    """A sheet as it was written down; None for anything else, and for a format that this release does not read."""
    try:
        sheet = Sheet(str(found["embedder"]), int(found["dimensions"]), int(found["format"]))
    except (KeyError, TypeError, ValueError):
        return None
    return sheet if sheet.format == FORMAT else None


class FolderPlace:
    """One folder per generation, and a file that names the serving one. One process at a time."""

    shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, threading.Lock] = {}

    def serving(self) -> Sheet | None:
        for file in (self._folder / POINTER, self._folder / "index.json"):  # the second: an index from before there were generations
            try:
                sheet = sheet_of(json.loads(file.read_text(encoding="utf-8")))
            except (FileNotFoundError, ValueError):
                continue
            if sheet is not None and self._home(sheet).is_dir():
                return sheet
        return None

    def _home(self, sheet: Sheet) -> Path:
        try:
            pointed = json.loads((self._folder / POINTER).read_text(encoding="utf-8"))
            if sheet_of(pointed) == sheet and pointed.get("home"):
                return self._folder / str(pointed["home"])
        except (FileNotFoundError, ValueError):
            pass
        try:
            if sheet_of(json.loads((self._folder / "index.json").read_text(encoding="utf-8"))) == sheet:
                return self._folder
        except (FileNotFoundError, ValueError):
            pass
        return self._folder / sheet.key

    def open(self, sheet: Sheet) -> Vectors:
        return open_folder(self._home(sheet), sheet.dimensions, sheet.embedder)

    def fresh(self, sheet: Sheet) -> tuple[str, Vectors]:
        """An empty index of its own beside the serving one, and the name to point at."""
        home = f"{sheet.key}-{uuid4().hex[:8]}"
        return home, open_folder(self._folder / home, sheet.dimensions, sheet.embedder)

    def point(self, sheet: Sheet, home: str | None = None) -> None:
        draft = self._folder / f"{POINTER}.new"
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(sheet) | ({"home": home} if home else {}), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / POINTER)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def tidy(self, keep: Collection[Sheet]) -> None:
        homes = {self._home(sheet) for sheet in keep}
        for old in self._folder.iterdir():
            if old.is_dir() and old not in homes and (old / "index.json").is_file():
                shutil.rmtree(old, ignore_errors=True)
        if self._folder not in homes and (self._folder / "index.json").is_file():
            (self._folder / "index.json").unlink()  # first: without it the rest is nothing that could be opened
            shutil.rmtree(self._folder / "points", ignore_errors=True)
            shutil.rmtree(self._folder / "whole", ignore_errors=True)

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        with self._locks.setdefault(name, threading.Lock()):
            yield

    def close(self) -> None:
        """Nothing is held here."""


class ServerPlace:
    """One collection per generation, `NAME-KEY`, and the alias `NAME` on the serving one."""

    shared = True

    def __init__(self, client: QdrantClient, name: str, engine: Engine, folder: Path, layout: Layout = Layout()) -> None:  # noqa: B008 - frozen
        self._client, self._name, self._engine, self._folder, self._layout = client, name, engine, folder, layout

    def serving(self) -> Sheet | None:
        with told(self._name):
            pointed = [one.collection_name for one in self._client.get_aliases().aliases if one.alias_name == self._name]
            if not pointed:
                return None
            written = (self._client.get_collection(pointed[0]).config.metadata or {}).get("draftdesk")
        sheet = sheet_of(written)
        if written is None or pointed[0] != self._collection(sheet or Sheet("", 0)):
            if isinstance(written, dict) and sheet is None:
                return None  # of another format: it is built anew
            raise ConfigProblem(
                f"index: the alias {self._name} on the Qdrant server leads to {pointed[0]}, which is not draftdesk's; give index.collection"
                " another name"
            )
        return sheet

    def _collection(self, sheet: Sheet) -> str:
        return f"{self._name}-{sheet.key}"

    def open(self, sheet: Sheet) -> Vectors:
        name = self._collection(sheet)
        marks = Marks(self._engine, self._folder, name)
        with told(name):
            there = self._client.collection_exists(name)
        if not there:
            marks.forget()  # what was known of a former collection of that name
        make_collection(self._client, name, sheet.embedder, sheet.dimensions, self._layout)
        return ServerVectors(self._client, name, marks)

    def fresh(self, sheet: Sheet) -> None:
        """A server clears away by itself what was deleted in it."""

    def point(self, sheet: Sheet, home: str | None = None) -> None:
        """One request that takes the alias away and sets it: the server applies both or none."""
        from qdrant_client import models

        changes: list[Any] = []
        with told(self._name):
            if any(one.alias_name == self._name for one in self._client.get_aliases().aliases):
                changes.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._name)))
            create = models.CreateAlias(collection_name=self._collection(sheet), alias_name=self._name)
            changes.append(models.CreateAliasOperation(create_alias=create))
            self._client.update_collection_aliases(changes)

    def tidy(self, keep: Collection[Sheet]) -> None:
        """Drop our own former collections, told by name and by what we wrote into them."""
        kept = {self._collection(sheet) for sheet in keep}
        with told(self._name):
            for one in self._client.get_collections().collections:
                if not one.name.startswith(f"{self._name}-") or one.name in kept:
                    continue
                sheet = sheet_of((self._client.get_collection(one.name).config.metadata or {}).get("draftdesk"))
                if sheet is not None and one.name == self._collection(sheet):
                    Marks(self._engine, self._folder, one.name).forget()
                    self._client.delete_collection(one.name)

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        with turn(self._engine, self._folder, f"{self._name}/{name}"):
            yield

    def close(self) -> None:
        self._client.close()
