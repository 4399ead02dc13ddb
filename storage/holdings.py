"""How much is known of each connector, and what could not be read. Each function leaves the transaction to its caller."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session

from storage.ledger import documents
from storage.tables import DocumentRow


@dataclass(frozen=True, slots=True)
class Holding:
    """Documents of one connector by state."""

    live: int = 0
    unreadable: int = 0
    gone: int = 0


def holdings(s: Session) -> dict[str, Holding]:
    """By connector."""
    query = select(documents.c.connector, documents.c.state, func.count()).group_by(documents.c.connector, documents.c.state)
    counts: dict[str, dict[str, int]] = {}
    for connector, state, count in s.connection().execute(query):
        counts.setdefault(connector, {})[state] = int(count)
    return {connector: Holding(**states) for connector, states in counts.items()}


def unreadable(s: Session, connectors: Collection[str], size: int) -> list[DocumentRow]:
    """The documents of these connectors that failed most often."""
    theirs = documents.c.connector.in_(sorted(connectors))  # with it an index leads to them, past all that were read
    query = (
        select(documents).where(theirs, documents.c.state == "unreadable").order_by(documents.c.fails.desc(), documents.c.id).limit(size)
    )
    return [DocumentRow(**row._mapping) for row in s.connection().execute(query)]
