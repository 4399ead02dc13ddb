"""Knowledge in: what a connector tells is split, embedded and written to the index, then recorded in the ledger.

The order makes any crash harmless. A page is written to the index first; then its changes and its cursor
are recorded in one transaction; search believes only versions that the ledger holds. A page cut off
between the two leaves the index marked as not whole, and the next sync first brings it to what the
ledger says: foreign points out, missing ones in, intervals set right. So a new, lost or deleted index
is rebuilt the same way, from the database, without a request to anyone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Engine, select
from sqlmodel import Session

from connectors.base import ConfigProblem, Cursor, CursorExpired, Document, Gone, Listing, Page, RateLimited, Source, Transient, Unreadable
from storage.embedding import Embedder
from storage.entries import entries_of, searchable
from storage.ledger import (
    Known,
    Version,
    fingerprint,
    known,
    last_listing,
    plan_version,
    present_ids,
    read_cursor,
    record_page,
    record_sync,
    versions,
)
from storage.lexical import weigh
from storage.tables import SyncRow, VersionRow, table
from storage.vectors import FOREVER, Vectors

T = TypeVar("T")

STREAM = "knowledge"
RELIST = timedelta(hours=24)
BRAKE_SHARE = 0.05  # of a connector's documents may go missing in one listing
BRAKE_COUNT = 50  # documents, likewise
EMBED_AT_ONCE = 1024  # passages, across a page's documents
OPTIMIZE_AFTER = 20_000  # passages written in one sync: below, searching what is not yet merged costs less than merging


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one connector's sync is; documents, and passages written to the index."""

    connector: str
    added: int
    updated: int
    removed: int
    unchanged: int
    unreadable: int
    passages: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One connector's sync as `sync --json` prints it. `error` is a sentence for the operator; `notes` are worth saying, not failures."""

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


@dataclass(slots=True)
class _Tally:
    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    unreadable: int = 0
    held_back: int = 0
    passages: int = 0
    caught_up: bool = False
    settled: bool = True  # the index is flushed and marked as whole
    pending: bool = False  # something was written to the index that the ledger does not have yet
    listed: bool = False  # the ledger agrees with a complete listing, or with a complete first load
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # ids counted: a re-read overlap does not count twice


@dataclass(frozen=True, slots=True)
class _Changes:
    """One page, sorted by what is to be done; `moment` is when it was read."""

    moment: datetime
    planned: list[Version] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Job:
    connector: str
    engine: Engine
    vectors: Vectors
    embedder: Embedder
    now: Callable[[], datetime]
    progress: Callable[[Progress], None]
    tally: _Tally = field(default_factory=_Tally)


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
    now: Callable[[], datetime] = _utc_now,
    progress: Callable[[Progress], None] = lambda _: None,
    requests: Callable[[], int] = lambda: 0,
) -> Outcome:
    """Bring one connector's documents up to date. A second sync of the same connector waits for the first.

    ConfigProblem, RateLimited and Transient end in `Outcome.error`, with what was recorded so far kept; anything else is a bug and raised.
    """
    job = _Job(connector_name, engine, vectors, embedder, now, progress)
    with vectors.writing(connector_name):
        started, sent = now(), requests()
        try:
            _mend(job)
            must_list = _pull(job, source, full=full) or full or confirm_removals
            if isinstance(source, Listing) and not job.tally.listed and (must_list or _listing_due(job)):
                _prune(job, source, confirmed=confirm_removals)
        except RateLimited as problem:
            job.tally.error = f"{connector_name}: {problem}; try again in {problem.retry_after:.0f} seconds"
        except (ConfigProblem, Transient) as problem:
            job.tally.error = f"{connector_name}: {problem}"
        _settle(job)
        if job.tally.passages >= OPTIMIZE_AFTER:
            vectors.optimize()
        outcome = _outcome(job, requests() - sent, (now() - started).total_seconds())
        _record(job, outcome, started)
    return outcome


