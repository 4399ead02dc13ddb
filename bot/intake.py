"""One page of a connector's changes, taken in: split, embedded, written to the index, then recorded in the ledger.

The order makes any crash harmless. A page is written to the index first; then its changes and its cursor
are recorded in one transaction; search believes only versions that the ledger holds. A page cut off
between the two leaves the index marked as not whole, and `mend` first brings it to what the
ledger says: foreign points out, missing ones in, intervals set right. So a new, lost or deleted index
is rebuilt the same way, from the database, without a request to anyone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from connectors.base import Cursor, Document, Gone, Page, Unreadable
from storage.embedding import Embedder
from storage.entries import entries_of, searchable
from storage.ledger import Known, Version, fingerprint, known, plan_version, record_page, versions, write_cursor
from storage.lexical import weigh
from storage.vectors import FOREVER, Vectors

T = TypeVar("T")

STREAM = "knowledge"
OVERDUE = "listing"  # the stream whose cursor says that a listing is due: something was missed, or a removal held back
EMBED_AT_ONCE = 1024  # passages, across a page's documents


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one connector's sync is; documents, and passages written to the index. `part`: the title of the one being loaded."""

    connector: str
    added: int
    updated: int
    removed: int
    unchanged: int
    unreadable: int
    passages: int
    part: str | None = None
    part_seen: int = 0
    part_expected: int | None = None


@dataclass(slots=True)
class Tally:
    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    unreadable: int = 0
    held_back: int = 0
    passages: int = 0
    part: str | None = None
    part_seen: int = 0
    part_expected: int | None = None
    caught_up: bool = False
    settled: bool = True  # the index is flushed and marked as whole
    pending: bool = False  # something was written to the index that the ledger does not have yet
    listed: bool = False  # the ledger agrees with a complete listing, or with a complete first load
    error: str | None = None
    retry_after: float | None = None
    notes: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # ids counted: a re-read overlap does not count twice

    def told(self, kind: type[Any]) -> dict[str, Any]:
        """What the tally has of a report's fields."""
        return {one.name: getattr(self, one.name) for one in fields(kind) if hasattr(self, one.name)}


@dataclass(frozen=True, slots=True)
class Changes:
    """One page, sorted by what is to be done; `moment` is when it was read. `missed`: gone by inference, for a listing to confirm."""

    moment: datetime
    planned: list[Version] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def there(self) -> set[str]:
        """The documents that the page says are there."""
        return {*self.unchanged, *(version.document for version in self.planned), *(item.id for item in self.unreadable)}


@dataclass(frozen=True, slots=True)
class Job:
    """One connector's sync, and what it works on."""

    connector: str
    engine: Engine
    vectors: Vectors
    embedder: Embedder
    now: Callable[[], datetime]
    progress: Callable[[Progress], None]
    lists: bool = False  # its source can list: what it only infers to be gone is left to the listing
    tally: Tally = field(default_factory=Tally)


Also = Callable[[Session, Changes], None]  # what else belongs into the page's transaction


def take(job: Job, pages: Iterator[Page], stream: str = STREAM, also: Callable[[Page], Also] | None = None) -> bool:
    """Take in pages until the source says it has no more; whether it said so."""
    for page in pages:
        with Session(job.engine) as s:
            held = known(s, [change.id for change in page.changes])
        changes = sort(page, held, job.now(), lists=job.lists)
        apply(job, changes, held, page.cursor, stream=stream, also=also(page) if also else None)
        job.progress(Progress(connector=job.connector, **job.tally.told(Progress)))
        if page.caught_up:
            return True
    return False


def sort(page: Page, held: Mapping[str, Known], moment: datetime, *, lists: bool) -> Changes:
    """A change said twice in one page counts as it was said last."""
    sorted_ = Changes(moment)
    for change in {change.id: change for change in page.changes}.values():
        before = held.get(change.id)
        if isinstance(change, Gone):
            (sorted_.missed if change.inferred and lists else sorted_.gone).append(change.id)
        elif isinstance(change, Unreadable):
            sorted_.unreadable.append(change)
        elif _same(before, change):
            sorted_.unchanged.append(change.id)
        else:
            sorted_.planned.append(plan_version(before, change, moment))
    return sorted_


def apply(
    job: Job, changes: Changes, held: Mapping[str, Known], cursor: Cursor | None, *, stream: str = STREAM, also: Also | None = None
) -> None:
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
        if also is not None:
            also(s, changes)
        record_page(
            s,
            job.connector,
            stream,
            versions=changes.planned,
            gone=changes.gone,
            unreadable=changes.unreadable,
            unchanged=changes.unchanged,
            cursor=cursor,
            now=changes.moment,
        )
        if changes.missed:
            write_cursor(s, job.connector, OVERDUE, {"v": 1}, changes.moment)
    job.tally.pending = False
    _count(job.tally, changes, held)


def mend(job: Job) -> None:
    """After a write that was cut off, or into a new index: make it hold the ledger's versions and nothing else."""
    if job.vectors.whole(job.connector):
        return
    stored = job.vectors.stored(job.connector)
    wanted: set[str] = set()
    with Session(job.engine) as s:
        for batch in _batches(versions(s, job.connector), EMBED_AT_ONCE):
            wanted.update(version.key for version in batch)
            _write(job, [version for version in batch if version.key not in stored or not stored[version.key].complete])
            job.progress(Progress(connector=job.connector, **job.tally.told(Progress)))
            for version in batch:
                end = version.valid_to.timestamp() if version.valid_to else FOREVER
                if version.key in stored and stored[version.key].valid_to != end:
                    job.vectors.close_versions([version.key], version.valid_to)
    job.vectors.remove_versions(set(stored) - wanted)
    job.tally.settled = False
    settle(job)


def settle(job: Job) -> None:
    """On disk, then marked as whole: once per sync, since a flush costs as much as embedding a page."""
    if not job.tally.settled and not job.tally.pending:
        job.vectors.flush()
        job.vectors.mark(job.connector, whole=True)
        job.tally.settled = True


def _same(before: Known | None, document: Document) -> bool:
    return before is not None and before.version is not None and before.fingerprint == fingerprint(document)


def _close(job: Job, documents: Iterable[str], held: Mapping[str, Known], end: datetime) -> None:
    ended = [before.version for id in documents if (before := held.get(id)) and before.version]
    job.vectors.close_versions(ended, end)


def _write(job: Job, written: Sequence[Version]) -> None:
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


def _count(tally: Tally, changes: Changes, held: Mapping[str, Known]) -> None:
    there = {id for id, before in held.items() if before.version is not None}
    unreadable = {item.id for item in changes.unreadable}
    written = {version.document for version in changes.planned}
    tally.added += len(written - there)
    tally.updated += len(written & there)
    tally.removed += sum(id in held and held[id].state != "gone" for id in changes.gone)
    tally.unreadable += len(unreadable - tally.seen)
    tally.unchanged += len(set(changes.unchanged) - tally.seen)
    tally.seen.update(changes.unchanged, written, unreadable)
