"""What the connectors' documents say, what they said before, and where each stream is to be resumed.

Every function takes a session and leaves the transaction to its caller, who thereby commits a page's changes together
with its cursor: ``with Session(engine) as s, s.begin(): record_page(s, …)``.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any, Literal, cast

from sqlalchemy import JSON as JsonType
from sqlalchemy import Connection, Select, Text, bindparam, case, delete, func, literal, select, text, update
from sqlalchemy import Row as SqlRow
from sqlalchemy import cast as sql_cast
from sqlmodel import Session

from connectors.base import JSON, Audience, Cursor, Document, Transient, Unreadable
from storage.columns import Moment
from storage.database import insert, reading
from storage.tables import SEGMENTED, CursorRow, DocumentRow, SyncRow, VersionRow, table

KEYS = uuid.UUID("5f0c1c3e-6f7b-5a52-9c5e-0d7a4d8b2f61")  # the namespace of version keys: never change it
CHUNK = 500  # ids per statement; SQLite takes 32,766 parameters, older builds 999
BATCH = 200  # versions read at once for a rebuild
SYNCS_KEPT = timedelta(days=30)
TICK = timedelta(microseconds=1)  # the databases' resolution

documents, versions_, cursors, syncs = table(DocumentRow), table(VersionRow), table(CursorRow), table(SyncRow)

# With the partial index's own words, or it is not used.
_SEGMENTED = select(versions_.c.key).where(text(SEGMENTED), versions_.c.connector == bindparam("of")).limit(1)

State = Literal["live", "gone", "unreadable"]
Newest = SqlRow[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds of a document. `fingerprint` is of the current version, empty when there is none."""

    id: str
    fingerprint: str
    state: State
    version: str | None
    created_at: datetime | None
    last_change: datetime | None = None  # when the current version began, or the last one ended: the next cannot begin earlier


@dataclass(frozen=True, slots=True)
class Version:
    """What a document said from `valid_from` (inclusive) to `valid_to` (exclusive; None: still says)."""

    key: str
    document: str
    connector: str
    fingerprint: str
    title: str
    url: str
    audience: Audience
    language: str | None
    markdown: str
    valid_from: datetime
    valid_to: datetime | None
    assumed: bool  # edited before we read it: between valid_from and updated_at the text is a guess
    updated_at: datetime | None
    created_at: datetime | None = None
    segments: tuple[str, ...] = ()  # those who may read it although it is internal


def fingerprint(document: Document) -> str:
    """SHA-256, in hex, over what a reader sees and who may read it. `updated_at` is left out: vendors touch it for nothing."""
    seen: list[object] = [document.title, document.markdown, document.url, document.audience, document.language]
    seen += [sorted(document.segments)] if document.segments else []  # without any, as it was before there were segments
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def version_key(document_id: str, fingerprint: str, valid_from: datetime) -> str:
    """A UUID as text: the same for the same words of the same document from the same moment on."""
    return str(uuid.uuid5(KEYS, json.dumps([document_id, fingerprint, int(valid_from.timestamp() * 1_000_000)])))


def plan_version(known: Known | None, document: Document, now: datetime) -> Version:
    """What `record_page` will write for this document, so that the index can be written first. Pure.

    The first version begins with the vendor's creation time, and is `assumed` when the text was edited since. A later one
    begins with the vendor's `updated_at`, if that lies after the last change and not in the future, else now.
    """
    floor = known.last_change if known else None
    if floor is None:
        valid_from = min(document.created_at or document.updated_at or now, now)
        assumed = document.updated_at is not None and document.updated_at > valid_from
    else:
        edited = document.updated_at
        valid_from = edited if edited is not None and floor < edited <= now else max(now, floor + TICK)
        assumed = False
    mark = fingerprint(document)
    return Version(
        key=version_key(document.id, mark, valid_from),
        document=document.id,
        connector=document.id.split(":", 2)[1],
        fingerprint=mark,
        title=document.title,
        url=document.url,
        audience=document.audience,
        language=document.language,
        markdown=document.markdown,
        valid_from=valid_from,
        valid_to=None,
        assumed=assumed,
        updated_at=document.updated_at,
        created_at=document.created_at,
        segments=tuple(sorted(set(document.segments))) if document.audience == "internal" else (),
    )


