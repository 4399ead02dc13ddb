"""A past ticket taken apart: what the customer asked first, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.answer.clean import own_words
from bot.answer.triage import is_chatter
from connectors.base import Comment, Ticket

DURABLE = timedelta(days=7)
CLOSING_WORDS = 6  # a line of a closing has no more


@dataclass(frozen=True, slots=True)
class Past:
    """`asked` is the ticket as it stood at the customer's first message; everything else came later and is for measuring only."""

    asked: Ticket
    as_of: datetime
    answer: str  # an agent's first public answer, without quoted mail and closing
    replies: int  # public ones, by agents
    hours: float  # from the first message to the agents' last public answer
    durable: bool | None  # solved, and the customer did not come back within a week; None: it cannot be told (yet)


@dataclass(frozen=True, slots=True)
class Unfit:
    """Nothing can be learnt from the ticket."""

    reason: str


def look_back(ticket: Ticket, opt_out_tags: Sequence[str], now: datetime) -> Past | Unfit:
    """Pure. Of the tags only the opt-out ones stay: the others may have been set by whoever solved it."""
    public = [comment for comment in ticket.comments if comment.public and comment.author != "system"]
    first = next((comment for comment in public if comment.author == "customer"), None)
    if first is None:
        return Unfit("no customer wrote in public")
    if public[0] is not first:
        return Unfit("the team wrote first")
    answers = [comment for comment in public if comment.author == "agent"]
    if not answers:
        return Unfit("no agent answered in public")
    opted = {tag.casefold() for tag in opt_out_tags}
    asked = replace(
        ticket,
        status="new",
        version="",
        comments=(first,),
        tags=tuple(tag for tag in ticket.tags if tag.casefold() in opted),
        updated_at=first.created_at,
    )
    return Past(
        asked=asked,
        as_of=first.created_at,
        answer=without_closing(own_words(answers[0].text) or answers[0].text),
        replies=len(answers),
        hours=max(0.0, (answers[-1].created_at - first.created_at).total_seconds() / 3600),
        durable=_durable(ticket, public, answers[0], now),
    )


def _durable(ticket: Ticket, public: Iterable[Comment], answer: Comment, now: datetime) -> bool | None:
    if ticket.status not in ("solved", "closed"):
        return None
    end = answer.created_at + DURABLE
    back = (one for one in public if one.author == "customer" and answer.created_at < one.created_at <= end)
    if any(not is_chatter(own_words(comment.text)) for comment in back):
        return False
    return True if end <= now else None


def without_closing(text: str) -> str:
    """Without the last paragraph where it is a formula and a name ("Dry floors,\\nMira at Tidewell")."""
    paragraphs = [part for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    if len(paragraphs) < 2:
        return text.strip()
    lines = paragraphs[-1].strip().split("\n")
    formula = len(lines) <= 3 and lines[0].rstrip().endswith((",", "!")) and all(len(line.split()) <= CLOSING_WORDS for line in lines)
    return "\n\n".join(paragraphs[:-1] if formula and len(lines) > 1 else paragraphs)
