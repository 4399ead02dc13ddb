"""Durable execution: syncs, polls and tickets as DBOS workflows. All of DBOS is in here; the verbs stay plain functions.

A workflow's arguments and results are ids only, never texts: what a ticket says is kept in one place, where it can be
forgotten. What a crash interrupted runs again from its beginning; the ledger and the outbox make that harmless. So a ticket's
work records no step of its own, which would cost more statements than the work itself.
"""

from __future__ import annotations

import secrets
import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import Context
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog
from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from connectors.base import ConfigProblem, Cursor, RateLimited, Transient

T = TypeVar("T")
log = structlog.get_logger()

FIRST_WAIT, SHORT_WAIT, LONG_WAIT = 2.0, 60.0, 900.0  # seconds between two tries at a ticket: doubling to the short wait,
PATIENCE = 0.05  # then this part of all that was waited, to the long wait at most
TRIES = 155  # about a day; then the ticket is reported as given up
PART_TRIES = 8  # of one part's job, about four minutes; the next sync makes another one
RESCUED_AT_ONCE = 200  # workflows of a dead process per statement
LOOK = 0.5  # seconds between two looks at a queue of tickets: each costs as much processor time as a good part of a ticket,
AHEAD = 4  # so one ticket for so many places is fetched ahead, and a place that gets free waits for no look
GLANCE = 2.0  # seconds between two looks at a queue whose work nobody waits for
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
    def attend(self, connector: str, ticket: str, work: str) -> float: ...  # answer what waits for us; `work`: on whose behalf
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


