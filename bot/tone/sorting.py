"""A triage that was trained on agents' tags: measured field by field against the built-in one, and used only where it is better."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from bot.answer.entities import Entity
from bot.answer.triage import Triage
from bot.answer.write import ModelUnavailable, Usage
from bot.simulate.intervals import at_most
from bot.tone.labels import FIELDS, KINDS, read_answer
from connectors.base import ConfigProblem, Ticket

FEWEST = 8  # labelled held-out tickets of a field, before anything is said about it
CHANCE = 0.1  # that a field's lead is luck, at the most, before the field is adopted
log = structlog.get_logger()
_TOPICS = re.compile(r"one of (\[.*?\]) or null")


class Asked(Protocol):
    def ask(self, messages: Sequence[Mapping[str, Any]], ticket_id: str) -> tuple[str, Usage]:
        """The model's content. Raises ModelUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """A held-out ticket: the message, and what agents said of it (None: nothing)."""

    messages: tuple[Mapping[str, Any], ...]
    text: str
    labels: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """One field on the tickets where agents said something of it. `adopted`: the trained one is right more often, and hardly by luck."""

    n: int
    tuned: float
    current: float
    adopted: bool


def topics_of(system: str) -> list[str]:
    """The topics that a prompt names. Raises ConfigProblem for another prompt."""
    found = _TOPICS.search(system)
    if found is None:
        raise ConfigProblem("this data set is none of --task triage; make one with draftdesk tone dataset --task triage")
    return [str(name) for name in json.loads(found[1])]


def cases(conversations: Sequence[Sequence[Mapping[str, Any]]]) -> list[Case]:
    found = []
    for messages in conversations:
        said = json.loads(str(messages[-1]["content"]))
        labels = {"topic": said.get("topic"), "sentiment": said.get("sentiment"), "entities": None}
        if "entities" in said:
            labels["entities"] = tuple(Entity(row["type"], row["text"]) for row in said["entities"])
        found.append(Case(tuple(messages[:-1]), str(messages[1]["content"]), labels))
    return found


def compare(found: Sequence[Case], tuned: Sequence[Mapping[str, Any] | None], current: Sequence[Mapping[str, Any]]) -> dict[str, Compared]:
    """By field. A model that gave no answer is wrong."""
    told = {}
    for field in FIELDS:
        at = [place for place, one in enumerate(found) if one.labels[field] is not None]
        if len(at) < FEWEST:
            continue
        ours = [_right(field, tuned[place], found[place].labels[field]) for place in at]
        theirs = [_right(field, current[place], found[place].labels[field]) for place in at]
        told[field] = Compared(len(at), sum(ours) / len(at), sum(theirs) / len(at), _better(ours, theirs))
    return told


def _right(field: str, said: Mapping[str, Any] | None, label: Any) -> bool:
    if said is None or said[field] is None:
        return False
    return set(said[field]) == set(label) if field == "entities" else bool(said[field] == label)


def _better(ours: Sequence[bool], theirs: Sequence[bool]) -> bool:
    """By McNemar's exact test: of the tickets that only one of them gets right, the other's share would rarely be so small by chance."""
    won, lost = (sum(a and not b for a, b in zip(x, y, strict=True)) for x, y in ((ours, theirs), (theirs, ours)))
    return won > lost and at_most(lost, won + lost, 0.5) <= CHANCE


def of_triage(triage: Triage) -> dict[str, Any]:
    """The built-in triage's answer in the same shape."""
    kinds = tuple(one for one in triage.entities if one.type in KINDS)
    return {"topic": triage.topic, "sentiment": triage.sentiment, "entities": kinds}


@dataclass(frozen=True, slots=True)
class TunedTriage:
    """Call it with a ticket and the built-in triage of it: what it was shown to do better is replaced, everything else stays."""

    model: Asked
    system: str
    fields: tuple[str, ...]
    message_of: Callable[[Ticket], str]

    def __call__(self, ticket: Ticket, triage: Triage) -> Triage:
        """A ticket that is skipped, or speaks to bots, is not shown to a model; one that fails leaves the built-in triage, visibly."""
        if triage.skip is not None or triage.suspicious or not self.fields:
            return triage
        text = self.message_of(ticket)
        try:
            content, usage = self.model.ask(({"role": "system", "content": self.system}, {"role": "user", "content": text}), ticket.id)
        except ModelUnavailable as outage:
            log.warning("the trained triage failed; the built-in one stands in", reason=outage.reason)
            return replace(triage, usage=_sum(triage.usage, outage.usage))
        said = read_answer(content, text, topics_of(self.system))
        if said is None:
            log.warning("the trained triage failed; the built-in one stands in", reason="its answer cannot be read")
            return replace(triage, usage=_sum(triage.usage, usage))
        changes = {field: said[field] for field in self.fields if said[field] is not None}
        if "entities" in changes:
            changes["entities"] = (*changes["entities"], *(one for one in triage.entities if one.type not in KINDS))
        return replace(triage, **changes, usage=_sum(triage.usage, usage))


def _sum(first: Usage | None, second: Usage) -> Usage:
    return second if first is None else first + second
