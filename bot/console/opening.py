"""The console over an opened installation, as `run` serves it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog
from sqlmodel import Session
from starlette.types import ASGIApp

from bot.answer.approved import unfinished
from bot.answer.flow import Flow
from bot.console.app import create_console
from bot.console.door import Door
from bot.console.office import Office
from bot.console.studies import Study
from bot.deployment import Deployment
from bot.simulate.commands import contradictions_of, gaps_of
from bot.sync import Outcome
from connectors.base import Forewarned
from storage.database import reading

log = structlog.get_logger()


def open_console(
    deployment: Deployment,
    flows: Mapping[str, Flow],
    door: Door,
    *,
    send: Callable[[str, str], None],
    sync: Callable[[str, str], None],
    synced: Callable[[Outcome], None],
    next_sync: Callable[[str], datetime | None],
) -> ASGIApp:
    """`send` and `sync(connector, slot)` enqueue; `synced` is told what a confirmed sync did."""
    return create_console(open_office(deployment, flows, door, send=send, sync=sync, synced=synced, next_sync=next_sync))


def open_office(
    deployment: Deployment,
    flows: Mapping[str, Flow],
    door: Door,
    *,
    send: Callable[[str, str], None],
    sync: Callable[[str, str], None],
    synced: Callable[[Outcome], None],
    next_sync: Callable[[str], datetime | None],
) -> Office:
    resume(deployment, send)
    desks = sorted(flows)
    return Office(
        config=deployment.config,
        engine=deployment.engine,
        embedder=deployment.index.embedder,
        door=door,
        now=deployment.now,
        flows=flows,
        problems={name: str(problem) for name, problem in deployment.problems.items()},
        send=send,
        sync=partial(begin_sync, deployment, sync, synced),
        syncing=partial(is_syncing, deployment),
        next_sync=next_sync,
        warnings=partial(warnings_of, deployment),
        gaps=Study("gaps", lambda: gaps_of(deployment.engine, deployment.index.embedder, desks), deployment.now),
        clashes=Study("contradictions", lambda: contradictions_of(deployment.engine, desks), deployment.now),
    )


def resume(deployment: Deployment, send: Callable[[str, str], None]) -> None:
    """Replies that were approved while the process died are sent: enqueuing one twice is one piece of work."""
    with Session(reading(deployment.engine)) as session:
        left = unfinished(session)
    for effect in left:
        send(effect.connector, effect.key)


def begin_sync(
    deployment: Deployment, sync: Callable[[str, str], None], synced: Callable[[Outcome], None], name: str, confirmed: bool
) -> None:
    """An ordinary one waits in the queue like every other; one that carries removals out is wanted by a person, now and once."""
    if not confirmed:
        sync(name, f"console-{deployment.now().isoformat()}")
        return

    def carry_out() -> None:
        outcome = deployment.sync(name, confirm_removals=True)
        synced(outcome)
        log.info("removals confirmed", connector=name, removed=outcome.removed, error=outcome.error)

    threading.Thread(target=carry_out, name=f"removals {name}", daemon=True).start()


def is_syncing(deployment: Deployment, name: str) -> bool:
    connection = deployment.connections.get(name)
    return connection is not None and connection.lock.locked()


def warnings_of(deployment: Deployment, name: str) -> Sequence[str]:
    connection = deployment.connections.get(name)
    return connection.source.warnings() if connection is not None and isinstance(connection.source, Forewarned) else ()
