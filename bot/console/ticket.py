"""One answer: what was asked, what the bot says to it, what that rests on, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session as Database
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.answer.clean import visible
from bot.answer.deliver import last_from_customer, obstacle_to
from bot.answer.record import with_outcome
from bot.console.inbox import query_of, wanted_of
from bot.console.office import Office
from bot.console.pages import frame, render
from bot.console.visit import Visitor
from bot.simulate.sample import digest
from connectors.base import ConfigProblem, RateLimited, Ticket, Transient
from storage import audit, outbox, reviews
from storage.audit import Deed
from storage.database import reading
from storage.outbox import Effect, State
from storage.reviews import Place, Review, Stand, Wanted
from storage.tables import DraftRow, LabelRow

HISTORY = 20  # other answers to the same ticket
DEEDS = ("approved", "rejected", "reopened", "labelled")
UNDER_WAY = (State.PLANNED, State.SENDING, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Told:
    """All that is kept about one answer."""

    draft: DraftRow
    record: dict[str, Any]
    review: Review | None
    reply: dict[str, Any] | None  # what a person sent in its place
    reply_effect: Effect | None
    label: str | None
    others: list[Any]
    deeds: list[Deed]
    older: str | None
    newer: str | None

    @property
    def waits(self) -> bool:
        return self.review is not None and self.review.state == Stand.WAITING.value

    @property
    def under_way(self) -> bool:
        return self.reply_effect is not None and self.reply_effect.state in UNDER_WAY

    @property
    def fate(self) -> str:
        """What became of a reply that a person approved."""
        effect = self.reply_effect
        if effect is None:
            return "What was sent is not kept any more."
        if effect.state is State.SENT:
            return "The customer has it."
        if effect.state in UNDER_WAY:
            return "It is on its way" + (f"; the last try ended with: {effect.reason}." if effect.reason else ".")
        return f"It was not sent: {effect.reason}."


def show(office: Office, visitor: Visitor, request: Request) -> Response:
    wanted = wanted_of(request.query_params, office)
    told = retell(office, request.path_params["draft"], wanted)
    if told is None:
        return RedirectResponse("/?said=erased", 303)
    return render(
        office,
        visitor,
        "ticket.html",
        title=visible(told.draft.subject or "") or "(no subject)",
        here="inbox",
        told=told,
        record=told.record,
        query=query_of(wanted),
        answered=told.draft.connector in office.flows,
        **frame(request.cookies, request.query_params),
    )


def retell(office: Office, draft_id: str, wanted: Wanted) -> Told | None:
    with Database(reading(office.engine)) as s:
        draft = outbox.draft(s, draft_id)
        if draft is None:
            return None
        review = reviews.review(s, draft_id)
        effect = outbox.effect_of(s, draft_id)
        reply = outbox.draft(s, review.reply_id) if review and review.reply_id else None
        reply_effect = outbox.effect_of(s, reply.id) if reply else None
        return Told(
            draft=draft,
            record=_record(draft, effect),
            review=review,
            reply=with_outcome(reply.record, reply_effect) if reply else None,
            reply_effect=reply_effect,
            label=_label(s, draft),
            others=_others(s, draft),
            deeds=audit.of_subject(s, draft_id, DEEDS),
            older=_neighbour(s, wanted, review, newest_first=True),
            newer=_neighbour(s, wanted, review, newest_first=False),
        )


def _record(draft: DraftRow, effect: Effect | None) -> dict[str, Any]:
    """The words of a draft that was overtaken are still worth reading here."""
    told = with_outcome(draft.record, effect)
    return told | {"body_text": draft.record["body_text"], "body_html": draft.record["body_html"]}


def _label(s: Database, draft: DraftRow) -> str | None:
    body = draft.record.get("body_text")
    row = s.get(LabelRow, digest(draft.connector, draft.ticket_id, body)) if body else None
    return row.verdict if row else None


def _others(s: Database, draft: DraftRow) -> list[Any]:
    drafts = reviews.drafts_
    columns = (drafts.c.id, drafts.c.decision, drafts.c.reason, drafts.c.created_at)
    own = (drafts.c.connector == draft.connector) & (drafts.c.ticket_id == draft.ticket_id) & (drafts.c.id != draft.id)
    return list(s.connection().execute(select(*columns).where(own).order_by(drafts.c.created_at.desc()).limit(HISTORY)))


def _neighbour(s: Database, wanted: Wanted, review: Review | None, *, newest_first: bool) -> str | None:
    if review is None:
        return None
    return next(iter(reviews.ids(s, wanted, 1, Place(review.at, review.draft_id), newest_first=newest_first)), None)


def converse(office: Office, visitor: Visitor, request: Request) -> Response:
    """The conversation as it stands in the helpdesk now; what is settled there is settled here too."""
    with Database(reading(office.engine)) as s:
        draft = outbox.draft(s, request.path_params["draft"])
    if draft is None:
        return RedirectResponse("/?said=erased", 303)
    ticket, trouble = _read(office, draft)
    obstacle = _settle(office, draft, ticket) if trouble is None else None
    return render(
        office,
        visitor,
        "_conversation.html" if "x-fragment" in request.headers else "conversation.html",
        title="Conversation",
        here="inbox",
        draft=draft,
        ticket=ticket,
        comments=[(comment, visible(comment.text).strip()) for comment in ticket.comments] if ticket else [],
        trouble=trouble,
        obstacle=obstacle,
        **frame(request.cookies, request.query_params),
    )


def _read(office: Office, draft: DraftRow) -> tuple[Ticket | None, str | None]:
    flow = office.flows.get(draft.connector)
    if flow is None:
        return None, f"{draft.connector} answers no tickets at present."
    try:
        return flow.desk.ticket(draft.ticket_id), None
    except (ConfigProblem, RateLimited, Transient) as problem:
        return None, f"The helpdesk did not answer: {problem}"


def _settle(office: Office, draft: DraftRow, ticket: Ticket | None) -> str | None:
    """Why nobody waits for this answer any more, if so; the inbox then forgets it."""
    comment = last_from_customer(ticket) if ticket else None
    answered = draft.customer_comment_id or (comment.id if comment else "")
    obstacle = obstacle_to(ticket, answered, office.config.policy.opt_out_tags)
    if obstacle:
        with Database(office.engine) as s, s.begin():
            row = reviews.review(s, draft.id)
            if row is not None and row.state == Stand.WAITING.value:
                reviews.overtake(s, draft.id, obstacle, office.now())
    return obstacle
