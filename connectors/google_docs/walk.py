"""Going through Drive's folders: what is in them, where shortcuts lead, and what lies above."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.google_docs.client import Calls
from connectors.google_docs.parse import Entry
from connectors.google_docs.settings import Knowledge
from connectors.google_docs.tree import Tree


class Walk:
    """Brings a tree up to date with Drive. `met` are the files as they were listed in this turn."""

    def __init__(self, calls: Calls, tree: Tree, knowledge: Knowledge) -> None:
        self._calls = calls
        self._drives = set(knowledge.shared_drives)
        self.tree = tree
        self.met: dict[str, Entry] = {}

    def from_roots(self, roots: Iterable[str]) -> None:
        """All that is read from these; a root that cannot be seen is left out of the tree."""
        self.again(roots)
        self.ascend()

    def look(self, id: str) -> Entry | None:
        """One file as it is now; None where it is gone, or in the trash."""
        entry = self._calls.shared_drive(id) if id in self._drives else self._calls.file(id)
        if entry is None or entry.trashed:
            self.tree.drop(id)
            return None
        self._meet(entry)
        return entry

    def again(self, ids: Iterable[str]) -> None:
        """Looks at each, and walks through those that are folders and were not in the tree before."""
        new = []
        for id in ids:
            known = id in self.tree.folders
            entry = self.look(id)
            if entry is not None and not known:
                new.append(entry)
        self.through(new)

    def through(self, entries: Iterable[Entry]) -> None:
        """Walks through folders and all below them, and follows shortcuts, until nothing new is met.

        What used to lie in a folder and is not listed there any more is looked at by itself: a list may lag behind.
        """
        waiting = {entry.id: entry for entry in entries}
        walked: set[str] = set()
        looked: set[str] = set()
        while waiting:
            folders = [entry for entry in waiting.values() if entry.kind == "folder"]
            walked.update(waiting)
            waiting = {entry.id: entry for entry in self._level(folders, walked)}
            if not waiting:
                links = {target for id, (_, target) in self.tree.shortcuts.items() if id in walked}
                asked = {target for target in links if target not in looked and target not in self.tree}
                looked |= asked
                waiting = {entry.id: entry for target in sorted(asked) if (entry := self.look(target)) is not None}

    def _level(self, folders: list[Entry], walked: set[str]) -> list[Entry]:
        """What lies directly in the folders and is to be walked through in its turn."""
        listed: set[str] = set()
        further: dict[str, Entry] = {}
        for drive in sorted({folder.drive or "" for folder in folders}):
            ids = [folder.id for folder in folders if (folder.drive or "") == drive]
            for entry in self._calls.children(ids, drive or None):
                listed.add(entry.id)
                self._meet(entry)
                if entry.kind in ("folder", "shortcut"):
                    further[entry.id] = entry
        missed = self.tree.inside({folder.id for folder in folders}) - listed - walked
        for id in sorted(missed):
            found = self.look(id)
            if found is not None and found.kind in ("folder", "shortcut"):
                further[id] = found
        return [entry for entry in further.values() if entry.id not in walked]

    def ascend(self) -> None:
        """Learns which folders lie above the roots and above targets elsewhere, as far as they can be seen."""
        tree = self.tree
        tree.prune()
        passed: set[str] = set()
        for id in sorted(tree.outside()):
            place = tree.parent(id)
            while place and place not in passed and place not in tree.folders:
                passed.add(place)
                if place not in tree.above:
                    entry = self._calls.file(place)
                    tree.above[place] = (entry.parent or "") if entry else ""
                place = tree.above[place]

    def _meet(self, entry: Entry) -> None:
        self.met[entry.id] = entry
        self.tree.put(entry)
