"""What people decide about a draft. Each deed and its note are one transaction; of two people the first one counts."""

from __future__ import annotations

from urllib.parse import urlencode

from sqlmodel import Session as Database
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.answer.approved import Letter, plan_approved
from bot.console import letter
from bot.console.inbox import query_of, wanted_of
from bot.console.office import Office
from bot.console.visit import Form, Visitor, note
from bot.simulate.commands import record_label
from connectors.base import ConfigProblem
from storage import outbox, reviews
from storage.database import reading
from storage.reviews import Place
from storage.samples import VERDICTS
from storage.tables import DraftRow

LONGEST_REASON = 500  # characters


def approve(office: Office, visitor: Visitor, request: Request, form: Form) -> Response:
    """The bot's words, or what a person made of them, to the customer: planned here, sent by the worker."""
    draft_id = request.path_params["draft"]
    following = next_waiting(office, draft_id, form)
    with Database(office.engine) as s, s.begin():
        draft = outbox.draft(s, draft_id)
        if draft is None or draft.connector not in office.flows:
            return RedirectResponse("/?said=erased", 303)
        written = _letter(draft, form.get("text"))
        if written is None:
            return RedirectResponse(f"/drafts/{draft_id}?said=empty", 303)
        effect = plan_approved(s, draft, written, visitor.person.name, office.now())
        if effect is not None:
            note(s, office, visitor, "approved", draft_id, detail="edited" if written.edited else None)
    if effect is None:
        return RedirectResponse(f"/drafts/{draft_id}?said=late", 303)
    office.send(effect.connector, effect.key)
    return RedirectResponse(_onward(following, "sent", form), 303)


def reject(office: Office, visitor: Visitor, request: Request, form: Form) -> Response:
    draft_id = request.path_params["draft"]
    following = next_waiting(office, draft_id, form)
    reason = " ".join(form.get("reason", "").split())[:LONGEST_REASON] or "no reason given"
    with Database(office.engine) as s, s.begin():
        done = reviews.reject(s, draft_id, reason, visitor.person.name, office.now())
        if done:
            note(s, office, visitor, "rejected", draft_id)
    return RedirectResponse(_onward(following, "rejected", form) if done else f"/drafts/{draft_id}?said=late", 303)


def reopen(office: Office, visitor: Visitor, request: Request, form: Form) -> Response:
    draft_id = request.path_params["draft"]
    with Database(office.engine) as s, s.begin():
        done = reviews.reopen(s, draft_id)
        if done:
            note(s, office, visitor, "reopened", draft_id)
    return RedirectResponse(f"/drafts/{draft_id}?said={'reopened' if done else 'late'}", 303)


def label(office: Office, visitor: Visitor, request: Request, form: Form) -> Response:
    """Right, wrong or unsure: what error bounds rest on."""
    draft_id, said = request.path_params["draft"], form.get("verdict", "")
    if said in VERDICTS:
        try:
            record_label(office.config, office.engine, draft_id, said, office.now())
        except ConfigProblem:
            return RedirectResponse("/?said=erased", 303)
        with Database(office.engine) as s, s.begin():
            note(s, office, visitor, "labelled", draft_id, detail=said)
    query = urlencode(query_of(wanted_of(form, office)) | {"said": "labelled"})
    return RedirectResponse(f"/drafts/{draft_id}?{query}#label", 303)


def next_waiting(office: Office, draft_id: str, form: Form) -> str | None:
    """The draft below this one in the list the person came from, else the list's first."""
    wanted = wanted_of(form, office)
    with Database(reading(office.engine)) as s:
        row = reviews.review(s, draft_id)
        below = reviews.ids(s, wanted, 1, Place(row.at, row.draft_id)) if row else []
        first = reviews.ids(s, wanted, 2)
    return next((one for one in (*below, *first) if one != draft_id), None)


def _letter(draft: DraftRow, text: str | None) -> Letter | None:
    """As the bot wrote it, unless a person changed more than line ends; None: there is nothing to send."""
    record = draft.record
    if text is None or letter.is_same(text, record["body_text"]):
        return Letter(record["body_text"], record["body_html"], False) if record["body_text"].strip() else None
    cut = text.replace("\r\n", "\n").strip()[: letter.LONGEST]
    return Letter(cut, letter.to_html(cut), True) if cut else None


def _onward(following: str | None, said: str, form: Form) -> str:
    kept = {name: form[name] for name in ("stand", "connector", "topic", "decision") if form.get(name)}
    query = urlencode(kept | {"said": said})
    return f"/drafts/{following}?{query}" if following else f"/?{query}"