def known(s: Session, ids: Collection[str]) -> dict[str, Known]:
    """What the ledger holds of these documents; those it never saw are missing. Any number of ids."""
    return {row.id: _known(row) for row in _newest(s, ids)}


def _known(row: Newest) -> Known:
    current = row.key is not None and row.valid_to is None
    return Known(
        id=row.id,
        fingerprint=row.fingerprint if current else "",
        state=row.state,
        version=row.key if current else None,
        created_at=row.created_at,
        last_change=row.valid_to or row.valid_from,
    )


def _newest(s: Session, ids: Collection[str], *, lock: bool = False) -> Iterator[Newest]:
    """Each document with its newest version (NULLs if none)."""
    later = versions_.alias()
    newest = select(func.max(later.c.valid_from)).where(later.c.document == documents.c.id).scalar_subquery()
    joined = documents.outerjoin(versions_, (versions_.c.document == documents.c.id) & (versions_.c.valid_from == newest))
    query = select(
        documents.c.id,
        documents.c.state,
        documents.c.created_at,
        versions_.c.key,
        versions_.c.fingerprint,
        versions_.c.valid_from,
        versions_.c.valid_to,
    ).select_from(joined)
    if lock:
        query = query.with_for_update(of=documents)
    for chunk in _chunks(ids):
        yield from s.connection().execute(query.where(documents.c.id.in_(chunk)))


def _chunks(ids: Collection[str]) -> Iterator[list[str]]:
    rest = iter(sorted(set(ids)))  # sorted: two writers then lock rows in the same order
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def record_page(
    s: Session,
    connector: str,
    stream: str,
    *,
    versions: Sequence[Version],
    gone: Sequence[str],
    unreadable: Sequence[Unreadable],
    unchanged: Sequence[str],
    cursor: Cursor | None,
    now: datetime,
) -> None:
    """Record a page and its cursor. Recording the same page again changes nothing.

    Of several versions of one document the last counts; a document also named in `gone` is gone. Without a cursor the stored
    one stays. Raises Transient when another sync recorded something newer than these versions were planned on.
    """
    if cursor is not None:
        write_cursor(s, connector, stream, cursor, now)  # first: its row is the lock that makes page writers of one stream queue
    _record_versions(s, {version.document: version for version in versions}, now)
    _record_unreadable(s, connector, unreadable, now)
    _record_unchanged(s, unchanged, now)
    _record_gone(s, gone, now)


def write_cursor(s: Session, connector: str, stream: str, cursor: Cursor, now: datetime) -> None:
    """Where the stream is to be resumed from now on."""
    row = insert(s, CursorRow).values(connector=connector, stream=stream, cursor=dict(cursor), updated_at=now)
    s.connection().execute(
        row.on_conflict_do_update(
            index_elements=["connector", "stream"], set_={"cursor": row.excluded.cursor, "updated_at": row.excluded.updated_at}
        )
    )


def _record_versions(s: Session, planned: Mapping[str, Version], now: datetime) -> None:
    if not planned:
        return
    held = {row.id: _known(row) for row in _newest(s, planned, lock=True)}
    recorded = _recorded(s, [version.key for version in planned.values()])
    same = [v for v in planned.values() if v.document in held and held[v.document].fingerprint == v.fingerprint]
    fresh = [v for v in planned.values() if v.key not in recorded and v not in same]
    _refuse_outdated(fresh, held)
    _write_documents(s, [*same, *fresh], now)
    superseded = [{"old": held[v.document].version, "end": v.valid_from} for v in fresh if v.document in held and held[v.document].version]
    if superseded:
        end = bindparam("end", type_=Moment)
        s.connection().execute(update(versions_).where(versions_.c.key == bindparam("old")).values(valid_to=end), superseded)
    if fresh:
        s.connection().execute(insert(s, VersionRow), [_row(version) for version in fresh])


