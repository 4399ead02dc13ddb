"""The operator's cap on what models may cost, and the purse that a writer pays from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import Engine
from sqlmodel import Session

from storage.spending import pay, reserve, spent

NO_END = float("inf")


@dataclass(frozen=True, slots=True)
class Budget:
    """In USD; None is no cap."""

    usd_per_day: float | None = None
    usd_per_ticket: float | None = None


@dataclass(slots=True)
class Purchase:
    """One call that is about to be made: `usd` is the most it may cost, `cost` what it did (None: nobody knows)."""

    usd: float
    ticket_is_short: bool  # the ticket's own cap, not the day's, is what leaves so little
    told: str  # how much of which cap is spent, for the operator
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Purse:
    """What one connector's tickets may cost. Calls on their way count at their highest price, in every process."""

    engine: Engine
    budget: Budget
    connector: str
    now: Callable[[], datetime]

    @contextmanager
    def open(self, ticket_id: str, most: float) -> Iterator[Purchase]:
        """Reserves up to `most` USD, or what the caps leave of it. A purchase whose cost stays unknown counts in full."""
        now, purchase = self.now(), Purchase(0.0, False, "")

        def amount(session: Session) -> float:
            day = self._left(self.budget.usd_per_day, lambda: spent(session, since=midnight(now)))
            ticket = self._left(self.budget.usd_per_ticket, lambda: spent(session, ticket=(self.connector, ticket_id)))
            purchase.usd = max(0.0, min(most, day, ticket))
            purchase.ticket_is_short = ticket < day
            cap, left, of = (
                (self.budget.usd_per_ticket, ticket, "of this ticket") if ticket < day else (self.budget.usd_per_day, day, "of today")
            )
            purchase.told = f"{(cap or 0.0) - left:.4f} of the {cap or 0.0:.4f} USD {of} are spent"
            return purchase.usd

        reservation, _ = reserve(self.engine, self.connector, ticket_id, now, amount)
        try:
            yield purchase
        finally:
            if purchase.cost is not None:
                pay(self.engine, reservation, purchase.cost)

    def _left(self, cap: float | None, used: Callable[[], float]) -> float:
        return NO_END if cap is None else cap - used()


def midnight(now: datetime) -> datetime:
    """The start of the (UTC) day."""
    return datetime.combine(now.date(), time.min, now.tzinfo)
