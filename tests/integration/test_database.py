"""Opening a database: settings that hold, moments that survive, and failures told in a sentence."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import Session

from connectors.base import ConfigProblem, Transient
from storage.database import insert, open_database, reading
from storage.ledger import last_syncs, read_cursor, record_sync
from storage.tables import CursorRow, DocumentRow, SyncRow

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def words(problem: BaseException | None) -> str:
    """All that an error, and every error behind it, has to say."""
    return "" if problem is None else f"{problem!r} {problem} {words(problem.__cause__)} {words(problem.__context__)}"


def note(engine: Engine, error: str | None = None) -> None:
    with Session(engine) as s, s.begin():
        record_sync(s, SyncRow(connector="help", started_at=NOON, seconds=1.0, error=error))


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Engine:
    return open_database("sqlite", folder=tmp_path, patience=0.05)


def test_every_sqlite_connection_has_the_settings_the_promises_rest_on(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as one, reading(sqlite_engine).connect() as two:
        for connection in (two, one):
            names = ("journal_mode", "foreign_keys", "synchronous", "secure_delete")
            assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names] == ["wal", 1, 2, 1]


def test_sqlite_files_are_for_their_owner_only(sqlite_engine: Engine, tmp_path: Path) -> None:
    note(sqlite_engine)
    files = list(tmp_path.iterdir())
    assert files
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.timezones()))
def test_a_moment_comes_back_as_the_same_instant_in_utc(session: Session, moment: datetime) -> None:
    s = session
    s.connection().execute(text("DELETE FROM syncs"))
    record_sync(s, SyncRow(connector="help", started_at=moment, seconds=0.0, listing=True))
    stored = last_syncs(s)["help"].started_at
    assert stored == moment.astimezone(UTC)
    assert stored.tzinfo is UTC


def test_moments_sort_as_instants_whatever_zone_they_were_given_in(session: Session) -> None:
    zones = [timezone(timedelta(hours=hours)) for hours in (-11, 0, 9)]
    for number, zone in enumerate(zones):
        record_sync(session, SyncRow(connector=str(number), started_at=(NOON + timedelta(minutes=number)).astimezone(zone), seconds=0.0))
    rows = session.connection().execute(text("SELECT connector FROM syncs ORDER BY started_at")).scalars().all()
    assert rows == ["0", "1", "2"]


def test_a_moment_without_a_zone_is_refused(session: Session) -> None:
    with pytest.raises(StatementError, match="without a time zone"):
        record_sync(session, SyncRow(connector="help", started_at=datetime(2026, 1, 1), seconds=0.0))


def test_text_that_a_database_cannot_hold_is_mended_not_fatal(session: Session) -> None:
    record_sync(session, SyncRow(connector="help", started_at=NOON, seconds=0.0, error="a\x00b\ud800c é"))
    assert last_syncs(session)["help"].error == "ab?c é"


def test_json_keeps_what_connectors_put_into_cursors(session: Session) -> None:
    cursor = {"v": 1, "after": "a\x00\ud800é", "nested": [None, True, 1.5, {"b": 1, "a": 2}]}
    session.connection().execute(insert(session, CursorRow).values(connector="help", stream="x", cursor=cursor, updated_at=NOON))
    assert read_cursor(session, "help", "x") == cursor


def test_a_transaction_that_reads_and_then_writes_is_not_lost_to_another_writer(tmp_path: Path) -> None:
    """Had it only a read snapshot, SQLite would refuse its write at once and for good."""
    first = open_database("sqlite", folder=tmp_path, patience=0.05)
    second = open_database("sqlite", folder=tmp_path, patience=0.05)
    with Session(first) as s, s.begin():
        assert last_syncs(s) == {}
        with pytest.raises(Transient, match="locked"):
            note(second)
        record_sync(s, SyncRow(connector="help", started_at=NOON, seconds=0.0))
    note(second)
    first.dispose()
    second.dispose()


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    engine = open_database("sqlite", folder=tmp_path, patience=0.05)
    with Session(engine) as writer, writer.begin():
        record_sync(writer, SyncRow(connector="help", started_at=NOON, seconds=0.0))
        with Session(reading(engine)) as reader:
            assert last_syncs(reader) == {}
    engine.dispose()


def test_a_locked_file_is_told_in_a_sentence(sqlite_engine: Engine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "draftdesk.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Transient, match=r"draftdesk\.sqlite: locked by another process .* stop the other"):
        note(sqlite_engine)
    other.close()


def test_a_full_disk_is_told_in_a_sentence(sqlite_engine: Engine) -> None:
    with Session(sqlite_engine) as s:
        s.connection().exec_driver_sql("PRAGMA max_page_count=1")
        with pytest.raises(ConfigProblem, match="the disk is full; free some space"):
            record_sync(s, SyncRow(connector="help", started_at=NOON, seconds=0.0, error="x" * 100_000))


def test_a_read_only_file_is_told_in_a_sentence(sqlite_engine: Engine) -> None:
    with Session(sqlite_engine) as s:
        s.connection().exec_driver_sql("PRAGMA query_only=ON")
        with pytest.raises(ConfigProblem, match="is read-only; give this user write permission"):
            record_sync(s, SyncRow(connector="help", started_at=NOON, seconds=0.0))


def test_a_file_that_is_no_database_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "draftdesk.sqlite").write_bytes(b"this is not a database, it is a letter to my aunt" * 100)
    with pytest.raises(ConfigProblem, match="is not a database"):
        open_database("sqlite", folder=tmp_path)


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, where a folder should be")
    with pytest.raises(ConfigProblem, match=r"cannot be created .* correct data_dir"):
        open_database("sqlite", folder=tmp_path / "data")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://bot:hunter2@db/x",
        "postgresql://bot:hunter2@rest@db/x",
        "postgresql://bot:p@hunter2:w/x",
        "postgresql://bot:x@db:hunter2/x",
        "postgresql:/bot:hunter2@db/x",
        "hunter2",
        "",
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_quoting_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="write sqlite, or postgresql://USER") as caught:
        open_database(url, folder=tmp_path)
    assert "hunter2" not in words(caught.value)


@pytest.mark.parametrize("query", ["", "?password=hunter2", "?sslpassword=hunter2"])
def test_a_server_that_is_away_is_told_without_the_password(query: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="check that the server runs") as caught:
        open_database(f"postgresql://bot:hunter2@127.0.0.1:1/x{query}", folder=tmp_path)
    assert "hunter2" not in words(caught.value)


def test_an_unknown_option_in_the_url_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem) as caught:
        open_database("postgresql://bot:hunter2@127.0.0.1:1/x?wrongkey=1", folder=tmp_path)
    assert "hunter2" not in words(caught.value)


def test_a_broken_constraint_does_not_quote_the_row(session: Session) -> None:
    secret = "my card is 4111 1111 1111 1111"
    values = {"id": "a:b:c:d", "connector": "b", "seen_at": NOON, "fails": 0, "reason": secret}
    with pytest.raises(IntegrityError) as caught:
        session.connection().execute(insert(session, DocumentRow).values(state="lost", **values))
    assert "4111" not in words(caught.value)


OPEN = "import sys, pathlib; from storage.database import open_database; open_database('sqlite', folder=pathlib.Path(sys.argv[1]))"


def test_processes_may_open_a_new_database_at_the_same_time(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", OPEN, str(tmp_path)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, env=dict(os.environ)) for _ in range(6)]
    outcomes = [(process.communicate()[1].decode(), process.returncode) for process in started]
    assert outcomes == [("", 0)] * 6


def test_threads_that_open_a_new_database_at_the_same_moment_wait_for_each_other(tmp_path: Path) -> None:
    """SQLite fails at once, whatever its time-out, where two turn the log on together: some one in six of these rounds, if let."""

    def opened(folder: Path, start: Barrier) -> bool:
        start.wait()
        open_database("sqlite", folder=folder).dispose()
        return True

    with ThreadPoolExecutor(4) as pool:
        for turn in range(12):
            start = Barrier(4)
            assert all(pool.map(opened, [tmp_path / str(turn)] * 4, [start] * 4))


def test_committed_rows_survive_a_reopening(open_again: Callable[[], Engine]) -> None:
    note(open_again(), "kept")
    with Session(open_again()) as s:
        assert last_syncs(s)["help"].error == "kept"
