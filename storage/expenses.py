"""What was spent, by day and by model, for whoever pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from storage.spending import day_of, days


@dataclass(frozen=True, slots=True)
class Expense:
    day: str  # ISO 8601, UTC
    model: str | None
    calls: int
    usd: float


def by_day(s: Session, since: datetime) -> list[Expense]:
    """Per (UTC) day, from that of `since` on, and model, oldest first; calls on their way count at their highest price."""
    query = select(days.c.day, days.c.model, func.sum(days.c.calls), func.sum(days.c.usd)).where(days.c.day >= day_of(since))
    rows = s.connection().execute(query.group_by(days.c.day, days.c.model).order_by(days.c.day, days.c.model))
    return [Expense(row[0], row[1] or None, int(row[2]), float(row[3])) for row in rows]
