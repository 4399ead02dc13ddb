"""A run over past tickets: newest first, some at a time, each kept as soon as it is done, so that a killed run goes on where it was."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlmodel import Session

from bot.answer.links import address_key
from bot.simulate.sample import Stage, make_sample
from bot.simulate.strict import Interrupted
from bot.simulate.window import Window
from connectors.base import RateLimited, Ticket, TicketRef, Transient
from storage import samples
from storage.database import reading
from storage.ledger import versions_
from storage.tables import SampleRow

TRIES = 5  # at one ticket that the vendor or the model has no time for
FAILURES = 20  # tickets in a row; then something is wrong with the helpdesk, not with a ticket
PAUSE = 5.0  # seconds before a broken call is made again


@dataclass(frozen=True, slots=True)
class Wish:
    """What to replay. `most_usd`: the run stops when it has cost that. `only`: these tickets, whatever moved."""

    since: datetime
    limit: int | None
    workers: int
    most_usd: float | None
    only: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    total: int  # tickets to look at, at most
    looked_at: int
    answered: int
    usd: float
    forecast: float | None  # of the whole run; None: not enough is known yet


@dataclass(slots=True)
class Run:
    """`tickets`: those that count, newest first. `again`: how many had been answered before. `stopped`: why it ended early."""

    tickets: list[str] = field(default_factory=list)
    again: int = 0
    unreadable: int = 0
    usd: float = 0.0
    looked_at: int = 0
    stopped: str | None = None


def refs(window: Window, since: datetime) -> list[TicketRef]:
    """Each ticket that moved since then, once, newest first: a hint of some hundred bytes each, nothing more is held."""
    found: dict[str, TicketRef] = {}
    for page in window.tickets(None, since):
        for ref in page.tickets:
            if ref.status == "deleted":
                found.pop(ref.id, None)
            else:
                found[ref.id] = ref
        if page.caught_up:
            break
    return sorted(found.values(), key=lambda ref: (ref.updated_at, ref.id), reverse=True)


def replay(
    stage: Stage,
    window: Window,
    wish: Wish,
    *,
    begin: Callable[[int], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Run:
    """Every sample is stored when this returns; called again it goes on. `begin` hears how many tickets there are to answer, at most.

    Raises ConfigProblem when the helpdesk cannot be read, and what `begin` raises.
    """
    flow, run = stage.flow, Run()
    with Session(reading(flow.engine)) as session:
        done = samples.made(session, flow.connector, stage.fingerprint)
    moved = list(wish.only) if wish.only is not None else [ref.id for ref in refs(window, wish.since)]
    open_ = sum(ticket_id not in done for ticket_id in moved)
    begin(open_ if wish.limit is None else min(open_, wish.limit))
    waiting = iter(moved)
    in_flight: deque[tuple[str, Future[SampleRow | None] | None]] = deque()
    failures = 0
    with ThreadPoolExecutor(wish.workers, thread_name_prefix="replay") as pool:
        while run.stopped is None and not _enough(run, wish):
            for ticket_id in islice(waiting, max(0, _ahead(run, wish) - len(in_flight))):
                in_flight.append((ticket_id, None if ticket_id in done else pool.submit(_one, stage, window, ticket_id)))
            if not in_flight:
                break
            ticket_id, future = in_flight.popleft()
            run.looked_at += 1
            if future is None:
                run.again += 1
                _count(run, ticket_id, done[ticket_id], wish.since)
                continue
            failures = 0 if _settle(stage, run, future, wish.since) else failures + 1
            if failures == FAILURES:
                run.stopped = f"the last {FAILURES} tickets could not be read; run the same command again to go on"
            if wish.most_usd is not None and run.usd >= wish.most_usd:
                run.stopped = f"it has cost {run.usd:.2f} USD, the most it may; to go on, run it again with a higher --max-usd"
            progress(_progress(run, wish, len(moved)))
        for _, future in in_flight:
            if future is not None:
                future.cancel()
        _keep_what_is_done(stage, run, (future for _, future in in_flight if future is not None))
    return run


def _ahead(run: Run, wish: Wish) -> int:
    """Tickets to have under way: enough to keep every worker busy, never more than are still wanted."""
    return min(wish.workers * 2, wish.limit - len(run.tickets) if wish.limit is not None else wish.workers * 2)


def _enough(run: Run, wish: Wish) -> bool:
    return wish.limit is not None and len(run.tickets) >= wish.limit


def _count(run: Run, ticket_id: str, sample: samples.Made, since: datetime) -> None:
    if sample.decision != "unfit" and sample.as_of is not None and sample.as_of >= since:
        run.tickets.append(ticket_id)


def _settle(stage: Stage, run: Run, future: Future[SampleRow | None], since: datetime) -> bool:
    """Store what came of a ticket; False when it could not be read."""
    try:
        row = future.result()
    except Interrupted as interrupted:
        run.stopped = f"{interrupted}; run the same command again to go on"
        return True
    except (Transient, RateLimited):
        run.unreadable += 1
        return False
    if row is not None:
        ticket_id, made = row.ticket_id, samples.Made(row.decision, row.as_of)
        run.usd += _cost(row)
        _store(stage, row)
        _count(run, ticket_id, made, since)
    return True


def _keep_what_is_done(stage: Stage, run: Run, futures: Iterable[Future[SampleRow | None]]) -> None:
    """What was under way when the run ended was paid for: it is kept, though it may not count."""
    for future in futures:
        if future.cancelled():
            continue
        try:
            row = future.result()
        except (Interrupted, Transient, RateLimited):
            continue
        if row is not None:
            run.usd += _cost(row)
            _store(stage, row)


def _store(stage: Stage, row: SampleRow) -> None:
    with Session(stage.flow.engine) as session, session.begin():
        samples.keep(session, row)


def _one(stage: Stage, window: Window, ticket_id: str) -> SampleRow | None:
    ticket = _patient(stage, lambda: window.ticket(ticket_id))
    if ticket is None:
        return None
    for attempt in range(TRIES):
        try:
            return make_sample(stage, ticket)
        except Interrupted as interrupted:
            if not interrupted.passing or attempt == TRIES - 1:
                raise
            stage.flow.sleep(interrupted.outage.retry_after or PAUSE)
    raise AssertionError("the last try returns or raises")


def _patient(stage: Stage, read: Callable[[], Ticket | None]) -> Ticket | None:
    for attempt in range(TRIES):
        try:
            return read()
        except (RateLimited, Transient) as trouble:
            if attempt == TRIES - 1:
                raise
            stage.flow.sleep(trouble.retry_after if isinstance(trouble, RateLimited) else PAUSE)
    raise AssertionError("the last try returns or raises")


def _cost(row: SampleRow) -> float:
    return float(row.record.get("usage", {}).get("cost_usd", 0.0))


def _progress(run: Run, wish: Wish, total: int) -> Progress:
    target = min(total, wish.limit) if wish.limit is not None else total
    fresh = max(1, run.looked_at - run.again)
    return Progress(total, run.looked_at, len(run.tickets), run.usd, run.usd / fresh * target if run.looked_at else None)


def documents_by_address(s: Session) -> dict[str, str]:
    """What holds now, by the key of its URL: for finding out which documents an agent linked."""
    query = select(versions_.c.url, versions_.c.document).where(versions_.c.valid_to.is_(None))
    return {address_key(row.url): row.document for row in s.connection().execute(query) if row.url}
