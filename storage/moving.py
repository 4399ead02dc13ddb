"""Rows from one database to another, SQLite or PostgreSQL, and the proof that they are the same there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Integer, Table, delete, func, insert, select, text

from storage.database import reading
from storage.tables import Row, SpendingDayRow, table

SUMMED = table(SpendingDayRow)  # by triggers
BATCH = 500  # rows
Told = Callable[[str, int], None]  # a table's name, rows so far


@dataclass(frozen=True, slots=True)
class Count:
    """A table's rows, and a digest over all of them in the order of their keys."""

    rows: int
    digest: str


def filled(engine: Engine) -> list[str]:
    """Tables that hold rows."""
    with reading(engine).connect() as connection:
        return [one.name for one in Row.metadata.sorted_tables if connection.execute(select(one).limit(1)).first() is not None]


def carry(source: Engine, target: Engine, told: Told = lambda *_: None) -> None:
    """Every row, in one transaction: all of them or none."""
    with reading(source, in_parts=True).connect() as reader, target.begin() as writer:
        for one in Row.metadata.sorted_tables:
            count = 0
            if one is SUMMED:
                writer.execute(delete(one))  # what the target's triggers summed up on their own comes along as it was
            for batch in _batches(reader, one):
                writer.execute(insert(one), batch)
                told(one.name, count := count + len(batch))
            _go_on_counting(writer, one)


def counts(engine: Engine) -> dict[str, Count]:
    """By table."""
    with reading(engine, in_parts=True).connect() as connection:
        return {one.name: _count(connection, one) for one in Row.metadata.sorted_tables}


def _count(connection: Connection, one: Table) -> Count:
    digest, rows = hashlib.sha256(), 0
    for batch in _batches(connection, one):
        for row in batch:
            digest.update(repr(sorted(_plain(row).items())).encode("utf-8", "surrogatepass"))
        rows += len(batch)
    return Count(rows, digest.hexdigest())


def _batches(connection: Connection, one: Table) -> Iterator[list[dict[str, Any]]]:
    """In the order of the keys' bytes: the two databases sort words differently."""
    keys = [column if isinstance(column.type, Integer) else func.hex(column) for column in one.primary_key.columns]
    if connection.dialect.name == "postgresql":
        keys = [
            column if isinstance(column.type, Integer) else func.encode(func.convert_to(column, "UTF8"), "hex")
            for column in one.primary_key.columns
        ]
    result = connection.execution_options(yield_per=BATCH).execute(select(one).order_by(*keys))
    for rows in result.partitions(BATCH):
        yield [dict(row._mapping) for row in rows]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers as one kind: a database may give an integer back as a float."""
    return {name: float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value for name, value in row.items()}


def _go_on_counting(connection: Connection, one: Table) -> None:
    """PostgreSQL counts ids in a sequence, which knows nothing of ids that came along."""
    column = one.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    highest = connection.execute(select(func.max(column))).scalar()
    if highest is not None:
        sequence = connection.execute(text("SELECT pg_get_serial_sequence(:name, :key)"), {"name": one.name, "key": column.name}).scalar()
        if sequence is not None:
            connection.execute(text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})
