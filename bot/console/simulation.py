"""What the bot would have done with past tickets, which topics may reply by themselves, and the labels that this rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlmodel import Session as Database
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.answer.decide import Rules, held_back
from bot.config.model import Topic
from bot.console import charts
from bot.console.office import Office
from bot.console.pages import frame, render
from bot.console.visit import Form, Visitor, note
from bot.simulate.agreement import ENOUGH
from bot.simulate.commands import record_label
from bot.simulate.measures import DRAFTED
from connectors.base import ConfigProblem
from storage import samples
from storage.database import reading
from storage.samples import VERDICTS

BINS = 10
HEADLINE = (
    ("coverage", "got a draft"),
    ("proven", "wholly proven"),
    ("agrees", "agree with the agent"),
    ("right", "right, say people"),
    ("seconds", "seconds for a ticket"),
    ("cost_usd", "for a ticket"),
)


@dataclass(frozen=True, slots=True)
class Report:
    """A report.json without its tickets."""

    connector: str
    told: Mapping[str, Any]
    tickets: int
    points: tuple[tuple[float, float, int], ...]  # confidence, share right, drafts
    labelled: bool  # whether people say what was right, or an estimate

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(str(self.told["made_at"]))

    def measure(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.told["measures"].get(name) or {"value": None, "low": None, "high": None, "n": 0}
        return found

    def by(self, kind: str) -> list[tuple[str, int, float, str]]:
        """(name, tickets, share that got a draft, bar), in the report's order."""
        groups = self.told.get("by", {}).get(kind, {})
        rows = [(name, one["n"], one["coverage"]["value"]) for name, one in groups.items() if one.get("coverage")]
        return [(name, number, share, charts.bar(share)) for name, number, share in rows if share is not None]


@dataclass(frozen=True, slots=True)
class Standing:
    """One topic of the policy in one helpdesk: may it reply by itself now?"""

    topic: Topic
    connector: str
    obstacle: str | None  # why not; None: it does, or by policy it never would
    mode: str


def show(office: Office, visitor: Visitor, request: Request) -> Response:
    reports = [report for name in sorted(office.flows) if (report := read_report(office, name))]
    return render(
        office,
        visitor,
        "simulation.html",
        title="Simulation",
        here="simulation",
        reports=[(report, charts.calibration(report.points, "Share right by confidence")) for report in reports],
        headline=HEADLINE,
        standings=[standing for name in sorted(office.flows) for standing in standings(office, name)],
        connectors=sorted(office.flows),
        **frame(request.cookies, request.query_params),
    )


def standings(office: Office, connector: str) -> list[Standing]:
    rules = office.flows[connector].rules
    return [Standing(topic, connector, _obstacle(topic, rules), topic.deliver) for topic in office.config.policy.topics]


def _obstacle(topic: Topic, rules: Rules) -> str | None:
    if topic.deliver != "reply":
        return None
    return "the connector's deliver: note is the ceiling" if rules.ceiling == "note" else held_back(topic, rules)


def read_report(office: Office, connector: str) -> Report | None:
    """The newest simulation of a helpdesk; None where there was none, or where its file is no report."""
    path = office.config.data_dir / "simulate" / connector / "report.json"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError):
        return None


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> Report:
    """Once for each state of the file: its tickets are many."""
    told = json.loads(path.read_text(encoding="utf-8"))
    tickets = told.pop("tickets")
    drafted = [one for one in tickets if one["decision"] in DRAFTED]
    labels = [(one["confidence"], one["label"] == "right") for one in drafted if one.get("label")]
    guesses = [(one["confidence"], one["agreement"] >= ENOUGH) for one in drafted if one.get("agreement") is not None]
    return Report(str(told["connector"]), told, len(tickets), _points(labels or guesses), bool(labels))


def _points(judged: list[tuple[float, bool]]) -> tuple[tuple[float, float, int], ...]:
    bins: dict[int, list[bool]] = {}
    for confidence, right in judged:
        bins.setdefault(min(BINS - 1, int(confidence * BINS)), []).append(right)
    return tuple(((at + 0.5) / BINS, sum(found) / len(found), len(found)) for at, found in sorted(bins.items()))


def ask(office: Office, visitor: Visitor, request: Request) -> Response:
    """One past draft that nobody has labelled, beside what the agent answered then."""
    connector = request.path_params["connector"]
    with Database(reading(office.engine)) as s:
        mark = samples.newest_run(s, connector)
        row = next(samples.unlabelled(s, connector, mark), None) if mark else None
        sample = None if row is None else dict(row.model_dump())
    return render(
        office,
        visitor,
        "label.html",
        title="Label past drafts",
        here="simulation",
        connector=connector,
        sample=sample,
        **frame(request.cookies, request.query_params),
    )


def label(office: Office, visitor: Visitor, request: Request, form: Form) -> Response:
    """What somebody says of a past draft; the bounds are found anew."""
    sample, said, connector = request.path_params["sample"], form.get("verdict", ""), request.path_params["connector"]
    if said in VERDICTS:
        try:
            record_label(office.config, office.engine, sample, said, office.now())
        except ConfigProblem:
            return RedirectResponse("/simulation?said=nothing", 303)
        with Database(office.engine) as s, s.begin():
            note(s, office, visitor, "labelled a sample", sample, detail=said)
    return RedirectResponse(f"/simulation/{connector}/label?said=labelled", 303)
