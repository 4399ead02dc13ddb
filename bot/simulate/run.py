"""A simulation from its configuration to its samples: what it is given instead of the helpdesk, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from sqlalchemy import Engine, distinct, func, select
from sqlmodel import Session

from bot.answer.write import FallbackWriter, Writer
from bot.deployment import Deployment, build_writer
from bot.simulate.fingerprint import fingerprint
from bot.simulate.replay import Progress, Run, Wish, documents_by_address, replay
from bot.simulate.sample import Stage
from bot.simulate.window import Nowhere, Window
from bot.spending import Budget, Purse
from connectors.base import ConfigProblem, Helpdesk
from storage import samples
from storage.database import reading
from storage.spending import spending


@dataclass(frozen=True, slots=True)
class Simulation:
    connector: str
    fingerprint: str
    run: Run
    usd_per_ticket: float | None  # as it was forecast


def simulate(
    deployment: Deployment,
    name: str,
    wish: Wish,
    *,
    told: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Simulation:
    """Raises ConfigProblem: no helpdesk, one that cannot be read, or a run that would cost too much."""
    stage, window = open_stage(deployment, name)
    usd = usd_per_ticket(deployment)
    try:
        run = replay(stage, window, wish, begin=lambda tickets: told(forecast(tickets, usd, wish.most_usd)), progress=progress)
    finally:
        _close(stage.flow.writer)
    return Simulation(name, stage.fingerprint, run, usd)


def forecast(tickets: int, usd: float | None, most: float | None) -> str:
    """What answering so many tickets will cost, in a sentence. Raises ConfigProblem when that is known to be more than it may."""
    if usd is None:
        return f"{tickets} tickets to answer; what one costs is not known yet, nothing was bought so far"
    if usd == 0.0:
        return f"{tickets} tickets to answer; this writer costs nothing"
    told = f"{tickets} tickets to answer at {usd:.4f} USD each: about {usd * tickets:.2f} USD"
    if most is not None and usd * tickets > most:
        raise ConfigProblem(f"{told}, more than the {most:.2f} USD it may cost; give a higher --max-usd, or a --limit")
    return told


def open_stage(deployment: Deployment, name: str) -> tuple[Stage, Window]:
    """The live flow with its delivery cut off; what it pays for is counted apart from live tickets, under the same caps."""
    flow = deployment.flow(name)
    mark = fingerprint(deployment.config, deployment.engine)
    budget = deployment.config.budget
    caps = Budget(budget.usd_per_day, budget.usd_per_ticket) if budget else Budget()
    purse = Purse(deployment.engine, caps, f"{name} simulation {mark}", flow.now)
    with Session(reading(deployment.engine)) as session:
        documents, begins = documents_by_address(session), samples.history_begins(session)
    shut = replace(flow, desk=Nowhere(), writer=build_writer(deployment.config, deployment.index.embedder, purse))
    source = deployment.connection(name).source  # not the desk: live tickets go ahead
    return Stage(shut, mark, documents, begins), Window(source if isinstance(source, Helpdesk) else flow.desk)


def _close(writer: Writer) -> None:
    """A model's writer holds connections."""
    if isinstance(writer, FallbackWriter):
        _close(writer.first)
        _close(writer.second)
    elif isinstance(writer, Closable):
        writer.close()


@runtime_checkable
class Closable(Protocol):
    def close(self) -> None: ...


def usd_per_ticket(deployment: Deployment) -> float | None:
    """What a ticket has cost so far, live or simulated; 0 for a writer that costs nothing, None when nothing was bought yet."""
    if deployment.config.writer.provider == "extractive":
        return 0.0
    return _spent_per_ticket(deployment.engine)


def _spent_per_ticket(engine: Engine) -> float | None:
    tickets = func.count(distinct(spending.c.connector + "/" + spending.c.ticket_id))
    with Session(reading(engine)) as session:
        usd, count = session.connection().execute(select(func.sum(spending.c.usd), tickets).where(spending.c.settled)).one()
    return float(usd) / int(count) if count else None
