"""What processes that share a server's index must agree on: which connectors' points are whole, and whose turn it is to write."""

from __future__ import annotations

import fcntl
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, delete, select, text
from sqlmodel import Session

from storage.database import insert, reading
from storage.tables import MarkRow, table

marks = table(MarkRow)


class Marks:
    """Of one collection. The turn is a lock that dies with its holder: PostgreSQL's, or one on a file beside an SQLite database."""

    def __init__(self, engine: Engine, folder: Path, collection: str) -> None:
        self._engine = engine
        self._folder = folder
        self._collection = collection
        self._locks: dict[str, threading.Lock] = {}

    def whole(self, connector: str) -> bool:
        with Session(reading(self._engine)) as s:
            found = s.execute(select(marks).where(marks.c.collection == self._collection, marks.c.connector == connector)).first()
        return found is not None

    def mark(self, connector: str, *, whole: bool) -> None:
        with Session(self._engine) as s, s.begin():
            if whole:
                s.execute(insert(s, MarkRow).values(collection=self._collection, connector=connector).on_conflict_do_nothing())
            else:
                s.execute(delete(marks).where(marks.c.collection == self._collection, marks.c.connector == connector))

    def forget(self) -> None:
        """The collection is new, or gone."""
        with Session(self._engine) as s, s.begin():
            s.execute(delete(marks).where(marks.c.collection == self._collection))

    @contextmanager
    def writing(self, connector: str) -> Iterator[None]:
        with self._locks.setdefault(connector, threading.Lock()), turn(self._engine, self._folder, f"{self._collection}/{connector}"):
            yield


@contextmanager
def turn(engine: Engine, folder: Path, name: str) -> Iterator[None]:
    """Waits until no other process is in a turn of that name."""
    digest = hashlib.sha256(name.encode()).digest()
    if engine.dialect.name == "postgresql":
        key = int.from_bytes(digest[:8], "big", signed=True)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{digest.hex()[:16]}.turn").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # closing the file gives it back
        yield
