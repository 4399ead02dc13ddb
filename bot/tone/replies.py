"""The team's public replies in solved tickets: those a voice may be learnt from, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.answer.clean import own_words
from bot.answer.language import language
from bot.answer.triage import is_chatter
from bot.tone.cleaning import Said, clean, is_automatic, is_forwarded
from connectors.base import Comment, Helpdesk, Ticket

FEWEST_WORDS = 12  # of a reply's body; less is a one-liner
FEWEST_LETTERS = 60


@dataclass(frozen=True, slots=True)
class TeamReply:
    """One reply an agent sent, still with personal data in it: `names` are whose to strike out."""

    ticket: str  # CONNECTOR:TICKET_ID
    comment: str
    agent: str
    language: str
    topic: str
    at: datetime
    asked: str
    said: Said
    names: tuple[str, ...]
    requester: str | None = None  # e-mail address


@dataclass(frozen=True, slots=True)
class Dropped:
    ticket: str
    reason: str


def solved(desk: Helpdesk, since: datetime) -> Iterator[Ticket]:
    """Each solved or closed ticket once, as it stands now. Raises what the connector raises."""
    seen: set[str] = set()
    for page in desk.tickets(None, since):
        for ref in page.tickets:
            if ref.status in ("solved", "closed") and ref.id not in seen:
                seen.add(ref.id)
                ticket = desk.ticket(ref.id)
                if ticket is not None and ticket.status in ("solved", "closed"):
                    yield ticket


def read_replies(
    connector: str, ticket: Ticket, languages: Sequence[str], agents: Sequence[str] = (), opt_out_tags: Sequence[str] = ()
) -> Iterator[TeamReply | Dropped]:
    """Pure. `agents`: ids of role models; none: everybody. Private comments and the bot's own are never looked at."""
    place = f"{connector}:{ticket.id}"
    public = [comment for comment in ticket.comments if comment.public]
    if set(opt_out_tags) & set(ticket.tags):
        yield Dropped(place, "opted out")
        return
    asked = ""
    for at, comment in enumerate(public):
        if comment.author == "customer":
            asked = own_words(comment.text) or comment.text
        if comment.author != "agent":
            continue
        reason = _unfit(ticket, comment, public[at + 1 :], agents)
        said = clean(comment.text)
        reason = reason or _too_little(said)
        if reason:
            yield Dropped(place, reason)
        else:
            yield TeamReply(
                place, comment.id, comment.author_id, _language(ticket, said, languages), ticket.tags[0] if ticket.tags else "other",
                comment.created_at, asked, said, _names(ticket, said), ticket.requester_email,
            )  # fmt: skip


def _unfit(ticket: Ticket, comment: Comment, after: Sequence[Comment], agents: Sequence[str]) -> str | None:
    if agents and comment.author_id not in agents:
        return "not a chosen agent"
    if ticket.satisfaction == "bad":
        return "low satisfaction"
    if ticket.automated or is_automatic(comment.text):
        return "auto-reply"
    if is_forwarded(comment.text):
        return "forward"
    back = next((one for one in after if one.author == "customer"), None)
    if back is not None and not is_chatter(own_words(back.text)):
        return "reopened"
    return None


def _too_little(said: Said) -> str | None:
    return "one-liner" if len(said.body.split()) < FEWEST_WORDS or len(said.body) < FEWEST_LETTERS else None


def _language(ticket: Ticket, said: Said, languages: Sequence[str]) -> str:
    """What the reply is written in, which need not be the requester's locale."""
    return language(said.body, languages, ticket.language)


def _names(ticket: Ticket, said: Said) -> tuple[str, ...]:
    signed = said.signed.split()[:1]  # "Mira at Tidewell": the team's name is no person's
    return tuple(name for name in (ticket.requester_name, (ticket.requester_email or "").partition("@")[0], *signed) if name)
