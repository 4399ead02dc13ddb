"""What the models have cost, and the operator's cap on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from sqlmodel import Session, col, func, select

from storage.tables import DraftRow


@dataclass(frozen=True, slots=True)
class Budget:
    """In USD; None is no cap."""

    usd_per_day: float | None = None
    usd_per_ticket: float | None = None


def spent_today(session: Session, now: datetime) -> float:
    """USD that the drafts of this (UTC) day cost."""
    midnight = datetime.combine(now.date(), time.min, now.tzinfo)
    cost = func.sum(col(DraftRow.record)["usage"]["cost_usd"].as_float())
    return float(session.exec(select(cost).where(col(DraftRow.created_at) >= midnight)).one() or 0.0)
