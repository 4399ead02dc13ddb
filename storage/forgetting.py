"""Erasing a person: rows emptied or deleted, an address struck out wherever it stands, and no bytes left behind in the files.

What must not be done twice is still known afterwards: an effect keeps its key, its state and its ticket's number, and loses its words.
Every table is looked through, also those that are added later: by its columns, not by a list of names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import JSON, ColumnElement, Engine, Table, Text, delete, or_, select, text, update
from sqlalchemy import cast as sql_cast
from sqlalchemy import func as sql
from sqlmodel import Session

from storage.columns import Words
from storage.database import insert
from storage.outbox import State
from storage.tables import UNSETTLED, DraftRow, EffectRow, ForgottenRow, Row, SampleRow, SpendingRow, VersionRow, table

ERASED = "erased"  # the reason of what was emptied
STRUCK = "[erased]"  # in the place of an address
KEPT_WORDS = frozenset(
    {"draft_id", "decision", "connector", "id", "topic", "language", "sentiment", "priority", "voice", "state", "comment"}
)  # of a record: from closed sets, or numbers of the vendor's

drafts, effects, samples, versions, forgotten = (table(row) for row in (DraftRow, EffectRow, SampleRow, VersionRow, ForgottenRow))
EMPTIED = (drafts.name, effects.name)  # tables whose rows of a ticket are emptied
NUMBERS_ONLY = (table(SpendingRow).name,)  # tables whose rows of a ticket name nothing but its number

Ticket = tuple[str, str]  # connector, ticket's id


@dataclass(slots=True)
class Struck:
    """Rows from which the address was struck out, by table; `versions`: of documents, by document."""

    rows: dict[str, int] = field(default_factory=dict)
    versions: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # (connector, key)

    def by_connector(self) -> dict[str, list[str]]:
        """Keys of versions."""
        found: dict[str, list[str]] = {}
        for connector, key in (one for each in self.versions.values() for one in each):
            found.setdefault(connector, []).append(key)
        return found


def tickets_of(s: Session, key: str) -> set[Ticket]:
    """Those whose requester is known to be this one."""
    found: set[Ticket] = set()
    for one in (drafts, samples):
        found.update((row.connector, row.ticket_id) for row in s.execute(_tickets(one).where(one.c.requester == key)))
    return found


def unattributed(s: Session, address: str | None = None) -> set[Ticket]:
    """Tickets whose requester is not known; with an address, those of them whose rows name it."""
    found: set[Ticket] = set()
    for one in (drafts, samples):
        query = _tickets(one).where(one.c.requester.is_(None))
        if one is drafts:
            query = query.where(drafts.c.reason != ERASED)
        if address is not None:
            query = query.where(_names(one, address))
        found.update((row.connector, row.ticket_id) for row in s.execute(query))
    return found


def _tickets(one: Table) -> Any:
    return select(one.c.connector, one.c.ticket_id).distinct()


def attribute(s: Session, ticket: Ticket, key: str) -> None:
    """Write down whose ticket it is."""
    for one in (drafts, samples):
        s.execute(update(one).where(*_of(one, ticket), one.c.requester.is_(None)).values(requester=key))


def erase_ticket(s: Session, ticket: Ticket, now: datetime) -> int:
    """Nothing that was said in this ticket is left; the number of rows that went or were emptied.

    An effect that is still to be sent is cancelled: what is erased is not written to the vendor any more.
    """
    unsettled = update(effects).where(*_of(effects, ticket), text(UNSETTLED))
    s.execute(unsettled.values(state=State.CANCELLED.value, reason=ERASED, updated_at=now))
    bound = set(s.scalars(select(effects.c.draft_id).where(*_of(effects, ticket))))
    count = empty_effects(s, bound)
    count += empty_drafts(s, list(s.scalars(select(drafts.c.id).where(*_of(drafts, ticket)))), bound)
    for one in Row.metadata.sorted_tables:
        if {"connector", "ticket_id"} <= set(one.c.keys()) and one.name not in (*EMPTIED, *NUMBERS_ONLY):
            count += int(s.execute(delete(one).where(*_of(one, ticket))).rowcount)  # type: ignore[attr-defined]
    return count


def empty_effects(s: Session, bound: Collection[str]) -> int:
    """What these drafts called for keeps its key and loses its words."""
    s.execute(update(effects).where(effects.c.draft_id.in_(bound)).values(html="", tags=[], reason=ERASED))
    return len(bound)


def empty_drafts(s: Session, ids: Collection[str], bound: Collection[str]) -> int:
    """Drafts lose their words; those that no effect needs (not in `bound`) go altogether."""
    for id in ids:
        if id not in bound:
            s.execute(delete(drafts).where(drafts.c.id == id))
            continue
        record = emptied(s.execute(select(drafts.c.record).where(drafts.c.id == id)).scalar_one())
        s.execute(update(drafts).where(drafts.c.id == id).values(subject=None, reason=ERASED, requester=None, record=record))
    return len(ids)


def emptied(record: Any) -> Any:
    """The same shape without words: numbers, and what comes from a closed set, stay."""
    blank = _blank(record)
    return {**blank, "reason": ERASED, "erased": True} if isinstance(blank, dict) else blank


def _blank(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _blank(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return []
    return "" if isinstance(value, str) and key not in KEPT_WORDS else value


def _of(one: Table, ticket: Ticket) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return one.c.connector == ticket[0], one.c.ticket_id == ticket[1]


def strike(s: Session, address: str) -> Struck:
    """Strike the address out of every row that still names it: another's ticket, a document, an error."""
    struck = Struck()
    for one, row in naming(s, address):
        keys = list(one.primary_key.columns)
        values = {column.name: struck_out(row[column.name], address) for column in _wordy(one) if row[column.name] is not None}
        s.execute(update(one).where(*(key == row[key.name] for key in keys)).values(**values))
        struck.rows[one.name] = struck.rows.get(one.name, 0) + 1
        if one is versions:
            struck.versions.setdefault(row["document"], []).append((row["connector"], row["key"]))
    return struck


