"""Recurring edits of agents as proposed rules, each tried on the past tickets of the newest simulation before anybody adopts it."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Engine, select
from sqlmodel import Session

from bot.answer.voice import changed
from bot.config import Config
from bot.tone.dataset import SOURCES
from bot.tone.errands import find_dataset
from bot.tone.plain import facts
from bot.tone.registry import registry
from storage import samples
from storage.database import reading
from storage.tables import SampleRow, table

Kind = Literal["tone", "fact", "policy"]
FEWEST = 3  # tickets in which the same edit was made
LONGEST = 8  # words of either side of an edit; more is no recurring phrase
AROUND = 1  # unchanged words on either side that say where an edit belongs
BINDING = "changed a negation, a condition, a unit or a promise"  # as `changed` says it
_POLICY = re.compile(
    r"\b(?:refund|free|guarantee|promise|sorry|apolog|contact|call us|colleague|rembours|gratuit|kostenlos|erstatt|reembols)", re.IGNORECASE
)
rows_ = table(SampleRow)


@dataclass(frozen=True, slots=True)
class Edit:
    ticket: str
    language: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Trial:
    """On the simulation's drafts of the language: how many hold the phrase, how many then come nearer to what the agent wrote or go
    away from it, and in how many a fact, a negation or a promise would move.
    """

    drafts: int
    touched: int
    nearer: int
    farther: int
    facts_moved: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """`kind` fact: the knowledge is to be looked at; policy: what is promised is to be decided; tone: a phrase."""

    kind: Kind
    language: str
    before: str
    after: str
    tickets: tuple[str, ...]
    trial: Trial | None = None

    @property
    def holds(self) -> bool:
        """Whether the trial speaks for it: no fact moves, and drafts come nearer more often than not."""
        one = self.trial
        return self.kind == "tone" and one is not None and one.facts_moved == 0 and one.nearer > one.farther


def edits(pairs: Iterable[tuple[str, str, str, str]]) -> list[Edit]:
    """Of (ticket, language, draft, the agent's reply): each short phrase that was replaced, added or taken away."""
    found = []
    for ticket, language, draft, reply in pairs:
        ours, theirs = draft.split(), reply.split()
        for what, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
            if what == "equal" or b - a > LONGEST or d - c > LONGEST:
                continue
            beside = AROUND if what == "insert" else 0  # nothing to be found again by, but the words beside it
            before, after = ours[max(0, a - beside) : b + beside], theirs[max(0, c - beside) : d + beside]
            found.append(Edit(ticket, language, " ".join(before), " ".join(after)))
    return found


def propose(found: Sequence[Edit], fewest: int = FEWEST) -> list[Proposal]:
    """Edits that several tickets share, the most frequent first."""
    by_phrase: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in found:
        if one.before and one.before != one.after:
            by_phrase[one.language, one.before, one.after].add(one.ticket)
    kept = [
        Proposal(kind_of(before, after), language, before, after, tuple(sorted(tickets)))
        for (language, before, after), tickets in by_phrase.items()
        if len(tickets) >= fewest
    ]
    return sorted(kept, key=lambda one: (-len(one.tickets), one.language, one.before))


def kind_of(before: str, after: str) -> Kind:
    if facts(before) != facts(after):
        return "fact"
    return "policy" if _POLICY.search(before) or _POLICY.search(after) or changed(before, after) == BINDING else "tone"


def tried(proposal: Proposal, drafts: Sequence[tuple[str, str, str]]) -> Trial:
    """On (language, draft, what the agent wrote)."""
    phrase = re.compile(rf"(?<!\w){re.escape(proposal.before)}(?!\w)")
    spoken = [(draft, answer) for language, draft, answer in drafts if language == proposal.language]
    touched = nearer = farther = moved = 0
    for draft, answer in spoken:
        after = phrase.sub(lambda _: proposal.after, draft)
        if after == draft:
            continue
        touched += 1
        gain = _likeness(after, answer) - _likeness(draft, answer)
        nearer += gain > 0
        farther += gain < 0
        moved += facts(after) != facts(draft) or changed(draft, after) == BINDING
    return Trial(len(spoken), touched, nearer, farther, moved)


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.split(), other.split(), autojunk=False).ratio()


def rules(config: Config) -> list[dict[str, Any]]:
    """Every proposal with its trial, for `tone rules`; nothing is changed. Raises ConfigProblem: no data set yet."""
    _, folder = find_dataset(config, None, "tone")
    sources = (
        [json.loads(line) for line in (folder / SOURCES).read_text(encoding="utf-8").splitlines()] if (folder / SOURCES).exists() else []
    )
    lines = [json.loads(line) for line in (folder / "preference.jsonl").read_text(encoding="utf-8").splitlines() if line.strip()]
    about = [row for row in sources if row["file"] == "preference.jsonl"]
    proposals = propose(edits(_pair(row, line) for row, line in zip(about, lines, strict=False)))
    with registry(config) as engine:
        drafts = past_drafts(engine, [settings.name for settings in config.connectors])
    return [_shown(one, tried(one, drafts)) for one in proposals]


def _pair(source: Mapping[str, Any], line: Mapping[str, Any]) -> tuple[str, str, str, str]:
    rejected, preferred = (str(line[name][0]["content"]) for name in ("non_preferred_output", "preferred_output"))
    return source["ticket"], source["language"], rejected, preferred


def past_drafts(engine: Engine, connectors: Sequence[str]) -> list[tuple[str, str, str]]:
    """(language, draft, the agent's answer) of the newest simulation of each helpdesk."""
    found = []
    with Session(reading(engine)) as session:
        for connector in connectors:
            newest = samples.newest_run(session, connector)
            query = select(rows_.c.record).where(rows_.c.connector == connector, rows_.c.fingerprint == newest)
            for (record,) in session.connection().execute(query):
                if record.get("body_text") and record.get("answer"):
                    found.append((record["triage"]["language"], record["body_text"], record["answer"]))
    return found


def _shown(one: Proposal, trial: Trial) -> dict[str, Any]:
    tried_one = Proposal(one.kind, one.language, one.before, one.after, one.tickets, trial)
    advice = {
        "fact": "look at the knowledge: agents correct what it says",
        "policy": "decide what may be promised, and write it into the knowledge",
        "tone": "the trial speaks for it" if tried_one.holds else "the trial does not speak for it",
    }[one.kind]
    figures = {name: getattr(trial, name) for name in Trial.__slots__}
    about = {"kind": one.kind, "language": one.language, "before": one.before, "after": one.after, "tickets": list(one.tickets)}
    return about | {"trial": figures, "holds": tried_one.holds, "advice": advice}
