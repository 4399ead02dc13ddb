"""Durable work on its queues: what fails gives its place to others, comes back, and is told when it is given up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import worker as worker_module
from bot.worker import FIRST_WAIT, LONG_WAIT, SHORT_WAIT, TRIES, Moved, Worker, despite_bugs, pause_after, start_worker
from connectors.base import Transient

pytestmark = pytest.mark.xdist_group("forgetting")  # durable execution is one per process
LONG_ENOUGH = 60  # seconds; it never takes so long


@dataclass
class Desk:
    """Chores over tickets of which some cannot be answered yet: `failing`, how many tries of each ticket are in vain."""

    failing: dict[str, int]
    wait: float = 0.05
    tries: Counter[str] = field(default_factory=Counter)
    answered: dict[str, threading.Event] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # which work has a ticket, as `storage.assignments` keeps it

    def attend(self, connector: str, ticket: str, work: str) -> float:
        if self.owners.setdefault(ticket, work) != work:
            return 0.0
        self.tries[ticket] += 1
        if self.tries[ticket] <= self.failing.get(ticket, 0):
            return self.wait
        self.answered[ticket].set()
        return 0.0

    def moved(self, connector: str) -> Moved:
        return Moved((), None, True)


@contextmanager
def working(desk: Desk, folder: Path, *, at_once: int) -> Iterator[Worker]:
    chores: Any = desk
    worker = start_worker(chores, {"help": at_once}, f"sqlite:///{folder / 'workflows.sqlite'}")
    try:
        yield worker
    finally:
        worker.stop()


def test_a_ticket_that_fails_holds_up_no_other_and_is_answered_later_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_PAUSES", (1.5, *[0.05] * TRIES))
    desk = Desk({"stuck": 2}, answered={"stuck": threading.Event(), "other": threading.Event()})
    with working(desk, tmp_path, at_once=1) as worker:
        worker.look("help", "stuck", "d1")
        worker.look("help", "other", "d2")
        assert desk.answered["other"].wait(LONG_ENOUGH)
        assert not desk.answered["stuck"].is_set(), "the one place was free while the first ticket waited for its next try"
        worker.look("help", "stuck", "d3")
        assert desk.answered["stuck"].wait(LONG_ENOUGH)
    assert desk.tries == {"stuck": 3, "other": 1}, "another look at the ticket makes no second try of its own"


def test_what_cannot_be_done_is_given_up_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "TRIES", 3)
    monkeypatch.setattr(worker_module, "_PAUSES", (0.05,) * 3)
    told = threading.Event()
    desk = Desk({"stuck": 99}, answered={"stuck": threading.Event()})

    def listen(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
        if event["event"] == "given up":
            told.set()
        return event

    with capture_logs(processors=[listen]) as lines, working(desk, tmp_path, at_once=1) as worker:
        worker.look("help", "stuck", "d1")
        assert told.wait(LONG_ENOUGH)
    assert desk.tries == {"stuck": 3}
    assert [line["work"] for line in lines if line["event"] == "given up"] == ["look:help:d1~2"]


def test_pauses_grow_with_what_was_waited_and_a_day_passes_before_work_is_given_up() -> None:
    waited = 0.0
    for tried in range(TRIES):
        pause = pause_after(tried)
        assert FIRST_WAIT <= pause <= LONG_WAIT
        assert pause <= max(SHORT_WAIT, 0.05 * waited), "so long at most does it take to notice that a vendor is back"
        waited += pause
    assert 20 * 3600 < waited < 30 * 3600


def test_a_database_that_stumbles_costs_a_short_wait_and_is_no_bug() -> None:
    def stumble() -> float:
        raise Transient("the database restarts")

    with capture_logs() as told:
        assert despite_bugs(stumble, LONG_WAIT, FIRST_WAIT, ticket="7") == FIRST_WAIT
    assert [line["event"] for line in told] == ["to be tried again"]
