"""A planned effect reaches the helpdesk at most once, and a person always wins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from connectors.base import Comment, ConfigProblem, Helpdesk, Outdated, RateLimited, Refused, Reply, Ticket, Transient
from storage import outbox
from storage.outbox import Effect, State

RACES_BEFORE_GIVING_UP = 5
log = structlog.get_logger()


def deliver(effect: Effect, customer_comment: str, desk: Helpdesk, engine: Engine, now: Callable[[], datetime], opt_out: tuple[str, ...]) -> Effect:
    """Carry the effect out, or find that it was, or that it is no longer wanted; returns it settled.

    Safe to call again after any crash: what an earlier attempt left open is looked for at the vendor before it is sent
    again. Raises Transient (the outcome is unknown: call again later) and RateLimited (not now: call again later).
    """
    for _ in range(RACES_BEFORE_GIVING_UP):
        try:
            with Session(engine) as session, session.begin():
                effect = outbox.claim(session, effect.key, now())
        except outbox.AlreadySettled as settled:
            return settled.effect
        except outbox.InFlight as flight:
            raise RateLimited(str(flight), flight.retry_after) from None
        try:
            return _attempt(effect, customer_comment, desk, engine, now, opt_out)
        except Outdated:
            _settle(effect, State.UNKNOWN, engine, now, reason="the ticket changed while it was being answered")
        except (Transient, RateLimited, ConfigProblem) as trouble:
            _settle(effect, State.UNKNOWN, engine, now, reason=str(trouble))
            raise
    raise Transient(f"ticket {effect.ticket_id} changes faster than it can be answered; trying again later")


def _attempt(effect: Effect, customer_comment: str, desk: Helpdesk, engine: Engine, now: Callable[[], datetime], opt_out: tuple[str, ...]) -> Effect:
    """One claimed attempt: look for an earlier one, see that the answer is still wanted, write."""
    reference = desk.find_reply(effect.ticket_id, effect.key) if effect.attempts > 1 else None
    if reference is None:
        ticket = desk.ticket(effect.ticket_id)
        obstacle = obstacle_to(ticket, customer_comment, opt_out)
        if ticket is None or obstacle:
            return _settle(effect, State.CANCELLED, engine, now, reason=obstacle)
        try:
            reference = desk.post_reply(effect.ticket_id, Reply(effect.html, effect.public), effect.key, ticket.version)
        except Refused as refusal:
            return _settle(effect, State.REFUSED, engine, now, reason=str(refusal) or "the helpdesk refused it")
    _add_tags(effect, desk)
    return _settle(effect, State.SENT, engine, now, vendor_ref=reference.id)


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


def _add_tags(effect: Effect, desk: Helpdesk) -> None:
    """After the reply, and repeatable: a crash between the two loses no reply, and the next attempt adds the tags."""
    if not effect.tags:
        return
    try:
        desk.add_tags(effect.ticket_id, effect.tags)
    except Refused as refusal:
        log.warning("tags refused", connector=effect.connector, ticket=effect.ticket_id, reason=str(refusal))


def _settle(
    effect: Effect, state: State, engine: Engine, now: Callable[[], datetime], *, vendor_ref: str | None = None, reason: str | None = None
) -> Effect:
    with Session(engine) as session, session.begin():
        return outbox.settle(session, effect.key, state, vendor_ref=vendor_ref, reason=reason, now=now())
