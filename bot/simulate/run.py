"""A simulation from its configuration to its samples: what it is given instead of the helpdesk, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlmodel import Session

from bot.deployment import Deployment, build_voice, build_writer
from bot.simulate import cost
from bot.simulate.fingerprint import fingerprint
from bot.simulate.replay import Progress, Run, Wish, documents_by_address, replay
from bot.simulate.sample import Stage
from bot.simulate.strict import close, strict, strict_voice
from bot.simulate.window import Nowhere, Window
from connectors.base import Helpdesk
from storage import samples
from storage.database import reading


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
    newest: bool = True,
    told: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Simulation:
    """`newest`: labels, gaps and bounds are about this run from now on; not so a file's that is only compared with.

    Raises ConfigProblem: no helpdesk, one that cannot be read, or a run that would cost too much.
    """
    stage, window = open_stage(deployment, name, wish.most_usd)
    price = cost.usd_per_ticket(deployment.config, deployment.engine)
    may = cost.left(deployment.config, deployment.engine, wish.most_usd, deployment.now())

    def begin(tickets: int) -> None:
        told(cost.forecast(tickets, price, may))
        if newest:
            with Session(deployment.engine) as session, session.begin():
                samples.begin_run(session, name, stage.fingerprint, deployment.now())

    try:
        run = replay(stage, window, wish, begin=begin, progress=progress)
    finally:
        close(stage.flow.writer)
        close(stage.flow.voice)
    return Simulation(name, stage.fingerprint, run, price.usd)


def open_stage(deployment: Deployment, name: str, most_usd: float | None = None) -> tuple[Stage, Window]:
    """The live flow with its delivery cut off; what it pays for comes out of the simulation's purse."""
    flow = deployment.flow(name)
    mark = fingerprint(deployment.config, deployment.engine)
    purse = cost.purse(deployment.config, deployment.engine, f"simulation {name} {mark}", most_usd, flow.now)
    with Session(reading(deployment.engine)) as session:
        documents, begins = documents_by_address(session), samples.history_begins(session)
    shut = replace(
        flow,
        desk=Nowhere(),
        writer=strict(build_writer(deployment.config, deployment.index.embedder, purse)),
        voice=strict_voice(build_voice(deployment.config, purse)),
    )
    source = deployment.connection(name).source  # not the desk: live tickets go ahead
    return Stage(shut, mark, documents, begins), Window(source if isinstance(source, Helpdesk) else flow.desk)
