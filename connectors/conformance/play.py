"""What the rules use: a caller with a memory of its own, and one game on a stage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import pytest

from connectors.base import Cursor, CursorExpired, Document, Gone, Listing, Page, Source, Unreadable
from connectors.conformance.stage import Shown, Stage
from connectors.http import HttpClient

QUIET = 600.0  # seconds after which a vendor shows in its streams what was done before
PART_OF_A_DAY = 6 * 3600.0  # seconds between the turns in which slower news must come
CROWD = 30  # documents, where the stage does not say how many make several pages
T = TypeVar("T")


@dataclass
class Shelf:
    """A caller's memory: what was told, and the cursor it was told with, kept together as a database would."""

    documents: dict[str, Document] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    cursor: Cursor | None = None
    doubted: set[str] = field(default_factory=set)  # told as gone because they were not met; a listing decides

    def apply(self, page: Page) -> None:
        for change in page.changes:
            if isinstance(change, Unreadable):
                self.unreadable[change.id] = change.reason
                continue
            if isinstance(change, Gone) and change.inferred:
                self.doubted.add(change.id)
                continue
            self.doubted.discard(change.id)
            self.unreadable.pop(change.id, None)
            if isinstance(change, Gone):
                self.documents.pop(change.id, None)
            else:
                self.documents[change.id] = change
        self.cursor = stored(page.cursor)

    def present(self) -> set[str]:
        return self.documents.keys() | self.unreadable.keys()

    def prune(self, listed: Iterable[str]) -> None:
        """Drops what a complete listing does not name."""
        kept = set(listed)
        self.doubted.clear()
        for id in self.present() - kept:
            self.documents.pop(id, None)
            self.unreadable.pop(id, None)

    def copy(self) -> Shelf:
        return Shelf(dict(self.documents), dict(self.unreadable), deepcopy(self.cursor), set(self.doubted))


def stored(cursor: Cursor) -> Cursor:
    """As a database gives it back. Fails for what is not JSON."""
    try:
        kept: dict[str, Any] = json.loads(json.dumps(cursor, allow_nan=False))
    except (TypeError, ValueError) as problem:
        raise AssertionError(f"a cursor must be JSON, and this one is not ({problem}): {cursor!r}") from None
    return kept


class Play:
    """One game: the stage, the clients that connectors were given on it, and what was done so far."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.origins: set[str] = set()  # that connectors asked clients for
        self._made = 0

    # --- connecting ---

    def http(self, origin: str, authorize: Any = None, renew: Any = None, **more: Any) -> HttpClient:
        """What a connector's factory is given here: the stage's clock, no waiting."""
        stage = self.stage
        client = HttpClient(
            origin, authorize, renew=renew, sleep=stage.advance, clock=lambda: stage.now().timestamp(), now=stage.now, **more
        )
        self.origins.add(str(client.origin))
        return client

    def connect(self) -> Source:
        return self.stage.connect(self.http)

    @property
    def requests(self) -> int:
        return len(self.stage.site.requests) if self.stage.site else 0

    def able(self, protocol: type[T]) -> T:
        """The stage as something that can do more; skips the rule where it cannot."""
        if isinstance(self.stage, protocol):
            return self.stage
        missing = [name for name in vars(protocol) if not name.startswith("_") and getattr(self.stage, name, None) is None]
        pytest.skip(f"{type(self.stage).__name__} has no {', '.join(sorted(missing))}")

    def capable(self, protocol: type[T]) -> T:
        """A connector as something that can do more; skips the rule where it cannot."""
        source = self.connect()
        if isinstance(source, protocol):
            return source
        pytest.skip(f"{type(source).__name__} is no {protocol.__name__}")

    # --- people ---

    def marker(self) -> str:
        self._made += 1
        return f"zq{self._made:04d}marker"

    def create(self, number: int = 1, *, public: bool = True) -> list[str]:
        return [self.stage.create(self.marker(), public=public) for _ in range(number)]

    def crowd(self) -> list[str]:
        """As many documents as make several pages here."""
        return self.create(int(getattr(self.stage, "crowd", CROWD)))

    def edit(self, id: str) -> None:
        self.stage.edit(id, self.marker())

    # --- reading ---

    def load(self) -> Shelf:
        """A first load by a new connector, to its end."""
        shelf = Shelf()
        for page in pages(self.connect(), None):
            shelf.apply(page)
        return shelf

    def turn(self, shelf: Shelf, *, listing: bool = True) -> None:
        """One catch-up by a new connector, as the bot does it: an expired cursor means reading all again, and listing."""
        source = self.connect()
        try:
            for page in pages(source, shelf.cursor):
                shelf.apply(page)
        except CursorExpired:
            assert shelf.cursor is not None, "pull(None) must not raise CursorExpired: there is no cursor to expire"
            for page in pages(source, None):
                shelf.apply(page)
            listing = True
        if isinstance(source, Listing) and (listing or shelf.doubted):
            shelf.prune(source.list_ids())
        elif shelf.doubted:
            shelf.prune(shelf.present() - shelf.doubted)

    def settle(self, shelf: Shelf, *, listing: bool = True) -> None:
        """Time for the vendor to show everything, then a turn."""
        self.stage.advance(QUIET)
        self.turn(shelf, listing=listing)

    def within_a_day(self, shelf: Shelf) -> None:
        """Turns, six hours apart, until the shelf shows what is true; fails after a day."""
        for _ in range(5):
            self.stage.advance(PART_OF_A_DAY)
            self.turn(shelf)
            if not differences(shelf, self.stage.truth()):
                return
        self.agrees(shelf, "a day of turns later")

    def agrees(self, shelf: Shelf, when: str) -> None:
        found = differences(shelf, self.stage.truth())
        assert not found, f"{when}: " + "; ".join(found[:8]) + (f"; and {len(found) - 8} more" if len(found) > 8 else "")


def pages(source: Source, cursor: Cursor | None) -> Iterator[Page]:
    """A pull up to its caught-up page. Fails where it ends without one."""
    return ended(source.pull(cursor))


def ended(pull: Iterator[Page]) -> Iterator[Page]:
    for page in pull:
        yield page
        if page.caught_up:
            return
    raise AssertionError("a pull ended without a page that is caught up: its caller cannot tell the end from a loss")


def differences(shelf: Shelf, truth: Mapping[str, Shown]) -> list[str]:
    """What is wrong on the shelf, each a sentence."""
    found = [f"{id} was told, and is not there" for id in sorted(shelf.present() - truth.keys())]
    for id, shown in sorted(truth.items()):
        found.extend(_wrong(id, shown, shelf))
    return found


def _wrong(id: str, shown: Shown, shelf: Shelf) -> Iterator[str]:
    if not shown.readable:
        if id not in shelf.unreadable:
            yield f"{id} cannot be read, and was not told as Unreadable"
        elif not shelf.unreadable[id].strip():
            yield f"{id} is Unreadable without a reason"
        return
    document = shelf.documents.get(id)
    if document is None or id in shelf.unreadable:
        yield f"{id} can be read, and was " + ("told as Unreadable" if id in shelf.unreadable else "not told")
        return
    if shown.marker not in f"{document.title}\n{document.markdown}":
        yield f"{id} does not hold its text of now ({shown.marker})"
    if (document.audience == "public") != shown.public:
        yield f"{id} is {document.audience}, and should be {'public' if shown.public else 'internal'}"


def moments(document: Document) -> list[datetime]:
    return [moment for moment in (document.created_at, document.updated_at) if moment is not None]

