"""Which processes work on this database, and which have fallen silent. Times are the database's own: hosts' clocks differ."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlmodel import Session

from storage.database import insert
from storage.tables import WorkerRow, table

BEAT = 5.0  # seconds between two signs of life
SILENCE = timedelta(seconds=20)  # after which a process counts as dead

workers = table(WorkerRow)


def beat(s: Session, name: str) -> None:
    """A sign of life; the first one makes the process known."""
    now = clock(s)
    fresh = insert(s, WorkerRow).values(name=name, started_at=now, seen_at=now)
    s.execute(fresh.on_conflict_do_update(index_elements=["name"], set_={"seen_at": now}))


def living(s: Session) -> set[str]:
    return set(s.scalars(select(workers.c.name).where(workers.c.seen_at >= clock(s) - SILENCE)))


def silent(s: Session) -> set[str]:
    """Processes that said they work and have not been heard of since."""
    return set(s.scalars(select(workers.c.name).where(workers.c.seen_at < clock(s) - SILENCE)))


def bury(s: Session, names: Collection[str]) -> None:
    """Their work is others' now. One that is heard again makes itself known anew."""
    s.execute(delete(workers).where(workers.c.name.in_(names)))


def age(s: Session, name: str, by: timedelta) -> None:
    """As if it had been silent for so long: what a drill uses instead of waiting."""
    s.execute(update(workers).where(workers.c.name == name).values(seen_at=clock(s) - by))


def clock(s: Session) -> datetime:
    if s.get_bind().dialect.name != "postgresql":
        return datetime.now(UTC)
    moment: datetime = s.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)
