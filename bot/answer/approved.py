"""A reply that a person lets go: planned with the approval in one transaction, delivered like every other comment of ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bot.answer.deliver import deliver
from bot.answer.flow import Flow, courier
from storage import outbox, reviews
from storage.database import reading
from storage.outbox import Effect, State
from storage.tables import DraftRow

EFFECT = "approved"  # one per customer comment, whoever approves, and beside the bot's own note
TAG = "draftdesk-approved"


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes to the customer: `html` is sanitised; `edited`: a person changed the bot's words."""

    text: str
    html: str
    edited: bool


def plan_approved(s: Session, draft: DraftRow, letter: Letter, by: str, now: datetime) -> Effect | None:
    """The effect to be delivered; None when the draft does not wait for anybody any more. The caller owns the transaction."""
    key = outbox.effect_key(draft.connector, draft.ticket_id, draft.customer_comment_id, EFFECT)
    reply_id = key[:12]
    if not reviews.approve(s, draft.id, reply_id, by, now):
        return None
    row = DraftRow(
        **draft.model_dump()
        | {
            "id": reply_id,
            "decision": "reply",
            "reason": f"approved by {by}",
            "record": _record(draft.record, reply_id, draft.id, letter, by),
            "created_at": now,
        }
    )
    return outbox.plan(s, row, _effect(row, key, letter, now))


def _record(record: dict[str, Any], reply_id: str, of: str, letter: Letter, by: str) -> dict[str, Any]:
    return {
        **record,
        "draft_id": reply_id,
        "decision": "reply",
        "reason": f"approved by {by}",
        "body_text": letter.text,
        "body_html": letter.html,
        "approved": {"of": of, "by": by, "edited": letter.edited},
        "policy": [*record["policy"], f"approved by {by}" + (", edited" if letter.edited else "")],
    }


def _effect(row: DraftRow, key: str, letter: Letter, now: datetime) -> Effect:
    return Effect(
        key=key,
        draft_id=row.id,
        connector=row.connector,
        ticket_id=row.ticket_id,
        kind="reply",
        state=State.PLANNED,
        html=letter.html,
        public=True,
        tags=(TAG,),
        seen_version="",
        attempts=0,
        vendor_ref=None,
        reason=None,
        created_at=now,
        updated_at=now,
    )


def send_approved(flow: Flow, key: str) -> Effect | None:
    """Deliver it, once, unless a person was faster or the customer wrote again; None when it was erased.

    Safe to repeat; raises what `deliver` raises.
    """
    with Session(reading(flow.engine)) as session:
        planned = outbox.effect(session, key)
        draft = outbox.draft(session, planned.draft_id) if planned else None
    if planned is None or draft is None:
        return None
    settled = deliver(planned, draft.customer_comment_id, courier(flow, draft, {}))
    if settled.state is State.CANCELLED:
        with Session(flow.engine) as session, session.begin():
            reviews.overtake(session, draft.record["approved"]["of"], settled.reason or "", flow.now())
    return settled


def unfinished(s: Session) -> list[Effect]:
    """Approved replies that a dead process left on their way."""
    open_ = [effect for effect in outbox.unsettled(s) if effect.kind == "reply"]
    return [effect for effect in open_ if effect.key == _approved_key(s, effect)]


def _approved_key(s: Session, effect: Effect) -> str | None:
    draft = outbox.draft(s, effect.draft_id)
    return outbox.effect_key(draft.connector, draft.ticket_id, draft.customer_comment_id, EFFECT) if draft else None
