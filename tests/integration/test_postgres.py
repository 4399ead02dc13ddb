"""What only a PostgreSQL server can show: its refusals in sentences, and many processes opening one new database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import Session

from connectors.base import ConfigProblem, Transient
from storage.database import MIGRATION_LOCK, open_database, reading
from storage.ledger import last_syncs

pytestmark = pytest.mark.xdist_group("postgres")


def words(problem: BaseException | None) -> str:
    """All that an error, and every error behind it, has to say."""
    return "" if problem is None else f"{problem!r} {problem} {words(problem.__cause__)} {words(problem.__context__)}"


class Server(Protocol):
    folder: Path

    def url(self, name: str, password: str = ...) -> str: ...
    def create(self, name: str, template: str = ...) -> str: ...


def test_a_wrong_password_is_told_without_showing_it(postgres: Server, tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="password") as caught:
        open_database(postgres.url("template_draftdesk", "hunter2-tester"), folder=tmp_path)
    assert "hunter2" not in words(caught.value)


def test_a_missing_database_is_told_in_a_sentence(postgres: Server, tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="does not exist"):
        open_database(postgres.url("nowhere"), folder=tmp_path)


def test_a_standby_is_told_in_a_sentence(postgres: Server, tmp_path: Path) -> None:
    url = postgres.create("standby") + "&options=-cdefault_transaction_read_only%3Don"
    with pytest.raises(ConfigProblem, match=r"is read-only .* name the primary"):
        open_database(url, folder=tmp_path)


def test_a_user_who_may_not_create_tables_is_told_in_a_sentence(postgres: Server, tmp_path: Path) -> None:
    engine = open_database(postgres.create("grants"), folder=tmp_path)
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE guest LOGIN PASSWORD 'guest-4711'"))
    engine.dispose()
    url = postgres.create("closed").replace("tester:open-sesame-7281", "guest:guest-4711")
    with pytest.raises(ConfigProblem, match="grant it CREATE") as caught:
        open_database(url, folder=tmp_path)
    assert "guest-4711" not in words(caught.value)


def test_a_lost_connection_is_transient_and_the_next_transaction_works(postgres: Server, tmp_path: Path) -> None:
    engine = open_database(postgres.create("cut"), folder=tmp_path)
    other = open_database(postgres.url("cut"), folder=tmp_path)
    with Session(engine) as s:
        own = s.connection().execute(text("SELECT pg_backend_pid()")).scalar_one()
        with other.begin() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
        with pytest.raises(Transient, match="check that the server runs"):
            s.connection().execute(text("SELECT 1"))
    with Session(engine) as s:
        assert last_syncs(s) == {}
    engine.dispose()
    other.dispose()


def test_a_migration_that_takes_too_long_elsewhere_is_told_in_a_sentence(postgres: Server, tmp_path: Path) -> None:
    url = postgres.create("slow")
    lock = create_engine(url.replace("://", "+psycopg://"))
    with lock.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        with pytest.raises(ConfigProblem, match="changing the schema for too long"):
            open_database(url, folder=tmp_path, patience=0.1)
    lock.dispose()


OPEN = "import sys; from pathlib import Path; from storage.database import open_database; open_database(sys.argv[1], folder=Path('.'))"


def test_processes_may_open_a_new_database_at_the_same_time(postgres: Server) -> None:
    url = postgres.create("crowd")
    started = [subprocess.Popen([sys.executable, "-c", OPEN, url], stderr=subprocess.PIPE, env=dict(os.environ)) for _ in range(6)]
    outcomes = [(process.communicate()[1].decode(), process.returncode) for process in started]
    assert outcomes == [("", 0)] * 6


def test_the_password_stays_out_of_the_engines_own_words(postgres: Server, tmp_path: Path) -> None:
    url = f"postgresql://tester@/template_draftdesk?host={postgres.folder}&password=open-sesame-7281"
    engine = open_database(url, folder=tmp_path)
    assert "sesame" not in f"{engine!r} {engine.url} {reading(engine)!r}"
    engine.dispose()
