"""The comments that we mean to write at a vendor, each under a key that makes a repeat harmless.

An effect is planned in one transaction with its draft, claimed before the call and settled after it. What a crash or a
time-out leaves behind is *unknown*: the next claimant looks for the key at the vendor (`find_reply`) before it writes.
Every function leaves the transaction to its caller; a claim must be committed before the call is made.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import Row as SqlRow
from sqlalchemy import bindparam, func, null, or_, select, text, update
from sqlmodel import Session

from storage.database import insert_new
from storage.tables import UNSETTLED, DraftRow, EffectRow, table

REPLIES_LOCK = 0x64_64_72_70  # one count of the day's replies at a time; any number that nothing else in the database uses
LEASE = timedelta(seconds=90)  # longer than a vendor call can last (HttpClient gives up after 60 s)

drafts, effects = table(DraftRow), table(EffectRow)

Kind = Literal["reply", "note", "handoff"]


class State(StrEnum):
    PLANNED = "planned"  # decided, nothing sent yet -> sending, cancelled
    SENDING = "sending"  # claimed: a call is, or was, under way -> sent, unknown, refused, cancelled; sending again after the lease
    UNKNOWN = "unknown"  # the call may have taken effect: look before writing -> sending, or sent when it is found there
    SENT = "sent"  # terminal: the vendor has it, as `vendor_ref`
    REFUSED = "refused"  # terminal: the vendor will never take it
    CANCELLED = "cancelled"  # terminal: a person was faster, or the ticket changed; nothing was written


_ENTRANCES = {
    State.SENT: (State.SENDING, State.UNKNOWN),
    State.UNKNOWN: (State.SENDING, State.UNKNOWN),
    State.REFUSED: (State.SENDING,),
    State.CANCELLED: (State.PLANNED, State.SENDING),
}
_COLUMNS = tuple(effects.c.keys())
_UNSETTLED = (State.PLANNED, State.SENDING, State.UNKNOWN)
# Statements that every ticket makes are built once, here and below: building one takes longer than running it.
_DRAFT = select(drafts).where(drafts.c.id == bindparam("id"))
_BY = {name: select(effects).where(effects.c[name] == bindparam(name)) for name in ("key", "draft_id")}


@dataclass(frozen=True, slots=True)
class Effect:
    key: str
    draft_id: str
    connector: str
    ticket_id: str
    kind: Kind
    state: State
    html: str
    public: bool
    tags: tuple[str, ...]
    seen_version: str
    attempts: int  # claims so far; more than one: look for the key at the vendor before writing
    vendor_ref: str | None
    reason: str | None
    created_at: datetime
    updated_at: datetime


class AlreadySettled(Exception):
    """The effect is in a terminal state, `effect.state`: there is nothing left to be done for it."""

    def __init__(self, effect: Effect) -> None:
        super().__init__(f"effect {effect.key} is {effect.state} already")
        self.effect = effect


class InFlight(Exception):
    """Another worker has claimed the effect: come back after `retry_after` seconds."""

    def __init__(self, key: str, retry_after: float) -> None:
        super().__init__(f"effect {key} is being sent by another worker; look again in {retry_after:.0f} s")
        self.retry_after = retry_after


class WrongTurn(Exception):
    """A transition that the state machine does not have: a bug of the caller."""


def effect_key(desk: str, ticket_id: str, customer_comment_id: str, kind: str) -> str:
    """32 hex characters: the same for the same answer to the same customer comment, for ever."""
    return hashlib.sha256(json.dumps([desk, ticket_id, customer_comment_id, kind]).encode()).hexdigest()[:32]


def plan(s: Session, draft: DraftRow, effect: Effect | None) -> Effect | None:
    """Store a draft and the effect it calls for; the effect starts as planned, whatever it says of itself.

    A key that exists already keeps its effect, its body and its draft: they are returned, and the new ones dropped. A draft
    without an effect binds nobody, and gives way to a later one of the same id.
    """
    if effect is not None and effect.draft_id != draft.id:
        raise ValueError(f"effect {effect.key} belongs to draft {effect.draft_id}, not to {draft.id}")
    if effect is not None and (first := _effect(s, key=effect.key)):
        return first
    values = draft.model_dump()
    # From here on this draft is ours alone: a second planner waits on its row.
    if not insert_new(s, DraftRow, values):
        s.connection().execute(select(drafts.c.id).where(drafts.c.id == draft.id).with_for_update())
        if first := _effect(s, draft_id=draft.id):
            return first
        s.connection().execute(update(drafts).where(drafts.c.id == draft.id).values(**values))
    if effect is None:
        return None
    insert_new(s, EffectRow, _planned(effect))
    return _effect(s, key=effect.key)


def _planned(effect: Effect) -> dict[str, Any]:
    return {
        "key": effect.key,
        "draft_id": effect.draft_id,
        "connector": effect.connector,
        "ticket_id": effect.ticket_id,
        "kind": effect.kind,
        "state": State.PLANNED.value,
        "html": effect.html,
        "public": effect.public,
        "tags": list(effect.tags),
        "seen_version": effect.seen_version,
        "attempts": 0,
        "created_at": effect.created_at,
        "updated_at": effect.created_at,
    }


def effect(s: Session, key: str) -> Effect | None:
    """The effect of this key, as it stands."""
    return _effect(s, key=key)


def effect_of(s: Session, draft_id: str) -> Effect | None:
    """The effect that this draft called for, as it stands; None where it called for none."""
    return _effect(s, draft_id=draft_id)


def _effect(s: Session, **one: str) -> Effect | None:
    """By `key` or by `draft_id`."""
    row = s.connection().execute(_BY[next(iter(one))], one).one_or_none()
    return None if row is None else _parse(row)


def _parse(row: SqlRow[Any]) -> Effect:
    """Of a row that holds an effect, whatever else it holds."""
    told = {name: row._mapping[name] for name in _COLUMNS}
    return Effect(**{**told, "state": State(row.state), "tags": tuple(row.tags)})


_CLAIM = (
    update(effects)
    .where(
        effects.c.key == bindparam("one"),
        (effects.c.state == State.PLANNED.value)
        | (effects.c.state == State.UNKNOWN.value)
        | (effects.c.state == State.SENDING.value)
        & ((effects.c.updated_at <= bindparam("abandoned")) | (effects.c.updated_at > bindparam("unborn"))),
    )
    .values(state=State.SENDING.value, attempts=effects.c.attempts + 1, reason=null(), updated_at=bindparam("now"))
    .returning(effects)
)


def claim(s: Session, key: str, now: datetime, *, lease: timedelta = LEASE) -> Effect:
    """Take the effect for one attempt: planned, unknown, or sending for at least `lease`, becomes sending.

    Of any number of workers one gets it, the others raise InFlight. A process that knows that the earlier claimant is dead
    passes a lease of zero. With `attempts` > 1 the caller must look for the key at the vendor before it writes.
    Raises AlreadySettled for terminal states, KeyError for a key that was never planned.
    """
    # A claim from the far future was made before the clock was set back: it does not hold for longer than a lease either.
    told = {"one": key, "now": now, "abandoned": now - lease, "unborn": now + lease}
    row = s.connection().execute(_CLAIM, told).one_or_none()
    if row is not None:
        return _parse(row)
    held = _existing(s, key)
    if held.state not in _UNSETTLED:
        raise AlreadySettled(held)
    raise InFlight(key, max(1.0, (held.updated_at + lease - now).total_seconds()))


def _existing(s: Session, key: str) -> Effect:
    held = effect(s, key)
    if held is None:
        raise KeyError(f"no effect was planned under the key {key}")
    return held


_SETTLE = {
    to: update(effects)
    .where(effects.c.key == bindparam("one"), or_(*(effects.c.state == origin.value for origin in origins)))
    .values(state=bindparam("to"), vendor_ref=bindparam("ref"), reason=bindparam("why"), updated_at=bindparam("now"))
    .returning(effects)
    for to, origins in _ENTRANCES.items()
}


def settle(
    s: Session, key: str, state: State | str, *, vendor_ref: str | None = None, reason: str | None = None, now: datetime
) -> Effect:
    """Write down how an attempt ended: sent (with `vendor_ref`), unknown, refused or cancelled (with `reason`).

    Raises AlreadySettled from a terminal state, WrongTurn for a transition that the machine does not have, KeyError for an unknown key.
    """
    to = State(state)
    if to not in _ENTRANCES:
        raise WrongTurn(f"an effect is not settled as {to}")
    if (to is State.SENT) != (vendor_ref is not None) or (to in (State.REFUSED, State.CANCELLED) and not reason):
        raise WrongTurn("sent takes a vendor_ref and nothing else does; refused and cancelled take a reason")
    told = {"one": key, "to": to.value, "ref": vendor_ref, "why": reason, "now": now}
    row = s.connection().execute(_SETTLE[to], told).one_or_none()
    if row is not None:
        return _parse(row)
    held = _existing(s, key)
    if held.state not in _UNSETTLED:
        raise AlreadySettled(held)
    raise WrongTurn(f"effect {key} is {held.state}: it cannot become {to} from there")


def unsettled(s: Session) -> list[Effect]:
    """Planned, sending and unknown effects, oldest first."""
    rows = s.connection().execute(select(effects).where(text(UNSETTLED)).order_by(effects.c.created_at, effects.c.key))
    return [_parse(row) for row in rows]


_BEGUN = (
    select(effects, drafts.c.customer_comment_id)
    .join(drafts, drafts.c.id == effects.c.draft_id)
    .where(effects.c.connector == bindparam("connector"), effects.c.ticket_id == bindparam("ticket"), text(UNSETTLED))
    .order_by(effects.c.created_at)
)


def begun(s: Session, connector: str, ticket_id: str) -> list[tuple[Effect, str]]:
    """The ticket's unsettled effects, oldest first, each with the customer comment that it answers."""
    rows = s.connection().execute(_BEGUN, {"connector": connector, "ticket": ticket_id})
    return [(_parse(row), row.customer_comment_id) for row in rows]


