"""What an agent made of a draft: sent as it was, edited, rewritten or ignored."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.clean import own_words
from bot.answer.courtesy import is_courtesy
from bot.answer.words import content_stems, fold
from bot.tone.cleaning import clean
from bot.tone.plain import is_manner
from connectors.base import Comment, Ticket
from storage import outcomes
from storage.database import reading
from storage.outcomes import Given
from storage.tables import OutcomeRow

Kind = Literal["sent", "edited", "rewritten", "ignored"]
KINDS: tuple[Kind, ...] = ("sent", "edited", "rewritten", "ignored")

AS_IT_WAS = 0.97  # share of the draft's words kept, and of the answer's words that are the draft's, from which on it is the same
EDITED = 0.5  # share of the draft's words kept, in their order
REWRITTEN = 0.4  # share of the draft's content words that the answer says too, in whatever order
ENDED = ("solved", "closed")  # statuses at which an answer that did not come will not come
LONGEST = 600  # words of either text that are compared


@dataclass(frozen=True, slots=True)
class Compared:
    """`kept`: the share of the draft's words that stand in the answer, in their order."""

    kind: Kind
    kept: float


def compare(draft: str, reply: str, language: str | None) -> Compared:
    """Greeting, sign-off, signature and quoted mail count for nothing: an agent's own are no edit."""
    ours, theirs = _words(draft), _words(reply)
    if not ours or not theirs:
        return Compared("ignored", 0.0)
    same = sum(block.size for block in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks())
    kept, known = same / len(ours), same / len(theirs)
    if min(kept, known) >= AS_IT_WAS:
        return Compared("sent", round(kept, 3))
    if kept >= EDITED:
        return Compared("edited", round(kept, 3))
    said, wanted = set(content_stems(reply, language)), set(content_stems(" ".join(ours), language))
    also = len(said & wanted) / len(wanted) if wanted else 0.0
    return Compared("rewritten" if also >= REWRITTEN else "ignored", round(kept, 3))


def _words(text: str) -> list[str]:
    said = clean(own_words(text) or text)
    parts = [part for part in said.paragraphs if not is_courtesy(part.strip())]
    while len(parts) > 1 and is_manner(parts[0]):
        parts.pop(0)
    while len(parts) > 1 and is_manner(parts[-1]):
        parts.pop()
    body = "\n".join(parts) or text
    return re.findall(r"[^\W_]+", fold(body))[:LONGEST]


def learn(engine: Engine, connector: str, ticket: Ticket, now: datetime) -> tuple[OutcomeRow, ...]:
    """What became of this ticket's drafts since it was looked at last; kept, each once."""
    if ticket.status not in ENDED and not any(one.public and one.author in ("agent", "bot") for one in ticket.comments):
        return ()
    with Session(reading(engine)) as session:
        waiting = outcomes.given(session, connector, ticket.id)
    rows = tuple(row for draft in waiting if (row := _outcome(connector, ticket, draft, now)))
    if rows:
        with Session(engine) as session, session.begin():
            for row in rows:
                outcomes.record(session, row)
    return rows


def _outcome(connector: str, ticket: Ticket, draft: Given, now: datetime) -> OutcomeRow | None:
    """None while nobody has done anything about it."""
    reply = answer_to(ticket.comments, draft.comment)
    if reply is None and ticket.status not in ENDED:
        return None
    found = compare(draft.text, reply.text, draft.language) if reply else Compared("ignored", 0.0)
    return OutcomeRow(
        draft_id=draft.draft_id,
        connector=connector,
        ticket_id=ticket.id,
        topic=draft.topic,
        language=draft.language,
        kind=found.kind,
        kept=found.kept,
        at=now,
        reply=reply.text if reply else "",
    )


def answer_to(comments: Sequence[Comment], customer_comment: str) -> Comment | None:
    """The first public answer after this comment, an agent's or one that a person let the bot send."""
    at = next((at for at, comment in enumerate(comments) if comment.id == customer_comment), None)
    if at is None:
        return None
    return next((one for one in comments[at + 1 :] if one.public and one.author in ("agent", "bot")), None)
