"""The long-running process: scheduler and worker, with webhooks and health beside them, until it is told to stop."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

import structlog
import uvicorn
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import text
from sqlmodel import Session
from starlette.applications import Starlette
from starlette.types import ASGIApp

from bot.answer.decide import held_back
from bot.answer.flow import Flow
from bot.chores import DeskChores, open_chores
from bot.config import Config
from bot.console.door import Door
from bot.console.door import open_door as open_console_door
from bot.deployment import Deployment, open_deployment, utc_now
from bot.errands import Own, answer_errand, open_door
from bot.gauges import Gauges
from bot.heartbeats import STALE, Pulse, worker_name
from bot.metrics import Metrics
from bot.restoring import Follower, follows, restore_index
from bot.schedule import Job, every, poll_every, start_schedule
from bot.tracing import open_tracing
from bot.web import create_app, create_door
from bot.worker import Worker, start_worker
from bot.workflows import workflow_url
from connectors.base import ConfigProblem, Transient
from storage import outbox
from storage.database import reading
from storage.parts import parts_of

log = structlog.get_logger()

FOLLOW = "15s"  # between two looks at what other processes wrote to the ledger
LISTEN = 1.0  # seconds; a signal that came while the process was frozen may wake another thread than the one that acts on it
LEAST_ROOM = 64 << 20  # bytes under data_dir, below which work would soon fail
STOP_AT_LATEST = 9.0  # seconds after SIGTERM; what is unfinished then is taken up at the next start


def serve(config: Config, *, http: bool) -> None:
    """Work until SIGTERM or SIGINT; end the process with `leave` afterwards. Raises ConfigProblem before anything is begun."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    open_tracing()
    listener = open_listener(config.console.bind) if http else None
    deployment = open_deployment(config)
    entrance = open_entrance(config) if http else None
    for name, problem in deployment.problems.items():
        log.error("connector not ready", connector=name, reason=str(problem))
    release_claims(deployment)
    restore_index(deployment)
    metrics = Metrics()
    chores = open_chores(deployment, metrics)
    tell_what_is_held_back(chores.flows)
    pulse = Pulse(deployment.engine, worker_name(deployment.engine), config.data_dir)
    pulse.begin()
    metrics.registry.register(Gauges(deployment, pulse.quiet))
    place = workflow_url(config.database_url(), config.data_dir)
    worker = start_worker(chores, tickets_at_once(deployment), place, executor=pulse.name)
    pulse.watch(worker.rescue)
    scheduler = start_schedule(jobs(deployment, worker, list(chores.flows)))
    console = serve_console(deployment, entrance, chores, worker, scheduler) if entrance else None
    ready = partial(readiness, deployment, pulse, lambda: scheduler.running)
    app = create_app(deployment.webhooks(), worker.look, ready, metrics.registry, utc_now, console=console)
    door = open_door(config.data_dir)
    with (
        listening(create_door(partial(answer_errand, Own(deployment, ready))), door) if door else nullcontext(),
        listening(app, listener) if listener else nullcontext(),
    ):
        log.info(
            "working", connectors=sorted(deployment.connections), answering=sorted(chores.flows), http=config.console.bind if http else None
        )
        while not stop.wait(LISTEN):
            pass
        log.info("stopping")
        last_resort = threading.Timer(STOP_AT_LATEST, os._exit, (0,))
        last_resort.daemon = True
        last_resort.start()
        scheduler.shutdown(wait=False)
    worker.stop()
    pulse.end()
    deployment.close()
    log.info("stopped")


def tickets_at_once(deployment: Deployment) -> dict[str, int]:
    """Of each connector; those whose tickets are not answered have a queue that stays empty."""
    return {name: connection.tickets.at_once if connection.tickets else 1 for name, connection in deployment.connections.items()}


def open_entrance(config: Config) -> Door | None:
    """None, and a word in the log, where nobody could sign in to the console. Raises ConfigProblem."""
    entrance = open_console_door(config)
    if entrance is None:
        log.warning("console not served", reason="nobody could sign in; set console.password")
    return entrance


def serve_console(deployment: Deployment, entrance: Door, chores: DeskChores, worker: Worker, scheduler: BackgroundScheduler) -> ASGIApp:
    from bot.console.opening import open_console

    def next_sync(name: str) -> datetime | None:
        job = scheduler.get_job(f"sync-{name}")
        return job.next_run_time if job else None

    synced = chores.metrics.synced
    return open_console(deployment, chores.flows, entrance, send=worker.send, sync=worker.sync, synced=synced, next_sync=next_sync)


