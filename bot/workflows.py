"""Durable work seen from outside, through DBOS's client: what waits, what may go. The worker itself is `bot.worker`."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbos import DBOSClient

BATCH = 500  # workflows at once
OF_A_TICKET = ["look", "answer"]  # workflows whose arguments are connector, ticket, …
OPEN, ENDED = ["PENDING", "ENQUEUED", "DELAYED"], ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


def workflow_url(database_url: str, folder: Path) -> str:
    """Where durable work is kept: beside the data on SQLite, in the same database on PostgreSQL."""
    return f"sqlite:///{folder / 'workflows.sqlite'}" if database_url == "sqlite" else database_url


@contextmanager
def client(url: str) -> Iterator[DBOSClient | None]:
    """None where no worker has ever run."""
    from dbos import DBOSClient

    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        yield None
        return
    try:
        opened = DBOSClient(system_database_url=url, retry_connection_errors=False)
        opened.list_workflows(limit=1, load_input=False, load_output=False)
    except Exception as problem:  # a database without DBOS's tables: each driver says so in its own words
        if "no such table" not in str(problem) and "does not exist" not in str(problem):
            raise
        yield None
        return
    try:
        yield opened
    finally:
        opened.destroy()


def erase_workflows(url: str, tickets: Collection[tuple[str, str]]) -> int:
    """Stop and delete the durable work of these tickets; how many pieces there were."""
    with client(url) as desk:
        if desk is None or not tickets:
            return 0
        found: list[str] = []
        offset = 0
        while page := desk.list_workflows(name=OF_A_TICKET, limit=BATCH, offset=offset, load_output=False):
            for one in page:
                if one.input and tuple(str(value) for value in one.input["args"][:2]) in tickets:
                    found.append(one.workflow_id)
            offset += BATCH
        _delete(desk, found)
        return len(found)


def prune_workflows(url: str, before: datetime) -> int:
    """Delete what ended before a moment."""
    count = 0
    with client(url) as desk:
        if desk is None:
            return 0
        while page := desk.list_workflows(
            status=ENDED, end_time=before.isoformat(), limit=BATCH, load_input=False, load_output=False
        ):
            desk.delete_workflows([one.workflow_id for one in page])
            count += len(page)
    return count


def _delete(desk: DBOSClient, ids: list[str]) -> None:
    for start in range(0, len(ids), BATCH):
        desk.cancel_workflows(ids[start : start + BATCH])
        desk.delete_workflows(ids[start : start + BATCH])


def sweep_workflows(url: str) -> None:
    """On SQLite: what was deleted is in none of the file's pages afterwards. PostgreSQL's autovacuum does the same in its time."""
    path = url.removeprefix("sqlite:///")
    if path == url or not Path(path).exists():
        return
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("VACUUM")
