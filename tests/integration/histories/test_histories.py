"""Whatever happens at a vendor, on the way to it and to our own process: the index ends in what is true there.

Each history is drawn by Hypothesis: people create, edit, delete, move, restrict and unpublish; the wire fails; the sync dies at
any page, any write to the index and any commit. The ledger is SQLite, the index the embedded engine, the vendor an emulated one.
A few histories run with all tests; HISTORIES=1000 (see `make histories`) makes it that many for each connector.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, event
from sqlmodel import Session

from bot.answer.retrieve import Index, search
from bot.sync import Outcome, Progress, sync
from connectors.base import Cursor, Document, Listing, Page
from connectors.conformance import Expires, Hides, Moves, Play, Restores, Restricts, Spoils, Stage
from connectors.folder.connector import Folder
from connectors.http import HttpFactory
from connectors.sandbox.folder_stage import FolderStage
from storage.database import open_database
from storage.embedding import local_embedder
from storage.ledger import current_versions, present_ids, versions
from storage.vectors import FOREVER, Vectors, open_vectors

STAGES = {
    "folder": "connectors.sandbox.folder_stage:FolderStage",
    "zendesk": "connectors.sandbox.zendesk.stage:ZendeskStage",
    "freshdesk": "connectors.sandbox.freshdesk.stage:FreshdeskStage",
    "google_docs": "connectors.sandbox.google_docs.stage:GoogleStage",
    "confluence": "connectors.sandbox.confluence.stage:ConfluenceStage",
    "confluence_datacenter": "connectors.sandbox.confluence.stage:DataCenterStage",
}
NUMBER = int(os.environ.get("HISTORIES", "0"))
FEW = 10  # histories of one connector, where the environment names no number
STEPS = 20
DAY = 25 * 3600.0  # seconds: longer than a listing stays fresh
MODEL = local_embedder()
# What is tested is the death of a process, not of a machine: memory takes the writes faster than a disk.
MEMORY = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
WRITES = ("upsert", "close_versions", "remove_versions", "flush", "mark")
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429, "retry_after": "3"},
    {"kind": "status", "status": 503, "times": None},
    {"kind": "html", "times": None},
    {"kind": "truncated", "times": None},
    {"kind": "lost_response", "times": None},
    {"kind": "empty_page"},
    {"kind": "duplicate_page"},
    {"kind": "foreign_link"},
    {"kind": "redirect"},
)
Death = tuple[str, int]  # where ("page", "before write", "after write", "commit"), and at the how-manieth
numbers = st.integers(1, 3) | st.integers(1, 12)
deaths = st.tuples(st.just("page"), st.integers(1, 3)) | st.tuples(st.sampled_from(("before write", "after write", "commit")), numbers)


class Dies(Exception):
    """Stands for the death of the process."""


class Countdown:
    """Dies at its n-th tick."""

    def __init__(self, number: int) -> None:
        self.left = number

    def tick(self, *_: object) -> None:
        self.left -= 1
        if self.left == 0:
            raise Dies


class Frail:
    """The real index, one of whose writes is the last thing that the process does, or does not quite do."""

    def __init__(self, inner: Vectors, countdown: Countdown, *, after: bool) -> None:
        self._inner, self._countdown, self._after = inner, countdown, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if name not in WRITES:
            return real

        def write(*args: Any, **kwargs: Any) -> Any:
            if not self._after:
                self._countdown.tick()
            result = real(*args, **kwargs)
            if self._after:
                self._countdown.tick()
            return result

        return write


class Deployment:
    """One ledger and one index in a folder of their own; a process may die and another one open them again."""

    def __init__(self, template: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="draftdesk-history-", dir=MEMORY))
        shutil.copy(template, self.folder / "draftdesk.sqlite")
        self.engine, self.vectors = self._open()

    def _open(self) -> tuple[Engine, Vectors]:
        return open_database("sqlite", folder=self.folder), open_vectors(self.folder / "vectors", MODEL.dimensions)

    def restart(self) -> None:
        self.engine.dispose()
        self.vectors.close()
        self.engine, self.vectors = self._open()

    def close(self) -> None:
        self.engine.dispose()
        self.vectors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sync(self, name: str, play: Play, death: Death | None, **how: Any) -> Outcome | None:
        """None: it died."""
        where, number = death or ("", 0)
        countdown = Countdown(number)
        vectors = Frail(self.vectors, countdown, after=where == "after write") if where.endswith("write") else self.vectors
        progress: Callable[[Progress], None] = countdown.tick if where == "page" else lambda _: None
        if where == "commit":
            event.listen(self.engine, "commit", countdown.tick)
        try:
            return sync(name, play.connect(), self.engine, vectors, MODEL, now=play.stage.now, progress=progress, **how)
        except Dies:
            return None
        finally:
            if where == "commit":
                event.remove(self.engine, "commit", countdown.tick)


class History(RuleBasedStateMachine):
    """Rules are what may happen; `teardown` is what must be true in the end."""

    def __init__(self, make: Callable[[], Stage], template: Path) -> None:
        super().__init__()
        self.play = Play(make())
        self.stage = self.play.stage
        self.there = Deployment(template)
        self.deleted, self.hidden, self.spoilt = set[str](), set[str](), set[str]()
        self.known: list[str] = []
        self.markers: list[str] = []

    @initialize(number=st.integers(2, 8), loaded=st.booleans())
    def begin(self, number: int, loaded: bool) -> None:
        self.name = self._create(True).split(":")[1]  # this one is never touched
        for _ in range(number):
            self._create(True)
        self.stage.advance(3600)
        if loaded:
            self._sync(None, False, False)

    def _create(self, public: bool) -> str:
        self.markers.append(self.play.marker())
        self.known.append(self.stage.create(self.markers[-1], public=public))
        return self.known[-1]

    def _one(self, which: int) -> str | None:
        """A document that people may do something with."""
        free = [id for id in self.known[1:] if id not in self.deleted | self.hidden | self.spoilt]
        return free[which % len(free)] if free else None

    @rule(public=st.booleans())
    def create(self, public: bool) -> None:
        self._create(public)

    @rule(which=st.integers(0, 20))
    def edit(self, which: int) -> None:
        if id := self._one(which):
            self.markers.append(self.play.marker())
            self.stage.edit(id, self.markers[-1])

    @rule(which=st.integers(0, 20))
    def delete(self, which: int) -> None:
        if id := self._one(which):
            self.stage.delete(id)
            self.deleted.add(id)

    @rule(which=st.integers(0, 20), what=st.sampled_from(("restrict", "unrestrict", "move", "hide", "spoil")))
    def change(self, which: int, what: str) -> None:
        needs: dict[str, type[Any]] = {"restrict": Restricts, "unrestrict": Restricts, "move": Moves, "hide": Hides, "spoil": Spoils}
        if isinstance(self.stage, needs[what]) and (id := self._one(which)):
            getattr(self.stage, what)(id)
            {"hide": self.hidden, "spoil": self.spoilt}.get(what, set[str]()).add(id)

    @precondition(lambda self: self.deleted | self.hidden | self.spoilt)
    @rule(which=st.integers(0, 20), what=st.sampled_from(("restore", "show", "mend")))
    def undo(self, which: int, what: str) -> None:
        needs: dict[str, tuple[type[Any], set[str]]] = {
            "restore": (Restores, self.deleted),
            "show": (Hides, self.hidden),
            "mend": (Spoils, self.spoilt),
        }
        protocol, ids = needs[what]
        if isinstance(self.stage, protocol) and ids:
            id = sorted(ids)[which % len(ids)]
            getattr(self.stage, what)(id)
            ids.remove(id)

    @precondition(lambda self: isinstance(self.stage, Expires))
    @rule(death=st.none() | deaths)
    def catch_up_with_a_vendor_who_forgot(self, death: Death | None) -> None:
        self.stage.expire()
        self._sync(death, False, False)

    @rule(seconds=st.sampled_from((1.0, 30.0, 90.0, 1800.0, DAY)))
    def wait(self, seconds: float) -> None:
        self.stage.advance(seconds)

    @rule(confirmed=st.booleans())
    def catch_up(self, confirmed: bool) -> None:
        self._sync(None, False, confirmed)

    @rule(death=deaths, full=st.sampled_from((False,) * 6 + (True,)), confirmed=st.booleans())
    def catch_up_and_die(self, death: Death, full: bool, confirmed: bool) -> None:
        self._sync(death, full, confirmed)

    @precondition(lambda self: self.stage.site is not None)
    @rule(death=st.none() | deaths, fault=st.sampled_from(FAULTS), skip=st.integers(0, 12))
    def catch_up_on_a_bad_line(self, death: Death | None, fault: dict[str, Any], skip: int) -> None:
        self.stage.site.faults.add(skip=skip, **fault)
        self._sync(death, False, False)
        self.stage.site.faults.clear()

    def _sync(self, death: Death | None, full: bool, confirmed: bool) -> None:
        if self.there.sync(self.name, self.play, death, full=full, confirm_removals=confirmed) is None and death and death[1] % 3 == 0:
            self.there.restart()

    def teardown(self) -> None:
        try:
            if hasattr(self, "name"):
                self._end()
        finally:
            self.there.close()
            self.stage.close()

    def _end(self) -> None:
        """Two ordinary things more, a quiet day, then a sync that nothing disturbs; and the same once more, reading everything."""
        self.edit(len(self.known))
        self._create(True)
        if isinstance(self.stage, Spoils):
            for id in sorted(self.spoilt):
                self.stage.mend(id)
        for full in (False, True):
            self.stage.advance(DAY)
            outcome = self.there.sync(self.name, self.play, None, full=full, confirm_removals=True)
            assert outcome is not None
            assert outcome.error is None, outcome.error
            assert outcome.caught_up
            wrong = list(differences(self.there, self.stage, self.name, self.markers))
            assert not wrong, ("after reading everything: " if full else "after catching up: ") + "; ".join(wrong[:6])


def differences(there: Deployment, stage: Stage, name: str, markers: list[str]) -> Iterator[str]:
    """What the ledger and the index hold against what is true at the vendor."""
    truth = stage.truth()
    with Session(there.engine) as s:
        rows = {row.key: row for row in versions(s, name)}
        current = current_versions(s, set(rows), None)
        present = present_ids(s, name)
    stored = there.vectors.stored(name)
    open_ = {key for key, held in stored.items() if held.valid_to == FOREVER}
    if present != set(truth):
        yield f"the ledger misses {sorted(set(truth) - present)} and holds {sorted(present - set(truth))}"
    if open_ != current or not all(stored[key].complete for key in open_):
        yield f"the index holds {len(open_)} versions, the ledger {len(current)}"
    if sorted(rows[key].document for key in current) != sorted(truth):
        yield f"current versions are of {sorted(rows[key].document for key in current)}, true are {sorted(truth)}"
    index = Index(there.engine, there.vectors, MODEL)
    for id, shown in truth.items():
        found = [passage for passage in search(shown.marker, index, k=50) if shown.marker in f"{passage.title} {passage.text}"]
        if [(passage.document, passage.audience) for passage in found] != [(id, "public" if shown.public else "internal")]:
            yield f"{shown.marker} is {shown} of {id}, and found as {[(passage.document, passage.audience) for passage in found]}"
    stale = [marker for marker in markers if marker not in {shown.marker for shown in truth.values()}]
    for marker in stale[-4:]:
        found = [passage for passage in search(marker, index, k=50) if marker in f"{passage.title} {passage.text}"]
        if found:
            yield f"{marker} stands nowhere any more, and is found in {found[0].document}"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty ledger: migrating one for each history would take longer than the history."""
    folder = tmp_path_factory.mktemp("template")
    open_database("sqlite", folder=folder).dispose()
    return folder / "draftdesk.sqlite"


