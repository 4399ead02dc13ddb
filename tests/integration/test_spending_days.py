"""The day's running total is what its payments sum up to, whoever writes, changes or deletes them, and however many at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, select
from sqlmodel import Session

from bot.spending import Budget, Purse
from storage import expenses
from storage.database import open_database
from storage.moving import carry, counts
from storage.spending import APART, days, pay, reserve, spending, spent, spent_on

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PAYERS = ("help", "mail", APART + "a run")
MODELS = ("luna", "voice-3", None)


def sums(engine: Engine) -> dict[tuple[str, str, str | None], tuple[int, float]]:
    """By (day, payer, model), from the payments themselves."""
    with Session(engine) as session:
        found: dict[tuple[str, str, str | None], tuple[int, float]] = {}
        for row in session.execute(select(spending)):
            key = (row.at.date().isoformat(), row.connector, row.model)
            calls, usd = found.get(key, (0, 0.0))
            found[key] = (calls + 1, usd + row.usd)
    return found


def kept(engine: Engine) -> dict[tuple[str, str, str | None], tuple[int, float]]:
    with Session(engine) as session:
        return {(row.day, row.connector, row.model or None): (row.calls, row.usd) for row in session.execute(select(days))}


def same(engine: Engine) -> bool:
    told, counted = kept(engine), sums(engine)
    return told.keys() == counted.keys() and all(told[key] == pytest.approx(counted[key]) for key in told)


@pytest.mark.parametrize("seed", range(4))
def test_the_sums_of_the_days_are_those_of_their_payments_whatever_is_done_to_them(engine: Engine, seed: int) -> None:
    chance = random.Random(seed)
    reservations: list[str] = []
    for _ in range(60):
        if reservations and chance.random() < 0.4:
            pay(engine, reservations.pop(chance.randrange(len(reservations))), chance.choice((0.0, chance.uniform(0, 0.02))))
        elif chance.random() < 0.1:  # what retention does, in the middle of a day
            with Session(engine) as session, session.begin():
                session.execute(delete(spending).where(spending.c.at < NOON + timedelta(hours=chance.randrange(-60, 0))))
        else:
            at, most = NOON + timedelta(minutes=chance.randrange(-4_000, 4_000)), chance.uniform(0, 0.05)
            made, _ = reserve(engine, chance.choice(PAYERS), "7", at, lambda _, most=most: most, model=chance.choice(MODELS))
            reservations.append(made)
    assert kept(engine)
    assert same(engine)


def test_a_payment_belongs_to_the_utc_day_of_its_moment(engine: Engine) -> None:
    midnight = NOON.replace(hour=0)
    for number, at in enumerate((midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=23, minutes=59))):
        reserve(engine, "help", "7", at, lambda _, usd=2.0**number: usd)
    reserve(engine, APART + "a run", "7", NOON, lambda _: 100.0)
    with Session(engine) as session:
        assert [spent_on(session, NOON + timedelta(days=shift)) for shift in (-1, 0, 1)] == [1.0, 6.0, 0.0]
        assert [(one.day, one.calls, one.usd) for one in expenses.by_day(session, NOON)] == [("2026-11-20", 3, 106.0)]


def test_many_who_pay_at_once_neither_overstep_the_cap_nor_lose_a_cent_of_the_days_sum(engine: Engine) -> None:
    purse = Purse(engine, Budget(usd_per_day=0.50), "help", lambda: NOON)

    def buy(number: int) -> None:
        with purse.open(str(number % 5), 0.02, model="luna") as purchase:
            purchase.cost = purchase.usd if number % 3 else purchase.usd / 2

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(buy, range(80)))
    with Session(engine) as session:
        highest = session.execute(select(func.sum(spending.c.usd))).scalar_one()
        assert spent_on(session, NOON) == pytest.approx(spent(session)) == pytest.approx(highest)
        assert 0.25 - 1e-9 <= highest <= 0.50 + 1e-9  # the last to be paid may have cost half
    assert same(engine)


def test_a_reservation_that_is_rolled_back_counts_nowhere(engine: Engine) -> None:
    def refuse(_: Session) -> float:
        raise RuntimeError("the writer died")

    reserve(engine, "help", "7", NOON, lambda _: 0.01)
    with pytest.raises(RuntimeError):
        reserve(engine, "help", "7", NOON, refuse)
    assert same(engine)


def test_a_move_to_another_database_carries_the_sums_over_once(engine: Engine, tmp_path: Path) -> None:
    source = open_database("sqlite", folder=tmp_path / "before")
    for number in range(7):
        reserve(source, "help", str(number), NOON + timedelta(hours=5 * number), lambda _: 0.1)
    carry(source, engine)
    assert counts(engine) == counts(source)
    assert same(engine)
    source.dispose()
