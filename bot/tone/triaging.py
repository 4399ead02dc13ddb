"""A trained triage over a configuration: measured on held-out tickets, and made ready for the ticket flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.clean import own_words
from bot.answer.triage import Triage, clean_subject, last_turn, triage
from bot.answer.write import ModelUnavailable
from bot.config import Config
from bot.spending import Purse
from bot.tone.dataset import read_chat
from bot.tone.errands import find_dataset
from bot.tone.labels import FIELDS, LONGEST, read_answer
from bot.tone.sorting import Asked, Case, TunedTriage, cases, compare, of_triage, topics_of
from connectors.base import Comment, ConfigProblem, Ticket, Transient
from storage import voices
from storage.database import reading

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def measure_triage(config: Config, engine: Engine, model: Asked, folder: Path) -> dict[str, Any]:
    """Field by field against the built-in triage. Raises ConfigProblem: nothing held out; Transient: the model is away."""
    found = cases(read_chat(folder / "validation.jsonl"))
    if not found:
        raise ConfigProblem(f"{folder}: nothing is held out; more solved tickets are needed")
    topics = topics_of(str(found[0].messages[0]["content"]))
    tuned, cost = _answers(model, found, topics)
    fields = compare(found, tuned, [of_triage(one) for one in _built_in(config, engine, found)])
    adopted = [name for name, one in fields.items() if one.adopted]
    says = f"better than the built-in triage in {', '.join(adopted)}" if adopted else "in no field shown to beat the built-in triage"
    return {
        "better": bool(adopted), "verdict": says, "held_out": len(found), "few": len(found) < 30, "cost_usd": round(cost, 6),
        "fields": {name: asdict(one) for name, one in fields.items()},
        "not_measured": [name for name in FIELDS if name not in fields],
    }  # fmt: skip


def _answers(model: Asked, found: Sequence[Case], topics: Sequence[str]) -> tuple[list[Mapping[str, Any] | None], float]:
    said: list[Mapping[str, Any] | None] = []
    cost, away = 0.0, 0
    reason = ""
    for one in found:
        try:
            content, usage = model.ask(one.messages, "held-out")
            said.append(read_answer(content, one.text, topics))
            cost += usage.cost_usd
        except ModelUnavailable as outage:
            said.append(None)
            away, reason = away + 1, outage.reason
    if away * 2 >= len(found):
        raise Transient(f"the model answered {len(found) - away} of {len(found)} times, so nothing was measured; {reason}")
    return said, cost


def _built_in(config: Config, engine: Engine, found: Sequence[Case]) -> list[Triage]:
    """With the configuration's topics and everything that teaches the built-in triage; no writer is asked."""
    from bot.deployment import build_finder
    from bot.shelving import build_embedder
    from bot.spending import Budget

    free = config.model_copy(update={"writer": config.writer.model_copy(update={"provider": "extractive"})})
    finder = None
    if config.policy.topics:
        finder = build_finder(free, engine, build_embedder(config.embedding), Purse(engine, Budget(), "tone", lambda: datetime.now(UTC)))
    return [triage(_ticket(one.text), config.languages, topics=config.policy.topics, finder=finder) for one in found]


def _ticket(text: str) -> Ticket:
    subject, _, body = text.partition("\n\n")
    comment = Comment("1", "1", "customer", True, body or subject, NEVER)
    return Ticket("held-out", subject, "new", "1", "1", None, None, (comment,), (), "", NEVER, NEVER)


def message_of(ticket: Ticket) -> str:
    """As a training file shows a message."""
    said = "\n\n".join(own_words(comment.text) or comment.text for comment in last_turn(ticket))
    return f"{clean_subject(ticket.subject)}\n\n{said}"[:LONGEST]


def tuned_triage(config: Config, purse: Purse) -> Callable[[Ticket, Triage], Triage] | None:
    """What the flow puts behind the built-in triage: `tuned(ticket, triage(ticket))`. None where no trained triage is promoted.

    Raises ConfigProblem: its data set is gone, and with it what it was asked.
    """
    from bot.tone.measuring import rewriter_for

    with Session(reading(purse.engine)) as session:
        row = voices.in_use(session, "triage")
    if row is None or row.model is None:
        return None
    _, folder = find_dataset(config, row.dataset)
    system = str(read_chat(folder / "train.jsonl")[0][0]["content"])
    measured = (row.measured or {}).get("fields", {})
    adopted = tuple(name for name, one in measured.items() if one["adopted"])
    model = rewriter_for(config, purse.engine, row.model, row.provider, purse)
    return TunedTriage(model, system, adopted, message_of)
