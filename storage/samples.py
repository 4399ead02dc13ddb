"""Past tickets answered again, people's labels, and the bounds shown with them. Each function leaves the transaction to its caller."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import delete, func, select
from sqlmodel import Session

from storage.database import insert, reading
from storage.forgetting import forgotten_since
from storage.tables import BoundRow, LabelRow, RunRow, SampleRow, SyncRow, VersionRow, table

BATCH = 100  # samples read at once: their records hold whole conversations
CHUNK = 500  # ids per statement

samples_, labels_, bounds_, runs_, versions_, syncs_ = (
    table(row) for row in (SampleRow, LabelRow, BoundRow, RunRow, VersionRow, SyncRow)
)

Verdict = Literal["right", "wrong", "unsure"]
VERDICTS: tuple[Verdict, ...] = ("right", "wrong", "unsure")


@dataclass(frozen=True, slots=True)
class Made:
    decision: str
    as_of: datetime | None


def keep(s: Session, sample: SampleRow) -> None:
    """Once per ticket and fingerprint: a second one changes nothing. Nothing of somebody who was forgotten while it was made."""
    if sample.requester is not None and forgotten_since(s, sample.requester, sample.made_at):
        return
    s.connection().execute(insert(s, SampleRow).values(**sample.model_dump()).on_conflict_do_nothing())


def made(s: Session, connector: str, fingerprint: str) -> dict[str, Made]:
    """The tickets answered so far."""
    query = select(samples_.c.ticket_id, samples_.c.decision, samples_.c.as_of)
    query = query.where(samples_.c.connector == connector, samples_.c.fingerprint == fingerprint)
    return {row.ticket_id: Made(row.decision, row.as_of) for row in s.connection().execute(query)}


def samples(s: Session, connector: str, fingerprint: str, tickets: Collection[str]) -> Iterator[SampleRow]:
    """Those of these tickets, in the order given, a batch in memory at a time."""
    engine = reading(s.get_bind().engine)
    order = list(tickets)
    for start in range(0, len(order), BATCH):
        wanted = order[start : start + BATCH]
        query = select(SampleRow).where(
            samples_.c.connector == connector, samples_.c.fingerprint == fingerprint, samples_.c.ticket_id.in_(wanted)
        )
        with Session(engine) as batch:
            found = {row.ticket_id: row for row in batch.scalars(query)}
        yield from (found[ticket] for ticket in wanted if ticket in found)


@dataclass(frozen=True, slots=True)
class Eligible:
    """A draft that nothing but a bound keeps from being a reply; `agreement` None: nothing to compare."""

    topic: str | None
    confidence: float
    words: str
    agreement: float | None


def eligible(s: Session, connector: str, fingerprint: str) -> list[Eligible]:
    agreement = samples_.c.record["agreement"].as_float()
    query = select(samples_.c.topic, samples_.c.confidence, samples_.c.words, agreement.label("agreement"))
    query = query.where(samples_.c.connector == connector, samples_.c.fingerprint == fingerprint, samples_.c.eligible)
    return [Eligible(row.topic, row.confidence, row.words, row.agreement) for row in s.connection().execute(query) if row.words]


def unlabelled(s: Session, connector: str, fingerprint: str, topic: str | None = None) -> Iterator[SampleRow]:
    """Eligible drafts that nobody has labelled, in an order that says nothing about them."""
    query = select(samples_.c.id).where(samples_.c.connector == connector, samples_.c.fingerprint == fingerprint, samples_.c.eligible)
    query = query.where(samples_.c.words.not_in(select(labels_.c.words))).order_by(samples_.c.words)
    if topic is not None:
        query = query.where(samples_.c.topic == topic)
    for sample_id in list(s.connection().scalars(query)):
        if (row := s.get(SampleRow, sample_id)) is not None:
            yield row


def sample(s: Session, sample_id: str) -> SampleRow | None:
    return s.get(SampleRow, sample_id)


def begin_run(s: Session, connector: str, fingerprint: str, now: datetime) -> None:
    """From now on this is the newest run."""
    statement = insert(s, RunRow).values(connector=connector, fingerprint=fingerprint, at=now)
    s.connection().execute(
        statement.on_conflict_do_update(index_elements=["connector"], set_={"fingerprint": fingerprint, "at": now})
    )


def newest_run(s: Session, connector: str) -> str | None:
    """The fingerprint of the newest simulation; another file's, made to compare with, does not count."""
    return cast("str | None", s.connection().scalar(select(runs_.c.fingerprint).where(runs_.c.connector == connector)))


