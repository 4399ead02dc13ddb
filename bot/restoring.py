"""An index that was lost, made anew from the database before anybody asks it."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from bot.deployment import Deployment
from bot.shelving import recalled
from bot.sync import rebuild
from storage.database import reading
from storage.tables import VersionRow, table

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