def rebuild(engine: Engine, vectors: Vectors, embedder: Embedder, progress: Callable[[Progress], None] = lambda _: None) -> int:
    """Bring the index to what the ledger holds, for every connector; the number of passages that had to be written. Asks no vendor."""
    rows = table(VersionRow)
    with engine.connect() as connection:
        names = list(connection.scalars(select(rows.c.connector).distinct().order_by(rows.c.connector)))
    written = 0
    for name in names:
        job = _Job(name, engine, vectors, embedder, _utc_now, progress)
        with vectors.writing(name):
            vectors.mark(name, whole=False)
            _mend(job)
        written += job.tally.passages
    return written


def _mend(job: _Job) -> None:
    """After a write that was cut off, or into a new index: make it hold the ledger's versions and nothing else."""
    if job.vectors.whole(job.connector):
        return
    stored = job.vectors.stored(job.connector)
    wanted: set[str] = set()
    with Session(job.engine) as s:
        for batch in _batches(versions(s, job.connector), EMBED_AT_ONCE):
            wanted.update(version.key for version in batch)
            _write(job, [version for version in batch if version.key not in stored or not stored[version.key].complete])
            for version in batch:
                end = version.valid_to.timestamp() if version.valid_to else FOREVER
                if version.key in stored and stored[version.key].valid_to != end:
                    job.vectors.close_versions([version.key], version.valid_to)
    job.vectors.remove_versions(set(stored) - wanted)
    job.tally.settled = False
    _settle(job)


def _settle(job: _Job) -> None:
    """On disk, then marked as whole: once per sync, since a flush costs as much as embedding a page."""
    if not job.tally.settled and not job.tally.pending:
        job.vectors.flush()
        job.vectors.mark(job.connector, whole=True)
        job.tally.settled = True


def _pull(job: _Job, source: Source, *, full: bool) -> bool:
    """Take in pages until the source says it has no more. True when it was read anew, so that deletions may be missed."""
    with Session(job.engine) as s:
        cursor = read_cursor(s, job.connector, STREAM)
        first = cursor is None and not present_ids(s, job.connector)
    try:
        _take(job, source.pull(None if full else cursor))
    except CursorExpired:
        if full or cursor is None:
            raise Transient("the source refuses to be read from its beginning; if this stays, its connector is at fault") from None
        job.tally.notes.append(f"{job.connector}: the source no longer knows where we stopped; everything was read again")
        try:
            _take(job, source.pull(None))
        except CursorExpired:
            raise Transient("the source lost our place while it was read from its beginning; it will be read again") from None
        return True
    job.tally.listed = first and job.tally.caught_up
    return False


def _take(job: _Job, pages: Iterator[Page]) -> None:
    for page in pages:
        _take_page(job, page)
        job.progress(_progress(job))
        if page.caught_up:
            job.tally.caught_up = True
            return


def _take_page(job: _Job, page: Page) -> None:
    with Session(job.engine) as s:
        held = known(s, [change.id for change in page.changes])
    _apply(job, _sort(page, held, job.now()), held, page.cursor)


def _sort(page: Page, held: Mapping[str, Known], moment: datetime) -> _Changes:
    """A change said twice in one page counts as it was said last."""
    sorted_ = _Changes(moment)
    for change in {change.id: change for change in page.changes}.values():
        before = held.get(change.id)
        if isinstance(change, Gone):
            sorted_.gone.append(change.id)
        elif isinstance(change, Unreadable):
            sorted_.unreadable.append(change)
        elif _same(before, change):
            sorted_.unchanged.append(change.id)
        else:
            sorted_.planned.append(plan_version(before, change, moment))
    return sorted_


def _apply(job: _Job, changes: _Changes, held: Mapping[str, Known], cursor: Cursor | None) -> None:
    """Index first, ledger second."""
    if changes.planned or changes.gone:
        if job.tally.settled:
            job.vectors.mark(job.connector, whole=False)
        job.tally.settled, job.tally.pending = False, True
        _write(job, changes.planned)
        for version in changes.planned:
            _close(job, [version.document], held, version.valid_from)
        _close(job, changes.gone, held, changes.moment)
    with Session(job.engine) as s, s.begin():
        record_page(
            s,
            job.connector,
            STREAM,
            versions=changes.planned,
            gone=changes.gone,
            unreadable=changes.unreadable,
            unchanged=changes.unchanged,
            cursor=cursor,
            now=changes.moment,
        )
    job.tally.pending = False
    _count(job.tally, changes, held)


