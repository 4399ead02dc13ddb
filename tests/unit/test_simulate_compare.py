"""What a change makes better or worse, and that a broken bound does not go unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.simulate.compare import compare, read_report
from connectors.base import ConfigProblem


def report(holds: bool, coverage: float, *decisions: str) -> dict[str, Any]:
    figures = {"coverage": {"value": coverage}}
    return {
        "tickets": [{"ticket_id": str(at), "decision": decision, "citations": []} for at, decision in enumerate(decisions)],
        "measures": figures,
        "by": {"topic": {"refunds": figures}},
        "topics": [{"name": "refunds", "bound": {"holds": holds}}],
    }


def test_what_changed_is_told_by_topic_and_ticket() -> None:
    told = compare(report(True, 0.5, "note", "handoff"), report(True, 0.7, "note", "note", "note"))
    assert told["topics"] == {"refunds": {"coverage": [0.5, 0.7]}}
    assert told["tickets"] == [{"ticket_id": "1", "decision": ["handoff", "note"]}]
    assert (told["in_both"], told["broken"]) == (2, [])


@pytest.mark.parametrize(("before", "after", "broken"), [(True, False, ["refunds"]), (False, False, []), (False, True, [])])
def test_a_bound_breaks_only_where_it_held(before: bool, after: bool, broken: list[str]) -> None:
    assert compare(report(before, 0.5), report(after, 0.5))["broken"] == broken


@pytest.mark.parametrize("content", ["no json", "[]", '{"tickets": []}'])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(ConfigProblem, match=r"report\.json"):
        read_report(path)
