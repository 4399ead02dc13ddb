"""Two reports beside each other: what a change of the configuration makes better or worse, by topic."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.base import ConfigProblem

COMPARED = ("coverage", "agreement", "agrees", "right", "seconds", "cost_usd")
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
    """Pure. `broken`: topics whose bound held and holds no more; `tickets`: those that are decided otherwise, or cite other documents."""
    old = {ticket["ticket_id"]: ticket for ticket in before["tickets"]}
    both = [(old[ticket["ticket_id"]], ticket) for ticket in after["tickets"] if ticket["ticket_id"] in old]
    held = {topic["name"]: topic["bound"]["holds"] for topic in before["topics"]}
    return {
        "measures": _pairs(before["measures"], after["measures"]),
        "topics": {
            name: _pairs(before["by"]["topic"].get(name, {}), after["by"]["topic"].get(name, {}))
            for name in sorted({*before["by"]["topic"], *after["by"]["topic"]})
        },
        "in_both": len(both),
        "tickets": [
            {"ticket_id": new["ticket_id"]} | {name: [was[name], new[name]] for name in CHANGED if was[name] != new[name]}
            for was, new in both
            if any(was[name] != new[name] for name in CHANGED)
        ],
        "broken": [topic["name"] for topic in after["topics"] if held.get(topic["name"]) and not topic["bound"]["holds"]],
    }


def _pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[float | None]]:
    found = {name: [before.get(name, {}).get("value"), after.get(name, {}).get("value")] for name in COMPARED}
    return {name: pair for name, pair in found.items() if pair != [None, None]}
