"""What agents made of the bot's drafts: their reply is preferred, the draft is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from sqlalchemy import Engine, select
from sqlmodel import Session

from bot.answer.clean import own_words
from bot.tone.cleaning import clean
from bot.tone.dataset import Preference
from bot.tone.redaction import personal, redact
from connectors.base import Ticket
from storage.database import reading
from storage.requesters import requester_key
from storage.tables import DraftRow, table

drafts = table(DraftRow)


def drafted(engine: Engine, connector: str) -> dict[tuple[str, str], str]:
    """(ticket, customer comment) -> the newest draft's text."""
    query = select(drafts.c.ticket_id, drafts.c.customer_comment_id, drafts.c.record).where(drafts.c.connector == connector)
    with Session(reading(engine)) as session:
        rows = session.connection().execute(query.order_by(drafts.c.created_at)).all()
    return {(row.ticket_id, row.customer_comment_id): row.record["body_text"] for row in rows if row.record.get("body_text")}


def preferences(connector: str, ticket: Ticket, language: str, made: Mapping[tuple[str, str], str]) -> Sequence[Preference]:
    """Pure. One per customer comment that had a draft and got a public reply by an agent."""
    public = [comment for comment in ticket.comments if comment.public]
    names = [name for name in (ticket.requester_name, (ticket.requester_email or "").partition("@")[0]) if name]
    found = []
    for comment, reply in pairwise(public):
        draft = made.get((ticket.id, comment.id))
        if draft is None or reply.author != "agent":
            continue
        said = clean(reply.text)
        struck = (*names, *said.signed.split()[:1])
        asked, preferred, rejected = (redact(text, struck) for text in (own_words(comment.text) or comment.text, said.body, draft))
        if preferred and not any(map(personal, (asked, preferred, rejected))):
            source = (f"{connector}:{ticket.id}", requester_key(ticket.requester_email))
            found.append(Preference(language, asked, preferred, rejected, *source))
    return found
