"""What people are asked to look at, and what they said. Each function leaves the transaction to its caller.

One row per answer to a customer comment, made together with it. `waiting` is left once, by one person or by events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, literal, select, tuple_, union_all, update
from sqlmodel import Session

from storage.database import insert_new
from storage.tables import DraftRow, ReviewRow, table

reviews_, drafts_ = table(ReviewRow), table(DraftRow)


class Stand(StrEnum):
    WAITING = "waiting"  # nobody has looked at it -> approved, rejected, overtaken
    APPROVED = "approved"  # a person sends it, as `reply_id` -> overtaken, when somebody was faster
    REJECTED = "rejected"  # a person does not want it -> waiting, when that was a mistake
    OVERTAKEN = "overtaken"  # terminal: the ticket was answered, closed or went on by itself
    AUTOMATIC = "automatic"  # terminal: a reply that policy let go out


# One by one: to count the rows of a state in an index takes SQLite two thirds of the time that grouping all by their states does.
_COUNTS = union_all(*(select(literal(stand.value), func.count()).where(reviews_.c.state == stand.value) for stand in Stand))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which reviews a list shows; None is any."""

    stand: Stand
    connector: str | None = None
    topic: str | None = None
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a list begins: after this row."""

    at: datetime
    draft_id: str


# Every answer makes this statement: to build it takes longer than to run it.
_OLDER = (
    update(reviews_)
    .where(
        reviews_.c.connector == bindparam("desk"),
        reviews_.c.ticket_id == bindparam("ticket"),
        reviews_.c.state == Stand.WAITING.value,
        reviews_.c.draft_id != bindparam("newer"),
    )
    .values(state=Stand.OVERTAKEN.value, reason="the customer wrote again", decided_at=bindparam("now"))
)


def ask(s: Session, draft: DraftRow) -> None:
    """A new answer is there to be looked at; what waited for this ticket before is overtaken. A second call changes nothing."""
    record = draft.record
    kind = draft.reason.partition(":")[0] if draft.decision == "handoff" else ""
    row = ReviewRow(
        draft_id=draft.id,
        connector=draft.connector,
        ticket_id=draft.ticket_id,
        decision=draft.decision,
        kind=kind,
        topic=record["triage"]["topic"],
        usd=record["usage"]["cost_usd"],
        at=draft.created_at,
        state=(Stand.AUTOMATIC if draft.decision == "reply" else Stand.WAITING).value,
    )
    if insert_new(s, ReviewRow, row.model_dump()):
        told = {"desk": draft.connector, "ticket": draft.ticket_id, "newer": draft.id, "now": draft.created_at}
        s.connection().execute(_OLDER, told)


def approve(s: Session, draft_id: str, reply_id: str, by: str, now: datetime) -> bool:
    """False: it does not wait any more."""
    return _move(s, draft_id, Stand.WAITING, Stand.APPROVED, decided_by=by, decided_at=now, reply_id=reply_id)


def reject(s: Session, draft_id: str, reason: str, by: str, now: datetime) -> bool:
    """False: it does not wait any more."""
    return _move(s, draft_id, Stand.WAITING, Stand.REJECTED, decided_by=by, decided_at=now, reason=reason)


def reopen(s: Session, draft_id: str) -> bool:
    """What was rejected waits again. False: it was not rejected."""
    return _move(s, draft_id, Stand.REJECTED, Stand.WAITING, decided_by=None, decided_at=None, reason=None)


def _move(s: Session, draft_id: str, origin: Stand, to: Stand, **values: Any) -> bool:
    """Compare and set: of two people one is first."""
    here = (reviews_.c.draft_id == draft_id) & (reviews_.c.state == origin.value)
    return bool(s.connection().execute(update(reviews_).where(here).values(state=to.value, **values)).rowcount)


def overtake(s: Session, draft_id: str, reason: str, now: datetime) -> None:
    """Events were faster than this answer, even if a person or policy had let it go."""
    _overtake(s, reviews_.c.draft_id == draft_id, reason, now)


def overtake_tickets(s: Session, connector: str, tickets: Collection[str], reason: str, now: datetime) -> None:
    """Nobody waits for an answer to these tickets any more."""
    if tickets:
        _overtake(s, _waiting_of(connector, tickets), reason, now)


def _overtake(s: Session, where: ColumnElement[bool], reason: str, now: datetime) -> None:
    values = {"state": Stand.OVERTAKEN.value, "reason": reason, "decided_at": now}
    s.connection().execute(update(reviews_).where(where, reviews_.c.state != Stand.OVERTAKEN.value).values(**values))


def _waiting_of(connector: str, tickets: Collection[str]) -> ColumnElement[bool]:
    own = (reviews_.c.connector == connector) & reviews_.c.ticket_id.in_(sorted(tickets))
    return own & (reviews_.c.state == Stand.WAITING.value)


@dataclass(frozen=True, slots=True)
class Review:
    """A row of `reviews`; see there."""

    draft_id: str
    connector: str
    ticket_id: str
    decision: str
    kind: str
    topic: str | None
    usd: float
    at: datetime
    state: str
    decided_at: datetime | None
    decided_by: str | None
    reply_id: str | None
    reason: str | None


def review(s: Session, draft_id: str) -> Review | None:
    """The review of this draft."""
    row = s.connection().execute(select(reviews_).where(reviews_.c.draft_id == draft_id)).one_or_none()
    return None if row is None else Review(**row._mapping)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a list: the review, and of its draft what tells it from others."""

    review: Review
    subject: str
    reason: str
    question: str  # what the customer asks, or its first part; may be empty
    confidence: float