def naming(s: Session, address: str) -> Iterator[tuple[Table, dict[str, Any]]]:
    """Every row, of whichever table, that names the address."""
    for one in Row.metadata.sorted_tables:
        if _wordy(one):
            for row in s.execute(select(one).where(_names(one, address))).all():
                yield one, dict(row._mapping)


def rows_of(s: Session, ticket: Ticket) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of this ticket, with its table's name."""
    for one in Row.metadata.sorted_tables:
        if {"connector", "ticket_id"} <= set(one.c.keys()):
            for row in s.execute(select(one).where(*_of(one, ticket))):
                yield one.name, dict(row._mapping)


def keys_naming(s: Session, one: Table, address: str) -> Iterator[str]:
    """Keys of a table in which the address stands: they cannot be struck out."""
    for column in one.columns:
        if isinstance(column.type, Text | Words) and (column.primary_key or column.foreign_keys):
            yield from s.scalars(select(column).where(sql.lower(column).contains(address.lower(), autoescape=True)))


def struck_out(value: Any, address: str) -> Any:
    if isinstance(value, str):
        return re.sub(re.escape(address), STRUCK, value, flags=re.IGNORECASE)
    if isinstance(value, dict):
        return {struck_out(name, address): struck_out(one, address) for name, one in value.items()}
    if isinstance(value, list):
        return [struck_out(one, address) for one in value]
    return value


def _wordy(one: Table) -> list[Any]:
    """Columns that may hold words; keys name nobody."""
    may = [column for column in one.columns if not column.primary_key and not column.foreign_keys]
    return [column for column in may if isinstance(column.type, Text | Words | JSON)]


def _names(one: Table, address: str) -> ColumnElement[bool]:
    plain = address.lower()
    clauses = []
    for column in _wordy(one):
        words = sql.lower(sql_cast(column, Text))
        clauses += [words.contains(form, autoescape=True) for form in {plain, json.dumps(plain)[1:-1]}]
    return or_(*clauses)


def forget(s: Session, key: str, now: datetime) -> None:
    """Remember that this one was erased."""
    fresh = insert(s, ForgottenRow).values(requester=key, at=now)
    s.execute(fresh.on_conflict_do_update(index_elements=["requester"], set_={"at": now}))


def forgotten_since(s: Session, key: str, moment: datetime) -> bool:
    at = cast("datetime | None", s.execute(select(forgotten.c.at).where(forgotten.c.requester == key)).scalar())
    return at is not None and at >= moment


def sweep(engine: Engine) -> None:
    """What was deleted is in none of the database's files afterwards; of PostgreSQL's, in none that it still reads."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            for one in Row.metadata.sorted_tables:
                connection.execute(text(f'VACUUM "{one.name}"'))
            return
        raw = connection.connection.driver_connection
        if raw is not None:
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
