"""The operator's cap on what models may cost, and the purse that a writer pays from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import Engine
from sqlmodel import Session

from storage.spending import pay, reserve, spent, spent_on

NO_END = float("inf")
DAY, RUN, TICKET = "of today", "of this run", "of this ticket"


@dataclass(frozen=True, slots=True)
class Budget:
    """In USD; None is no cap."""

    usd_per_day: float | None = None
    usd_per_ticket: float | None = None
    usd_per_run: float | None = None  # by this payer since the purse's `since`


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
    since: datetime | None = None

    @contextmanager
    def open(self, ticket_id: str, most: float, *, model: str | None = None) -> Iterator[Purchase]:
        """Reserves up to `most` USD, or what the caps leave of it. A purchase whose cost stays unknown counts in full."""
        now, purchase = self.now(), Purchase(0.0, False, "")

        def amount(session: Session) -> float:
            left, cap, of = min(self._caps(session, ticket_id, now), key=lambda one: one[0])
            purchase.usd = max(0.0, min(most, left))
            purchase.ticket_is_short = of == TICKET
            purchase.told = f"{cap - left:.4f} of the {cap:.4f} USD {of} are spent"
            return purchase.usd

        reservation, _ = reserve(self.engine, self.connector, ticket_id, now, amount, model=model)
        try:
            yield purchase
        finally:
            if purchase.cost is not None:
                pay(self.engine, reservation, purchase.cost)

    def _caps(self, session: Session, ticket_id: str, now: datetime) -> Iterator[tuple[float, float, str]]:
        """(USD left, cap, of what) of every cap there is."""
        yield NO_END, 0.0, DAY
        if (cap := self.budget.usd_per_day) is not None:
            yield cap - spent_on(session, now), cap, DAY
        if (cap := self.budget.usd_per_run) is not None:
            yield cap - spent(session, since=self.since, payer=self.connector), cap, RUN
        if (cap := self.budget.usd_per_ticket) is not None:
            yield cap - spent(session, ticket=(self.connector, ticket_id)), cap, TICKET


def midnight(now: datetime) -> datetime:
    """The start of the (UTC) day."""
    return datetime.combine(now.date(), time.min, now.tzinfo)
