"""What a run shows, each figure with its formula and how sure it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from bot.simulate.agreement import ENOUGH
from bot.simulate.intervals import Figure, mean, share
from storage.samples import Verdict
from storage.tables import SampleRow

FORMULAS = {
    "coverage": "tickets that got a draft (reply or note) / all tickets",
    "proven": "drafts of which every sentence is supported by a cited passage / drafts that were written",
    "agreement": "mean over drafts: of the facts (numbers, links, steps) of whoever stated fewer, the share that the other states too;"
    " 0 when draft and agent contradict each other (outcome); drafts or answers without a fact do not count",
    "agrees": f"drafts whose agreement is at least {ENOUGH} / drafts with an agreement: an estimate of right, until people have labelled",
    "right": "labelled right / labelled (right, wrong, unsure)",
    "retrieval_hit": "mean over tickets in whose answer the agent linked known documents: linked documents found / linked documents",
    "edit_distance": "mean over drafts: 1 - 2 · words in common, in order / (words of the draft + words of the agent's answer)",
    "durable": "drafted tickets whose customer did not come back within 7 days of the agent's answer / those of which it can be told",
    "history_kept": "tickets for which all that was found is known to have read so then / all tickets",
    "seconds": "mean seconds per ticket, without reading it from the helpdesk",
    "cost_usd": "mean USD per ticket",
}
SHARES = ("coverage", "proven", "agrees", "right", "durable", "history_kept")
MEANS = ("agreement", "retrieval_hit", "edit_distance", "seconds", "cost_usd")
DRAFTED = ("reply", "note")
BREAKDOWN = ("coverage", "agreement", "agrees", "right", "edit_distance", "seconds", "cost_usd")


@dataclass(slots=True)
class Tally:
    """Numbers only, so that any number of tickets can be counted: (hits, all) of shares, the values of means."""

    tickets: int = 0
    shares: dict[str, list[int]] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, row: SampleRow, verdict: Verdict | None) -> None:
        record, drafted = row.record, row.decision in DRAFTED
        self.tickets += 1
        self._share("coverage", drafted)
        self._share("proven", record["proven"])
        self._share("history_kept", record["history"] == "kept")
        self._share("durable", record["durable"] if drafted else None)
        self._share("right", None if verdict is None else verdict == "right")
        agreement = record["agreement"]
        self._share("agrees", None if agreement is None else agreement >= ENOUGH)
        self._mean("agreement", agreement)
        self._mean("edit_distance", record["distance"])
        self._mean("retrieval_hit", record["linked_found"] / record["linked"] if record["linked"] else None)
        self._mean("seconds", record["timings_ms"]["total"] / 1000)
        self._mean("cost_usd", record["usage"]["cost_usd"])
        if row.decision in ("handoff", "skip"):
            self.reasons[str(record["reason"]).partition(":")[0] if row.decision == "handoff" else "skip"] += 1

    def figures(self) -> dict[str, Figure]:
        found = {name: share(*self.shares.get(name, (0, 0))) for name in SHARES}
        means = {name: mean(self.values.get(name, [])) for name in MEANS}
        handed = {f"handoff_{name}": share(count, self.tickets) for name, count in sorted(self.reasons.items())}
        return {name: (found | means)[name] for name in FORMULAS} | handed

    def _share(self, name: str, hit: bool | None) -> None:
        if hit is not None:
            counts = self.shares.setdefault(name, [0, 0])
            counts[0] += hit
            counts[1] += 1

    def _mean(self, name: str, value: float | None) -> None:
        if value is not None:
            self.values.setdefault(name, []).append(value)


@dataclass(slots=True)
class Measures:
    """Over all tickets, and by topic, language and week (ISO, of the customer's first message)."""

    total: Tally = field(default_factory=Tally)
    by: dict[str, dict[str, Tally]] = field(default_factory=lambda: {"topic": {}, "language": {}, "week": {}})
    first: datetime | None = None
    last: datetime | None = None

    def add(self, row: SampleRow, verdict: Verdict | None) -> None:
        self.total.add(row, verdict)
        groups = {"topic": row.topic or "default", "language": row.record["triage"]["language"]}
        if row.as_of is not None:
            year, week, _ = row.as_of.isocalendar()
            groups["week"] = f"{year}-W{week:02d}"
            self.first = min(self.first or row.as_of, row.as_of)
            self.last = max(self.last or row.as_of, row.as_of)
        for kind, name in groups.items():
            self.by[kind].setdefault(name, Tally()).add(row, verdict)

    def per_month(self) -> float | None:
        """Tickets in 30 days, as often as they came in the time looked at."""
        if self.first is None or self.last is None or self.last <= self.first:
            return None
        return self.total.tickets / max(1.0, (self.last - self.first).total_seconds() / 86_400) * 30


def measure(rows: Iterable[SampleRow], labels: Mapping[str, Verdict]) -> Measures:
    found = Measures()
    for row in rows:
        found.add(row, labels.get(row.words) if row.words else None)
    return found


def describe(figures: Mapping[str, Figure]) -> dict[str, dict[str, Any]]:
    return {name: asdict(figure) | {"formula": formula(name)} for name, figure in figures.items()}


def formula(name: str) -> str:
    return FORMULAS.get(name) or f"tickets handed to a person or skipped because of {name.removeprefix('handoff_')} / all tickets"
