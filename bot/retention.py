"""What is past its time goes, a little every day: words first, what proves that something was done stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import Session

from bot.config.keeping import FOREVER
from bot.deployment import Deployment
from bot.leftovers import files
from bot.workflows import prune_workflows, workflow_url
from connectors.timing import seconds
from storage import assignments, forgetting
from storage.tables import DraftRow, EffectRow, SampleRow, SpendingRow, VersionRow, table

BATCH = 500  # rows per transaction: others want to write too
drafts, effects, samples, spending, versions = (table(row) for row in (DraftRow, EffectRow, SampleRow, SpendingRow, VersionRow))


def retain(deployment: Deployment) -> dict[str, int]:
    """Let go of what `retention:` no longer keeps; how much of each kind went."""
    kinds = {"drafts": _drafts, "samples": _samples, "versions": _versions, "spending": _spending, "workflows": _workflows}
    gone = {}
    for kind, clear in kinds.items():
        span: str = getattr(deployment.config.retention, kind)
        if span != FOREVER:
            gone[kind] = clear(deployment, deployment.now() - timedelta(seconds=seconds(span)))
    return gone


def _drafts(deployment: Deployment, before: datetime) -> int:
    """Those whose effect is settled; what is still to be sent waits."""
    open_ = select(effects.c.draft_id).where(effects.c.state.in_(("planned", "sending", "unknown")))
    due = select(drafts.c.id).where(drafts.c.created_at < before, drafts.c.reason != forgetting.ERASED, drafts.c.id.not_in(open_))
    due = due.limit(BATCH)
    count = 0
    while True:
        with Session(deployment.engine) as session, session.begin():
            ids = list(session.scalars(due))
            bound = set(session.scalars(select(effects.c.draft_id).where(effects.c.draft_id.in_(ids))))
            forgetting.empty_effects(session, bound)
            forgetting.empty_drafts(session, ids, bound)
        count += len(ids)
        if len(ids) < BATCH:
            return count


def _samples(deployment: Deployment, before: datetime) -> int:
    with Session(deployment.engine) as session, session.begin():
        count = int(session.execute(delete(samples).where(samples.c.made_at < before)).rowcount)  # type: ignore[attr-defined]
    folder = deployment.config.data_dir / "simulate"
    for path in files(folder) if folder.is_dir() else ():
        if path.stat().st_mtime < before.timestamp():
            path.unlink()
    return count


def _versions(deployment: Deployment, before: datetime) -> int:
    """Superseded ones; the index first, so that a crash between leaves nothing that is found and not known."""
    query = select(versions.c.connector, versions.c.key).where(versions.c.valid_to < before)
    with deployment.engine.connect() as connection:
        due = [(row.connector, row.key) for row in connection.execute(query)]
    vectors = deployment.index.vectors
    for name in sorted({connector for connector, _ in due}):
        keys = [key for connector, key in due if connector == name]
        with vectors.writing(name):
            for start in range(0, len(keys), BATCH):
                vectors.remove_versions(keys[start : start + BATCH])
                with Session(deployment.engine) as session, session.begin():
                    session.execute(delete(versions).where(versions.c.key.in_(keys[start : start + BATCH])))
            vectors.flush()
    return len(due)


def _spending(deployment: Deployment, before: datetime) -> int:
    with Session(deployment.engine) as session, session.begin():
        return int(session.execute(delete(spending).where(spending.c.at < before)).rowcount)  # type: ignore[attr-defined]


def _workflows(deployment: Deployment, before: datetime) -> int:
    with Session(deployment.engine) as session, session.begin():
        assignments.prune(session, before)
    return prune_workflows(workflow_url(deployment.config.database_url(), deployment.config.data_dir), before)