def start_worker(chores: Chores, connectors: Mapping[str, int], database_url: str, *, executor: str = "local") -> Worker:
    """Launch DBOS on `database_url`, take up what a dead process left, and return the enqueuing side.

    `connectors`: how many tickets of each are under way at a time, in this process.
    """
    DBOS(
        config={
            "name": "draftdesk",
            "system_database_url": database_url,
            "application_version": WORKFLOW_VERSION,
            "executor_id": executor,
            "enable_otlp": False,
            "log_level": "ERROR",
            # What finds its connection gone tries again by itself; to ask beforehand costs one statement in three.
            "db_engine_kwargs": {"pool_pre_ping": False},
        }
    )
    workflows = _declare(chores, {name: threading.BoundedSemaphore(at_once) for name, at_once in connectors.items()})
    DBOS.launch()
    DBOS.register_queue("sync", worker_concurrency=1, polling_interval_sec=GLANCE)
    for name, at_once in connectors.items():
        # One part at a time: a connector's pages are written one after another anyway.
        DBOS.register_queue(f"parts-{name}", worker_concurrency=1, polling_interval_sec=GLANCE)
        DBOS.register_queue(f"poll-{name}", worker_concurrency=1, polling_interval_sec=GLANCE)
        DBOS.register_queue(f"tickets-{name}", worker_concurrency=at_once + -(-at_once // AHEAD), polling_interval_sec=LOOK)
    return Worker(
        sync=lambda name, slot: _enqueue("sync", workflows.sync, f"sync:{name}:{slot}", name),
        poll=lambda name, slot: _enqueue(f"poll-{name}", workflows.poll, f"poll:{name}:{slot}", name),
        look=lambda name, ticket, delivery: _enqueue(f"tickets-{name}", workflows.look, f"look:{name}:{delivery}", name, ticket),
        send=lambda name, key: _enqueue(f"tickets-{name}", workflows.send, f"send:{name}:{key}", name, key),
        retain=lambda slot: _enqueue("sync", workflows.retain, f"retain:{slot}"),
        rescue=rescue,
        stop=lambda: DBOS.destroy(workflow_completion_timeout_sec=STOP_WITHIN, destroy_registry=True),
    )


def _enqueue(queue: str, workflow: Callable[..., Any], identity: str, *arguments: Any, delay: float | None = None) -> None:
    """Once under this identity. In a context of its own: the work that asks for it need not remember that it did."""

    def enqueue() -> None:
        with SetWorkflowID(identity), SetEnqueueOptions(delay_seconds=delay):
            DBOS.enqueue_workflow(queue, workflow, *arguments)

    Context().run(enqueue)


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


def _again(queue: str, workflow: Callable[..., Any], wait: float, *arguments: Any) -> None:
    """The same work, once more, after a while: meanwhile its place in the queue is another's. The last argument counts the tries."""
    *of, tried = arguments
    if tried + 1 >= TRIES:
        log.error("given up", work=DBOS.workflow_id, tries=TRIES)
        return
    _enqueue(queue, workflow, f"{_root(tried)}~{tried + 1}", *of, tried + 1, delay=max(wait, pause_after(tried)))


def _root(tried: int) -> str:
    """The name of the work at hand, the same at every try."""
    return str(DBOS.workflow_id).removesuffix(f"~{tried}")


def pause_after(tried: int) -> float:
    """Seconds between a try and the next one: doubling to a minute, later a part of all the time that went by.

    So work that failed while a vendor was away goes on, when it is back, after a small part of the time that it was away.
    """
    return _PAUSES[tried]


def _pauses() -> Iterator[float]:
    waited = 0.0
    for tried in range(TRIES):
        pause = max(min(FIRST_WAIT * 2.0 ** min(tried, 20), SHORT_WAIT), min(PATIENCE * waited, LONG_WAIT))
        waited += pause
        yield pause


_PAUSES = tuple(_pauses())


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
        for pause in _PAUSES[:PART_TRIES]:
            wait = load_part(name, load, key)
            if not wait:
                break
            DBOS.sleep(max(wait, pause))
        else:
            give_up(name, load, key)
        if is_loaded(name, load):
            _enqueue("sync", sync, f"sync:{name}:{load}", name)

    return sync


def despite_bugs(call: Callable[[], T], instead: T, soon: T, **told: str) -> T:
    """What `call` gives, or `instead` when it hits a bug of ours: a ticket must not be lost to it, so it waits for the next try.

    The bug is logged by its kind and place; its message may quote a customer. `soon`: where only a database stumbled.
    """
    try:
        return call()
    except (RateLimited, Transient) as trouble:
        log.error("to be tried again", reason=str(trouble), **told)
        return soon
    except ConfigProblem as problem:  # a full disk, say: its sentence is for the operator, who alone can mend it
        log.error("to be tried again", reason=str(problem), **told)
        return instead
    except Exception as bug:  # noqa: BLE001 - whatever it is, nothing accepted may be lost
        place = traceback.extract_tb(bug.__traceback__)[-1]
        log.error("bug, to be tried again", kind=type(bug).__name__, place=f"{Path(place.filename).name}:{place.lineno}", **told)
        return instead


def _declare(chores: Chores, places: Mapping[str, threading.BoundedSemaphore]) -> _Workflows:
    """The workflows over these chores; DBOS finds them again by name after a restart. A ticket is worked on in one of its places."""

    sync = _declare_syncs(chores)

    def in_place(name: str, call: Callable[[], float]) -> Callable[[], float]:
        """Looked up when called: work of a connector that is not here just now is tried again, like any other."""

        def called() -> float:
            with places[name]:
                return call()

        return called

    def attend(name: str, ticket: str, tried: int) -> float:
        work = _root(tried)
        return despite_bugs(in_place(name, lambda: chores.attend(name, ticket, work)), LONG_WAIT, FIRST_WAIT, connector=name, ticket=ticket)

    @DBOS.workflow(name="look", max_recovery_attempts=None)
    def look(name: str, ticket: str, tried: int = 0) -> None:
        if wait := attend(name, ticket, tried):
            _again(f"tickets-{name}", look, wait, name, ticket, tried)

    @DBOS.workflow(name="answer", max_recovery_attempts=None)
    def answer(name: str, ticket: str, comment: str, tried: int = 0) -> None:
        """As an older release enqueued it, for which looking and answering were two pieces of work."""
        if wait := attend(name, ticket, tried):
            _again(f"tickets-{name}", answer, wait, name, ticket, comment, tried)

    @DBOS.workflow(name="send", max_recovery_attempts=None)
    def send(name: str, key: str, tried: int = 0) -> None:
        if wait := despite_bugs(in_place(name, lambda: chores.send(name, key)), LONG_WAIT, FIRST_WAIT, connector=name, key=key):
            _again(f"tickets-{name}", send, wait, name, key, tried)

    @DBOS.workflow(name="poll", max_recovery_attempts=None)
    def poll(name: str) -> None:
        """The cursor moves only after every ticket of its page is enqueued: a crash between reads the page again.

        Every reading of a page enqueues looks of its own: the same ticket may have moved again since the last one.
        """
        caught_up = False
        while not caught_up:
            page, reading = chores.moved(name), secrets.token_hex(4)
            for ticket in page.tickets:
                _enqueue(f"tickets-{name}", look, f"look:{DBOS.workflow_id}:{reading}:{ticket}", name, ticket)
            if page.cursor is not None:
                chores.turn(name, page.cursor)
            caught_up = page.caught_up

    @DBOS.step(name="retain")
    def run_retain() -> None:
        despite_bugs(chores.retain, None, None)

    @DBOS.workflow(name="retain", max_recovery_attempts=None)
    def retain() -> None:
        run_retain()

    return _Workflows(sync, poll, look, retain, send)
