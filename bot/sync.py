"""Knowledge in: one connector brought up to date, and what the operator is told of it.

A sync goes on from the stored cursor. Without one, a source that is divided is first loaded part by part (`bot.parts`). Deletions
come in the stream, or from a complete listing that is held against the ledger, behind a brake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select
from sqlmodel import Session

from bot import parts as loads
from bot.intake import OVERDUE, STREAM, Changes, Job, Progress, apply, mend, settle, take
from connectors.base import ConfigProblem, Cursor, CursorExpired, Divided, Forewarned, Listing, RateLimited, Source, Transient
from storage.database import reading
from storage.embedding import Embedder
from storage.ledger import forget_cursor, known, last_listing, present_ids, read_cursor, record_sync, write_cursor
from storage.parts import PartState, parts_of
from storage.tables import SyncRow, VersionRow, table
from storage.vectors import Vectors

RELIST = timedelta(hours=24)
BRAKE_SHARE = 0.05  # of a connector's documents may go missing in one listing
BRAKE_COUNT = 50  # documents, likewise
LOST = "the source lost our place while it was read from its beginning; it will be read again"
OPTIMIZE_AFTER = 20_000  # passages written in one sync: below, searching what is not yet merged costs less than merging


@dataclass(frozen=True, slots=True)
class PartCount:
    """One part of a first load; `seen` documents of `expected` (None: the vendor does not tell)."""

    key: str
    title: str
    expected: int | None
    seen: int
    finished: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One connector's sync as `sync --json` prints it. `error` is a sentence for the operator; `notes` are worth saying, not failures.

    `parts`: those of the load that this sync worked on; empty where it only caught up.
    """

    name: str
    added: int
    updated: int
    removed: int
    unchanged: int
    unreadable: int
    held_back: int
    requests: int
    seconds: float
    caught_up: bool
    error: str | None
    notes: tuple[str, ...] = ()
    parts: tuple[PartCount, ...] = ()
    retry_after: float | None = None  # seconds, where the vendor asks for them


def _utc_now() -> datetime:
    return datetime.now(UTC)


def sync(
    connector_name: str,
    source: Source,
    engine: Engine,
    vectors: Vectors,
    embedder: Embedder,
    *,
    full: bool = False,
    confirm_removals: bool = False,
    apart: bool = False,
    part: str | None = None,
    now: Callable[[], datetime] = _utc_now,
    progress: Callable[[Progress], None] = lambda _: None,
    requests: Callable[[], int] = lambda: 0,
) -> Outcome:
    """Bring one connector's documents up to date. A second sync of the same connector waits for the first.

    `apart`: the parts of a first load are read by others, one call with `part` for each; a load is then only begun here, or,
    once every part is read, concluded. ConfigProblem, RateLimited and Transient end in `Outcome.error`, with what was recorded so far
    kept; anything else is a bug and raised.
    """
    job = Job(connector_name, engine, vectors, embedder, now, progress, isinstance(source, Listing))
    with vectors.writing(connector_name):
        started, sent = now(), requests()
        counted: list[PartState] = []
        try:
            mend(job)
            if part is not None:
                counted = _load_one(job, source, part)
            else:
                counted = _catch_up(job, source, full=full, confirmed=confirm_removals, apart=apart)
        except RateLimited as problem:
            job.tally.error = f"{unnamed(connector_name, str(problem))}; try again in {problem.retry_after:.0f} seconds"
            job.tally.retry_after = problem.retry_after
        except (ConfigProblem, Transient) as problem:
            job.tally.error = unnamed(connector_name, str(problem))
        settle(job)
        if job.tally.passages >= OPTIMIZE_AFTER:
            vectors.optimize()
        if isinstance(source, Forewarned):
            job.tally.notes += [unnamed(connector_name, warning) for warning in source.warnings()]
        outcome = _outcome(job, counted or _under_way(job), requests() - sent, (now() - started).total_seconds())
        if outcome.error or outcome.caught_up or (part is None and not apart):
            _record(job, outcome, started)
    return outcome


def rebuild(engine: Engine, vectors: Vectors, embedder: Embedder, progress: Callable[[Progress], None] = lambda _: None) -> int:
    """Bring the index to what the ledger holds, for every connector; the number of passages that had to be written. Asks no vendor."""
    rows = table(VersionRow)
    with engine.connect() as connection:
        names = list(connection.scalars(select(rows.c.connector).distinct().order_by(rows.c.connector)))
    written = 0
    for name in names:
        job = Job(name, engine, vectors, embedder, _utc_now, progress)
        with vectors.writing(name):
            vectors.mark(name, whole=False)
            mend(job)
        written += job.tally.passages
    return written


def unnamed(connector: str, sentence: str) -> str:
    """The sentence without the connector's name in front of it, which whoever prints it adds."""
    return sentence.removeprefix(f"connector {connector}: ").removeprefix(f"{connector}: ")


