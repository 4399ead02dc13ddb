"""The state of the emulated Drive and what its people do there; every act leaves one row in the log of changes.

As at the vendor, an act on a folder leaves no rows for what is in the folder.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count

from connectors.sandbox.google_docs.items import DOCUMENT, FOLDER, ROLES, SHORTCUT, Grant, Item, Remark, Row, SharedDrive, Sheet
from connectors.sandbox.google_docs.notation import read

FIRST_NUMBER = 12_345  # of the log of changes
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Tree:
    """`people`: every address that can sign in; all methods are safe from any thread. Unknown ids raise KeyError."""

    def __init__(self, now: Callable[[], datetime], lock: threading.RLock, people: Iterable[str]) -> None:
        self.now, self._lock = now, lock
        self.people = tuple(people)
        self.items: dict[str, Item] = {}
        self.drives: dict[str, SharedDrive] = {}
        self.rows: list[Row] = []
        self._below: dict[str, list[str]] = {}
        self._ids = count(1)
        self._numbers = count(FIRST_NUMBER)

    # --- what is seen ---

    def root_of(self, address: str) -> str:
        return f"0A{address.partition('@')[0].title().replace('.', '').replace('-', '')}RootUk9PVA"

    def above(self, item: Item) -> Iterator[Item]:
        """The item, the folder it is in, and so on."""
        here: Item | None = item
        while here is not None:
            yield here
            here = self.items.get(here.parent) if here.parent else None

    def grants(self, item: Item) -> list[tuple[Grant, Item]]:
        """Who may do what with it, and where that was granted. A limited folder keeps only what it says itself.

        Whoever owns a folder may write what others put into it.
        """
        found = []
        for place in self.above(item):
            found += [(grant, place) for grant in place.grants]
            if place.owner != item.owner and place.drive is None:
                found.append((Grant(place.owner, "writer"), place))
            if place.limited:
                break
        return found

    def role(self, item: Item, address: str) -> str | None:
        if item.drive is None and item.owner == address:
            return "owner"
        roles = [grant.role for grant, _ in self.grants(item) if grant.holds_for(address)]
        return max(roles, key=ROLES.index) if roles else None

    def seen_by(self, item: Item) -> frozenset[str]:
        return frozenset(address for address in self.people if self.role(item, address))

    def in_trash(self, item: Item) -> bool:
        return any(place.trashed for place in self.above(item))

    def children(self, folder_id: str) -> list[Item]:
        return [self.items[id] for id in self._below.get(folder_id, ())]

    def everything_in(self, item: Item) -> Iterator[Item]:
        yield item
        for child in self.children(item.id):
            yield from self.everything_in(child)

    # --- what people make ---

    def add_root(self, address: str) -> Item:
        id = self.root_of(address)
        if id not in self.items:
            self._put(Item(id, "My Drive", FOLDER, None, address, self.now(), self.now(), address))
        return self.items[id]

    def add_drive(self, name: str, members: Iterable[Grant], *, id: str | None = None) -> SharedDrive:
        with self._lock:
            drive = SharedDrive(id or self.new_id("0A"), name, self.now())
            self.drives[drive.id] = drive
            root = Item(drive.id, name, FOLDER, None, "", self.now(), self.now(), "", drive.id, grants=list(members))
            self._put(root)
            self._log(root, frozenset(), about_drive=True)
            return drive

    def add(
        self,
        name: str,
        mime: str,
        parent: str,
        *,
        by: str | None = None,
        id: str | None = None,
        target: str | None = None,
        text: str | None = None,
        sheets: tuple[Sheet, ...] = (),
        content: str = "",
        grants: Iterable[Grant] = (),
        at: datetime | None = None,
    ) -> Item:
        """A file, folder, shortcut (`target`) or document (`text` in the notation, or `sheets`)."""
        with self._lock:
            above, moment = self.items[parent], at or self.now()
            owner = by or above.owner or self.people[0]
            item = Item(id or self.new_id(), name, mime, parent, owner, moment, moment, owner, above.drive, target=target, content=content)
            item.sheets = sheets or ((single(text),) if text is not None else ())
            item.grants = list(grants)
            self._put(item)
            self._log(item, frozenset())
            return item

    def folder(self, name: str, parent: str, *, by: str | None = None) -> Item:
        return self.add(name, FOLDER, parent, by=by)

    def document(self, name: str, text: str, parent: str, *, by: str | None = None) -> Item:
        return self.add(name, DOCUMENT, parent, by=by, text=text)

    def shortcut(self, name: str, target: str, parent: str, *, by: str | None = None) -> Item:
        return self.add(name, SHORTCUT, parent, by=by, target=target)

    def edit(
        self, id: str, *, text: str | None = None, sheets: tuple[Sheet, ...] = (), name: str | None = None, content: str | None = None
    ) -> None:
        """New text, or another name; the time of modification moves."""
        with self._changing(id) as item:
            item.sheets = sheets or ((single(text),) if text is not None else item.sheets)
            item.name = item.name if name is None else name
            item.content = item.content if content is None else content
            item.modified = self.now()
            item.revision += 1

    def touch(self, id: str) -> None:
        """A change at the server that shows in nothing but the version, such as one of labels or of a thumbnail."""
        with self._changing(id):
            pass

    def move(self, id: str, parent: str) -> None:
        """Raises ValueError for a folder moved into itself. The time of modification stays, and what is inside gets no rows."""
        with self._changing(id) as item:
            if any(place.id == id for place in self.above(self.items[parent])):
                raise ValueError(f"{id} cannot be moved into itself")
            self._below[item.parent or ""].remove(id)
            self._below.setdefault(parent, []).append(id)
            item.parent = parent
            for inside in self.everything_in(item):
                inside.drive = self.items[parent].drive

    def trash(self, id: str) -> None:
        with self._changing(id) as item:
            item.trashed = self.now()

    def untrash(self, id: str) -> None:
        with self._changing(id) as item:
            item.trashed = None

    def delete(self, id: str) -> None:
        """For ever, with all that is inside."""
        with self._lock:
            item = self.items[id]
            saw, drives = self.seen_by(item), self._drives_of(item)
            for inside in list(self.everything_in(item)):
                del self.items[inside.id]
                self._below.pop(inside.id, None)
            self._below[item.parent or ""].remove(id)
            self._write(item.id, saw, drives)

    def share(self, id: str, who: str, role: str = "reader") -> None:
        """With an address, a domain, or "anyone". Raises ValueError for an unknown role."""
        if role not in ROLES:
            raise ValueError(f"unknown role {role}; known are {', '.join(ROLES)}")
        with self._changing(id) as item:
            item.grants = [*(grant for grant in item.grants if grant.who != who), Grant(who, role)]

    def unshare(self, id: str, who: str) -> None:
        with self._changing(id) as item:
            item.grants = [grant for grant in item.grants if grant.who != who]

    def limit(self, id: str, limited: bool = True) -> None:
        """Whether the folder inherits who may read it."""
        with self._changing(id) as item:
            item.limited = limited

    def forbid_download(self, id: str, forbidden: bool = True) -> None:
        with self._changing(id) as item:
            item.no_download = forbidden

    def remark(self, id: str, text: str, *, by: str) -> None:
        """A comment in the margin: no change of the text."""
        with self._changing(id) as item:
            item.remarks.append(Remark(by, text, self.now()))

    def rename_drive(self, id: str, name: str) -> None:
        with self._lock:
            self.drives[id].name = self.items[id].name = name
            self._log(self.items[id], self.seen_by(self.items[id]), about_drive=True)

    def delete_drive(self, id: str) -> None:
        with self._lock:
            root = self.items[id]
            saw = self.seen_by(root)
            for inside in list(self.everything_in(root)):
                del self.items[inside.id]
            del self.drives[id]
            self._write(id, saw, frozenset({id}), about_drive=True)

    def new_id(self, prefix: str = "1") -> str:
        """33 characters, as the vendor's."""
        number, text = next(self._ids) * 0x9E3779B97F4A7C15 % 2**64, ""
        for _ in range(33 - len(prefix)):
            number = (number * 6364136223846793005 + 1442695040888963407) % 2**64
            text += LETTERS[number >> 58]
        return prefix + text

    # --- the log of changes ---

    @property
    def next_number(self) -> int:
        return self.rows[-1].number + 1 if self.rows else FIRST_NUMBER

    def skip_number(self) -> int:
        """Leaves a gap in the log, so that no token given so far is the next one; returns the number after it."""
        self._write("", frozenset(), frozenset())
        return self.next_number

    @contextmanager
    def _changing(self, id: str) -> Iterator[Item]:
        with self._lock:
            item = self.items[id]
            saw, drives = self.seen_by(item), self._drives_of(item)
            yield item
            item.version += 1
            self._log(item, saw, drives, about_drive=id in self.drives)

    def _log(self, item: Item, saw: frozenset[str], drives: frozenset[str] = frozenset(), *, about_drive: bool = False) -> None:
        self._write(item.id, saw | self.seen_by(item), drives | self._drives_of(item), about_drive=about_drive)

    def _write(self, id: str, saw: frozenset[str], drives: frozenset[str], *, about_drive: bool = False) -> None:
        self.rows.append(Row(next(self._numbers), self.now(), id, saw, drives, about_drive))

    def _drives_of(self, item: Item) -> frozenset[str]:
        return frozenset({item.drive} if item.drive else ())

    def _put(self, item: Item) -> None:
        if item.id in self.items:
            raise ValueError(f"the id {item.id} is taken")
        self.items[item.id] = item
        self._below.setdefault(item.parent or "", []).append(item.id)


def single(text: str) -> Sheet:
    """A document with one tab."""
    return Sheet("t.0", "Tab 1", read(text))
