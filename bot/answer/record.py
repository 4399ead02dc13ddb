"""A decision as it is kept and shown: one JSON document, the shape of `draftdesk draft --json` plus what `explain` needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.answer.check import Verdict
from bot.answer.decide import Decision
from bot.answer.render import Rendered
from bot.answer.retrieve import Found, Passage
from bot.answer.triage import Triage
from bot.answer.write import Draft, Usage
from connectors.base import Ticket
from storage.outbox import Effect, State


def describe(
    draft_id: str,
    connector: str,
    ticket: Ticket,
    triage: Triage,
    decision: Decision,
    *,
    found: Found,
    draft: Draft | None,
    verdict: Verdict | None,
    rendered: Rendered | None,
    usage: Usage,
    timings: Mapping[str, float],
) -> dict[str, Any]:
    """The record. A draft that is not sent anywhere (hand-off) keeps its sentences for `explain`, but has no body."""
    sends = decision.outcome in ("reply", "note") and rendered is not None
    return {
        "draft_id": draft_id,
        "ticket": {"connector": connector, "id": ticket.id, "subject": ticket.subject, "language": triage.language},
        "decision": decision.outcome,
        "reason": decision.reason,
        "confidence": decision.confidence,
        "body_text": rendered.text if sends and rendered else "",
        "body_html": rendered.html if sends and rendered else "",
        "sentences": _sentences(draft, verdict),
        "citations": [_citation(marker, passage) for marker, passage in enumerate(draft.citations, start=1)] if draft else [],
        "internal_hints": [{"document": hint.document, "title": hint.title, "url": hint.url} for hint in found.internal],
        "triage": {
            "topic": triage.topic,
            "sentiment": triage.sentiment,
            "priority": triage.priority,
            "language": triage.language,
            "entities": [{"type": entity.type, "text": entity.text} for entity in triage.entities],
            "questions": list(triage.questions),
            "suspicious": list(triage.suspicious),
            "risk": triage.risk,
            "sure": dict(triage.sure),
        },
        "usage": {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens, "cost_usd": usage.cost_usd},
        "voice": "none",
        "timings_ms": dict(timings),
        "posted": None,
        "delivery": None,
        "passages": [_passage(passage) for passage in (*found.public, *found.internal)],
        "checks": _sentences(draft, verdict),
        "repaired": draft.repaired if draft else 0,
        "policy": list(decision.steps),
    }


def with_outcome(record: Mapping[str, Any], effect: Effect | None) -> dict[str, Any]:
    """The record as things stand now: what was posted; a race that a person won reads as a skip."""
    if effect is None:
        return dict(record)
    delivery = {"state": effect.state.value, "attempts": effect.attempts, "reason": effect.reason}
    if effect.state is State.CANCELLED:
        return {**record, "delivery": delivery, "decision": "skip", "reason": effect.reason, "body_text": "", "body_html": ""}
    posted = {"comment": effect.vendor_ref, "public": effect.public} if effect.state is State.SENT else None
    return {**record, "delivery": delivery, "posted": posted}


def _sentences(draft: Draft | None, verdict: Verdict | None) -> list[dict[str, Any]]:
    if draft is None or verdict is None:
        return []
    return [
        {"text": s.text, "citations": list(s.citations), "supported": s.supported, "kind": s.kind, "why": s.why}
        | ({"instead": s.instead, "nearest": s.nearest} if s.instead else {})
        for s in verdict.sentences
    ]


def _citation(marker: int, passage: Passage) -> dict[str, Any]:
    return {
        "marker": marker,
        "document": passage.document,
        "title": passage.title,
        "url": passage.url,
        "audience": passage.audience,
        "passage": passage.text,
        **({"segments": list(passage.segments)} if passage.audience == "segment" else {}),
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "document": passage.document,
        "title": passage.title,
        "audience": passage.audience,
        "language": passage.language,
        "score": round(passage.score, 4),
        "cosine": round(passage.cosine, 4),
        "text": passage.text,
    }
