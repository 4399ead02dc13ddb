"""One past ticket answered again: the decision as of then, held against what happened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlmodel import Session

from bot.answer.clean import visible
from bot.answer.decide import Rules
from bot.answer.flow import Flow, Then, Way, rehearse
from bot.answer.retrieve import Passage
from bot.answer.triage import last_turn
from bot.simulate.agreement import agree, edit_distance, linked_found
from bot.simulate.past import Past, Unfit, look_back
from bot.simulate.strict import Interrupted
from connectors.base import Ticket
from storage.database import reading
from storage.embedding import Embedder
from storage.requesters import requester_key
from storage.samples import assumed
from storage.tables import SampleRow

ALIKE = 0.9  # cosine of a past ticket's text and the question from which on it is the same question again
LONGEST = 6_000  # characters kept of what customer and agent wrote
KEPT = ("decision", "reason", "confidence", "body_text", "sentences", "citations", "triage", "usage", "voice", "timings_ms", "policy")


@dataclass(frozen=True, slots=True)
class Stage:
    """What every ticket of a run is answered with. `documents`: ids of what holds now, by the key of its URL."""

    flow: Flow
    fingerprint: str
    documents: Mapping[str, str]
    begins: datetime | None  # of the knowledge's history


def make_sample(stage: Stage, ticket: Ticket) -> SampleRow:
    """Nothing is stored or written. Raises Interrupted."""
    now = stage.flow.now()
    past = look_back(ticket, stage.flow.opt_out_tags, now)
    if isinstance(past, Unfit):
        return _row(stage, ticket, now, {"reason": past.reason}, decision="unfit")
    then = Then(past.as_of, withhold(past.asked, stage.flow.index.embedder))
    way, record = rehearse(stage.flow, past.asked, then)
    if way.unavailable:
        raise Interrupted(way.unavailable)
    kept = {name: record[name] for name in KEPT} | _happened(past) | _measured(stage, past, way, record["body_text"])
    return _row(
        stage,
        ticket,
        now,
        kept,
        decision=way.decision.outcome,
        confidence=way.decision.confidence,
        eligible=is_eligible(way, stage.flow.rules),
        topic=way.triage.topic,
        words=digest(stage.flow.connector, ticket.id, record["body_text"]) if record["body_text"] else None,
        as_of=past.as_of,
    )


def _row(stage: Stage, ticket: Ticket, now: datetime, record: dict[str, Any], **more: Any) -> SampleRow:
    return SampleRow(
        **{"confidence": 0.0, "eligible": False} | more,
        id=_hash([stage.flow.connector, stage.fingerprint, ticket.id])[:12],
        connector=stage.flow.connector,
        fingerprint=stage.fingerprint,
        ticket_id=ticket.id,
        made_at=now,
        record=record,
        requester=requester_key(ticket.requester_email),
    )


def is_eligible(way: Way, rules: Rules) -> bool:
    """Whether nothing but the bound and the connector's ceiling would keep the draft from being a reply at some hour of some day."""
    whole = way.draft is not None and way.draft.complete and not way.draft.asks
    sends = way.decision.outcome in ("reply", "note") and way.rendered is not None and whole
    risky = bool(way.triage.risk) and rules.at_risk != "reply"
    return sends and not way.triage.suspicious and not risky


def digest(connector: str, ticket_id: str, words: str) -> str:
    """What a label is about: these words to this ticket, whichever run wrote them."""
    return _hash([connector, ticket_id, " ".join(words.split())])[:32]


def withhold(asked: Ticket, embedder: Embedder) -> Callable[[Passage], bool]:
    """Of past tickets in the index: this one and those that ask the same. What other documents say as of then may be used."""

    def is_withheld(passage: Passage) -> bool:
        parts = passage.document.split(":")
        if len(parts) < 4 or parts[2] != "ticket":
            return False
        if parts[3] == asked.id:
            return True
        question = "\n".join([asked.subject, *(comment.text for comment in last_turn(asked))])
        rows = embedder.embed([question, f"{passage.title}\n{passage.text}"])
        return float(np.dot(rows[0], rows[1])) >= ALIKE

    return is_withheld


def _happened(past: Past) -> dict[str, Any]:
    asked = past.asked
    return {
        "subject": visible(asked.subject),
        "question": visible(asked.comments[0].text)[:LONGEST],
        "answer": visible(past.answer)[:LONGEST],
        "url": asked.url,
        "as_of": past.as_of.isoformat(),
        "requester": [name for name in (asked.requester_name, asked.requester_email) if name],
        "replies": past.replies,
        "hours": round(past.hours, 2),
        "durable": past.durable,
    }


def _measured(stage: Stage, past: Past, way: Way, body: str) -> dict[str, Any]:
    sends = bool(body) and way.draft is not None and way.verdict is not None
    agreement = agree(way.draft, way.verdict, past.answer, way.triage.language) if sends and way.draft and way.verdict else None
    found, linked = linked_found(past.answer, dict(stage.documents), way.found.public)
    nearest = max(way.found.public, key=lambda passage: passage.cosine, default=None)
    return {
        "history": _history(stage, past, way),
        "complete": bool(way.draft and way.draft.complete),
        "proven": way.verdict.supported if way.verdict else None,
        "agreement": agreement.value if agreement else None,
        "facts": agreement.facts if agreement else 0,
        "facts_missing": list(agreement.missing) if agreement else [],
        "contradiction": agreement.contradiction if agreement else None,
        "distance": round(edit_distance(body, past.answer), 3) if body else None,
        "linked": linked,
        "linked_found": found,
        "nearest": {"document": nearest.document, "title": nearest.title, "cosine": round(nearest.cosine, 3)} if nearest else None,
    }


def _history(stage: Stage, past: Past, way: Way) -> str:
    """``kept``: what was found read so then; ``assumed``: today's words stand in for some of it; ``none``: history begins later."""
    if stage.begins is None or past.as_of < stage.begins:
        return "none"
    with Session(reading(stage.flow.engine)) as session:
        guesses = assumed(session, {passage.version for passage in way.found.public}, past.as_of)
    return "assumed" if guesses else "kept"


def _hash(parts: list[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
