"""The wiki's state, and what its people do with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any, cast

from connectors.sandbox.confluence.records import Account, Attached, Edition, Entry, Item, Kind, Readers, Remark, Space, Status

INDEX_SKEW = timedelta(seconds=1.5)  # the index dates a change when it has been written, a moment after the version
KEPT = 40  # states of one page that the index may still have to show


class Wiki:
    """Whoever calls holds `lock`, or is alone. Only an edit makes a version; labels, moves and restrictions do not, and date nothing."""

    def __init__(self, now: Callable[[], datetime], lock: threading.RLock, accounts: Iterable[Account]) -> None:
        self.now, self.lock = now, lock
        self.accounts = {account.id: account for account in accounts}
        self.spaces: dict[str, Space] = {}
        self.items: dict[int, Item] = {}
        self._ids, self._positions = count(131_073), count(1)

    # --- looking ---

    def space(self, key: str) -> Space:
        """Raises KeyError."""
        return self.spaces[key]

    def above(self, item: Item) -> list[Item]:
        """The item's ancestors, the topmost first."""
        found: list[Item] = []
        parent = self.items.get(item.parent) if item.parent else None
        while parent is not None and parent not in found:
            found.insert(0, parent)
            parent = self.items.get(parent.parent) if parent.parent else None
        return found

    def below(self, item: Item) -> Iterator[Item]:
        for other in list(self.items.values()):
            if other.parent == item.id:
                yield other
                yield from self.below(other)

    def admits(self, item: Item, account: Account) -> bool:
        """Its space and every restriction from the top down to itself let the account in; a draft is its author's alone."""
        if not self.spaces[item.space].readers.admit(account) or (item.status == "draft" and item.by != account.id):
            return False
        return all(place.readers is None or place.readers.admit(account) for place in (item, *self.above(item)))

    def restricted(self, item: Item) -> bool:
        """Not for everybody in the space, or nobody is told whether."""
        return any(place.readers is not None or place.mute for place in (item, *self.above(item)))

    def found_by_index(self, item: Item, delay: timedelta) -> Entry | None:
        """The state that the index shows by now."""
        seen = [entry for entry in item.indexed if entry.at <= self.now() - delay]
        return seen[-1] if seen else None

    # --- people ---

    def add_space(self, key: str, name: str, **more: Any) -> Space:
        id = more.pop("id", None) or next(self._ids)
        space = Space(id, key, name, more.pop("readers", Readers(groups=("staff",))), more.pop("created", self.now()), **more)
        self.spaces[key] = space
        return space

    def create(
        self,
        title: str,
        body: str,
        *,
        space: str,
        parent: int | None = None,
        status: Status = "current",
        kind: Kind = "page",
        by: str = "",
        id: int | None = None,
        at: datetime | None = None,
        labels: Iterable[str] = (),
        readers: Readers | None = None,
    ) -> Item:
        """Raises KeyError for an unknown space or parent, ValueError for a title that the space has."""
        home = self.spaces[space]
        if parent is not None and self.items[parent].space != space:
            raise ValueError(f"page {parent} is in another space")
        self._free(title, space)
        at, by = at or self.now(), by or next(iter(self.accounts))
        number = id or next(self._ids)
        item = Item(number, kind, home.key, parent, status, at, by, [Edition(1, title, body, at, by)], list(labels), readers)
        item.position = next(self._positions)
        self.items[number] = item
        self._index(item, at)
        return item

    def edit(
        self, id: int, *, title: str | None = None, body: str | None = None, by: str = "", message: str = "", minor: bool = False
    ) -> Item:
        item = self.items[id]
        if title is not None and title != item.title:
            self._free(title, item.space)
        last = item.last
        edition = Edition(
            last.number + 1,
            last.title if title is None else title,
            last.body if body is None else body,
            self.now(),
            by or last.by,
            message,
            minor,
        )
        item.editions.append(edition)
        self._index(item)
        return item

    def trash(self, id: int) -> Item:
        """Into the bin; what lay below goes to what lay above."""
        item = self.items[id]
        for child in [other for other in self.items.values() if other.parent == id]:
            self._put(child, item.space, item.parent)
        return self._set(item, "trashed")

    def restore(self, id: int) -> Item:
        item = self.items[id]
        above = self.items.get(item.parent) if item.parent else None
        if above is not None and (above.status == "trashed" or above.space != item.space):
            item.parent = None
        return self._set(item, "current")

    def purge(self, id: int) -> None:
        self.trash(id)
        del self.items[id]

    def archive(self, id: int) -> Item:
        return self._set(self.items[id], "archived")

    def unarchive(self, id: int) -> Item:
        return self._set(self.items[id], "current")

    def unpublish(self, id: int) -> Item:
        return self._set(self.items[id], "draft")

    def publish(self, id: int) -> Item:
        return self._set(self.items[id], "current")

    def move(self, id: int, *, parent: int | None = None, space: str | None = None) -> Item:
        """With all that lies below. `parent` None: to the top of the space."""
        item = self.items[id]
        target = self.spaces[self.items[parent].space if parent is not None else space or item.space].key
        if parent is not None and (parent == id or self.items[parent] in self.below(item)):
            raise ValueError("a page cannot lie below itself")
        self._put(item, target, parent)
        return item

    def restrict(self, id: int, *, users: Iterable[str] = (), groups: Iterable[str] = ()) -> Item:
        item = self.items[id]
        item.readers = Readers(tuple(users), tuple(groups))
        return item

    def unrestrict(self, id: int) -> Item:
        self.items[id].readers, self.items[id].mute = None, False
        return self.items[id]

    def mute(self, id: int) -> Item:
        """Whoever asks who may read the page gets an answer that names neither people nor groups."""
        self.items[id].mute = True
        return self.items[id]

    def open_space(self, key: str, *, users: Iterable[str] = (), groups: Iterable[str] = ()) -> Space:
        """Who may read the space, from now on."""
        self.spaces[key].readers = Readers(tuple(users), tuple(groups))
        return self.spaces[key]

    def label(self, id: int, name: str) -> Item:
        item = self.items[id]
        if name not in item.labels:
            item.labels.append(name)
        self._index(item)
        return item

    def unlabel(self, id: int, name: str) -> Item:
        item = self.items[id]
        item.labels.remove(name)
        self._index(item)
        return item

    def attach(self, id: int, name: str, *, media: str = "application/pdf", size: int = 48_213) -> Item:
        self.items[id].files.append(Attached(next(self._ids), name, media, size))
        return self.items[id]

    def remark(self, id: int, body: str, *, by: str = "") -> Item:
        self.items[id].remarks.append(Remark(next(self._ids), by or self.items[id].by, body, self.now()))
        return self.items[id]

    def spoil(self, id: int, spoilt: bool = True) -> Item:
        """The server fails over this page's body."""
        self.items[id].spoilt = spoilt
        return self.items[id]

    # --- within ---

    def _free(self, title: str, space: str) -> None:
        """Titles are unique within a space, whatever is in the bin."""
        if any(item.space == space and item.title == title and item.status in ("current", "archived") for item in self.items.values()):
            raise ValueError(f"the space {space} has a page {title!r}")

    def _set(self, item: Item, status: Status) -> Item:
        item.status = status
        self._index(item)
        return item

    def _put(self, item: Item, space: str, parent: int | None) -> None:
        item.parent = parent
        for moved in (item, *self.below(item)):
            moved.space = space
            self._index(moved)

    def _index(self, item: Item, at: datetime | None = None) -> None:
        if item.kind != "page":
            return
        above = tuple(place.id for place in self.above(item))
        first, last = item.editions[0], item.last
        at = at or self.now()
        entry = Entry(
            at,
            item.space,
            last.title,
            last.body,
            item.status,
            item.created,
            last.at + INDEX_SKEW,
            first.by,
            tuple(item.labels),
            above,
        )
        item.indexed = [*item.indexed[-KEPT:], entry]


def status_named(text: str) -> Status:
    """Raises ValueError."""
    if text not in ("current", "archived", "trashed", "draft"):
        raise ValueError(f"unknown status {text}")
    return cast(Status, text)