def stage_of(name: str) -> Callable[[], Stage]:
    module, _, kind = STAGES[name].partition(":")
    made: Callable[[], Stage] = getattr(importlib.import_module(module), kind)
    return made


def play_histories(make: Callable[[], Stage], template: Path, **how: Any) -> None:
    quick = {"deadline": None, "database": None, "print_blob": False, "suppress_health_check": list(HealthCheck)}
    run_state_machine_as_test(partial(History, make, template), settings=settings(stateful_step_count=STEPS, **{**quick, **how}))


@pytest.mark.parametrize("name", STAGES)
def test_the_index_ends_in_what_is_true(name: str, template: Path) -> None:
    play_histories(stage_of(name), template, max_examples=NUMBER or FEW, derandomize=not NUMBER)


class Drops(Folder):
    """A connector that does not tell the last change of a catch-up."""

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pull(cursor):
            yield replace(page, changes=page.changes[:-1]) if cursor else page


class RunsAhead(Folder):
    """A connector whose cursor is a page ahead of its changes: only a crash between the two shows it."""

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pull(cursor):
            yield Page((), page.cursor, caught_up=False)
            yield page


class Widens(Folder):
    """A connector that shows to customers whatever it has read twice."""

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        for page in super().pull(cursor):
            widened = (replace(one, audience="public") if isinstance(one, Document) and cursor else one for one in page.changes)
            yield replace(page, changes=tuple(widened))


