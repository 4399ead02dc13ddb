"""Real databases. `engine` is a fresh, migrated one, once on SQLite and once on PostgreSQL; `open_again` reopens it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlmodel import Session

from storage.database import open_database

PASSWORD = "open-sesame-7281"
MISSING = "PostgreSQL server not installed (Debian package postgresql)"


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of our own, on a Unix socket in `folder`."""

    folder: Path

    def url(self, name: str, password: str = PASSWORD) -> str:
        return f"postgresql://tester:{password}@/{name}?host={self.folder}"

    def create(self, name: str, template: str = "template1") -> str:
        admin = create_engine(self.url("postgres").replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        admin.dispose()
        return self.url(name)


def _programs() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _run(*command: str | Path) -> None:
    # PostgreSQL refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*user, *command], check=True, cwd="/", stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    programs = _programs()
    if programs is None:
        pytest.skip(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="draftdesk-pg-"))
    (folder / "password").write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres")
    data = folder / "data"
    try:
        _run(programs / "initdb", "-D", data, "-U", "tester", "-A", "scram-sha-256", "--pwfile", folder / "password", "-E", "UTF8", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c full_page_writes=off -c max_connections=60"
        _run(programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            server = Server(folder)
            open_database(server.create("template_draftdesk"), folder=folder).dispose()
            yield server
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_NAMES = count(1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))])
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Opens the test's database; each call gives an engine of its own."""
    url = "sqlite"
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        url = server.create(f"test_{next(_NAMES)}", "template_draftdesk")
    opened: list[Engine] = []

    def reopen() -> Engine:
        opened.append(open_database(url, folder=tmp_path))
        return opened[-1]

    yield reopen
    for engine in opened:
        engine.dispose()


@pytest.fixture
def engine(open_again: Callable[[], Engine]) -> Engine:
    return open_again()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """One open transaction, never committed."""
    with Session(engine) as session, session.begin():
        yield session
        session.rollback()
