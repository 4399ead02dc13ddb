"""`draftdesk migrate`: an embedded installation carried over to PostgreSQL and, where asked, to a Qdrant server.

Nothing is embedded again, nothing is asked of a vendor, and nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from bot.config import Config
from bot.workflows import carry_open, workflow_url
from connectors.base import ConfigProblem
from storage.database import open_database
from storage.edge import EdgeVectors
from storage.moving import Count, carry, counts, filled
from storage.place import FolderPlace, ServerPlace
from storage.server import connect
from storage.vectors import Vectors

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What was carried over; `passages` None: the index stayed where it is."""

    rows: dict[str, int]
    open_work: int
    passages: int | None


def migrate(config: Config, to: str, index_url: str | None, told: Told = lambda _: None, *, server: QdrantClient | None = None) -> Moved:
    """Raises ConfigProblem: something is at work here, the target is not empty, or what arrived is not what was sent."""
    if config.database_url() != "sqlite":
        raise ConfigProblem("migrate moves away from SQLite; this installation is on PostgreSQL already")
    if not to.startswith("postgresql://"):
        raise ConfigProblem("--to: write postgresql://USER:PASSWORD@HOST/NAME, the password percent-encoded")
    place = FolderPlace(config.data_dir / "index")
    sheet = place.serving()
    held = place.open(sheet) if sheet else None  # whoever works here has it open: this is refused then
    try:
        source = open_database("sqlite", folder=config.data_dir)
        target = open_database(to, folder=config.data_dir)
        try:
            rows = _carry_rows(source, target, told)
            work = carry_open(workflow_url("sqlite", config.data_dir), to)
            passages = None
            if index_url and sheet is not None and isinstance(held, EdgeVectors):
                client = server or connect(index_url, config.index.api_key.reveal() if config.index.api_key else None)
                new = ServerPlace(client, config.index.collection, target, config.data_dir / "index")
                vectors = new.open(sheet)
                passages = _carry_points(held, vectors, told)
                _mark(held, vectors, config.data_dir / "index")
                new.point(sheet)
        finally:
            source.dispose()
            target.dispose()
    finally:
        if held is not None:
            held.close()
    return Moved({name: count.rows for name, count in rows.items()}, work, passages)


def _carry_rows(source: Engine, target: Engine, told: Told) -> dict[str, Count]:
    if there := filled(target):
        raise ConfigProblem(f"--to: that database holds rows already ({', '.join(there)}); name an empty one")
    carry(source, target, lambda name, rows: told(f"{name}: {rows:,} rows"))
    sent, arrived = counts(source), counts(target)
    if other := [name for name in sent if sent[name] != arrived[name]]:
        raise ConfigProblem(f"what arrived differs in {', '.join(other)}: drop that database and try again; nothing was changed here")
    return sent


def _carry_points(source: EdgeVectors, target: Vectors, told: Told) -> int:
    count = 0
    for entries, dense, sparse in source.points():
        target.upsert(entries, dense, sparse)
        count += len(entries)
        told(f"index: {count:,} passages")
    arrived = target.count()
    if (count, arrived) != (source.count(), count):
        raise ConfigProblem(f"the server's index holds {arrived:,} of {source.count():,} passages: delete its collection and try again")
    return count


def _mark(source: EdgeVectors, target: Vectors, folder: Path) -> None:
    """What agreed with the ledger here agrees there."""
    names = {path.name for path in folder.rglob("whole/*")}
    for name in sorted(names):
        if source.whole(name):
            target.mark(name, whole=True)
