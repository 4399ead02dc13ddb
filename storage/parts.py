"""A first load in parts: what each part counts at the vendor, how far it was read, and where catching up will start.

As in `storage.ledger`, every function takes a session and leaves the transaction to its caller.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlmodel import Session

from connectors.base import Cursor, Part
from storage.ledger import CHUNK, documents, forget_cursor, read_cursor, write_cursor
from storage.tables import PartRow, table

BEGIN = "begin"  # the stream whose cursor is kept while a load is under way

parts_ = table(PartRow)


@dataclass(frozen=True, slots=True)
class PartState:
    """One part of the last load. `seen`: distinct documents, unreadable ones too; `expected`: None where the vendor does not tell."""

    load: str
    key: str
    title: str
    expected: int | None
    seen: int
    finished: bool
    tries: int
    started_at: datetime

    @property
    def missing(self) -> int:
        """How many documents fewer were seen than the vendor counts."""
        return max(0, (self.expected or 0) - self.seen) if self.finished else 0


def stream_of(key: str) -> str:
    """The part's stream of pages, for its cursor."""
    return f"part:{key}"


def begin_load(s: Session, connector: str, load: str, parts: Sequence[Part], *, cursor: Cursor, now: datetime) -> None:
    """A new load, in place of what another one left: `cursor` is where catching up starts once every part is read."""
    _forget_streams(s, connector)
    s.connection().execute(delete(parts_).where(parts_.c.connector == connector))
    rows = {
        part.key: {
            "connector": connector,
            "key": part.key,
            "load": load,
            "ordinal": ordinal,
            "title": part.title,
            "expected": part.expected,
            "seen": 0,
            "finished": False,
            "tries": 0,
            "started_at": now,
            "updated_at": now,
        }
        for ordinal, part in enumerate(parts)
    }
    if rows:
        s.connection().execute(insert(parts_), list(rows.values()))
    write_cursor(s, connector, BEGIN, cursor, now)


def is_loading(s: Session, connector: str) -> bool:
    """Whether a load is under way: begun, and not yet handed over to catching up."""
    return read_cursor(s, connector, BEGIN) is not None


def parts_of(s: Session, connector: str) -> list[PartState]:
    """The parts of the load that is under way or was the last, in the connector's order."""
    names = ("load", "key", "title", "expected", "seen", "finished", "tries", "started_at")
    query = select(*(parts_.c[name] for name in names)).where(parts_.c.connector == connector).order_by(parts_.c.ordinal)
    return [PartState(**row._mapping) for row in s.connection().execute(query)]


def seen_since(s: Session, ids: Collection[str], moment: datetime) -> set[str]:
    """Of these documents, those that were already read at or after `moment`."""
    found: set[str] = set()
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        chunk = documents.c.id.in_(wanted[start : start + CHUNK])
        found.update(s.connection().scalars(select(documents.c.id).where(chunk, documents.c.seen_at >= moment)))
    return found


def advance(s: Session, connector: str, key: str, *, seen: int, finished: bool, now: datetime) -> None:
    """`seen` more documents of this part were read. Belongs into the transaction that records their page."""
    counted = {"seen": parts_.c.seen + seen, "finished": finished, "updated_at": now}
    s.connection().execute(update(parts_).where(parts_.c.connector == connector, parts_.c.key == key).values(**counted))


def restart(s: Session, connector: str, key: str, now: datetime) -> None:
    """This part is read from its beginning."""
    forget_cursor(s, connector, stream_of(key))
    anew = {"seen": 0, "finished": False, "started_at": now, "updated_at": now}
    s.connection().execute(update(parts_).where(parts_.c.connector == connector, parts_.c.key == key).values(**anew))


def recount(s: Session, connector: str, key: str, expected: int) -> None:
    """The vendor counts otherwise by now."""
    s.connection().execute(update(parts_).where(parts_.c.connector == connector, parts_.c.key == key).values(expected=expected))


def give_up(s: Session, connector: str, key: str, now: datetime) -> None:
    """A job of this part ends without having finished it; the next one is another job."""
    more = {"tries": parts_.c.tries + 1, "updated_at": now}
    s.connection().execute(update(parts_).where(parts_.c.connector == connector, parts_.c.key == key).values(**more))


def conclude_load(s: Session, connector: str, stream: str, now: datetime) -> None:
    """Every part is read: `stream` goes on from where the load began. The counts stay."""
    began = read_cursor(s, connector, BEGIN)
    if began is not None:
        write_cursor(s, connector, stream, began, now)
    _forget_streams(s, connector)


def _forget_streams(s: Session, connector: str) -> None:
    forget_cursor(s, connector, BEGIN)
    for key in s.connection().scalars(select(parts_.c.key).where(parts_.c.connector == connector)).all():
        forget_cursor(s, connector, stream_of(key))
