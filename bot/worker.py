"""Durable execution: syncs, polls and tickets as DBOS workflows. All of DBOS is in here; the verbs stay plain functions.

A workflow's arguments and results are ids only, never texts: what a ticket says is kept in one place, where it can be
forgotten. A step may run twice after a crash; the ledger and the outbox make that harmless.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog
from dbos import DBOS, SetWorkflowID

from connectors.base import Cursor

T = TypeVar("T")
log = structlog.get_logger()

TICKETS_AT_ONCE = 32  # per process and helpdesk
FIRST_WAIT, SHORT_WAIT, LONG_WAIT = 2.0, 60.0, 900.0  # seconds between two tries at a ticket: doubling to the short wait,
PATIENT_AFTER = 60  # tries, about an hour; then the long one
TRIES = 150  # about a day; then the ticket is reported as given up
PART_TRIES = 8  # of one part's job, about four minutes; the next sync makes another one
RESCUED_AT_ONCE = 200  # workflows of a dead process per statement
STOP_WITHIN = 6  # seconds that running workflows get to finish on a stop
# Workflows that an older release left unfinished are taken up by a newer one while this stays the same:
# change it only with the meaning of a workflow's arguments.
WORKFLOW_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Moved:
    """One page of a helpdesk's tickets that moved, and where to go on."""

    tickets: tuple[str, ...]
    cursor: Cursor | None  # None: nothing to store
    caught_up: bool


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a first load that is still to be read; `tries`: how many jobs gave it up."""

    load: str
    part: str
    tries: int


class Chores(Protocol):
    """What there is to do, as plain functions. Each is safe to repeat and raises only on a bug."""

    def sync(self, connector: str) -> list[Share]: ...  # the parts to be read before it can go on
    def load(self, connector: str, load: str, part: str) -> float: ...
    def loaded(self, connector: str, load: str) -> bool: ...  # every part of this load
    def give_up(self, connector: str, load: str, part: str) -> None: ...
    def moved(self, connector: str) -> Moved: ...
    def turn(self, connector: str, cursor: Cursor) -> None: ...
    def waiting(self, connector: str, ticket: str) -> tuple[str | None, float]: ...  # the customer comment that waits for us
    def answer(self, connector: str, ticket: str, comment: str) -> float: ...
    def retain(self) -> None: ...  # lets go of what is past its time
    def send(self, connector: str, key: str) -> float: ...  # a reply that a person approved

    # The floats are seconds to wait before the next try; 0.0: settled.


@dataclass(frozen=True, slots=True)
class Worker:
    """The enqueuing side: every call is safe to repeat, its slot or delivery names the piece of work."""

    sync: Callable[[str, str], None]  # connector, slot
    poll: Callable[[str, str], None]  # connector, slot
    look: Callable[[str, str, str], None]  # connector, ticket, delivery
    send: Callable[[str, str], None]  # connector, key of an approved reply
    retain: Callable[[str], None]  # slot
    rescue: Callable[[Collection[str]], int]  # names of the living processes; how much of others' work was taken over
    stop: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Workflows:
    sync: Callable[[str], None]
    poll: Callable[[str], None]
    look: Callable[[str, str], None]
    retain: Callable[[], None]
    send: Callable[[str, str], None]


def start_worker(chores: Chores, connectors: Sequence[str], database_url: str, *, executor: str = "local") -> Worker:
    """Launch DBOS on `database_url`, take up what a dead process left, and return the enqueuing side."""
    DBOS(
        config={
            "name": "draftdesk",
            "system_database_url": database_url,
            "application_version": WORKFLOW_VERSION,
            "executor_id": executor,
            "enable_otlp": False,
            "log_level": "ERROR",
        }
    )
    workflows = _declare(chores)
    DBOS.launch()
    DBOS.register_queue("sync", worker_concurrency=1, polling_interval_sec=0.5)
    for name in connectors:
        # One part at a time: a connector's pages are written one after another anyway.
        DBOS.register_queue(f"parts-{name}", worker_concurrency=1, polling_interval_sec=0.5)
        DBOS.register_queue(f"poll-{name}", worker_concurrency=1, polling_interval_sec=0.2)
        DBOS.register_queue(f"tickets-{name}", worker_concurrency=TICKETS_AT_ONCE, polling_interval_sec=0.1)
    return Worker(
        sync=lambda name, slot: _enqueue("sync", workflows.sync, f"sync:{name}:{slot}", name),
        poll=lambda name, slot: _enqueue(f"poll-{name}", workflows.poll, f"poll:{name}:{slot}", name),
        look=lambda name, ticket, delivery: _enqueue(f"tickets-{name}", workflows.look, f"look:{name}:{delivery}", name, ticket),
        send=lambda name, key: _enqueue(f"tickets-{name}", workflows.send, f"send:{name}:{key}", name, key),
        retain=lambda slot: _enqueue("sync", workflows.retain, f"retain:{slot}"),
        rescue=rescue,
        stop=lambda: DBOS.destroy(workflow_completion_timeout_sec=STOP_WITHIN, destroy_registry=True),
    )


def _enqueue(queue: str, workflow: Callable[..., Any], identity: str, *arguments: str) -> None:
    with SetWorkflowID(identity):
        DBOS.enqueue_workflow(queue, workflow, *arguments)


def rescue(alive: Collection[str]) -> int:
    """Put what processes that are not among the living were at into the queue again; how much that was.

    A step that the dead one was in the middle of is made again, which the ledger and the outbox make harmless.
    """
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    left = [one for one in pending if one.executor_id not in alive]
    by_queue: dict[str | None, list[str]] = {}
    for one in left:
        by_queue.setdefault(one.queue_name, []).append(one.workflow_id)  # its own queue: the limits of that one hold for it too
    for queue, ids in by_queue.items():
        for start in range(0, len(ids), RESCUED_AT_ONCE):
            DBOS.resume_workflows(ids[start : start + RESCUED_AT_ONCE], queue_name=queue)
    return len(left)


def _pauses() -> Iterator[float]:
    for attempt in range(TRIES):
        yield min(FIRST_WAIT * 2.0 ** min(attempt, 20), SHORT_WAIT if attempt < PATIENT_AFTER else LONG_WAIT)


def _declare_syncs(chores: Chores) -> Callable[[str], None]:
    """A sync; where it finds a first load to be made, a job for each part, the last of which asks for the sync that concludes it."""

    @DBOS.step(name="sync")
    def run_sync(name: str) -> list[list[Any]] | None:
        return [[share.load, share.part, share.tries] for share in chores.sync(name)]

    @DBOS.workflow(name="sync", max_recovery_attempts=None)
    def sync(name: str) -> None:
        # A step that an older release recorded returned nothing.
        for load, key, tries in run_sync(name) or []:
            _enqueue(f"parts-{name}", part, f"part:{name}:{load}:{tries}:{key}", name, load, key)

    @DBOS.step(name="load")
    def load_part(name: str, load: str, key: str) -> float:
        return chores.load(name, load, key)

    @DBOS.step(name="loaded")
    def is_loaded(name: str, load: str) -> bool:
        return chores.loaded(name, load)

    @DBOS.step(name="give up")
    def give_up(name: str, load: str, key: str) -> None:
        chores.give_up(name, load, key)

    @DBOS.workflow(name="part", max_recovery_attempts=None)
    def part(name: str, load: str, key: str) -> None:
        for pause in islice(_pauses(), PART_TRIES):
            wait = load_part(name, load, key)
            if not wait:
                break
            DBOS.sleep(max(wait, pause))
        else:
            give_up(name, load, key)
        if is_loaded(name, load):
            _enqueue("sync", sync, f"sync:{name}:{load}", name)

    return sync


def despite_bugs(call: Callable[[], T], instead: T, **told: str) -> T:
    """What `call` gives, or `instead` when it hits a bug of ours: a ticket must not be lost to it, so it waits for the next try.

    The bug is logged by its kind and place; its message may quote a customer.
    """
    try:
        return call()
    except Exception as bug:  # noqa: BLE001 - whatever it is, nothing accepted may be lost
        place = traceback.extract_tb(bug.__traceback__)[-1]
        log.error("bug, to be tried again", kind=type(bug).__name__, place=f"{Path(place.filename).name}:{place.lineno}", **told)
        return instead


def _declare(chores: Chores) -> _Workflows:
    """The workflows over these chores; DBOS finds them again by name after a restart."""

    sync = _declare_syncs(chores)

    @DBOS.step(name="answer")
    def try_answer(name: str, ticket: str, comment: str) -> float:
        return despite_bugs(lambda: chores.answer(name, ticket, comment), LONG_WAIT, connector=name, ticket=ticket)

    @DBOS.workflow(name="answer", max_recovery_attempts=None)
    def answer(name: str, ticket: str, comment: str) -> None:
        for pause in _pauses():
            wait = try_answer(name, ticket, comment)
            if not wait:
                return
            DBOS.sleep(max(wait, pause))
        log.error("ticket given up", connector=name, ticket=ticket, tries=TRIES)

    @DBOS.step(name="send")
    def try_sending(name: str, key: str) -> float:
        return despite_bugs(lambda: chores.send(name, key), LONG_WAIT, connector=name, key=key)

    @DBOS.workflow(name="send", max_recovery_attempts=None)
    def send(name: str, key: str) -> None:
        for pause in _pauses():
            wait = try_sending(name, key)
            if not wait:
                return
            DBOS.sleep(max(wait, pause))
        log.error("approved reply given up", connector=name, key=key, tries=TRIES)

    @DBOS.step(name="waiting")
    def find_waiting(name: str, ticket: str) -> list[Any]:
        later: tuple[str | None, float] = (None, LONG_WAIT)
        return list(despite_bugs(lambda: chores.waiting(name, ticket), later, connector=name, ticket=ticket))

    @DBOS.workflow(name="look", max_recovery_attempts=None)
    def look(name: str, ticket: str) -> None:
        for pause in _pauses():
            comment, wait = find_waiting(name, ticket)
            if comment is not None:
                _enqueue(f"tickets-{name}", answer, f"answer:{name}:{ticket}:{comment}", name, ticket, comment)
            if not wait:
                return
            DBOS.sleep(max(wait, pause))
        log.error("ticket given up", connector=name, ticket=ticket, tries=TRIES)

    @DBOS.step(name="moved")
    def read_page(name: str) -> dict[str, Any]:
        page = chores.moved(name)
        return {"tickets": list(page.tickets), "cursor": page.cursor and dict(page.cursor), "caught_up": page.caught_up}

    @DBOS.step(name="turn")
    def turn_page(name: str, cursor: Cursor) -> None:
        chores.turn(name, cursor)

    @DBOS.workflow(name="poll", max_recovery_attempts=None)
    def poll(name: str) -> None:
        """The cursor moves only after every ticket of its page is enqueued: a crash between reads the page again."""
        number, caught_up = 0, False
        while not caught_up:
            page = read_page(name)
            for ticket in page["tickets"]:
                _enqueue(f"tickets-{name}", look, f"look:{DBOS.workflow_id}:{number}:{ticket}", name, ticket)
            if page["cursor"] is not None:
                turn_page(name, page["cursor"])
            number, caught_up = number + 1, page["caught_up"]

    @DBOS.step(name="retain")
    def run_retain() -> None:
        despite_bugs(chores.retain, None)

    @DBOS.workflow(name="retain", max_recovery_attempts=None)
    def retain() -> None:
        run_retain()

    return _Workflows(sync, poll, look, retain, send)
