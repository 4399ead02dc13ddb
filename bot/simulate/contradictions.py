"""Where sources contradict each other, and where agents tell customers something else than a document does.

Only sentences that state a figure with a unit are compared: “30 days” here and “14 days” there about the same is a fault that somebody
can look at and correct. Each sentence is held against those that share enough of its words, found through an index of words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.answer.claims import Claim, claim
from bot.answer.conflict import LEAST_SHARED, differ, subject, windows
from bot.simulate.redact import redact
from storage.ledger import Version
from storage.tables import SampleRow

COMMON = 300  # sentences that share a word: it tells nothing apart and is passed over
EXAMPLES = 5
STALE = 2  # tickets of agents who answer otherwise, and nobody since who answers as the document does


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence with a figure, and where it stands."""

    text: str
    claim: Claim
    subject: frozenset[str]
    document: str
    title: str
    url: str
    updated_at: datetime | None


@dataclass(slots=True)
class Sayings:
    """Sentences by language, found again by the words they are about."""

    language: str | None
    said: list[Said] = field(default_factory=list)
    places: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, one: Said) -> None:
        for word in one.subject:
            self.places[word].append(len(self.said))
        self.said.append(one)

    def about(self, words: frozenset[str]) -> Iterator[Said]:
        shared = Counter(at for word in words if len(self.places.get(word, ())) <= COMMON for at in self.places.get(word, ()))
        yield from (self.said[at] for at, count in shared.items() if count >= min(LEAST_SHARED, len(words)))


@dataclass(slots=True)
class Clash:
    """One document against agents: how many tickets say otherwise, how many the same, and when that was last."""

    said: Said
    agents: str
    why: str
    tickets: list[str] = field(default_factory=list)
    otherwise: datetime | None = None
    same: datetime | None = None
    agree: int = 0


def sayings(versions: Iterable[Version]) -> dict[str | None, Sayings]:
    """All that the documents state with a figure."""
    found: dict[str | None, Sayings] = {}
    for version in versions:
        for text, made in figures(version.markdown, version.language):
            about = subject(made, version.language)
            if len(about) >= LEAST_SHARED:
                one = Said(text, made, about, version.document, version.title, version.url, version.updated_at)
                found.setdefault(version.language, Sayings(version.language)).add(one)
    return found


def figures(text: str, language: str | None) -> Iterator[tuple[str, Claim]]:
    """Its sentences that name a number with a unit."""
    for sentence in windows(text):
        if any(letter.isdigit() for letter in sentence):
            made = claim(sentence, language)
            if any(number.unit for number in made.numbers):
                yield sentence, made


def between_sources(known: Mapping[str | None, Sayings]) -> list[dict[str, Any]]:
    """Each pair of documents that cannot both be right, once, with the sentences."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for language, said in known.items():
        for one in said.said:
            for other in said.about(one.subject):
                pair = (one.document, other.document)
                if pair[0] >= pair[1] or pair in found:
                    continue
                if why := differ(one.claim, other.claim, language):
                    found[pair] = {"why": why, "documents": [_shown(one), _shown(other)]}
    return sorted(found.values(), key=lambda clash: str(clash["documents"][0]["document"]))


def _shown(said: Said) -> dict[str, Any]:
    return {"document": said.document, "title": said.title, "url": said.url, "says": said.text}


def against_agents(known: Mapping[str | None, Sayings], rows: Iterable[SampleRow]) -> list[dict[str, Any]]:
    """Documents that agents contradict, most often contradicted first; `stale`: what agents said last is not what it says."""
    clashes: dict[tuple[str, str], Clash] = {}
    for row in rows:
        language, answer = row.record["triage"]["language"], row.record.get("answer") or ""
        if language in known and any(letter.isdigit() for letter in answer):
            _hold(clashes, known[language], row, redact(answer, row.record["requester"]))
    return [_told(clash) for clash in sorted(clashes.values(), key=lambda one: -len(one.tickets)) if clash.tickets]


def _hold(clashes: dict[tuple[str, str], Clash], known: Sayings, row: SampleRow, answer: str) -> None:
    moment = row.as_of + timedelta(hours=row.record["hours"]) if row.as_of else None
    for text, made in figures(answer, known.language):
        for said in known.about(subject(made, known.language)):
            why = differ(made, said.claim, known.language)
            clash = clashes.get((said.document, said.text))
            if why:
                clash = clash or clashes.setdefault((said.document, said.text), Clash(said, text, why))
                if row.ticket_id not in clash.tickets:
                    clash.tickets.append(row.ticket_id)
                clash.otherwise = later(clash.otherwise, moment)
            elif made.numbers and _same_figures(made, said.claim):
                clash = clash or clashes.setdefault((said.document, said.text), Clash(said, "", ""))
                clash.agree += 1
                clash.same = later(clash.same, moment)
            if clash is not None and why and not clash.agents:
                clash.agents, clash.why = text, why


def _same_figures(one: Claim, other: Claim) -> bool:
    named = {(number.value, number.unit) for number in one.numbers if number.unit}
    return bool(named) and named <= {(number.value, number.unit) for number in other.numbers}


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _told(clash: Clash) -> dict[str, Any]:
    newest = clash.otherwise is not None and (clash.same is None or clash.otherwise > clash.same)
    after = clash.said.updated_at is None or (clash.otherwise is not None and clash.otherwise > clash.said.updated_at)
    return _shown(clash.said) | {
        "agents": clash.agents,
        "why": clash.why,
        "tickets": len(clash.tickets),
        "examples": clash.tickets[:EXAMPLES],
        "agree": clash.agree,
        "last": clash.otherwise.isoformat() if clash.otherwise else None,
        "stale": newest and after and len(clash.tickets) >= STALE,
    }