def _catch_up(job: Job, source: Source, *, full: bool, confirmed: bool, apart: bool) -> list[PartState]:
    """Read on, and hold a listing against the ledger where one is due; the parts that were loaded for it."""
    with Session(reading(job.engine)) as s:
        cursor = read_cursor(s, job.connector, STREAM)
        first = cursor is None and not present_ids(s, job.connector)
    loaded: list[PartState] = []
    left_open = loads.loading(job) and not full  # begun by an earlier turn: its place may be old enough to be forgotten
    if isinstance(source, Divided) and (full or cursor is None or left_open):
        loaded = _load(job, source, anew=full, apart=apart)
        if loads.loading(job):
            return loaded
        with Session(reading(job.engine)) as s:
            cursor = read_cursor(s, job.connector, STREAM)
    try:
        job.tally.caught_up = take(job, source.pull(cursor if loaded or not full else None))
        anew = full
    except CursorExpired:
        if loaded and not left_open:
            raise Transient(LOST) from None
        loaded = _start_over(job, source, from_beginning=cursor is None or full, apart=apart)
        anew = True
        if loads.loading(job):
            return loaded
    short = any(part.missing for part in loaded)
    job.tally.listed = first and job.tally.caught_up and not anew and not short
    if isinstance(source, Listing) and not job.tally.listed and (anew or confirmed or _listing_due(job)):
        _prune(job, source, confirmed=confirmed)
    return loaded


def _start_over(job: Job, source: Source, *, from_beginning: bool, apart: bool) -> list[PartState]:
    """The source does not know our cursor any more: everything is read again."""
    if from_beginning:
        raise Transient("the source refuses to be read from its beginning; if this stays, its connector is at fault")
    job.tally.notes.append("the source no longer knows where we stopped; everything was read again")
    cursor: Cursor | None = None
    loaded: list[PartState] = []
    if isinstance(source, Divided):
        loaded = _load(job, source, anew=True, apart=apart)
        if loads.loading(job):
            return loaded
        with Session(reading(job.engine)) as s:
            cursor = read_cursor(s, job.connector, STREAM)
    try:
        job.tally.caught_up = take(job, source.pull(cursor))
    except CursorExpired:
        raise Transient(LOST) from None
    return loaded


def _load(job: Job, source: Divided, *, anew: bool, apart: bool) -> list[PartState]:
    """Begin a load or go on with the one that was left, and conclude it unless parts are still to be read by others."""
    if anew or not loads.loading(job):
        loads.begin(job, source)
    waiting = loads.unfinished(job)
    if waiting and apart:
        return waiting
    for part in waiting:
        loads.load(job, source, part)
    return loads.conclude(job, source)


def _load_one(job: Job, source: Source, key: str) -> list[PartState]:
    """One part of the load that is under way; nothing where it was read meanwhile."""
    waiting = [part for part in loads.unfinished(job) if part.key == key]
    if isinstance(source, Divided):
        for part in waiting:
            loads.load(job, source, part)
    with Session(reading(job.engine)) as s:
        return [part for part in parts_of(s, job.connector) if part.key == key]


def _under_way(job: Job) -> list[PartState]:
    """The parts of a load that broke off."""
    if not loads.loading(job):
        return []
    with Session(reading(job.engine)) as s:
        return parts_of(s, job.connector)


def _listing_due(job: Job) -> bool:
    with Session(reading(job.engine)) as s:
        overdue = read_cursor(s, job.connector, OVERDUE) is not None
        listed = last_listing(s, job.connector)
    return overdue or listed is None or job.now() - listed >= RELIST


def _prune(job: Job, source: Listing, *, confirmed: bool) -> None:
    """Remove what a complete listing no longer names, unless so much is missing that the listing itself is to be doubted."""
    listed = set(source.list_ids())
    with Session(job.engine) as s:
        present = present_ids(s, job.connector)
    missing = sorted(present - listed)
    if len(missing) > brake(len(present)) and not confirmed:
        job.tally.held_back = len(missing)
        job.tally.error = (
            f"{len(missing)} of {len(present)} documents are no longer listed by the source; none was removed. Look"
            f" whether they are meant to be gone; if so, run `draftdesk sync {job.connector} --confirm-removals`"
        )
        with Session(job.engine) as s, s.begin():
            write_cursor(s, job.connector, OVERDUE, {"v": 1}, job.now())
        return
    if missing:
        with Session(job.engine) as s:
            held = known(s, missing)
        apply(job, Changes(job.now(), gone=missing), held, None)
    with Session(job.engine) as s, s.begin():
        forget_cursor(s, job.connector, OVERDUE)
    job.tally.listed = True


def brake(documents: int) -> int:
    """How many of a connector's documents one listing may remove: 5%, at most 50, at least one, and never the last one.

    At least one, because 5% of a small collection is less than a document: each single deletion would wait for a person.
    Never the last one: a listing that names nothing at all is an empty volume or a lost permission more often than a decision.
    """
    return min(max(1, min(BRAKE_COUNT, int(documents * BRAKE_SHARE))), max(0, documents - 1))


def _outcome(job: Job, counted: list[PartState], sent: int, seconds: float) -> Outcome:
    told = job.tally.told(Outcome) | {"notes": tuple(job.tally.notes)}
    counts = tuple(PartCount(part.key, part.title, part.expected, part.seen, part.finished) for part in counted)
    return Outcome(name=job.connector, requests=sent, seconds=max(0.0, seconds), parts=counts, **told)


def _record(job: Job, outcome: Outcome, started: datetime) -> None:
    told = asdict(outcome)
    for unstored in ("name", "notes", "parts", "retry_after"):
        del told[unstored]
    with Session(job.engine) as s, s.begin():
        record_sync(s, SyncRow(connector=job.connector, started_at=started, listing=job.tally.listed, **told))