def _row(version: Version) -> dict[str, Any]:
    return {field.name: getattr(version, field.name) for field in fields(version)}


def _recorded(s: Session, keys: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for chunk in _chunks(keys):
        found.update(s.connection().scalars(select(versions_.c.key).where(versions_.c.key.in_(chunk))))
    return found


def _refuse_outdated(fresh: Sequence[Version], held: Mapping[str, Known]) -> None:
    for version in fresh:
        floor = held[version.document].last_change if version.document in held else None
        if floor is not None and version.valid_from <= floor:
            raise Transient(f"{version.document}: another sync recorded a newer text meanwhile; the page will be read again")


def _write_documents(s: Session, planned: Collection[Version], now: datetime) -> None:
    if not planned:
        return
    row = insert(s, DocumentRow)
    statement = row.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "state": "live",
            "reason": None,
            "created_at": func.coalesce(row.excluded.created_at, documents.c.created_at),
            "updated_at": row.excluded.updated_at,
            "seen_at": row.excluded.seen_at,
            "gone_at": None,
            "fails": 0,
        },
    )
    live = {"state": "live", "reason": None, "seen_at": now, "gone_at": None, "fails": 0}
    s.connection().execute(
        statement,
        [
            {"id": v.document, "connector": v.connector, "created_at": v.created_at, "updated_at": v.updated_at, **live}
            for v in sorted(planned, key=lambda version: version.document)
        ],
    )


def _record_unreadable(s: Session, connector: str, unreadable: Sequence[Unreadable], now: datetime) -> None:
    if not unreadable:
        return
    row = insert(s, DocumentRow)
    again = documents.c.fails + case((documents.c.seen_at < row.excluded.seen_at, 1), else_=0)  # the same page twice is one failure
    statement = row.on_conflict_do_update(
        index_elements=["id"],
        set_={"state": "unreadable", "reason": row.excluded.reason, "seen_at": row.excluded.seen_at, "gone_at": None, "fails": again},
    )
    failed = {item.id: item.reason for item in unreadable}
    common = {"connector": connector, "state": "unreadable", "seen_at": now, "gone_at": None, "fails": 1}
    s.connection().execute(statement, [{"id": id, "reason": failed[id], **common} for id in sorted(failed)])


def _record_unchanged(s: Session, unchanged: Sequence[str], now: datetime) -> None:
    for chunk in _chunks(unchanged):
        there = documents.c.id.in_(chunk) & (documents.c.state != "gone")
        s.connection().execute(update(documents).where(there).values(state="live", reason=None, fails=0, seen_at=now))


def _record_gone(s: Session, gone: Sequence[str], now: datetime) -> None:
    for chunk in _chunks(gone):
        there = documents.c.id.in_(chunk) & (documents.c.state != "gone")
        s.connection().execute(update(documents).where(there).values(state="gone", gone_at=now, reason=None, fails=0))
        end = case((versions_.c.valid_from > now, versions_.c.valid_from), else_=literal(now, Moment))
        current = versions_.c.document.in_(chunk) & versions_.c.valid_to.is_(None)
        s.connection().execute(update(versions_).where(current).values(valid_to=end))


def read_cursor(s: Session, connector: str, stream: str) -> Cursor | None:
    """Where to resume the stream; None: from its beginning."""
    query = select(cursors.c.cursor).where(cursors.c.connector == connector, cursors.c.stream == stream)
    return cast("dict[str, JSON] | None", s.connection().scalar(query))


def forget_cursor(s: Session, connector: str, stream: str) -> None:
    """The next sync reads the stream from its beginning."""
    s.connection().execute(delete(cursors).where(cursors.c.connector == connector, cursors.c.stream == stream))