def label(s: Session, row: LabelRow) -> None:
    """The last word counts."""
    statement = insert(s, LabelRow).values(**row.model_dump())
    changed = {name: getattr(statement.excluded, name) for name in ("topic", "verdict", "at")}
    s.connection().execute(statement.on_conflict_do_update(index_elements=["words"], set_=changed))


def labels(s: Session, connector: str) -> dict[str, Verdict]:
    """By the digest of what they are about."""
    query = select(labels_.c.words, labels_.c.verdict).where(labels_.c.connector == connector)
    return {row.words: row.verdict for row in s.connection().execute(query)}


def live_labels(s: Session, connector: str, topic: str, since: datetime) -> tuple[int, int]:
    """(labelled, not right) of the live drafts of a topic."""
    where = (labels_.c.connector == connector) & (labels_.c.topic == topic) & labels_.c.live & (labels_.c.at >= since)
    found = s.connection().execute(select(labels_.c.verdict, func.count()).where(where).group_by(labels_.c.verdict)).all()
    counts = {verdict: int(number) for verdict, number in found}
    return sum(counts.values()), sum(counts.values()) - counts.get("right", 0)


def write_bounds(s: Session, connector: str, rows: Sequence[BoundRow]) -> None:
    """What the newest simulation showed stands in place of all that was shown before."""
    s.connection().execute(delete(bounds_).where(bounds_.c.connector == connector))
    if rows:
        s.connection().execute(insert(s, BoundRow), [row.model_dump() for row in rows])


def bound(s: Session, connector: str, topic: str) -> BoundRow | None:
    return s.get(BoundRow, (connector, topic))


def knowledge_state(s: Session) -> tuple[int, int, int]:
    """Counts that move when what is known does: versions there are, those that hold, the newest sync. Cheap; see `knowledge_keys`."""
    ever = s.connection().scalar(select(func.count()).select_from(versions_))
    now = s.connection().scalar(select(func.count()).select_from(versions_).where(versions_.c.valid_to.is_(None)))
    newest = s.connection().scalar(select(func.max(syncs_.c.id)))
    return int(ever or 0), int(now or 0), int(newest or 0)


def knowledge_keys(s: Session) -> list[str]:
    """Each version that holds. A key says which document, what it reads and since when: the same keys are the same knowledge."""
    return sorted(s.connection().scalars(select(versions_.c.key).where(versions_.c.valid_to.is_(None))))


def text_now(s: Session, document: str) -> str | None:
    """What it says now."""
    query = select(versions_.c.markdown).where(versions_.c.document == document, versions_.c.valid_to.is_(None))
    return cast("str | None", s.connection().scalar(query))


def assumed(s: Session, keys: Collection[str], at: datetime) -> set[str]:
    """Of these versions, those of which nobody knows whether they read so at that moment."""
    wanted, found = sorted(set(keys)), set[str]()
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        query = select(versions_.c.key).where(versions_.c.key.in_(chunk), versions_.c.assumed, versions_.c.updated_at > at)
        found.update(s.connection().scalars(query))
    return found


def history_begins(s: Session) -> datetime | None:
    """The moment of the oldest version; before it nothing was known."""
    return cast("datetime | None", s.connection().scalar(select(func.min(versions_.c.valid_from))))
