"""The registry of trained voices. Each function leaves the transaction to its caller."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlmodel import Session

from storage.database import insert
from storage.tables import VoiceRow, table

voices_ = table(VoiceRow)


def plan(s: Session, row: VoiceRow) -> VoiceRow:
    """Kept once per key: a second one is given the first, and starts nothing anew."""
    s.connection().execute(insert(s, VoiceRow).values(**row.model_dump()).on_conflict_do_nothing())
    found = s.get(VoiceRow, row.key)
    if found is None:
        raise LookupError(f"voice {row.key} is missing although it was just kept")
    return found


def record(s: Session, key: str, **values: Any) -> None:
    s.connection().execute(update(voices_).where(voices_.c.key == key).values(**values))


def voices(s: Session) -> Sequence[VoiceRow]:
    """Newest first."""
    return list(s.connection().execute(select(voices_).order_by(voices_.c.created_at.desc(), voices_.c.key)).all())  # type: ignore[arg-type]


def find(s: Session, name: str) -> VoiceRow | None:
    """By model, job or key."""
    query = select(voices_).where(or_(voices_.c.model == name, voices_.c.job == name, voices_.c.key == name))
    return s.connection().execute(query).first()  # type: ignore[return-value]


def in_use(s: Session, task: str = "tone") -> VoiceRow | None:
    promoted = select(voices_).where(voices_.c.promoted_at.is_not(None), voices_.c.task == task)
    query = promoted.order_by(voices_.c.promoted_at.desc()).limit(1)
    return s.connection().execute(query).first()  # type: ignore[return-value]


def promote(s: Session, key: str, now: datetime) -> None:
    record(s, key, promoted_at=now)


def roll_back(s: Session, task: str = "tone") -> VoiceRow | None:
    """The one in use is so no more; returns the one before it, which now is."""
    row = in_use(s, task)
    if row is not None:
        record(s, row.key, promoted_at=None)
    return in_use(s, task)
