"""Opens the database, SQLite or PostgreSQL, and brings its schema up to date. What fails is told in a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlmodel import Session

from connectors.base import ConfigProblem, Transient
from storage.tables import Row, table

MIGRATIONS = Path(__file__).parent / "migrations"
SCHEMA_TABLE = "draftdesk_schema"  # not alembic_version: another application may live in the same PostgreSQL database
MIGRATION_LOCK = 0x64726166  # any number nobody else takes: PostgreSQL's advisory locks are per database
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


def reading(engine: Engine) -> Engine:
    """The same database for transactions that only read: on SQLite they then never wait for a writer, nor make one wait."""
    return engine.execution_options(reading=True)


def insert(session: Session, row: type[Row]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT in the session's dialect, which has ON CONFLICT."""
    return (sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert)(table(row))


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
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", partial(_tell_sqlite, f"database {path}", patience))
    return engine


def _pragmas(connection: SqliteConnection, _: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL, not NORMAL: under NORMAL a power cut may undo the last commits, and an effect that was marked `sending`
    # before its call would come back as `planned` after it.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")  # an erased person's words must not linger in free pages


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads and then writes would otherwise fail, without waiting, when another one
    # wrote in between.
    connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reading") else "BEGIN IMMEDIATE")


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
        engine = create_engine(target, pool_size=8, max_overflow=24, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError:
        raise ConfigProblem(f"{where}: the PostgreSQL driver is missing; install draftdesk[postgres]") from None
    event.listen(engine, "handle_error", partial(_tell_postgres, where, _secrets(target)))
    return engine


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
    if context.is_pre_ping:
        return  # the pool replaces the connection by itself
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
