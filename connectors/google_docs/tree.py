"""What is read of Drive: the folders that were named and all that is in them, shortcuts followed. Pure.

The tree is kept in the cursor, because the feed of changes names a folder that was moved or thrown away, and none of what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.base import JSON
from connectors.google_docs.parse import Entry


@dataclass(slots=True)
class Tree:
    """What is there and can be seen, each with the folder it is in ("": one that cannot be seen).

    A shortcut's target may lie anywhere. `above` are the folders over the roots and over such targets: what happens to those happens to
    what is read, without a word about it.
    """

    roots: tuple[str, ...]
    folders: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    shortcuts: dict[str, tuple[str, str]] = field(default_factory=dict)  # folder, target
    above: dict[str, str] = field(default_factory=dict)

    def put(self, entry: Entry) -> None:
        """As it is now; what is in the trash, or nothing that is read, is dropped."""
        self.drop(entry.id)
        if entry.trashed:
            return
        if entry.kind == "folder":
            self.folders[entry.id] = entry.parent or ""
        elif entry.kind == "document":
            self.documents[entry.id] = entry.parent or ""
        elif entry.kind == "shortcut" and entry.target and entry.target_kind != "other":
            self.shortcuts[entry.id] = (entry.parent or "", entry.target)

    def drop(self, id: str) -> None:
        self.folders.pop(id, None)
        self.documents.pop(id, None)
        self.shortcuts.pop(id, None)

    def __contains__(self, id: str) -> bool:
        return id in self.folders or id in self.documents or id in self.shortcuts

    def parent(self, id: str) -> str:
        return self.folders.get(id) or self.documents.get(id) or self.shortcuts.get(id, ("", ""))[0]

    def reached(self, *roots: str) -> set[str]:
        """Everything that is read from these roots (none named: from all), circles and all."""
        inside: dict[str, list[str]] = {}
        for id, parent in self._parents():
            inside.setdefault(parent, []).append(id)
        found: set[str] = set()
        waiting = list(roots or self.roots)
        while waiting:
            id = waiting.pop()
            if id in found or id not in self:
                continue
            found.add(id)
            if id in self.shortcuts:
                waiting.append(self.shortcuts[id][1])
            elif id in self.folders:
                waiting.extend(inside.get(id, ()))
        return found

    def read(self, *roots: str) -> set[str]:
        """The documents among what is reached."""
        return self.reached(*roots) & self.documents.keys()

    def inside(self, folders: set[str]) -> set[str]:
        """What lies directly in one of these folders."""
        return {id for id, parent in self._parents() if parent in folders}

    def outside(self) -> set[str]:
        """Roots and targets that lie in no folder that is read: only their own rows, and those of `above`, tell of them."""
        return {id for id in self.reached() if id not in self.shortcuts and self.parent(id) not in self.folders}

    def missing(self) -> set[str]:
        """Targets of shortcuts that are gone, or are not for us."""
        return {target for _, target in self.shortcuts.values() if target not in self}

    def prune(self) -> None:
        kept = self.reached()
        for id in [id for id, _ in self._parents() if id not in kept]:
            self.drop(id)

    def _parents(self) -> Iterator[tuple[str, str]]:
        yield from self.folders.items()
        yield from self.documents.items()
        yield from ((id, parent) for id, (parent, _) in self.shortcuts.items())

    def told(self) -> dict[str, JSON]:
        """As JSON; documents stand under their folder, which halves it."""
        documents: dict[str, list[JSON]] = {}
        for id, parent in self.documents.items():
            documents.setdefault(parent, []).append(id)
        return {
            "folders": dict(self.folders),
            "documents": dict(documents),
            "shortcuts": {id: [*pair] for id, pair in self.shortcuts.items()},
            "above": dict(self.above),
        }

    @classmethod
    def of(cls, roots: tuple[str, ...], told: Any) -> Tree:
        """What `told` gave. Raises ValueError, TypeError, KeyError or AttributeError for anything else."""
        documents = {str(id): str(parent) for parent, ids in told["documents"].items() for id in ids}
        shortcuts = {str(id): (str(parent), str(target)) for id, (parent, target) in told["shortcuts"].items()}
        return cls(roots, _texts(told["folders"]), documents, shortcuts, _texts(told["above"]))


def _texts(told: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in told.items()}
