"""The first load of a divided source: part by part, resumable anywhere, with counts that tell of gaps."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from bot.intake import STREAM, Progress
from bot.sync import Outcome, PartCount, sync
from connectors.base import Cursor, CursorExpired, Document, Page, Part, RateLimited, Transient, Unreadable
from storage.database import open_database
from storage.embedding import local_embedder
from storage.ledger import last_syncs, present_ids, read_cursor
from storage.parts import is_loading, parts_of, stream_of
from storage.vectors import Vectors, open_vectors

START = datetime(2026, 5, 1, tzinfo=UTC)
LOCAL = local_embedder()


class Dies(Exception):
    """Stands for the death of the process."""


@dataclass
class Clock:
    at: datetime = START

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def doc(name: str, text: str = "") -> Document:
    return Document(f"confluence:wiki:page:{name}", name, text or f"Page {name}.", f"https://kb.example/{name}", START, audience="public")


@dataclass
class Wiki:
    """Spaces of pages and a log of changes; a cursor is a place in one or the other. `events` tells the order of what was asked."""

    spaces: dict[str, list[Document | Unreadable]]
    counts: dict[str, int] = field(default_factory=dict)  # what it claims where that is not the truth
    log: list[Document] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    fault: Callable[[str, int], None] = lambda key, at: None
    forgets: set[str] = field(default_factory=set)

    def check(self) -> None:
        return None

    def begin(self) -> Cursor:
        self.events.append("begin")
        return {"v": 1, "log": len(self.log)}

    def parts(self) -> tuple[Part, ...]:
        self.events.append("parts")
        return tuple(Part(key, f"space {key}", self.counts.get(key, len(pages))) for key, pages in self.spaces.items())

    def pull_part(self, key: str, cursor: Cursor | None) -> Iterator[Page]:
        at = int(str(cursor["at"])) if cursor else 0
        self.events.append(f"{key}:{at}")
        if cursor and key in self.forgets:
            self.forgets.remove(key)
            raise CursorExpired
        pages = self.spaces[key]
        while True:
            self.fault(key, at)
            start = max(0, at - 1)  # the overlap
            at = min(at + 2, len(pages))
            yield Page(tuple(pages[start:at]), {"v": 1, "at": at}, at >= len(pages))
            if at >= len(pages):
                return

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        assert cursor is not None, "a divided source is loaded by its parts"
        self.events.append(f"pull:{cursor['log']}")
        if "pull" in self.forgets:
            self.forgets.remove("pull")
            raise CursorExpired
        at = int(str(cursor["log"]))
        yield Page(tuple(self.log[at:]), {"v": 1, "log": len(self.log)}, True)


@dataclass
class Desk:
    engine: Engine
    vectors: Vectors
    clock: Clock = field(default_factory=Clock)

    def sync(self, source: Wiki, **how: Any) -> Outcome:
        return sync("wiki", source, self.engine, self.vectors, LOCAL, now=self.clock, **how)

    def present(self) -> set[str]:
        with Session(self.engine) as s:
            return {id.rpartition(":")[2] for id in present_ids(s, "wiki")}

    def cursors(self) -> tuple[Cursor | None, bool, list[Cursor | None]]:
        with Session(self.engine) as s:
            parts = [read_cursor(s, "wiki", stream_of(part.key)) for part in parts_of(s, "wiki")]
            return read_cursor(s, "wiki", STREAM), is_loading(s, "wiki"), parts


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[Callable[[], Desk]]:
    opened: list[Desk] = []

    def new() -> Desk:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        opened.append(Desk(open_database("sqlite", folder=folder), open_vectors(folder / "index", LOCAL.dimensions)))
        return opened[-1]

    yield new
    for desk in opened:
        desk.vectors.close()
        desk.engine.dispose()


@pytest.fixture
def desk(desks: Callable[[], Desk]) -> Desk:
    return desks()


def wiki(**more: Any) -> Wiki:
    return Wiki({"KB": [doc(f"k{n}") for n in range(5)], "ENG": [doc(f"e{n}") for n in range(3)], "NEW": []}, **more)


ALL = {*(f"k{n}" for n in range(5)), *(f"e{n}" for n in range(3))}
COUNTED = (PartCount("KB", "space KB", 5, 5, True), PartCount("ENG", "space ENG", 3, 3, True), PartCount("NEW", "space NEW", 0, 0, True))


def test_the_parts_are_read_after_the_place_where_catching_up_starts(desk: Desk) -> None:
    source = wiki()

    def edited_meanwhile(key: str, at: int) -> None:
        if key == "ENG" and not source.log:
            source.log.append(doc("k0", "Edited while the load ran."))

    source.fault = edited_meanwhile
    outcome = desk.sync(source)
    assert source.events == ["begin", "parts", "KB:0", "ENG:0", "NEW:0", "pull:0"]
    assert (outcome.error, outcome.caught_up, outcome.added, outcome.updated, outcome.notes) == (None, True, 8, 1, ())
    assert outcome.parts == COUNTED
    assert desk.present() == ALL
    source.events.clear()
    assert desk.sync(source).parts == ()
    assert source.events == ["pull:1"]


def test_progress_names_the_part_and_how_far_it_is(desk: Desk) -> None:
    told: list[Progress] = []
    desk.sync(wiki(), progress=told.append)
    assert [(p.part, p.part_seen, p.part_expected) for p in told] == [
        ("space KB", 2, 5),
        ("space KB", 4, 5),
        ("space KB", 5, 5),
        ("space ENG", 2, 3),
        ("space ENG", 3, 3),
        ("space NEW", 0, 0),
        (None, 0, None),
    ]


def test_a_crash_at_any_commit_goes_on_in_the_middle_and_counts_nothing_twice(desks: Callable[[], Desk]) -> None:
    for dies_at in range(1, 13):
        desk, source, commits = desks(), wiki(), itertools.count(1)

        def die(_: Any, commits: Iterator[int] = commits, dies_at: int = dies_at) -> None:
            if next(commits) == dies_at:
                raise Dies

        event.listen(desk.engine, "commit", die)
        with pytest.raises(Dies):
            desk.sync(source)
        event.remove(desk.engine, "commit", die)
        source.events.clear()
        outcome = desk.sync(source)
        assert (outcome.error, desk.present()) == (None, ALL)
        assert outcome.parts in (COUNTED, ()), dies_at
        assert outcome.notes == ()
        assert ("begin" in source.events) == (dies_at == 1)
        assert desk.cursors()[1:] == (False, [None, None, None])


def test_a_load_that_breaks_off_passes_over_what_is_finished(desk: Desk) -> None:
    source = wiki()

    def broken(key: str, at: int) -> None:
        if (key, at) == ("ENG", 2):
            raise RateLimited("asked to wait", 30)

    source.fault = broken
    outcome = desk.sync(source)
    assert (outcome.error, outcome.caught_up) == ("asked to wait; try again in 30 seconds", False)
    assert [(part.key, part.seen, part.finished) for part in outcome.parts] == [("KB", 5, True), ("ENG", 2, False), ("NEW", 0, False)]
    source.fault = lambda key, at: None
    source.events.clear()
    assert desk.sync(source).parts == COUNTED
    assert source.events == ["ENG:2", "NEW:0", "pull:0"]


def test_fewer_documents_than_the_vendor_counts_are_an_alarm_that_removes_nothing(desk: Desk) -> None:
    source = wiki(counts={"ENG": 1200})
    outcome = desk.sync(source)
    assert (outcome.error, outcome.removed, desk.present()) == (None, 0, ALL)
    (note,) = outcome.notes
    assert note.startswith("space ENG: 3 documents seen, the source counts 1,200; 1,197 are missing.")
    assert "draftdesk sync wiki --full" in note
    assert source.events.count("parts") == 2, "the vendor is asked again before the alarm is raised"
    with Session(desk.engine) as s:
        assert [part.missing for part in parts_of(s, "wiki")] == [0, 1197, 0]


def test_what_was_deleted_while_it_was_read_is_no_gap(desk: Desk) -> None:
    source = wiki(counts={"ENG": 4})

    def deleted(key: str, at: int) -> None:
        source.counts.pop("ENG", None)

    source.fault = deleted
    assert desk.sync(source).notes == ()


def test_an_unreadable_document_was_seen(desk: Desk) -> None:
    source = wiki()
    source.spaces["ENG"][1] = Unreadable("confluence:wiki:page:e1", "too large")
    outcome = desk.sync(source)
    assert (outcome.notes, outcome.unreadable, outcome.parts) == ((), 1, COUNTED)


def test_a_part_that_no_longer_knows_its_place_is_read_from_its_beginning(desk: Desk) -> None:
    source = wiki()

    def broken(key: str, at: int) -> None:
        if (key, at) == ("KB", 4):
            raise Transient("no answer")

    source.fault = broken
    desk.sync(source)
    source.fault, source.forgets = lambda key, at: None, {"KB"}
    source.events.clear()
    assert desk.sync(source).parts == COUNTED
    assert source.events == ["KB:4", "KB:0", "ENG:0", "NEW:0", "pull:0"]


def test_a_full_sync_goes_by_parts_and_starts_anew(desk: Desk) -> None:
    source = wiki()
    desk.sync(source)
    source.events.clear()
    outcome = desk.sync(source, full=True)
    assert source.events == ["begin", "parts", "KB:0", "ENG:0", "NEW:0", "pull:0"]
    assert (outcome.unchanged, outcome.added, outcome.parts) == (8, 0, COUNTED)


def test_an_expired_cursor_loads_anew_by_parts(desk: Desk) -> None:
    source = wiki()
    desk.sync(source)
    source.forgets, source.events = {"pull"}, []
    outcome = desk.sync(source)
    assert source.events == ["pull:0", "begin", "parts", "KB:0", "ENG:0", "NEW:0", "pull:0"]
    assert "read again" in outcome.notes[0]
    assert (outcome.error, outcome.caught_up) == (None, True)


def test_the_parts_may_be_read_apart_in_any_order_and_the_next_sync_concludes(desk: Desk) -> None:
    source = wiki()
    begun = desk.sync(source, apart=True)
    assert (source.events, begun.caught_up, begun.error) == (["begin", "parts"], False, None)
    with Session(desk.engine) as s:
        assert last_syncs(s) == {}, "it is not synced before it is loaded"
    for key in ("NEW", "ENG", "KB", "ENG"):
        assert desk.sync(source, part=key).error is None
    assert source.events[2:] == ["NEW:0", "ENG:0", "KB:0"]
    outcome = desk.sync(source, apart=True)
    assert (outcome.caught_up, outcome.parts) == (True, COUNTED)
    assert desk.present() == ALL


def test_an_account_without_any_part_is_caught_up_at_once(desk: Desk) -> None:
    outcome = desk.sync(Wiki({}))
    assert (outcome.caught_up, outcome.error, outcome.parts) == (True, None, ())


def test_the_counts_are_kept_on_either_database(engine: Engine, tmp_path: Path) -> None:
    vectors = open_vectors(tmp_path / "index", LOCAL.dimensions)
    desk, source = Desk(engine, vectors), wiki(counts={"ENG": 4})

    def broken(key: str, at: int) -> None:
        if (key, at) == ("KB", 4):
            raise Transient("no answer")

    source.fault = broken
    assert desk.sync(source).error == "no answer"
    source.fault = lambda key, at: None
    assert [(part.seen, part.expected) for part in desk.sync(source).parts] == [(5, 5), (3, 4), (0, 0)]
    assert desk.present() == ALL
    assert desk.cursors()[1:] == (False, [None, None, None])
    vectors.close()