_REPLIES = (
    select(func.count())
    .select_from(effects)
    .where(
        effects.c.connector == bindparam("connector"),
        effects.c.ticket_id == bindparam("ticket"),
        or_(*(effects.c.kind == kind for kind in ("reply", "note"))),
        or_(*(effects.c.state == state.value for state in (State.SENT, State.SENDING, State.UNKNOWN))),
    )
)


def replies_to(s: Session, connector: str, ticket_id: str) -> int:
    """How many replies and notes this ticket has, or may have, from us."""
    return s.connection().scalar(_REPLIES, {"connector": connector, "ticket": ticket_id}) or 0


def replies_since(s: Session, moment: datetime, *, alone: bool = False) -> int:
    """Public replies that went, or may go, to customers since then, of all helpdesks; those that a person approved do not count.

    `alone`: nobody else who asks so is answered before this transaction ends.
    """
    if alone and s.get_bind().dialect.name == "postgresql":  # SQLite's writing transactions come one after another anyway
        s.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": REPLIES_LOCK})
    query = select(func.count()).select_from(effects.join(drafts, drafts.c.id == effects.c.draft_id))
    gone = effects.c.state.in_((State.REFUSED.value, State.CANCELLED.value))
    where = effects.c.public & (drafts.c.created_at >= moment) & ~gone & drafts.c.reason.not_like("approved by %")
    return s.connection().scalar(query.where(where)) or 0


def ended_so(s: Session, connector: str, ticket_id: str, customer_comment_id: str, reason: str) -> int:
    """Decisions on this customer comment with exactly this reason."""
    same = (drafts.c.connector == connector) & (drafts.c.ticket_id == ticket_id) & (drafts.c.reason == reason)
    query = select(func.count()).select_from(drafts).where(same, drafts.c.customer_comment_id == customer_comment_id)
    return s.connection().scalar(query) or 0


def draft(s: Session, draft_id: str) -> DraftRow | None:
    """The draft of this id, free of the session."""
    row = s.connection().execute(_DRAFT, {"id": draft_id}).one_or_none()
    return None if row is None else DraftRow(**row._mapping)