def leave() -> NoReturn:
    """End the process now: threads still inside a vendor's call must not hold it, their work is durable and goes on at the next start."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def tell_what_is_held_back(flows: Mapping[str, Flow]) -> None:
    """Topics that the file lets reply, and that stay notes all the same."""
    for name, flow in flows.items():
        for rule in flow.rules.topics if flow.rules.ceiling == "reply" else ():
            if rule.deliver == "reply" and (reason := held_back(rule, flow.rules)):
                log.warning("topic stays a note", connector=name, topic=rule.name, reason=reason)


def release_claims(deployment: Deployment) -> None:
    """What a dead process was sending is unknown now, and looked for at the vendor before it is sent again.

    Only where one process at a time may work (SQLite: the index admits no second one): there the claimant is surely dead.
    """
    if deployment.engine.dialect.name != "sqlite":
        return
    with Session(deployment.engine) as session, session.begin():
        for effect in outbox.unsettled(session):
            if effect.state is outbox.State.SENDING:
                outbox.settle(
                    session, effect.key, outbox.State.UNKNOWN, reason="the process that was sending it died", now=deployment.now()
                )


def jobs(deployment: Deployment, worker: Worker, answering: list[str]) -> list[Job]:
    """What is due when: every connector's sync, and a look at the tickets of those that are answered."""
    due: list[Job] = []
    for name, connection in deployment.connections.items():
        due.append((f"sync-{name}", every(connection.settings.every), partial(worker.sync, name)))
        if name in answering:
            due.append((f"poll-{name}", poll_every(connection.settings.every), partial(worker.poll, name)))
    due.append(("retain", every("1d"), worker.retain))
    if follows(deployment):
        due.append(("follow", every(FOLLOW), Follower(deployment).follow))
    return due


def readiness(
    deployment: Deployment, pulse: Pulse | None = None, scheduling: Callable[[], bool] = lambda: True
) -> Mapping[str, str]:
    """Each part, and `ok`, `ok; ` and a hint, or what is wrong with it."""
    parts = {"database": "ok", "index": "ok"} | {f"connector {name}": "ok" for name in deployment.connections}
    parts |= {f"connector {name}": "not ready, see the log" for name in deployment.problems}
    try:
        with reading(deployment.engine).connect() as connection:
            connection.execute(text("select 1"))
        parts |= {f"connector {name}": f"ok; {hint}" for name in deployment.connections if (hint := gap_hint(deployment, name))}
    except (OSError, ConfigProblem, Transient) as problem:
        parts["database"] = type(problem).__name__
    try:
        deployment.index.vectors.count()
    except RuntimeError as problem:
        parts["index"] = type(problem).__name__
    return parts | alive(pulse, scheduling) | {"disk": room(deployment.config.data_dir)}


def alive(pulse: Pulse | None, scheduling: Callable[[], bool]) -> dict[str, str]:
    """Whether this process still gives signs of life, and still asks when something is due."""
    quiet = pulse.quiet() if pulse else 0.0
    beats = "ok" if quiet < STALE else f"no sign of life could be written for {quiet:.0f} s"
    return {"heartbeat": beats, "scheduler": "ok" if scheduling() else "stopped"}


def room(folder: Path) -> str:
    free = shutil.disk_usage(folder).free
    return "ok" if free >= LEAST_ROOM else f"only {free >> 20} MiB are free under data_dir"


def gap_hint(deployment: Deployment, connector: str) -> str:
    """The parts of a first load in which documents are missing; they are no reason not to work."""
    with Session(reading(deployment.engine)) as session:
        short = [part for part in parts_of(session, connector) if part.missing]
    return ", ".join(f"{part.title}: {part.missing:,} of {part.expected:,} documents are missing" for part in short)


def open_listener(bind: str) -> socket.socket:
    """Bound before anything is begun: whoever connects from now on waits instead of being refused.

    Raises ConfigProblem when the address cannot be had.
    """
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128)
    except OSError as problem:
        raise ConfigProblem(f"console.bind {bind}: {problem.strerror}; name another address, or stop what holds it") from None


@contextmanager
def listening(app: Starlette, listener: socket.socket) -> Iterator[None]:
    """Serve `app` from a thread; signals stay with the process."""
    # No proxy_headers: what is said of a visitor's address counts only where the console's own settings trust it.
    settings = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", proxy_headers=False, server_header=False)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=3)
