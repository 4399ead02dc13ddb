"""Money: a paid call is reserved at its highest price, then paid at its real one; a crash in between leaves the reservation counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Engine, func, select, text, update
from sqlmodel import Session

from storage.tables import SpendingDayRow, SpendingRow, table

SPENDING_LOCK = 0x64_64_73_70  # one reservation at a time; any number that nothing else in the database uses
APART = "apart: "  # begins the name of a payer who has a cap of their own
spending, days = table(SpendingRow), table(SpendingDayRow)


def spent(s: Session, *, since: datetime | None = None, ticket: tuple[str, str] | None = None, payer: str | None = None) -> float:
    """USD paid or reserved since a moment, for one (connector, ticket), or by one payer; of all payers those apart do not count."""
    query = select(func.coalesce(func.sum(spending.c.usd), 0.0))
    if since is not None:
        query = query.where(spending.c.at >= since)
    if payer is not None:
        query = query.where(spending.c.connector == payer)
    elif ticket is None:
        query = query.where(~spending.c.connector.startswith(APART))
    if ticket is not None:
        query = query.where(spending.c.connector == ticket[0], spending.c.ticket_id == ticket[1])
    return float(s.execute(query).scalar_one())


def spent_on(s: Session, moment: datetime) -> float:
    """USD paid or reserved on the (UTC) day of a moment, by all payers but those apart: a few rows, however many calls there were."""
    query = select(func.coalesce(func.sum(days.c.usd), 0.0)).where(days.c.day == day_of(moment), ~days.c.connector.startswith(APART))
    return float(s.execute(query).scalar_one())


def day_of(moment: datetime) -> str:
    """As `spending_days` names it."""
    return moment.astimezone(UTC).date().isoformat()


def reserve(
    engine: Engine, connector: str, ticket_id: str, now: datetime, amount: Callable[[Session], float], *, model: str | None = None
) -> tuple[str, float]:
    """What `amount` allows, booked before anybody else can ask; the reservation's id and USD. `model`: who is paid."""
    with Session(engine) as s, s.begin():
        if s.get_bind().dialect.name == "postgresql":  # SQLite's transactions come one after another anyway
            s.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SPENDING_LOCK})
        usd = max(0.0, amount(s))
        row = SpendingRow(id=uuid4().hex, connector=connector, ticket_id=ticket_id, at=now, usd=usd, settled=False, model=model)
        s.add(row)
        return row.id, usd


def pay(engine: Engine, reservation: str, usd: float) -> None:
    """Set a reservation to what the call really cost."""
    with Session(engine) as s, s.begin():
        s.execute(update(spending).where(spending.c.id == reservation).values(usd=usd, settled=True))
