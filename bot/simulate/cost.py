"""What a simulation may cost: a forecast before it begins, a cap while it runs, and whose money it is.

With `--max-usd` a run has a purse of its own: that is its cap, and live tickets keep the day's budget to themselves. Without it a run
lives on what `budget.usd_per_day` leaves of today, as every other call does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, distinct, func, select
from sqlmodel import Session

from bot.config import Config
from bot.config.model import Prices
from bot.spending import Budget, Purse
from connectors.base import ConfigProblem
from storage.database import reading
from storage.spending import APART, spending, spent_on

GUESSED_PROMPT, GUESSED_COMPLETION = 3_000, 400  # tokens of a call, until the first was paid for


@dataclass(frozen=True, slots=True)
class Price:
    """USD that a ticket costs; `usd` None: nobody knows; `guessed`: from the model's prices, nothing was bought yet."""

    usd: float | None
    guessed: bool = False


def purse(config: Config, engine: Engine, payer: str, most: float | None, now: Callable[[], datetime]) -> Purse:
    """What writer and voice pay from. `most`: the run's own cap. Raises ConfigProblem where a paid run would have no cap at all."""
    day, ticket = (config.budget.usd_per_day, config.budget.usd_per_ticket) if config.budget else (None, None)
    if most is not None:
        return Purse(engine, Budget(None, ticket, most), APART + payer, now, now())
    if day is None and any(prices is not None for prices in paid(config)):
        raise ConfigProblem("this asks a paid model, and nothing says what it may cost: give --max-usd, or set budget.usd_per_day")
    return Purse(engine, Budget(day, ticket), payer, now)


def paid(config: Config) -> list[Prices | None]:
    """The prices of every model that is asked; None where the file names none."""
    asked = [config.writer.prices] if config.writer.provider == "openai" else []
    if config.voice.provider == "model":
        asked.append(config.voice.prices or config.writer.prices)
    return asked


def usd_per_ticket(config: Config, engine: Engine) -> Price:
    """As past tickets have cost, live or simulated; before there is one, a guess by the models' prices."""
    asked = paid(config)
    if not asked:
        return Price(0.0)
    if (usd := _spent_per_ticket(engine)) is not None:
        return Price(usd)
    known = [prices for prices in asked if prices is not None]
    if len(known) < len(asked):
        return Price(None)
    calls = (float(prices.input) * GUESSED_PROMPT + float(prices.output) * GUESSED_COMPLETION for prices in known)
    return Price(sum(calls) / 1e6, guessed=True)


def left(config: Config, engine: Engine, most: float | None, now: datetime) -> float | None:
    """USD that a run may still cost; None: no end."""
    if most is not None or config.budget is None or config.budget.usd_per_day is None:
        return most
    with Session(reading(engine)) as session:
        return max(0.0, config.budget.usd_per_day - spent_on(session, now))


def forecast(tickets: int, price: Price, most: float | None) -> str:
    """What answering so many tickets will cost, in a sentence. Raises ConfigProblem when that is known to be more than it may."""
    if price.usd is None:
        return f"{tickets} tickets to answer; what one costs is not known: the file names no prices"
    if price.usd == 0.0:
        return f"{tickets} tickets to answer; this writer costs nothing"
    told = f"{tickets} tickets to answer at {price.usd:.4f} USD each: about {price.usd * tickets:.2f} USD"
    if price.guessed:
        told += ", guessed from the model's prices, as nothing was bought yet"
    elif most is not None and price.usd * tickets > most:
        raise ConfigProblem(f"{told}, more than the {most:.2f} USD it may cost; give a higher --max-usd, or a --limit")
    return told if most is None else f"{told}; it stops at {most:.2f} USD"


def _spent_per_ticket(engine: Engine) -> float | None:
    tickets = func.count(distinct(spending.c.connector + "/" + spending.c.ticket_id))
    with Session(reading(engine)) as session:
        query = select(func.sum(spending.c.usd), tickets).where(spending.c.settled, spending.c.ticket_id != "")
        usd, count = session.connection().execute(query).one()
    return float(usd) / int(count) if count else None
