"""Who did what in the console. Each function leaves the transaction to its caller, who thereby keeps the deed and its note together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from storage.database import insert
from storage.tables import AuditRow, table

audit_ = table(AuditRow)


def note(s: Session, row: AuditRow) -> None:
    """Rows are only ever added."""
    s.connection().execute(insert(s, AuditRow).values(**row.model_dump(exclude={"id"})))


@dataclass(frozen=True, slots=True)
class Deed:
    """A row of `audit`; see there."""

    id: int
    at: datetime
    person: str
    role: str
    action: str
    subject: str
    detail: str | None


def newest(s: Session, size: int, *, before: int | None = None, person: str | None = None) -> list[Deed]:
    """Newest first, from the row before `before` on."""
    query = select(audit_).order_by(audit_.c.id.desc()).limit(size)
    if before is not None:
        query = query.where(audit_.c.id < before)
    if person is not None:
        query = query.where(audit_.c.person == person)
    return [Deed(**row._mapping) for row in s.connection().execute(query)]


def count(s: Session, action: str, subject: str, since: datetime) -> int:
    """How often that was done to, or by, the subject since then."""
    where = (audit_.c.action == action) & (audit_.c.subject == subject) & (audit_.c.at >= since)
    return s.connection().scalar(select(func.count()).select_from(audit_).where(where)) or 0


def of_subject(s: Session, subject: str, actions: tuple[str, ...]) -> list[Deed]:
    """What was done to it, oldest first."""
    where = audit_.c.action.in_(actions) & (audit_.c.subject == subject)
    return [Deed(**row._mapping) for row in s.connection().execute(select(audit_).where(where).order_by(audit_.c.id))]
