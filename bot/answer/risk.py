"""Who is at work on a ticket, and whether its customer needs a person rather than a bot. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.answer import phrases
from bot.answer.words import fold
from connectors.base import Ticket

MENTION = "@draftdesk"
PATIENCE = 3  # the customer's turn from which on they have come back again and again


def risk(ticket: Ticket, text: str, *, angry: bool) -> str | None:
    """Why a bot's answer might make things worse, in a sentence; `text` is what the customer wrote last."""
    if angry:
        return "the customer is angry"
    if ticket.satisfaction == "bad":
        return "the customer was not satisfied with an earlier answer"
    turns = customer_turns(ticket)
    if turns >= PATIENCE:
        return f"the customer has come back {turns - 1} times"
    return "the customer says that they ask again" if phrases.AGAIN.search(fold(text)) else None


def customer_turns(ticket: Ticket) -> int:
    """How often the customer took the word: what they wrote in a row without an answer counts once."""
    public = [comment.author for comment in ticket.comments if comment.public and comment.author != "system"]
    return sum(author == "customer" and before != "customer" for before, author in zip([None, *public], public, strict=False))


def agent_at_work(ticket: Ticket, now: datetime, within: timedelta) -> bool:
    """Whether an agent wrote a note or an answer a short while ago; a note that calls for the bot does not count."""
    return any(
        comment.author == "agent" and now - comment.created_at < within and (comment.public or MENTION not in comment.text.lower())
        for comment in ticket.comments
    )