def present_ids(s: Session, connector: str) -> set[str]:
    """The connector's documents that are live or unreadable: what a complete listing is held against."""
    there = documents.c.state.in_(("live", "unreadable"))
    return set(s.connection().scalars(select(documents.c.id).where(documents.c.connector == connector, there)))


def current_versions(s: Session | Connection, keys: Collection[str], at: datetime | None) -> set[str]:
    """Of these version keys, those that hold now (or held at `at`) and whose document is not gone now."""
    connection = s.connection() if isinstance(s, Session) else s
    if not keys:
        return set()
    wanted = json.dumps(list(keys))
    if at is None:
        return set(connection.exec_driver_sql(_HOLDING[connection.dialect.name], (wanted,)).scalars())
    return set(connection.scalars(_held(connection.dialect.name), {"keys": wanted, "at": at}))


# Asked by every search, so written out: to have it made takes as long as to run it. The keys are one JSON list, whatever their number.
# Of a gone document no version is open: `_record_gone` saw to it.
_HOLDING = {
    "sqlite": "SELECT key FROM versions WHERE key IN (SELECT value FROM json_each(?)) AND valid_to IS NULL",
    "postgresql": "SELECT key FROM versions WHERE key IN (SELECT json_array_elements_text(CAST(%s AS json))) AND valid_to IS NULL",
}


@cache
def _held(dialect: str) -> Select[str]:
    """The same of a moment that is past."""
    unpacked = func.json_each if dialect == "sqlite" else func.json_array_elements_text
    keys, at = bindparam("keys", type_=Text), bindparam("at", type_=Moment)
    wanted = unpacked(keys if dialect == "sqlite" else sql_cast(keys, JsonType)).table_valued("value").c.value
    query = select(versions_.c.key).join(documents, documents.c.id == versions_.c.document)
    query = query.where(versions_.c.key.in_(select(wanted)), documents.c.state != "gone")
    return query.where(versions_.c.valid_from <= at, versions_.c.valid_to.is_(None) | (versions_.c.valid_to > at))


def versions(s: Session, connector: str | None = None) -> Iterator[Version]:
    """Every committed version, superseded ones too, for rebuilding the index.

    Read in batches of `BATCH`, each in a transaction of its own: a rebuild takes minutes, and must not keep a writer waiting.
    """
    names = [field.name for field in fields(Version)]
    query = select(*(versions_.c[name] for name in names)).order_by(versions_.c.key).limit(BATCH)
    if connector is not None:
        query = query.where(versions_.c.connector == connector)
    engine = reading(s.get_bind().engine)
    last = ""
    while True:
        with engine.connect() as connection:
            batch = connection.execute(query.where(versions_.c.key > last)).all()
        if not batch:
            return
        yield from (Version(**row._mapping) for row in batch)
        last = batch[-1].key


def has_segments(s: Session, connector: str) -> bool:
    """Whether anything that holds now is for some customers only: where nothing is, nobody need be asked who a requester is."""
    return s.connection().scalar(_SEGMENTED, {"of": connector}) is not None


def record_sync(s: Session, row: SyncRow) -> None:
    """Note how a sync went. Older notes than `SYNCS_KEPT` before it are dropped, but for those of listings."""
    old = (syncs.c.connector == row.connector) & (syncs.c.started_at < row.started_at - SYNCS_KEPT) & ~syncs.c.listing
    s.connection().execute(delete(syncs).where(old))
    s.connection().execute(insert(s, SyncRow).values(**row.model_dump(exclude={"id"})))


def last_syncs(s: Session) -> dict[str, SyncRow]:
    """The newest sync of each connector, by its name."""
    newest = select(func.max(syncs.c.id)).group_by(syncs.c.connector)
    return {row.connector: SyncRow(**row._mapping) for row in s.connection().execute(select(syncs).where(syncs.c.id.in_(newest)))}


def last_listing(s: Session, connector: str) -> datetime | None:
    """When the connector was last listed completely."""
    query = select(func.max(syncs.c.started_at)).where(syncs.c.connector == connector, syncs.c.listing)
    return cast("datetime | None", s.connection().scalar(query))
