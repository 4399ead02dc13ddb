"""What was spent, by day and by model, for whoever pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session

from storage.spending import spending


@dataclass(frozen=True, slots=True)
class Expense:
    day: str  # ISO 8601, UTC
    model: str | None
    calls: int
    usd: float


def by_day(s: Session, since: datetime) -> list[Expense]:
    """Per day and model, oldest first; calls on their way count at their highest price."""
    day = _day(s)
    query = select(day, spending.c.model, func.count(), func.sum(spending.c.usd)).where(spending.c.at >= since)
    rows = s.connection().execute(query.group_by(day, spending.c.model).order_by(day))
    return [Expense(str(row[0]), row[1], int(row[2]), float(row[3])) for row in rows]


def _day(s: Session) -> ColumnElement[str]:
    if s.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", spending.c.at), "YYYY-MM-DD")
    return func.substr(spending.c.at, 1, 10)
