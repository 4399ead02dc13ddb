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
from bot.console.door import open_door
from bot.console.office import Office
from bot.console.studies import Study
from bot.deployment import Deployment
from bot.simulate.commands import gaps_of, stale_of
from bot.sync import Outcome
from connectors.base import Forewarned
from storage.database import reading

log = structlog.get_logger()


def open_console(
    deployment: Deployment,
    flows: Mapping[str, Flow],
    *,
    send: Callable[[str, str], None],
    sync: Callable[[str, str], None],
    synced: Callable[[Outcome], None],
    next_sync: Callable[[str], datetime | None],
) -> ASGIApp | None:
    """None where nobody could sign in. `send` and `sync(connector, slot)` enqueue; `synced` is told what a confirmed sync did.

    Raises ConfigProblem when a reference of `console` leads nowhere.
    """
    office = open_office(deployment, flows, send=send, sync=sync, synced=synced, next_sync=next_sync)
    return create_console(office) if office else None


def open_office(
    deployment: Deployment,
    flows: Mapping[str, Flow],
    *,
    send: Callable[[str, str], None],
    sync: Callable[[str, str], None],
    synced: Callable[[Outcome], None],
    next_sync: Callable[[str], datetime | None],
) -> Office | None:
    if not deployment.config.console.is_served:
        return None
    resume(deployment, send)
    desks = sorted(flows)
    return Office(
        config=deployment.config,
        engine=deployment.engine,
        embedder=deployment.index.embedder,
        door=open_door(deployment.config),
        now=deployment.now,
        flows=flows,
        problems={name: str(problem) for name, problem in deployment.problems.items()},
        send=send,
        sync=partial(begin_sync, deployment, sync, synced),
        syncing=partial(is_syncing, deployment),
        next_sync=next_sync,
        warnings=partial(warnings_of, deployment),
        gaps=Study("gaps", lambda: gaps_of(deployment.engine, deployment.index.embedder, desks), deployment.now),
        stale=Study("stale", lambda: stale_of(deployment.engine, desks), deployment.now),
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