@pytest.mark.parametrize("kind", [Drops, RunsAhead, Widens])
def test_a_faulty_connector_is_found(kind: type[Folder], template: Path) -> None:
    class Faulty(FolderStage):
        def connect(self, http: HttpFactory, *, wrong_credential: bool = False) -> Folder:
            return kind("handbook", self.folder, "public", now=self.now)

    with pytest.raises(AssertionError, match="after catching up"):
        play_histories(Faulty, template, max_examples=40, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False)


@pytest.mark.parametrize("name", STAGES)
def test_a_short_listing_removes_nothing(name: str, template: Path) -> None:
    """Half of a healthy source's documents are missing from one listing: the brake holds, and an operator may let go of it."""
    play, there = Play(stage_of(name)()), Deployment(template)
    try:
        first = play.create(24)[0]
        connector = first.split(":")[1]
        assert there.sync(connector, play, None, full=True) is not None
        source = play.connect()
        if not isinstance(source, Listing):
            pytest.skip(f"{name} has no listing")
        there_are = len(play.stage.truth())  # a stage may begin with documents of its own
        short = sorted(play.stage.truth())[:12]
        source.list_ids = lambda: iter(short)  # type: ignore[method-assign]
        play.stage.advance(DAY)
        outcome = sync(connector, source, there.engine, there.vectors, MODEL, full=True, now=play.stage.now)
        assert outcome.held_back == there_are - 12
        assert outcome.removed == 0
        assert "--confirm-removals" in str(outcome.error)
        assert not list(differences(there, play.stage, connector, []))
        outcome = sync(connector, source, there.engine, there.vectors, MODEL, confirm_removals=True, now=play.stage.now)
        assert (outcome.removed, outcome.error) == (there_are - 12, None)
    finally:
        there.close()
        play.stage.close()
