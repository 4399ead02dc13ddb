"""A planned effect reaches the helpdesk at most once, and a person always wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from connectors.base import (
    Comment,
    ConfigProblem,
    Fields,
    Helpdesk,
    Outdated,
    RateLimited,
    Refused,
    Reply,
    Statuses,
    Ticket,
    Transient,
)
from storage import outbox
from storage.outbox import Effect, State

RACES_BEFORE_GIVING_UP = 5
VERSION_RESOLUTION = 1.0  # seconds
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Courier:
    """Where to deliver, and what is to be obeyed on the way."""

    desk: Helpdesk
    engine: Engine
    opt_out_tags: tuple[str, ...]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    status: Literal["pending", "solved"] | None = None  # of a ticket whose customer was replied to
    fields: Mapping[str, str] = field(default_factory=dict)  # what triage tells, by the helpdesk's own names
    withheld: Callable[[Ticket], str | None] = lambda ticket: None  # why a reply may not be shown to those who read the ticket now


def deliver(effect: Effect, customer_comment: str, courier: Courier) -> Effect:
    """Carry the effect out, or find that it was, or that it is no longer wanted; returns it settled.

    Safe to call again after any crash: what an earlier attempt left open is looked for at the vendor before it is sent
    again. Raises Transient (the outcome is unknown: call again later) and RateLimited (not now: call again later).
    """
    for _ in range(RACES_BEFORE_GIVING_UP):
        try:
            with Session(courier.engine) as session, session.begin():
                effect = outbox.claim(session, effect.key, courier.now())
        except outbox.AlreadySettled as settled:
            return settled.effect
        except outbox.InFlight as flight:
            raise RateLimited(str(flight), flight.retry_after) from None
        try:
            return _attempt(effect, customer_comment, courier)
        except Outdated:
            _settle(effect, State.UNKNOWN, courier, reason="the ticket changed while it was being answered")
        except (Transient, RateLimited, ConfigProblem) as trouble:
            _settle(effect, State.UNKNOWN, courier, reason=str(trouble))
            raise
    raise Transient(f"ticket {effect.ticket_id} changes faster than it can be answered; trying again later")


def _attempt(effect: Effect, customer_comment: str, courier: Courier) -> Effect:
    """One claimed attempt: look for an earlier one, see that the answer is still wanted, write."""
    # The ticket is read before the lookup: an earlier attempt that lands between the two then makes the version outdated.
    ticket = _read(effect.ticket_id, courier)
    reference = courier.desk.find_reply(effect.ticket_id, effect.key) if ticket and effect.attempts > 1 else None
    if reference is None:
        obstacle = obstacle_to(ticket, customer_comment, courier.opt_out_tags) or _taken_up(ticket, effect)
        if ticket and effect.public and not obstacle:
            obstacle = courier.withheld(ticket)
        if ticket is None or obstacle:
            return _settle(effect, State.CANCELLED, courier, reason=obstacle)
        reply = Reply(effect.html, effect.public, status=courier.status if effect.public else None)
        try:
            reference = courier.desk.post_reply(effect.ticket_id, reply, effect.key, ticket.version)
        except Refused as refusal:
            return _settle(effect, State.REFUSED, courier, reason=str(refusal) or "the helpdesk refused it")
    _finish(effect, courier)
    return _settle(effect, State.SENT, courier, vendor_ref=reference.id)


def _read(ticket_id: str, courier: Courier) -> Ticket | None:
    """The ticket as of a second in which it did not change any more.

    Zendesk's version (`updated_at`) counts whole seconds: what happens within the second of the last change leaves it
    as it was, and a write that relies on it would overtake a person, or itself.
    """
    ticket = courier.desk.ticket(ticket_id)
    if ticket and (courier.now() - ticket.updated_at).total_seconds() < VERSION_RESOLUTION:
        courier.sleep(VERSION_RESOLUTION)
        ticket = courier.desk.ticket(ticket_id)
    return ticket


def obstacle_to(ticket: Ticket | None, customer_comment: str, opt_out: tuple[str, ...]) -> str | None:
    """Why the answer to this customer comment is no longer wanted; None when it still is."""
    if ticket is None:
        return "the ticket was deleted"
    if ticket.status == "closed":
        return "the ticket was closed"
    if set(ticket.tags) & set(opt_out):
        return "the ticket was opted out by a tag"
    last = last_from_customer(ticket)
    if last is None or last.id != customer_comment:
        return "the customer wrote again: the newer message is answered instead"
    after = ticket.comments[ticket.comments.index(last) + 1 :]
    if any(comment.public and comment.author == "agent" for comment in after):
        return "an agent answered meanwhile"
    if ticket.status == "solved":
        return "the ticket was solved meanwhile"
    return None


def last_from_customer(ticket: Ticket) -> Comment | None:
    """The newest public comment that a customer wrote."""
    return next((comment for comment in reversed(ticket.comments) if comment.public and comment.author == "customer"), None)


def _taken_up(ticket: Ticket | None, effect: Effect) -> str | None:
    """An agent who wrote a note since a reply was decided on has taken the ticket up: nothing goes past them to the customer."""
    if ticket is None or not effect.public:
        return None
    taken = any(comment.author == "agent" and comment.created_at > effect.created_at for comment in ticket.comments)
    return "an agent took the ticket up meanwhile" if taken else None


def _finish(effect: Effect, courier: Courier) -> None:
    """After the comment, and repeatable: a crash between the two loses no reply, and the next attempt does what is left."""
    desk, ticket = courier.desk, effect.ticket_id
    if effect.tags:
        _marked(effect, "tags", lambda: desk.add_tags(ticket, effect.tags))
    if effect.public and courier.status and isinstance(desk, Statuses):
        status = courier.status
        _marked(effect, "status", lambda: desk.set_status(ticket, status))
    if courier.fields and isinstance(desk, Fields):
        _marked(effect, "fields", lambda: desk.fill_fields(ticket, courier.fields))


def _marked(effect: Effect, what: str, call: Callable[[], None]) -> None:
    """What a helpdesk refuses here is told, and keeps no answer back."""
    try:
        call()
    except Refused as refusal:
        log.warning(f"{what} refused", connector=effect.connector, ticket=effect.ticket_id, reason=str(refusal))


def _settle(effect: Effect, state: State, courier: Courier, *, vendor_ref: str | None = None, reason: str | None = None) -> Effect:
    with Session(courier.engine) as session, session.begin():
        return outbox.settle(session, effect.key, state, vendor_ref=vendor_ref, reason=reason, now=courier.now())
