"""Opens the database, SQLite or PostgreSQL, and brings its schema up to date. What fails is told in a sentence."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from sqlite3 import SQLITE_BUSY, OperationalError
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, Executable, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from connectors.base import ConfigProblem, Transient
from storage.tables import Row, table

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA_TABLE = "draftdesk_schema"  # not alembic_version: another application may live in the same PostgreSQL database
MIGRATION_LOCK = 0x64726166  # any number nobody else takes: PostgreSQL's advisory locks are per database
POOL = 16  # connections that a process keeps to PostgreSQL, and as many again for a moment
RESTED = 5.0  # seconds after which a connection is asked whether it still is one
PATIENCE = 15.0  # seconds to wait for another process's write or migration

_SQLITE_SENTENCES = {
    "FULL": "the disk is full; free some space and start again",
    "READONLY": "is read-only; give this user write permission on the file and on its folder",
    "CANTOPEN": "cannot be opened; check that its folder exists and that this user may write there",
    "PERM": "cannot be opened; give this user permission on the file and on its folder",
    "NOTADB": "is not a database, or is damaged; move the file away or restore a backup",
    "CORRUPT": "is damaged; restore a backup",
    "IOERR": "the disk failed to read or write; check the disk, then start again",
}
_POSTGRES_SENTENCES = {
    "53100": "the server's disk is full; free some space there",
    "25006": "is read-only (a standby?); name the primary server",
    "28P01": "the server refused the user or the password; correct them",
    "28000": "the server refused the user; correct it, or pg_hba.conf on the server",
    "3D000": "does not exist; create it with createdb",
    "42501": "this user may not do that; grant it CREATE and USAGE on the schema",
    "53300": "the server has no connection left; raise max_connections, or run fewer workers",
    "55P03": "another process has been changing the schema for too long; look for it, then start again",
}
_BUSY = ("53300", "55P03", "40001", "40P01")


def open_database(url: str, *, folder: Path, patience: float = PATIENCE) -> Engine:
    """The engine on ``sqlite`` (a file in `folder`) or ``postgresql://…``, migrated to this release's schema.

    Any number of processes may open at once: one migrates, under a lock, the others wait for at most `patience` seconds.
    Raises ConfigProblem. Later on, statements of this engine raise ConfigProblem for what the operator must mend (disk full,
    read-only, …) and Transient for what passes (locked, connection lost), with no parameter and no password in the text.
    """
    engine = _sqlite(folder, patience) if url == "sqlite" else _postgres(url, patience)
    try:
        _migrate(engine, patience)
    except Transient as problem:
        engine.dispose()
        raise ConfigProblem(str(problem)) from None
    except BaseException:
        engine.dispose()
        raise
    return engine


def reading(engine: Engine, *, in_parts: bool = False) -> Engine:
    """The same database for statements that only read: on SQLite they then never wait for a writer, nor make one wait.

    Each stands for itself, which spares the two around it; only rows that are fetched `in_parts` need them.
    """
    return engine.execution_options(reading="in parts" if in_parts else "at once")


def insert(session: Session, row: type[Row]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT in the session's dialect, which has ON CONFLICT."""
    return (sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert)(table(row))


def insert_new(session: Session, row: type[Row], values: Mapping[str, Any]) -> bool:
    """Inserts a row; False where one stands under its key already, which is left alone."""
    return session.connection().execute(_insert_new(session.get_bind().dialect.name, row), values).one_or_none() is not None


@cache
def _insert_new(dialect: str, row: type[Row]) -> Executable:
    """Built once: that takes longer than to run it."""
    key = list(table(row).primary_key.columns)
    fresh = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(table(row))
    return fresh.on_conflict_do_nothing(index_elements=key).returning(*key)


def _sqlite(folder: Path, patience: float) -> Engine:
    path = folder / "draftdesk.sqlite"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # customers' words: for this user's eyes; SQLite gives its -wal file the same mode
    except OSError as problem:
        raise ConfigProblem(f"database {path}: cannot be created ({problem.strerror}); correct data_dir or its permissions") from None
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": patience, "isolation_level": None},
        pool_size=8,
        max_overflow=56,
        hide_parameters=True,
    )
    event.listen(engine, "connect", partial(_pragmas, patience))
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", partial(_tell_sqlite, f"database {path}", patience))
    return engine


