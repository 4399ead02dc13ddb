"""Whose work the answer to a customer comment is: of several who look at a ticket, the first. The caller owns the transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session

from storage.database import insert_new
from storage.tables import AssignmentRow, table

assignments = table(AssignmentRow)


def assign(s: Session, key: str, work: str, *, ticket: tuple[str, str], now: datetime) -> bool:
    """Whether the answer of this effect key is `work`'s to give: nobody else has it. Asked again, the same work has it still.

    `ticket`: its connector and its number.
    """
    if insert_new(s, AssignmentRow, {"key": key, "connector": ticket[0], "ticket_id": ticket[1], "work": work, "at": now}):
        return True
    again = update(assignments).where(assignments.c.key == key, assignments.c.work == work).values(at=now)
    return s.connection().execute(again).rowcount == 1


def prune(s: Session, before: datetime) -> int:
    """Let go of those that nobody asked about since."""
    return int(s.connection().execute(delete(assignments).where(assignments.c.at < before)).rowcount)
