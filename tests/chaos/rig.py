"""What the chaos suite plays on: a database, a sandboxed vendor with its model, and real workers as processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from bot.demo import write_config
from connectors.sandbox import Sandbox
from connectors.sandbox.model import API_KEY
from storage.database import open_database

PASSWORD = "chaos-7281"
STARTED_WITHIN = 60.0  # seconds
MODEL = """
writer: {{provider: openai, model: sandbox-chat, base_url: "{url}/openai/v1", api_key: "file:{key}", timeout: 20s,
         prices: {{input: 1.0, output: 2.0}}}}
budget: {{usd_per_day: {cap}}}
"""


class NotHere(Exception):
    """This machine lacks what a fault or a database needs; the reason is printed."""


def pause(seconds: float) -> None:
    """The one place that waits on the real clock: processes are watched from outside."""
    time.sleep(seconds)


class Postgres:
    """A server of our own on a Unix socket, with a database `name`."""

    def __init__(self, folder: Path) -> None:
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
        if not installed:
            raise NotHere("PostgreSQL server not installed (Debian package postgresql)")
        self.programs, self.folder, self.name = installed[-1].parent, folder, "chaos"
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres")
        way_in = ["-U", "tester", "-A", "scram-sha-256", "--pwfile", folder / "password"]
        self._run("initdb", "-D", folder / "data", *way_in, "-E", "UTF8", "-N")
        self.start()
        admin = self.connect("postgres")
        admin.execute(f"CREATE DATABASE {self.name}")
        admin.close()

    @property
    def url(self) -> str:
        return f"postgresql://tester:{PASSWORD}@/{self.name}?host={self.folder}"

    def connect(self, name: str):  # type: ignore[no-untyped-def]
        import psycopg

        return psycopg.connect(f"host={self.folder} dbname={name} user=tester password={PASSWORD}", autocommit=True)

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c max_connections=300"
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")

    def cut(self) -> None:
        """Every connection of every worker, at once."""
        admin = self.connect("postgres")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (self.name,))
        admin.close()

    def _run(self, program: str, *arguments: str | Path) -> None:
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*user, self.programs / program, *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL)


@dataclass
class Worker:
    """One `draftdesk worker` process; started again under the same configuration after every death."""

    name: str
    config: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    told: int = 0  # bytes of the log before the last start
    deaths: dict[int, datetime] = field(default_factory=dict)  # process number -> when it was killed

    @property
    def home(self) -> Path:
        return self.config.parent / "data"

    def start(self) -> None:
        command = [sys.executable, "-m", "bot", "--config", str(self.config), "--log-format", "json", "worker"]
        with self.log.open("ab") as log:
            self.told = log.tell()
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.starts += 1

    def await_work(self) -> None:
        """Until it has begun to work, for a minute at most."""
        end = time.monotonic() + STARTED_WITHIN
        while self.alive() and b'"working"' not in self.log.read_bytes()[self.told :] and time.monotonic() < end:
            pause(0.1)

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.deaths[self.process.pid] = datetime.now(UTC)

    def signal(self, number: signal.Signals) -> None:
        if self.alive() and self.process is not None:
            self.process.send_signal(number)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout=30) if self.process is not None else 0


@dataclass
class Rig:
    folder: Path
    sandbox: Sandbox
    postgres: Postgres | None
    workers: list[Worker] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)  # tickets of the load

    @property
    def database(self) -> str:
        return self.postgres.url if self.postgres else "sqlite"

    def engine(self) -> Engine:
        return open_database(self.database, folder=self.workers[0].home)

    def add_worker(self, cap: float) -> Worker:
        """With a data folder of its own; on SQLite there is one worker."""
        name = f"w{len(self.workers)}"
        home = self.folder / name
        home.mkdir()
        config = write_config(home, self.sandbox.url)
        key = home / "secrets" / "model_key"
        key.touch(mode=0o600)
        key.write_text(API_KEY)
        text = config.read_text() + MODEL.format(url=self.sandbox.url, key=key, cap=cap)
        if self.postgres:
            place = home / "secrets" / "database_url"
            place.touch(mode=0o600)
            place.write_text(self.postgres.url)
            text += f'database: "file:{place}"\n'
        config.write_text(text)
        worker = Worker(name, config, self.folder / f"{name}.log")
        self.workers.append(worker)
        return worker

    def first_sync(self) -> None:
        command = [sys.executable, "-m", "bot", "--config", str(self.workers[0].config), "sync"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def journal(self) -> list[bytes]:
        return [line for worker in self.workers if worker.log.exists() for line in worker.log.read_bytes().splitlines()]
