"""How many at once, over all processes on this database: places that are taken, and that free themselves when their holder dies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Engine, select, update
from sqlmodel import Session

from storage.database import insert
from storage.tables import QuotaRow, table

HELD_AT_MOST = 300.0  # seconds; longer than any call of a model lasts

quotas = table(QuotaRow)


class Slots:
    """`most` places of one name. Kept in the row of an account of that name: [until, 1, holder] for each place taken."""

    def __init__(self, engine: Engine, name: str, most: int, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.most = most
        self._engine, self._account, self._now = engine, f"slots {name}", now

    def take(self) -> str | None:
        """A place's holder, to be given back; None: all are taken."""
        holder = uuid4().hex[:12]

        def change(taken: list[list[object]]) -> list[list[object]] | None:
            return [*taken, [self._moment() + HELD_AT_MOST, 1, holder]] if len(taken) < self.most else None

        return holder if self._change(change) else None

    def give(self, holder: str) -> None:
        self._change(lambda taken: [place for place in taken if place[2] != holder])

    def _moment(self) -> float:
        return self._now().timestamp()

    def _change(self, change: Callable[[list[list[object]]], list[list[object]] | None]) -> bool:
        now = self._moment()
        with Session(self._engine) as session, session.begin():
            fresh = insert(session, QuotaRow).values(account=self._account, reserve=0.0, window=60.0, taken=[], updated_at=self._now())
            session.execute(fresh.on_conflict_do_nothing())
            row = session.execute(select(quotas.c.taken).where(quotas.c.account == self._account).with_for_update()).one()
            changed = change([place for place in row.taken if now < float(place[0]) <= now + HELD_AT_MOST])
            if changed is None:
                return False
            session.execute(update(quotas).where(quotas.c.account == self._account).values(taken=changed, updated_at=self._now()))
            return True