def _pragmas(patience: float, connection: SqliteConnection, _: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    _keep_a_log(connection, until=time.monotonic() + patience)
    # FULL, not NORMAL: under NORMAL a power cut may undo the last commits, and an effect that was marked `sending`
    # before its call would come back as `planned` after it.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")  # an erased person's words must not linger in free pages


def _keep_a_log(connection: SqliteConnection, until: float) -> None:
    """Write ahead. Where two open a new file at once, SQLite does not let the second wait for the first: it fails at once."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except OperationalError as problem:
            if problem.sqlite_errorcode != SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.005)


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads and then writes would otherwise fail, without waiting, when another one
    # wrote in between.
    match connection.get_execution_options().get("reading"):
        case "at once":
            return
        case "in parts":
            connection.exec_driver_sql("BEGIN")
        case _:
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def _tell_sqlite(where: str, patience: float, context: ExceptionContext) -> None:
    name = str(getattr(context.original_exception, "sqlite_errorname", "")).removeprefix("SQLITE_").partition("_")[0]
    if name in ("BUSY", "LOCKED"):
        raise Transient(
            f"{where}: locked by another process for more than {patience:g} s; "
            "stop the other draftdesk process, or the tool that has the file open"
        ) from None
    if name in _SQLITE_SENTENCES:
        raise ConfigProblem(f"{where}: {_SQLITE_SENTENCES[name]}") from None


def _postgres(url: str, patience: float) -> Engine:
    target = _target(url)
    where = f"database postgresql://{target.host or target.query.get('host', 'localhost')}/{target.database or ''}"
    try:
        engine = create_engine(target, pool_size=POOL, max_overflow=POOL, hide_parameters=True)
    except ModuleNotFoundError:
        raise ConfigProblem(f"{where}: the PostgreSQL driver is missing; install draftdesk[postgres]") from None
    event.listen(engine, "begin", _begin_plainly)
    event.listen(engine, "checkin", _rest)
    event.listen(engine, "checkout", partial(_wake, engine))
    event.listen(engine, "handle_error", partial(_tell_postgres, where, _secrets(target)))
    return engine


def _begin_plainly(connection: Connection) -> None:
    """READ COMMITTED, the isolation that we work in, gives a transaction that only reads nothing that its statements lack alone.

    Who asks for AUTOCOMMIT (VACUUM needs it) has it too.
    """
    driven: Any = connection.connection.driver_connection
    options = connection.get_execution_options()
    alone = options.get("reading") == "at once" or options.get("isolation_level") == "AUTOCOMMIT"
    if driven is not None and driven.autocommit != alone:
        driven.autocommit = alone


def _rest(_: object, record: ConnectionPoolEntry) -> None:
    record.info["rested_at"] = time.monotonic()


def _wake(engine: Engine, connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
    """Ask a connection that was not used for a while whether it is still one; the pool replaces it where not.

    SQLAlchemy's own way asks every time, which costs a busy worker one statement in three.
    """
    if time.monotonic() - record.info.get("rested_at", float("inf")) < RESTED:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise DisconnectionError from None


def _target(url: str) -> URL:
    shape = "write sqlite, or postgresql://USER:PASSWORD@HOST/NAME with the password percent-encoded"
    rest = re.fullmatch(r"(?:postgres|postgresql|postgresql\+psycopg)://(.*)", url)
    if rest is None:
        raise ConfigProblem(f"database: neither sqlite nor a postgresql:// URL; {shape}")
    target = _parse("postgresql+psycopg://" + rest[1])
    # Of an unescaped @, the rest of the password ends up in the host, from where messages would show it.
    if target is None or rest[1].count("@") > 1:
        raise ConfigProblem(f"database: the URL cannot be read; {shape}")
    if (password := target.query.get("password")) is not None:
        target = target.difference_update_query(["password"]).set(password=password if isinstance(password, str) else password[-1])
    return target


def _parse(url: str) -> URL | None:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        return None  # the reason quotes a part of the URL


def _secrets(target: URL) -> Sequence[str]:
    return [str(value) for value in (target.password, target.query.get("sslpassword")) if value]


def _tell_postgres(where: str, secrets: Sequence[str], context: ExceptionContext) -> None:
    problem = context.original_exception
    state = getattr(problem, "sqlstate", None)
    wrapped = context.sqlalchemy_exception
    if state in _POSTGRES_SENTENCES:
        raise (Transient if state in _BUSY else ConfigProblem)(f"{where}: {_POSTGRES_SENTENCES[state]}") from None
    if context.is_disconnect or (context.connection is None and wrapped is not None) or str(state)[:2] in ("08", "57", "40"):
        reason = " ".join(str(problem).split())[:300].rstrip("?.")
        for secret in secrets:
            reason = reason.replace(secret, "***")
        raise Transient(f"{where}: {reason}; check that the server runs and that host, user and password are right") from None
    if wrapped is not None and (primary := getattr(getattr(problem, "diag", None), "message_primary", None)):
        # The server's DETAIL line quotes the row, and with it a customer's words.
        problem.args = (primary,)
        wrapped.args = (f"({type(problem).__name__}) {primary}",)


def _migrate(engine: Engine, patience: float) -> None:
    known = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    with reading(engine).connect() as connection:
        present = _schema(connection)
    if present == known[-1]:
        return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": f"{int(patience * 1000)}ms"})
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        present = _schema(connection)  # another process may have migrated while we waited
        if present is not None and present not in known:
            raise ConfigProblem(
                f"database: its schema is {present}, this draftdesk knows {known[-1]} at most; "
                "it was opened by a newer release: install that one, or restore the backup made before the upgrade"
            )
        if present != known[-1]:
            upgrade(connection)


def _schema(connection: Connection) -> str | None:
    if not inspect(connection).has_table(SCHEMA_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {SCHEMA_TABLE}")).scalar()  # noqa: S608 (a constant)


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the migrations inside the connection's transaction: all of them, or none."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
