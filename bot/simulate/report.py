"""`report.json` for machines and `report.html` for whoever has to decide. Tickets pass through one at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup
from sqlalchemy import Engine
from sqlmodel import Session

from bot.simulate.agreement import ENOUGH
from bot.simulate.charts import bars, calibration
from bot.simulate.intervals import Figure, share
from bot.simulate.measures import DRAFTED, Measures, describe, measure
from bot.simulate.run import Simulation
from bot.simulate.topics import Shown, describe_bound
from storage import samples
from storage.database import reading
from storage.samples import Verdict
from storage.tables import SampleRow

TEMPLATES = Path(__file__).parent / "templates"
BINS = 10
HEADLINE = ("coverage", "proven", "agrees", "right", "seconds", "cost_usd")
# As people say it: (name, what it is).
SPOKEN = {
    "coverage": ("Got a draft", "of all tickets"),
    "proven": ("Wholly proven", "of written drafts"),
    "agrees": ("Agrees with the agent", "of drafts that can be compared"),
    "right": ("Right, say people", "of labelled drafts"),
    "seconds": ("Time per ticket", "without reading it"),
    "cost_usd": ("Cost per ticket", "of the models asked"),
    "agreement": ("Facts in common with the agent", ""),
    "retrieval_hit": ("Linked articles that were found", ""),
    "edit_distance": ("Wording that differs from the agent's", ""),
    "durable": ("Solved for good", ""),
    "history_kept": ("Answered from what is known to have stood there then", ""),
}
REASONS = {
    "no_knowledge": "nothing answers it",
    "unsupported": "not proven",
    "policy": "left to people",
    "customer_request": "wants a person",
    "conflict": "sources disagree",
    "injection": "tries to instruct",
    "skip": "no answer needed",
}


@dataclass(frozen=True, slots=True)
class Material:
    """What a report is made of."""

    engine: Engine
    simulation: Simulation
    bounds: Sequence[Shown]
    labels: Mapping[str, Verdict]
    made_at: datetime
    gaps: Sequence[Mapping[str, Any]] = ()

    def rows(self) -> Iterator[SampleRow]:
        with Session(reading(self.engine)) as session:
            yield from samples.samples(session, self.simulation.connector, self.simulation.fingerprint, self.simulation.run.tickets)


def write_report(material: Material, folder: Path) -> dict[str, Any]:
    """Both files; returns the JSON document. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    measures = measure(material.rows(), material.labels)
    document = summary(material, measures) | {"tickets": [ticket(row, material.labels) for row in material.rows()]}
    _write(folder / "report.json", [json.dumps(document, ensure_ascii=False, indent=2)])
    _write(folder / "report.html", _pages(material, measures, document))
    return document


def _write(path: Path, pieces: Iterator[str] | list[str]) -> None:
    """Readable by its owner only: customers' words stand in it."""
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(piece.encode("utf-8", "replace").decode() for piece in pieces)


def summary(material: Material, measures: Measures) -> dict[str, Any]:
    """report.json without its tickets."""
    run, month, cost = material.simulation.run, measures.per_month(), measures.total.figures()["cost_usd"].value
    return {
        "connector": material.simulation.connector,
        "fingerprint": material.simulation.fingerprint,
        "made_at": material.made_at.isoformat(),
        "stopped": run.stopped,
        "measures": describe(measures.total.figures()),
        "by": {
            kind: {name: {"n": tally.tickets} | describe(tally.figures()) for name, tally in sorted(groups.items())}
            for kind, groups in measures.by.items()
        },
        "topics": [_topic(name, measures, material.bounds) for name in _topic_names(measures, material.bounds)],
        "cost": {
            "usd": round(sum(measures.total.values.get("cost_usd", [])), 6),
            "usd_per_ticket": cost,
            "tickets_per_month": month and round(month, 1),
            "usd_per_month": round(month * cost, 2) if month is not None and cost is not None else None,
        },
    }


def _topic_names(measures: Measures, bounds: Sequence[Shown]) -> list[str]:
    named = [shown.topic for shown in bounds]
    return [*named, *sorted(name for name in measures.by["topic"] if name not in named)]


