"""Sync on a real ledger and the real index: what a crash, a repeat, a deletion and a bad listing end in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine, event
from sqlmodel import Session

from bot.answer.retrieve import Index, search
from bot.sync import STREAM, Outcome, Progress, brake, rebuild, sync
from connectors.base import ConfigProblem, Cursor, CursorExpired, Document, Gone, Page, RateLimited, Transient, Unreadable
from storage.database import open_database
from storage.embedding import local_embedder
from storage.ledger import last_listing, last_syncs, read_cursor
from storage.ledger import versions as recorded
from storage.vectors import FOREVER, Vectors, open_vectors

START = datetime(2026, 5, 1, tzinfo=UTC)
LOCAL = local_embedder()
Change = Document | Gone | Unreadable


@dataclass
class Clock:
    """Each look is a second later."""

    at: datetime = START

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@dataclass
class Feed:
    """A source whose stream is a growing list of changes, two to a page; the cursor is a place in it."""

    changes: list[Change]
    fault: Callable[[int], None] = lambda at: None
    size: int = 2
    pulls: list[Cursor | None] = field(default_factory=list)

    def check(self) -> None:
        return None

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        self.pulls.append(cursor)
        at = int(str(cursor["at"])) if cursor else 0
        while True:
            self.fault(at)
            batch = tuple(self.changes[at : at + self.size])
            at += len(batch)
            yield Page(batch, {"v": 1, "at": at}, at >= len(self.changes))
            if at >= len(self.changes):
                return


@dataclass
class Listed(Feed):
    ids: Sequence[str] | Exception = ()
    listings: int = 0

    def list_ids(self) -> Iterator[str]:
        self.listings += 1
        if isinstance(self.ids, Exception):
            raise self.ids
        yield from self.ids


@dataclass
class CountingModel:
    name: str = LOCAL.name
    dimensions: int = LOCAL.dimensions
    texts: int = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += len(texts)
        return LOCAL.embed(texts)


class Dies(Exception):
    """Stands for the death of the process."""


class Frail:
    """The real index, whose n-th write dies before or after it took effect."""

    WRITES = ("upsert", "close_versions", "remove_versions", "flush", "mark")

    def __init__(self, inner: Vectors, dies_at: int | None = None, *, after: bool = False) -> None:
        self._inner, self._dies_at, self._after, self.writes = inner, dies_at, after, 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if name not in self.WRITES:
            return real

        def write(*args: Any, **kwargs: Any) -> Any:
            self.writes += 1
            dies = self.writes == self._dies_at
            if dies and not self._after:
                raise Dies
            real(*args, **kwargs)
            if dies:
                raise Dies

        return write


@dataclass
class Desk:
    """One deployment, in its own folder."""

    engine: Engine
    vectors: Vectors
    clock: Clock = field(default_factory=Clock)
    model: CountingModel = field(default_factory=CountingModel)

    def sync(self, source: Any, vectors: Any = None, **how: Any) -> Outcome:
        return sync("kb", source, self.engine, vectors or self.vectors, self.model, now=self.clock, **how)

    def finds(self, query: str, **how: Any) -> list[str]:
        return [passage.document.split(":")[2] for passage in search(query, Index(self.engine, self.vectors, LOCAL), **how)]

    def state(self) -> tuple[Any, ...]:
        """What an uninterrupted and an interrupted sync must agree on, moments aside."""
        with Session(self.engine) as s:
            rows = list(recorded(s, "kb"))
            cursor = read_cursor(s, "kb", STREAM)
        stored = self.vectors.stored("kb")
        told = sorted((row.document, row.fingerprint, row.valid_to is None) for row in rows)
        return told, cursor, {row.key: row.valid_to.timestamp() if row.valid_to else FOREVER for row in rows} == {
            key: held.valid_to for key, held in stored.items() if held.complete
        }


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


def doc(name: str, text: str, **more: Any) -> Document:
    return Document(f"folder:kb:{name}", name, text, f"https://kb.example/{name}", START, **({"audience": "public"} | more))


def gone(name: str) -> Gone:
    return Gone(f"folder:kb:{name}")


FIRST = [doc("refund", "Refunds take thirty days."), doc("parcel", "Parcels travel by train."), doc("login", "Reset the password online.")]
THEN: list[Change] = [
    doc("refund", "Refunds take sixty days."),
    gone("parcel"),
    doc("invoice", "Invoices come by mail."),
    Unreadable("folder:kb:login", "too large"),
]


def test_documents_are_found_after_a_sync_and_the_outcome_counts_them(desk: Desk) -> None:
    told: list[Progress] = []
    outcome = desk.sync(Feed([*FIRST]), progress=told.append, requests=itertools.count(5).__next__)
    assert (outcome.added, outcome.updated, outcome.removed, outcome.unchanged) == (3, 0, 0, 0)
    assert (outcome.caught_up, outcome.error, outcome.requests) == (True, None, 1)
    assert desk.finds("when do refunds come")[0] == "refund"
    assert [(progress.added, progress.passages) for progress in told] == [(2, 2), (3, 3)]
    outcome = desk.sync(Feed([*FIRST, *THEN]))
    assert (outcome.added, outcome.updated, outcome.removed, outcome.unreadable) == (1, 1, 1, 1)
    assert "parcel" not in desk.finds("parcels by train")
    assert "login" in desk.finds("reset the password")
    with Session(desk.engine) as s:
        assert last_syncs(s)["kb"].updated == 1


def test_nothing_changed_costs_no_embedding_and_no_vector_write(desk: Desk) -> None:
    desk.sync(Feed([*FIRST]))
    desk.model.texts = 0
    watched = Frail(desk.vectors)
    outcome = desk.sync(Feed([*FIRST]), watched, full=True)
    assert (outcome.unchanged, outcome.added, outcome.updated) == (3, 0, 0)
    assert (desk.model.texts, watched.writes) == (0, 0)


def test_a_superseded_text_is_found_as_of_its_time_only(desk: Desk) -> None:
    desk.sync(Feed([*FIRST]))
    before = desk.clock.at
    desk.clock.at += timedelta(days=1)
    desk.sync(Feed([*FIRST, *THEN]))
    index = Index(desk.engine, desk.vectors, LOCAL)
    assert search("refunds", index)[0].text == "Refunds take sixty days."
    assert search("refunds", index, as_of=before)[0].text == "Refunds take thirty days."


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_write_to_the_index_ends_as_if_there_had_been_none(desks: Callable[[], Desk], after: bool) -> None:
    smooth = desks()
    smooth.sync(Feed([*FIRST]))
    count = Frail(smooth.vectors)
    smooth.sync(Feed([*FIRST, *THEN]), count)
    assert count.writes > 5
    for dies_at in range(1, count.writes + 1):
        desk = desks()
        desk.sync(Feed([*FIRST]))
        with pytest.raises(Dies):
            desk.sync(Feed([*FIRST, *THEN]), Frail(desk.vectors, dies_at, after=after))
        desk.sync(Feed([*FIRST, *THEN]))
        assert desk.state() == smooth.state()
        assert desk.state()[2]


def test_a_crash_at_any_commit_ends_as_if_there_had_been_none(desks: Callable[[], Desk]) -> None:
    smooth = desks()
    smooth.sync(Feed([*FIRST]))
    smooth.sync(Feed([*FIRST, *THEN]))
    for dies_at in (1, 2, 3):
        desk = desks()
        desk.sync(Feed([*FIRST]))
        commits = itertools.count(1)

        def die(_: Any, commits: Iterator[int] = commits, dies_at: int = dies_at) -> None:
            if next(commits) == dies_at:
                raise Dies

        event.listen(desk.engine, "commit", die)
        with pytest.raises(Dies):
            desk.sync(Feed([*FIRST, *THEN]))
        event.remove(desk.engine, "commit", die)
        desk.sync(Feed([*FIRST, *THEN]))
        assert desk.state() == smooth.state()


def test_a_ledger_that_refuses_a_page_leaves_nothing_of_it_in_the_index_after_the_next_sync(desk: Desk) -> None:
    desk.sync(Feed([*FIRST]))
    commits = itertools.count(1)

    def refuse(_: Any) -> None:
        if next(commits) == 1:
            raise Transient("the database is locked")

    event.listen(desk.engine, "commit", refuse)
    assert desk.sync(Feed([*FIRST, doc("refund", "Refunds are off.")])).error == "the database is locked"
    event.remove(desk.engine, "commit", refuse)
    assert desk.sync(Feed([*FIRST]), full=True).error is None
    assert search("refunds", Index(desk.engine, desk.vectors, LOCAL))[0].text == "Refunds take thirty days."
    assert desk.state()[2]


def test_a_document_deleted_or_put_back_between_crash_and_repeat_is_as_its_source_says(desks: Callable[[], Desk]) -> None:
    for dies_at in range(1, 8):
        desk = desks()
        desk.sync(Feed([*FIRST]))
        secret = doc("secret", "The vault code is under the mat.")
        with pytest.raises(Dies):
            desk.sync(Feed([*FIRST, secret, doc("refund", "Refunds are off.")]), Frail(desk.vectors, dies_at))
        again = desk.sync(Feed([*FIRST, gone("secret"), FIRST[0]]), full=True)
        assert again.error is None
        assert "secret" not in desk.finds("vault code under the mat")
        assert search("refunds", Index(desk.engine, desk.vectors, LOCAL))[0].text == "Refunds take thirty days."
        assert desk.state()[2]


def test_a_lost_index_is_rebuilt_from_the_ledger_without_the_source(desk: Desk, tmp_path: Path) -> None:
    desk.sync(Feed([*FIRST]))
    desk.sync(Feed([*FIRST, *THEN]))
    lost = desk.vectors
    desk.vectors = open_vectors(tmp_path / "new", LOCAL.dimensions)
    desk.sync(Feed([*FIRST, *THEN]))
    assert desk.state()[2]
    assert desk.finds("refunds")[0] == "refund"
    desk.vectors.remove_documents(["folder:kb:refund"])
    assert rebuild(desk.engine, desk.vectors, LOCAL) == 2
    assert desk.state()[2]
    lost.close()


def test_public_text_made_internal_hides_at_once(desk: Desk) -> None:
    desk.sync(Feed([*FIRST]))
    desk.sync(Feed([*FIRST, doc("refund", FIRST[0].markdown, audience="internal")]))
    assert "refund" not in desk.finds("refunds thirty days", audience="public")
    assert "refund" in desk.finds("refunds thirty days", audience="internal")


def test_a_document_that_comes_back_is_found_again(desk: Desk) -> None:
    feed = Feed([*FIRST, gone("refund")])
    desk.sync(feed)
    assert "refund" not in desk.finds("refunds")
    feed.changes.append(FIRST[0])
    assert desk.sync(feed).added == 1
    assert desk.finds("refunds")[0] == "refund"


def test_what_one_page_says_twice_counts_as_said_last(desk: Desk) -> None:
    outcome = desk.sync(Feed([FIRST[0], doc("refund", "Refunds are instant."), FIRST[1], gone("parcel")], size=4))
    assert outcome.added == 1
    assert search("refunds", Index(desk.engine, desk.vectors, LOCAL))[0].text == "Refunds are instant."
    assert "parcel" not in desk.finds("parcels")


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (ConfigProblem("the password is wrong"), "the password is wrong"),
        (RateLimited("asked to wait", 90), "asked to wait; try again in 90 seconds"),
        (Transient("no answer"), "no answer"),
    ],
)
def test_a_failing_source_keeps_what_came_and_resumes_there(desk: Desk, problem: Exception, sentence: str) -> None:
    def fault(at: int) -> None:
        if at == 2:
            raise problem

    feed = Listed([*FIRST], fault=fault, ids=[])
    outcome = desk.sync(feed)
    assert (outcome.error, outcome.caught_up, outcome.added, feed.listings) == (sentence, False, 2, 0)
    assert desk.finds("refunds")[0] == "refund"
    feed.fault = lambda at: None
    assert desk.sync(feed).added == 1
    assert feed.pulls == [None, {"v": 1, "at": 2}]


def test_an_expired_cursor_starts_over_says_so_and_lists(desk: Desk) -> None:
    desk.sync(Listed([*FIRST]))

    def fault(at: int) -> None:
        if at:
            raise CursorExpired

    feed = Listed([*FIRST[:2]], fault=fault, size=9, ids=[change.id for change in FIRST[:2]])
    outcome = desk.sync(feed)
    assert feed.pulls == [{"v": 1, "at": 3}, None]
    assert "read again" in outcome.notes[0]
    assert (outcome.error, outcome.removed, feed.listings) == (None, 1, 1)


def many(count: int) -> list[Change]:
    return [doc(f"n{number}", f"Article number {number}.") for number in range(count)]


@pytest.mark.parametrize(("documents", "allowed"), [(0, 0), (1, 0), (2, 1), (39, 1), (40, 2), (999, 49), (1000, 50), (100_000, 50)])
def test_the_brake_is_five_per_cent_at_most_fifty_at_least_one_and_never_the_last(documents: int, allowed: int) -> None:
    assert brake(documents) == allowed


def test_a_listing_removes_what_it_no_longer_names_up_to_the_brake(desk: Desk) -> None:
    feed = Listed(many(40), size=50)
    assert desk.sync(feed).error is None
    assert feed.listings == 0, "a complete first load needs no listing"
    names = [change.id for change in feed.changes]
    feed.ids = names[2:]
    assert (desk.sync(feed, full=True).removed, feed.listings) == (2, 1)
    assert "n0" not in desk.finds("Article number 0", k=40)


def test_a_listing_that_misses_too_much_removes_nothing_until_it_is_confirmed(desk: Desk) -> None:
    feed = Listed(many(40), size=50)
    desk.sync(feed)
    feed.ids = [change.id for change in feed.changes[3:]]
    outcome = desk.sync(feed, full=True)
    assert (outcome.removed, outcome.held_back) == (0, 3)
    assert outcome.error
    assert "draftdesk sync kb --confirm-removals" in outcome.error
    assert "n0" in desk.finds("Article number 0", k=40)
    confirmed = desk.sync(feed, confirm_removals=True)
    assert (confirmed.removed, confirmed.held_back, confirmed.error) == (3, 0, None)
    assert "n0" not in desk.finds("Article number 0", k=40)


def test_a_listing_comes_once_a_day_and_again_when_it_was_held_back(desk: Desk) -> None:
    feed = Listed(many(3), size=50)
    desk.sync(feed)
    feed.ids = [change.id for change in feed.changes]
    desk.sync(feed)
    assert feed.listings == 0
    desk.clock.at += timedelta(hours=25)
    desk.sync(feed)
    desk.sync(feed)
    assert feed.listings == 1
    desk.clock.at += timedelta(hours=25)
    feed.ids = []
    assert [desk.sync(feed).held_back, desk.sync(feed).held_back, feed.listings] == [3, 3, 3]


def test_a_listing_that_fails_removes_nothing(desk: Desk) -> None:
    feed = Listed(many(3), size=50, ids=Transient("the list broke off"))
    desk.sync(feed)
    outcome = desk.sync(feed, full=True)
    assert (outcome.removed, outcome.error) == (0, "the list broke off")
    with Session(desk.engine) as s:
        assert last_listing(s, "kb") == START + timedelta(seconds=1)


def missed(name: str) -> Gone:
    return Gone(f"folder:kb:{name}", inferred=True)


def test_what_is_only_inferred_to_be_gone_is_listed_at_once_and_braked(desk: Desk) -> None:
    feed = Listed(many(40), size=50)
    desk.sync(feed)
    names = [change.id for change in feed.changes]
    feed.changes += [missed("n0"), missed("n1")]
    feed.ids = names[2:]
    outcome = desk.sync(feed)
    assert (outcome.removed, outcome.held_back, feed.listings) == (2, 0, 1)
    feed.changes += [missed(f"n{number}") for number in range(2, 40)]
    feed.ids = []
    outcome = desk.sync(feed)
    assert (outcome.removed, outcome.held_back) == (0, 38)
    assert "n5" in desk.finds("Article number 5", k=40)
    assert desk.sync(feed).held_back == 38, "it says so until it is settled"
    feed.ids = names[2:]
    assert (desk.sync(feed).error, desk.sync(feed).error, feed.listings) == (None, None, 4)


def test_a_crash_between_the_inference_and_its_listing_forgets_nothing(desk: Desk) -> None:
    feed = Listed(many(40), size=50)
    desk.sync(feed)
    feed.changes.append(missed("n0"))
    feed.ids = Dies()  # type: ignore[assignment]
    with pytest.raises(Dies):
        desk.sync(feed)
    feed.ids = [change.id for change in feed.changes[1:40]]
    assert desk.sync(feed).removed == 1


def test_an_inferred_deletion_that_the_listing_contradicts_removes_nothing(desk: Desk) -> None:
    feed = Listed(many(3), size=50)
    desk.sync(feed)
    feed.ids = [change.id for change in feed.changes]
    feed.changes.append(missed("n0"))
    assert desk.sync(feed).removed == 0
    assert "n0" in desk.finds("Article number 0", k=9)


def test_deletions_that_the_source_states_are_carried_out_however_many(desk: Desk) -> None:
    feed = Listed(many(40), size=50)
    desk.sync(feed)
    feed.changes += [gone(f"n{number}") for number in range(40)]
    assert (desk.sync(feed).removed, feed.listings) == (40, 0)


@dataclass
class Warned(Feed):
    def warnings(self) -> tuple[str, ...]:
        return ("kb: the token ends tomorrow",)


def test_what_a_source_warns_of_is_noted_without_its_name_said_twice(desk: Desk) -> None:
    assert desk.sync(Warned([*FIRST])).notes == ("the token ends tomorrow",)


def test_an_unreadable_document_is_present_for_the_listing(desk: Desk) -> None:
    feed = Listed([*FIRST, *THEN], size=50)
    desk.sync(feed)
    feed.ids = ["folder:kb:refund", "folder:kb:invoice"]
    assert desk.sync(feed, full=True).removed == 1, "login: unreadable, and no longer listed"


def test_a_long_document_is_found_by_each_of_its_passages(desk: Desk) -> None:
    text = "# Money\n\n" + "Refunds are paid to the card. " * 40 + "\n\n# Travel\n\n" + "Parcels travel by train. " * 40
    desk.sync(Feed([doc("long", text)]))
    index = Index(desk.engine, desk.vectors, LOCAL)
    assert search("parcels by train", index)[0].heading == ("Travel",)
    assert search("refunds to the card", index)[0].heading == ("Money",)


def test_a_document_without_text_is_found_by_its_title(desk: Desk) -> None:
    desk.sync(Feed([doc("Warranty", "")]))
    assert desk.finds("warranty") == ["Warranty"]
