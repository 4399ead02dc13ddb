"""Durable work seen from outside, through DBOS's client: what waits, what may go. The worker itself is `bot.worker`."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbos import DBOSClient

BATCH = 500  # workflows at once
MOST_COUNTED = 10_000  # workflows; beyond, the number says enough
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
    opened = DBOSClient(system_database_url=url, retry_connection_errors=False, lazy=True)
    try:
        yield opened if _has_worked(opened) else None
    finally:
        opened.destroy()


def _has_worked(desk: DBOSClient) -> bool:
    try:
        desk.list_workflows(limit=1, load_input=False, load_output=False)
    except Exception as problem:  # a database without DBOS's tables: each driver says so in its own words
        if "no such table" not in str(problem) and "does not exist" not in str(problem):
            raise
        return False
    return True


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


def carry_open(source: str, target: str) -> int:
    """Work that was begun or waits goes on at another place, from its beginning; how much there was."""
    from dbos import DBOS

    with client(source) as former:
        waiting = former.list_workflows(status=OPEN, load_output=False) if former else []
    DBOS.migrate(target)
    with client(target) as desk:
        if desk is None:
            raise LookupError("the tables of durable work are missing although they were just made")
        for one in waiting:
            arguments = one.input["args"] if one.input else ()
            queue = _queue_of(one.name, arguments)
            desk.enqueue({"queue_name": queue, "workflow_name": one.name, "workflow_id": one.workflow_id}, *arguments)
    return len(waiting)


def _queue_of(workflow: str, arguments: Collection[str]) -> str:
    """Where a workflow is enqueued, as `bot.worker` does it: one that is taken up again after a crash stands in another queue."""
    if workflow in ("sync", "retain"):
        return "sync"
    prefix = {"poll": "poll", "part": "parts"}.get(workflow, "tickets")
    return f"{prefix}-{next(iter(arguments))}"


def backlog(url: str) -> Counter[str]:
    """Tickets that are being looked at or answered, or wait for it, by connector; counted up to `MOST_COUNTED`."""
    with client(url) as desk:
        if desk is None:
            return Counter()
        found = desk.list_workflows(status=OPEN, name=OF_A_TICKET, limit=MOST_COUNTED, load_input=False, load_output=False)
    return Counter(_connector_of(one.workflow_id) for one in found)


def _connector_of(workflow_id: str) -> str:
    """``answer:help:7:1``, ``look:help:DELIVERY``, ``look:poll:help:SLOT:0:7``."""
    first, second, *rest = workflow_id.split(":")
    return rest[0] if (first, second) == ("look", "poll") and len(rest) > 1 else second


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