def _same(before: Known | None, document: Document) -> bool:
    return before is not None and before.version is not None and before.fingerprint == fingerprint(document)


def _close(job: _Job, documents: Iterable[str], held: Mapping[str, Known], end: datetime) -> None:
    ended = [before.version for id in documents if (before := held.get(id)) and before.version]
    job.vectors.close_versions(ended, end)


def _write(job: _Job, written: Sequence[Version]) -> None:
    """Split, embed and store versions; passages go through the model across documents."""
    entries = (entry for version in written for entry in entries_of(version))
    for batch in _batches(entries, EMBED_AT_ONCE):
        texts = [searchable(entry) for entry in batch]
        sparse = [weigh(text, entry.language) for text, entry in zip(texts, batch, strict=True)]
        job.vectors.upsert(batch, job.embedder.embed(texts), sparse)
        job.tally.passages += len(batch)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _listing_due(job: _Job) -> bool:
    with Session(job.engine) as s:
        listed = last_listing(s, job.connector)
    return listed is None or job.now() - listed >= RELIST


def _prune(job: _Job, source: Listing, *, confirmed: bool) -> None:
    """Remove what a complete listing no longer names, unless so much is missing that the listing itself is to be doubted."""
    listed = set(source.list_ids())
    with Session(job.engine) as s:
        present = present_ids(s, job.connector)
    missing = sorted(present - listed)
    if len(missing) > brake(len(present)) and not confirmed:
        job.tally.held_back = len(missing)
        job.tally.error = (
            f"{job.connector}: {len(missing)} of {len(present)} documents are no longer listed by the source; none was removed. Look"
            f" whether they are meant to be gone; if so, run `draftdesk sync {job.connector} --confirm-removals`"
        )
        return
    if missing:
        with Session(job.engine) as s:
            held = known(s, missing)
        _apply(job, _Changes(job.now(), gone=missing), held, None)
    job.tally.listed = True


def brake(documents: int) -> int:
    """How many of a connector's documents one listing may remove: 5%, at most 50, and at least one.

    At least one, because 5% of a small collection is less than a document: each single deletion would wait for a person.
    """
    return max(1, min(BRAKE_COUNT, int(documents * BRAKE_SHARE)))


def _count(tally: _Tally, changes: _Changes, held: Mapping[str, Known]) -> None:
    there = {id for id, before in held.items() if before.version is not None}
    unreadable = {item.id for item in changes.unreadable}
    written = {version.document for version in changes.planned}
    tally.added += len(written - there)
    tally.updated += len(written & there)
    tally.removed += sum(id in held and held[id].state != "gone" for id in changes.gone)
    tally.unreadable += len(unreadable - tally.seen)
    tally.unchanged += len(set(changes.unchanged) - tally.seen)
    tally.seen.update(changes.unchanged, written, unreadable)


def _progress(job: _Job) -> Progress:
    return Progress(connector=job.connector, **_told(job.tally, Progress))


def _outcome(job: _Job, sent: int, seconds: float) -> Outcome:
    notes = tuple(job.tally.notes)
    told = _told(job.tally, Outcome)
    return Outcome(name=job.connector, requests=sent, seconds=max(0.0, seconds), **told | {"notes": notes})


def _told(tally: _Tally, kind: type[Progress | Outcome]) -> dict[str, Any]:
    """What the tally has of a report's fields."""
    return {one.name: getattr(tally, one.name) for one in fields(kind) if hasattr(tally, one.name)}


def _record(job: _Job, outcome: Outcome, started: datetime) -> None:
    told = asdict(outcome)
    name, _ = told.pop("name"), told.pop("notes")
    with Session(job.engine) as s, s.begin():
        record_sync(s, SyncRow(connector=name, started_at=started, listing=job.tally.listed, **told))