def lines(s: Session, wanted: Wanted, size: int, after: Place | None = None) -> list[Line]:
    """Up to `size` of them from `after` on, newest first. Found in the index alone; only the rows shown are read."""
    order = ids(s, wanted, size, after)
    found = _read(s, order)
    return [found[draft_id] for draft_id in order if draft_id in found]


def ids(s: Session, wanted: Wanted, size: int, after: Place | None = None, *, newest_first: bool = True) -> list[str]:
    """The same, by their drafts' ids alone, in either direction."""
    key = tuple_(reviews_.c.at, reviews_.c.draft_id)
    query = select(reviews_.c.draft_id).where(_matches(wanted))
    if after is not None:
        place = tuple_(literal(after.at, reviews_.c.at.type), literal(after.draft_id, reviews_.c.draft_id.type))
        query = query.where(key < place if newest_first else key > place)
    direction = (reviews_.c.at.desc(), reviews_.c.draft_id.desc()) if newest_first else (reviews_.c.at, reviews_.c.draft_id)
    return list(s.connection().scalars(query.order_by(*direction).limit(size)))


def _read(s: Session, ids: Sequence[str]) -> dict[str, Line]:
    record = drafts_.c.record
    more = (
        drafts_.c.subject,
        drafts_.c.reason.label("says"),
        record["triage", "questions", 0].as_string().label("question"),
        record["confidence"].as_float().label("confidence"),
    )
    query = select(reviews_, *more).join(drafts_, drafts_.c.id == reviews_.c.draft_id).where(reviews_.c.draft_id.in_(ids))
    found = {}
    for row in s.connection().execute(query):
        known = dict(row._mapping)
        subject, says, question, confidence = (known.pop(name) for name in ("subject", "says", "question", "confidence"))
        found[row.draft_id] = Line(Review(**known), subject or "", says, question or "", confidence or 0.0)
    return found


def _matches(wanted: Wanted) -> ColumnElement[bool]:
    pairs = ((reviews_.c.connector, wanted.connector), (reviews_.c.topic, wanted.topic), (reviews_.c.decision, wanted.decision))
    return and_(reviews_.c.state == wanted.stand.value, *(column == value for column, value in pairs if value is not None))


def counts(s: Session) -> dict[str, int]:
    """How many there are of each stand."""
    found = s.connection().execute(_COUNTS)
    return {row[0]: int(row[1]) for row in found if row[1]}


def of_kind(s: Session, kind: str, size: int) -> list[Line]:
    """The newest hand-offs for that typed reason."""
    ids = select(reviews_.c.draft_id).where(reviews_.c.kind == kind).order_by(reviews_.c.at.desc()).limit(size)
    order = list(s.connection().scalars(ids))
    found = _read(s, order)
    return [found[draft_id] for draft_id in order]


@dataclass(frozen=True, slots=True)
class TopicCost:
    topic: str | None
    answers: int
    usd: float


def costs_by_topic(s: Session, since: datetime) -> list[TopicCost]:
    """What the answers since then cost, dearest topic first. Each topic's stand together in an index: nothing is sorted or grouped."""
    found = [_cost_of(s, topic, since) for topic in (None, *_topics(s))]
    return sorted((one for one in found if one.answers), key=lambda one: -one.usd)


def _topics(s: Session) -> Iterator[str]:
    """Every topic there ever was: from each, the index leads to the next one."""
    least = select(func.min(reviews_.c.topic))
    topic = s.connection().scalar(least)
    while topic is not None:
        yield topic
        topic = s.connection().scalar(least.where(reviews_.c.topic > topic))


def _cost_of(s: Session, topic: str | None, since: datetime) -> TopicCost:
    query = select(func.count(), func.coalesce(func.sum(reviews_.c.usd), 0.0))
    row = s.connection().execute(query.where(reviews_.c.topic == topic, reviews_.c.at >= since)).one()
    return TopicCost(topic, int(row[0]), float(row[1]))
