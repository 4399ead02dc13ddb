"""Two reports beside each other: what a change of the configuration makes better or worse, by topic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.base import ConfigProblem

COMPARED = ("coverage", "agreement", "agrees", "right", "seconds", "cost_usd")
HIGHER_IS_BETTER = ("coverage", "agreement", "agrees", "right")
CHANGED = ("decision", "citations")


def read_report(path: Path) -> dict[str, Any]:
    """A report.json of an earlier run. Raises ConfigProblem."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ConfigProblem(f"{path}: cannot be read as a report.json ({problem})") from None
    if not isinstance(report, dict) or not {"tickets", "measures", "topics", "by"} <= set(report):
        raise ConfigProblem(f"{path}: is not a report.json of draftdesk simulate")
    return report


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Pure. `tickets`: those that are decided otherwise, or cite other documents; `broken`: topics whose bound held and holds no more.

    A figure is `better` or `worse` by topic only when the two intervals have no value in common: the rest may be chance.
    """
    old = {ticket["ticket_id"]: ticket for ticket in before["tickets"]}
    both = [(old[ticket["ticket_id"]], ticket) for ticket in after["tickets"] if ticket["ticket_id"] in old]
    topics = sorted({*before["by"]["topic"], *after["by"]["topic"]})
    sides = [(name, before["by"]["topic"].get(name, {}), after["by"]["topic"].get(name, {})) for name in topics]
    broken = _broken(before, after)
    return {
        "measures": _pairs(before["measures"], after["measures"]),
        "topics": {name: _pairs(was, now) for name, was, now in sides},
        "better": _moved([("all", before["measures"], after["measures"]), *sides], up=True),
        "worse": _moved([("all", before["measures"], after["measures"]), *sides], up=False),
        "in_both": len(both),
        "tickets": [
            {"ticket_id": new["ticket_id"]} | {name: [was[name], new[name]] for name in CHANGED if was[name] != new[name]}
            for was, new in both
            if any(was[name] != new[name] for name in CHANGED)
        ],
        "broken": list(broken),
        "why": broken,
    }


def _broken(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """Why, by topic. A bound that the operator waives is theirs to answer for, and one that is not asked for holds nothing back."""
    held = {topic["name"]: topic["bound"] for topic in before["topics"] if topic["bound"]["holds"]}
    found = {}
    for topic in after["topics"]:
        bound, was = topic["bound"], held.get(topic["name"])
        if was is None or bound["holds"] or topic.get("waived"):
            continue
        labels = f"{bound['labelled']} labels now, {was['labelled']} before" if bound["labelled"] < was["labelled"] else ""
        needed = f"it takes at least {bound['missing']} more right ones" if bound.get("missing") else ""
        found[topic["name"]] = "; ".join(part for part in (labels, needed) if part) or "it holds no more"
    return found


def _pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[float | None]]:
    found = {name: [_value(before, name), _value(after, name)] for name in COMPARED}
    return {name: pair for name, pair in found.items() if pair != [None, None]}


def _value(figures: Mapping[str, Any], name: str) -> float | None:
    figure = figures.get(name)
    value: float | None = figure.get("value") if isinstance(figure, Mapping) else None
    return value


def _moved(sides: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]], *, up: bool) -> list[list[str]]:
    """[topic, measure] of every figure that surely moved this way."""
    found = []
    for name, before, after in sides:
        for measure in COMPARED:
            was, now = before.get(measure), after.get(measure)
            if not isinstance(was, Mapping) or not isinstance(now, Mapping) or None in (was.get("low"), now.get("low")):
                continue
            rose, fell = now["low"] > was["high"], now["high"] < was["low"]
            good = rose if measure in HIGHER_IS_BETTER else fell
            if (rose or fell) and good == up:
                found.append([name, measure])
    return found
