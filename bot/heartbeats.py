"""Signs of life of this process, and the work of those that have fallen silent taken over."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from uuid import uuid4

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from connectors.base import ConfigProblem, Transient
from storage import heartbeats
from storage.database import reading
from storage.marks import turn

log = structlog.get_logger()

STALE = 30.0  # seconds without a written sign of life after which this process counts as not ready

Rescue = Callable[[Collection[str]], int]  # the names of the living -> how many workflows of others were taken over


def worker_name(engine: Engine) -> str:
    """Under which this process runs workflows. Where only one can work it is always the same, so that it finds its own again."""
    return "local" if engine.dialect.name == "sqlite" else f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid4().hex[:6]}"


class Pulse:
    """Beats in a thread of its own until it is stopped."""

    def __init__(self, engine: Engine, name: str, folder: Path) -> None:
        self.name = name
        self._engine, self._folder = engine, folder
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._heard = time.monotonic()

    def begin(self) -> None:
        """The first sign of life; before any work is taken. Raises what the database does."""
        with Session(self._engine) as session, session.begin():
            heartbeats.beat(session, self.name)
        self._heard = time.monotonic()

    def watch(self, rescue: Rescue) -> None:
        """Take over what is left of dead processes, now and from now on."""
        self._take_over(rescue)
        self._thread = threading.Thread(target=self._beat, args=(rescue,), name="heartbeat", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=2)
        try:
            with Session(self._engine) as session, session.begin():
                heartbeats.bury(session, [self.name])
        except (ConfigProblem, Transient):
            return  # then it falls silent

    def quiet(self) -> float:
        """Seconds since the last sign of life that was written."""
        return time.monotonic() - self._heard

    def _beat(self, rescue: Rescue) -> None:
        told = False
        while not self._stop.wait(heartbeats.BEAT):
            try:
                self.begin()
                with Session(reading(self._engine)) as session:
                    dead = heartbeats.silent(session)
                if dead:
                    self._take_over(rescue)
                told = False
            except (ConfigProblem, Transient) as problem:
                if not told:
                    log.error("no sign of life can be written", reason=str(problem))
                told = True

    def _take_over(self, rescue: Rescue) -> None:
        """One process at a time; a crash in here leaves the dead ones known, and another comes."""
        with turn(self._engine, self._folder, "take over"):
            with Session(reading(self._engine)) as session:
                dead, alive = heartbeats.silent(session), heartbeats.living(session)
            count = rescue(alive | {self.name})
            with Session(self._engine) as session, session.begin():
                heartbeats.bury(session, dead)
        if dead or count:
            log.warning("took over", processes=sorted(dead), workflows=count)