def _topic(name: str, measures: Measures, bounds: Sequence[Shown]) -> dict[str, Any]:
    tally, shown = measures.by["topic"].get(name), next((one for one in bounds if one.topic == name), None)
    estimate = shown and shown.estimate
    return {
        "name": name,
        "n": tally.tickets if tally else 0,
        "coverage": tally.figures()["coverage"].value if tally else None,
        "bound": describe_bound(shown.bound if shown else None, shown.eligible if shown else 0),
        "estimate": describe_bound(estimate, shown.eligible) if shown and estimate else None,
        "waived": bool(shown and shown.waived),
        "replies": shown.replies if shown else 0,
    }


def ticket(row: SampleRow, labels: Mapping[str, Verdict]) -> dict[str, Any]:
    """One line of `tickets`."""
    record = row.record
    return {
        "sample": row.id,
        "ticket_id": row.ticket_id,
        "as_of": record["as_of"],
        "history": record["history"],
        "decision": row.decision,
        "reason": record["reason"],
        "confidence": row.confidence,
        "topic": row.topic,
        "language": record["triage"]["language"],
        "citations": list(dict.fromkeys(citation["document"] for citation in record["citations"])),
        "agreement": record["agreement"],
        "contradiction": record["contradiction"],
        "label": labels.get(row.words) if row.words else None,
        "eligible": row.eligible,
        "cost_usd": record["usage"]["cost_usd"],
    }


def curve(rows: Iterator[SampleRow], labels: Mapping[str, Verdict]) -> tuple[list[tuple[float, Figure]], bool]:
    """(middle of a stretch of confidence, share right in it); the other value: whether people's labels say so, or an estimate."""
    labelled, guessed = [[0, 0] for _ in range(BINS)], [[0, 0] for _ in range(BINS)]
    for row in rows:
        at = min(BINS - 1, int(row.confidence * BINS))
        verdict, agreement = labels.get(row.words or ""), row.record["agreement"]
        if row.decision in DRAFTED and verdict:
            labelled[at][0] += verdict == "right"
            labelled[at][1] += 1
        if row.decision in DRAFTED and agreement is not None:
            guessed[at][0] += agreement >= ENOUGH
            guessed[at][1] += 1
    told = any(n for _, n in labelled)
    return [((at + 0.5) / BINS, share(*counts)) for at, counts in enumerate(labelled if told else guessed)], told


def _pages(material: Material, measures: Measures, document: Mapping[str, Any]) -> Iterator[str]:
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["figure"] = _shown
    environment.filters["spoken"] = _spoken
    points, labelled = curve(material.rows(), material.labels)
    return environment.get_template("report.html").generate(
        report=document,
        headline=[(name, document["measures"][name]) for name in HEADLINE],
        by_topic=_bars(measures, "topic"),
        by_language=_bars(measures, "language"),
        by_week=_bars(measures, "week"),
        reasons=_reasons(measures),
        replies=sum(topic["replies"] for topic in document["topics"]),
        calibration=calibration(points, "Share right by confidence"),
        labelled=labelled,
        rows=material.rows(),
        labels=material.labels,
        gaps=material.gaps,
    )


def _bars(measures: Measures, kind: str) -> Markup:
    rows = [(name, tally.figures()["coverage"]) for name, tally in sorted(measures.by[kind].items())]
    return bars(rows, f"Coverage by {kind}")


def _reasons(measures: Measures) -> Markup:
    figures = measures.total.figures()
    rows = [(_spoken(name), figure) for name, figure in figures.items() if name.startswith("handoff_")]
    return bars(sorted(rows, key=lambda row: -(row[1].value or 0.0)), "Why there was no draft")


def _spoken(name: str, part: int = 0) -> str:
    """A measure's name as people say it."""
    if name.startswith("handoff_"):
        reason = name.removeprefix("handoff_")
        return REASONS.get(reason, reason.replace("_", " "))
    return SPOKEN.get(name, (name.replace("_", " "), ""))[part]


def _shown(figure: Mapping[str, Any], name: str) -> str:
    """A figure as people read it."""
    if figure["value"] is None:
        return "–"
    if name in ("seconds", "cost_usd"):
        return f"{figure['value']:.2f} s" if name == "seconds" else f"${figure['value']:.4f}" if figure["value"] else "$0"
    return f"{figure['value']:.0%}"
