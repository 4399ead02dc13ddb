"""An index that was lost, made anew from the database before anybody asks it; and one that follows what other processes wrote."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import func, select

from bot.deployment import Deployment
from bot.intake import Job, mend
from bot.shelving import recalled
from bot.sync import rebuild
from connectors.base import ConfigProblem, RateLimited, Transient
from storage.database import reading
from storage.tables import ForgottenRow, VersionRow, table

log = structlog.get_logger()


def restore_index(deployment: Deployment) -> int:
    """Where the ledger knows documents and the index none: write it anew, asking no vendor. How many passages were written."""
    versions = table(VersionRow)
    with reading(deployment.engine).connect() as connection:
        known = connection.execute(select(versions.c.key).limit(1)).first() is not None
    if not known or deployment.index.vectors.count():
        return 0
    log.warning("the index is empty and is made anew from the database")
    embedder = deployment.shelf.writer if deployment.shelf else deployment.index.embedder
    written = rebuild(deployment.engine, deployment.index.vectors, recalled(embedder, deployment.engine))
    log.info("the index was made anew", passages=written)
    return written


class Follower:
    """Where several processes each keep an index of their own on one database: what the others wrote comes in here too.

    A search believes only what the ledger holds, so a former text is never served; a new one is found after the next look.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._seen = self._state()
        self._forgotten = self._last_forgotten()

    def follow(self, _slot: str = "") -> None:
        """Bring the index to what the ledger holds, for every connector that changed since the last look."""
        try:
            state = self._state()
            for name in sorted(name for name in state if state[name] != self._seen.get(name)):
                self._bring(name)
                self._seen[name] = state[name]
            if (forgotten := self._last_forgotten()) != self._forgotten:
                self._renew()
                self._forgotten = forgotten
        except (ConfigProblem, RateLimited, Transient) as problem:
            log.error("the index does not follow", reason=str(problem))

    def _bring(self, name: str) -> None:
        deployment = self._deployment
        embedder = deployment.shelf.writer if deployment.shelf else deployment.index.embedder
        vectors = deployment.index.vectors
        with vectors.writing(name):
            vectors.mark(name, whole=False)
            mend(Job(name, deployment.engine, vectors, recalled(embedder, deployment.engine), deployment.now, lambda _: None))

    def _renew(self) -> None:
        """Somebody was erased by another process: what this index's files may hold of them goes too."""
        shelf, engine = self._deployment.shelf, self._deployment.engine
        if shelf:
            shelf.renew(lambda made, embedder: rebuild(engine, made, recalled(embedder, engine)), self._deployment.connections.keys)

    def _last_forgotten(self) -> datetime | None:
        with reading(self._deployment.engine).connect() as connection:
            return connection.execute(select(func.max(table(ForgottenRow).c.at))).scalar()

    def _state(self) -> dict[str, tuple[int, int]]:
        """By connector: versions, and how many of them hold. One of the two moves with every change."""
        versions = table(VersionRow)
        query = select(versions.c.connector, func.count(), func.count(versions.c.valid_to)).group_by(versions.c.connector)
        with reading(self._deployment.engine).connect() as connection:
            return {name: (int(count), int(ended)) for name, count, ended in connection.execute(query)}


def follows(deployment: Deployment) -> bool:
    """Whether this process has an index of its own on a database that others write to."""
    return deployment.engine.dialect.name == "postgresql" and not deployment.config.index.url
