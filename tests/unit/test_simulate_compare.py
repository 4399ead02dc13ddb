"""What a change makes better or worse, and that a broken bound does not go unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.simulate.compare import compare, read_report
from connectors.base import ConfigProblem


def report(holds: bool, coverage: float, *decisions: str) -> dict[str, Any]:
    figures = {"coverage": {"value": coverage, "low": coverage - 0.05, "high": coverage + 0.05}}
    return {
        "tickets": [{"ticket_id": str(at), "decision": decision, "citations": []} for at, decision in enumerate(decisions)],
        "measures": figures,
        "by": {"topic": {"refunds": figures}},
        "topics": [{"name": "refunds", "waived": False, "bound": {"holds": holds, "labelled": 90 if holds else 12, "missing": 60}}],
    }


def test_what_changed_is_told_by_topic_and_ticket() -> None:
    told = compare(report(True, 0.5, "note", "handoff"), report(True, 0.7, "note", "note", "note"))
    assert told["topics"] == {"refunds": {"coverage": [0.5, 0.7]}}
    assert told["tickets"] == [{"ticket_id": "1", "decision": ["handoff", "note"]}]
    assert (told["in_both"], told["broken"]) == (2, [])


@pytest.mark.parametrize(("before", "after", "broken"), [(True, False, ["refunds"]), (False, False, []), (False, True, [])])
def test_a_bound_breaks_only_where_it_held(before: bool, after: bool, broken: list[str]) -> None:
    assert compare(report(before, 0.5), report(after, 0.5))["broken"] == broken


def test_why_a_bound_breaks_is_told_and_a_waiver_is_the_operators_word() -> None:
    after = report(False, 0.5)
    assert compare(report(True, 0.5), after)["why"] == {"refunds": "12 labels now, 90 before; it takes at least 60 more right ones"}
    after["topics"][0]["waived"] = True
    assert compare(report(True, 0.5), after)["broken"] == []


def test_better_and_worse_are_said_only_of_what_chance_does_not_explain() -> None:
    assert compare(report(True, 0.5), report(True, 0.55))["better"] == []
    told = compare(report(True, 0.5), report(True, 0.7))
    assert (told["better"], told["worse"]) == ([["all", "coverage"], ["refunds", "coverage"]], [])
    assert compare(report(True, 0.7), report(True, 0.5))["worse"] == [["all", "coverage"], ["refunds", "coverage"]]


@pytest.mark.parametrize("content", ["no json", "[]", '{"tickets": []}'])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(ConfigProblem, match=r"report\.json"):
        read_report(path)
