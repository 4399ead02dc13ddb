"""What became of drafts in people's hands, and which tickets teach a topic. Each function leaves the transaction to its caller."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlmodel import Session

from storage.database import insert
from storage.outbox import State
from storage.tables import DraftRow, EffectRow, OutcomeRow, TopicRow, table

CHUNK = 500  # ids per statement

outcomes_, topics_, drafts_, effects_ = table(OutcomeRow), table(TopicRow), table(DraftRow), table(EffectRow)


@dataclass(frozen=True, slots=True)
class Given:
    """A draft that an agent was given in a note and that nobody has held against the answer yet."""

    draft_id: str
    comment: str  # the customer's
    topic: str | None
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """The bot's draft and what an agent sent instead, or of it."""

    ticket_id: str
    language: str
    kind: str
    draft: str
    reply: str


def given(s: Session, connector: str, ticket_id: str) -> list[Given]:
    """Drafts of this ticket that stand in a note and have no outcome, oldest first."""
    query = select(drafts_.c.id, drafts_.c.customer_comment_id, drafts_.c.record).select_from(
        drafts_.join(effects_, effects_.c.draft_id == drafts_.c.id).outerjoin(outcomes_, outcomes_.c.draft_id == drafts_.c.id)
    )
    where = (drafts_.c.connector == connector) & (drafts_.c.ticket_id == ticket_id) & outcomes_.c.draft_id.is_(None)
    noted = (effects_.c.kind == "note") & (effects_.c.state == State.SENT.value)
    rows = s.connection().execute(query.where(where, noted).order_by(drafts_.c.created_at))
    return [
        Given(row.id, row.customer_comment_id, row.record["triage"]["topic"], row.record["triage"]["language"], row.record["body_text"])
        for row in rows
        if row.record.get("body_text")
    ]


def open_drafts(s: Session, connector: str, tickets: Collection[str]) -> set[str]:
    """Of these tickets, those with a draft in a note that has no outcome."""
    found: set[str] = set()
    asked = sorted(set(tickets))
    for start in range(0, len(asked), CHUNK):
        query = select(effects_.c.ticket_id).select_from(effects_.outerjoin(outcomes_, outcomes_.c.draft_id == effects_.c.draft_id))
        where = (effects_.c.connector == connector) & effects_.c.ticket_id.in_(asked[start : start + CHUNK])
        noted = (effects_.c.kind == "note") & (effects_.c.state == State.SENT.value) & (effects_.c.html != "")
        found.update(s.connection().scalars(query.where(where, noted, outcomes_.c.draft_id.is_(None))))
    return found


def record(s: Session, row: OutcomeRow) -> None:
    """Once per draft: a second one changes nothing."""
    s.connection().execute(insert(s, OutcomeRow).values(**row.model_dump()).on_conflict_do_nothing())


def counted(s: Session, connector: str | None = None, since: datetime | None = None) -> dict[tuple[str | None, str], tuple[int, float]]:
    """By topic and kind: how many, and the mean share of the draft's words that was kept."""
    query = select(outcomes_.c.topic, outcomes_.c.kind, func.count().label("n"), func.avg(outcomes_.c.kept).label("kept"))
    if connector is not None:
        query = query.where(outcomes_.c.connector == connector)
    if since is not None:
        query = query.where(outcomes_.c.at >= since)
    rows = s.connection().execute(query.group_by(outcomes_.c.topic, outcomes_.c.kind))
    return {(row.topic, row.kind): (int(row.n), float(row.kept)) for row in rows}


def pairs(s: Session, connector: str) -> Iterator[Pair]:
    """What agents sent beside what they were given, where they sent something; oldest first. Personal data is still in it."""
    query = select(outcomes_, drafts_.c.record).join(drafts_, drafts_.c.id == outcomes_.c.draft_id)
    rows = s.connection().execute(query.where(outcomes_.c.connector == connector, outcomes_.c.reply != "").order_by(outcomes_.c.at))
    for row in rows:
        yield Pair(row.ticket_id, row.language, row.kind, row.record.get("body_text", ""), row.reply)


# --- topics ---------------------------------------------------------------------------------------------------------


def teach(s: Session, row: TopicRow) -> None:
    """This ticket is of that topic; the last word counts."""
    statement = insert(s, TopicRow).values(**row.model_dump())
    changed = {name: getattr(statement.excluded, name) for name in ("topic", "embedder", "vector", "at")}
    s.connection().execute(statement.on_conflict_do_update(index_elements=["connector", "ticket_id"], set_=changed))


def unteach(s: Session, connector: str, ticket_id: str) -> None:
    """An agent took its mark away again."""
    s.connection().execute(delete(topics_).where(topics_.c.connector == connector, topics_.c.ticket_id == ticket_id))


def taught(s: Session, embedder: str, topics: Sequence[str], most: int) -> list[tuple[str, bytes]]:
    """(topic, vector) of tickets that teach these topics, of each topic the newest `most`; of all helpdesks."""
    found: list[tuple[str, bytes]] = []
    for topic in topics:
        query = select(topics_.c.topic, topics_.c.vector).where(topics_.c.embedder == embedder, topics_.c.topic == topic)
        found += [(row.topic, row.vector) for row in s.connection().execute(query.order_by(topics_.c.at.desc()).limit(most))]
    return found


def teaching(s: Session, embedder: str) -> tuple[int, datetime | None]:
    """How many tickets teach, and when the last one came: whether what was learnt is still what there is."""
    row = s.connection().execute(select(func.count(), func.max(topics_.c.at)).where(topics_.c.embedder == embedder)).one()
    return int(row[0]), row[1]
