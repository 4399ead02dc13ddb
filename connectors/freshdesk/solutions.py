"""Articles and canned responses as a stream of changes, found by walking through all of them.

A turn is one walk. The cursor remembers what every document looked like, so that only what changed is read closely and told. What is
met no more is asked for by its id: an article that answers was moved while we walked, one that is not there is gone. Where a great
part is missing at once nobody is asked: that is told as inferred, for a complete listing and its brake to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from connectors.base import JSON, Cursor, CursorExpired, Gone, Page, Part, Unreadable
from connectors.fields import Row, moment, number
from connectors.freshdesk import parse
from connectors.freshdesk.client import Calls
from connectors.freshdesk.parse import Change, Place, Text
from connectors.freshdesk.settings import Knowledge
from connectors.freshdesk.walk import Walk, is_translation
from connectors.http import Denied

VERSION = 1
MACROS = "macros"  # the part with the canned responses
TOLD_AGAIN = timedelta(days=1)  # what did not change: should a document have got lost elsewhere, it is back within a day
ASKED = 25  # missing documents that are asked for by id in a turn
ASKED_SHARE = 20  # or one in so many, where that is less
ASKED_LEAST = 3
UNREAD = ""  # the digest of what could not be read: it is told again at every turn


@dataclass(frozen=True, slots=True)
class Found:
    """A document as the walk met it; `tell` reads it closely."""

    key: str
    digest: str
    tell: Callable[[], Change]


Steps = Iterator[tuple[str, list[Found] | None]]  # a folder, and what was found in it; None: it ends


@dataclass(slots=True)
class Memory:
    """What was told. `done` None: everything was, once; else the folders that this load has finished."""

    told_at: datetime
    known: dict[str, str] = field(default_factory=dict)
    done: list[str] | None = None

    def cursor(self) -> Cursor:
        """A copy: yielded cursors stay as they were."""
        done = None if self.done is None else [*self.done]
        return {"v": VERSION, "told_at": self.told_at.isoformat(), "known": dict(self.known), "done": cast(JSON, done)}


def memory_of(cursor: Cursor | None, now: datetime) -> Memory:
    """Raises CursorExpired for a cursor that is not ours."""
    if cursor is None:
        return Memory(now, {}, [])
    known: Any = cursor.get("known")
    done: Any = cursor.get("done")
    told_at = moment(cursor.get("told_at"))
    if cursor.get("v") != VERSION or told_at is None or not isinstance(known, dict) or not isinstance(done, list | None):
        raise CursorExpired("the cursor is of another version of this connector; reading starts again")
    finished = None if done is None else [str(id) for id in done]
    return Memory(told_at, {str(key): str(value) for key, value in known.items()}, finished)


class Solutions:
    """One account's knowledge. `counted` is how many articles the last whole walk met, None before one."""

    def __init__(self, calls: Calls, place: Place, knowledge: Knowledge, now: Callable[[], datetime]) -> None:
        self._calls = calls
        self._place = place
        self._knowledge = knowledge
        self._now = now
        self.counted: int | None = None

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """First load and catch-up alike. Raises CursorExpired."""
        memory = memory_of(cursor, self._now())
        if memory.done is None:
            yield from self._follow(memory)
            return
        yield from self._load(memory, self._steps(self._walk(), frozenset(memory.done)))
        self._count(memory.known)
        memory.done = None
        yield Page((), memory.cursor(), True)

    def begin(self) -> Cursor:
        return Memory(self._now()).cursor()

    def parts(self) -> tuple[Part, ...]:
        found: list[Part] = []
        if self._knowledge.articles:
            rows = self._walk().categories()
            found = [Part(number(row.get("id")) or "", str(row.get("name") or number(row.get("id")))) for row in rows]
        return (*found, Part(MACROS, "Canned responses")) if self._knowledge.macros else tuple(found)

    def pull_part(self, key: str, cursor: Cursor | None) -> Iterator[Page]:
        memory = memory_of(cursor, self._now())
        memory.done = memory.done or []
        walk, done = self._walk(), frozenset(memory.done)
        yield from self._load(memory, self._macros(walk, done) if key == MACROS else self._category(walk, key, done))
        yield Page((), memory.cursor(), True)

    def ids(self) -> Iterator[str]:
        """Every document that is there, read or unreadable."""
        walk, listed = self._walk(strict=True), set[str]()
        if self._knowledge.articles:
            for category in walk.categories():
                for shelf in walk.folders(number(category.get("id")) or ""):
                    for texts in walk.articles(shelf):
                        listed.update(self._place.document(text.key) for text in texts if text.live)
        if self._knowledge.macros:
            for rows in walk.canned():
                changes = (parse.macro(self._place, row) for row in rows)
                listed.update(change.id for change in changes if not isinstance(change, Gone))
        yield from sorted(listed)

    # --- a first load ---

    def _load(self, memory: Memory, steps: Steps) -> Iterator[Page]:
        """A folder that was begun is read again after a crash, and what of it was told is passed over."""
        for step, found in steps:
            changes = _told(found or [], memory.known, memory.known)
            if found is None and memory.done is not None:
                memory.done.append(step)
            if changes:
                yield Page(tuple(changes), memory.cursor(), False)

    # --- what follows ---

    def _follow(self, memory: Memory) -> Iterator[Page]:
        """Under the cursor that the turn began with: it moves with the last page only."""
        began, start = self._now(), memory.cursor()
        again = began - memory.told_at >= TOLD_AGAIN
        walk, met = self._walk(), dict[str, str]()
        for _, found in self._steps(walk, frozenset()):
            changes = _told(found or [], {} if again else memory.known, met)
            if changes:
                yield Page(tuple(changes), start, False)
        missed = self._missed(walk, sorted(memory.known.keys() - met.keys()), memory.known, met)
        self._count(met)
        yield Page(tuple(missed), Memory(began if again else memory.told_at, met).cursor(), True)

    def _missed(self, walk: Walk, keys: Sequence[str], known: dict[str, str], met: dict[str, str]) -> list[Change]:
        if len(keys) > min(ASKED, max(ASKED_LEAST, len(known) // ASKED_SHARE)):
            return [Gone(self._place.document(key), inferred=True) for key in keys]
        changes: list[Change] = []
        for key in keys:
            found = self._asked(walk, key)
            changes += [found] if isinstance(found, Gone) else _told([found], known, met)
            if changes and isinstance(changes[-1], Gone):
                met.pop(key, None)  # not to be asked for again
        return changes

    def _asked(self, walk: Walk, key: str) -> Found | Gone:
        """What became of one document; one that this key may not see any more is gone only if a listing says so too."""
        gone = Gone(self._place.document(key))
        path = self._path(walk, key)
        if path is None:
            return gone
        try:
            row = self._calls.one(path)
        except Denied as denial:
            if denial.status != 403:
                raise
            return Gone(gone.id, inferred=True)
        if row is None:
            return gone
        if key.startswith("macro:"):
            return self._macro(row)
        locale = key.partition(":")[2] or None
        if locale and not is_translation(row, locale, {}):
            return gone
        return self._article(Text(row, walk.shelves.get(number(row.get("folder_id")) or ""), locale), walk.languages().primary)

    def _path(self, walk: Walk, key: str) -> str | None:
        """Where a document answers; None when its kind or language is not read (any more)."""
        if key.startswith("macro:"):
            return f"/canned_responses/{key.removeprefix('macro:')}" if self._knowledge.macros else None
        identity, _, locale = key.partition(":")
        if not self._knowledge.articles or number(identity) is None:
            return None
        languages = walk.languages()
        if not locale:
            return f"/solutions/articles/{identity}" if languages.first else None
        code = next((code for code in languages.others if code.lower() == locale), None)
        return f"/solutions/articles/{identity}/{code}" if code else None

    # --- walking ---

    def _walk(self, *, strict: bool = False) -> Walk:
        return Walk(self._calls, self._knowledge.locales, strict=strict)

    def _steps(self, walk: Walk, done: frozenset[str]) -> Steps:
        if self._knowledge.articles:
            for category in walk.categories():
                yield from self._category(walk, number(category.get("id")) or "", done)
        if self._knowledge.macros:
            yield from self._macros(walk, done)

    def _category(self, walk: Walk, category: str, done: frozenset[str]) -> Steps:
        for shelf in walk.folders(category) if number(category) else ():
            if shelf.id not in done:
                for texts in walk.articles(shelf):
                    yield shelf.id, [self._article(text, walk.languages().primary) for text in texts]
                yield shelf.id, None

    def _macros(self, walk: Walk, done: frozenset[str]) -> Steps:
        if MACROS not in done:
            for rows in walk.canned():
                yield MACROS, [self._macro(row) for row in rows]
            yield MACROS, None

    def _article(self, text: Text, primary: str | None) -> Found:
        return Found(text.key, text.digest(), lambda: parse.article(self._place, text, primary))

    def _macro(self, row: Row) -> Found:
        return Found(parse.macro_key(row), parse.macro_digest(row), lambda: parse.macro(self._place, row))

    def _count(self, met: dict[str, str]) -> None:
        self.counted = sum(not key.startswith("macro:") for key in met)


def _told(found: Sequence[Found], known: dict[str, str], met: dict[str, str]) -> list[Change]:
    """What is new or changed against `known`; all of it is written into `met`."""
    changes: list[Change] = []
    for one in found:
        if known.get(one.key) == one.digest:
            met[one.key] = one.digest
            continue
        change = one.tell()
        met[one.key] = UNREAD if isinstance(change, Unreadable) else one.digest
        changes.append(change)
    return changes
