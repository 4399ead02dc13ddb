"""A topic replies only while its bound counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import pytest

from bot.answer.check import Judged, Verdict
from bot.answer.decide import Bound, Rules, decide, held_back
from bot.answer.retrieve import Found, Passage
from bot.answer.triage import Triage
from bot.answer.write import Draft, Sentence, Usage
from bot.simulate.standing import obstacle
from storage.tables import BoundRow

ASKED = Triage("en", "refunds", "neutral", "normal", (), ("When do I get my money back?",), None, False, ())
PASSAGE = Passage("zendesk:help:article:1", "Refunds", "https://h.example/1", "public", "en", None, (), "Thirty days.", 0.9, 0.7, "v1")
DRAFT = Draft((Sentence("Thirty days.", (1,), "statement"),), (PASSAGE,), Usage(), True, confidence=0.8)
PROVEN = Verdict((Judged("Thirty days.", (1,), "statement", True, ""),), True)
ROW = BoundRow(
    connector="help",
    topic="refunds",
    fingerprint="now",
    max_wrong=0.05,
    threshold=0.6,
    upper=0.04,
    labelled=200,
    missing=0,
    made_at=datetime(2026, 11, 1, tzinfo=UTC),
)


@dataclass(frozen=True)
class Topic:
    name: str
    deliver: Literal["reply", "note", "never"]
    max_wrong: float | Literal["off"] | None = None


def rules(bound: Bound | None, max_wrong: float | Literal["off"] | None = 0.05) -> Rules:
    return Rules((Topic("refunds", "reply", max_wrong),), "note", "reply", 3, bounds=lambda _: bound)


def test_above_its_threshold_a_topic_with_a_bound_replies() -> None:
    assert decide(ASKED, Found((), ()), DRAFT, PROVEN, rules(Bound(0.05, 0.6))).outcome == "reply"


@pytest.mark.parametrize(
    ("bound", "max_wrong", "why"),
    [
        (None, 0.05, "no error bound"),
        (Bound(0.05, 0.9), 0.05, "confidence 0.80 is below 0.90"),
        (Bound(0.10, 0.6), 0.05, "was shown for max_wrong 0.1"),
        (Bound(0.05, 0.6, "the bound of refunds has expired"), 0.05, "has expired"),
        (Bound(0.05, 0.6), None, "no error bound"),
    ],
    ids=["missing", "not confident enough", "for a looser promise", "expired", "no promise asked for"],
)
def test_a_reply_is_held_back_by_a_bound_that_is(bound: Bound | None, max_wrong: float | None, why: str) -> None:
    decision = decide(ASKED, Found((), ()), DRAFT, PROVEN, rules(bound, max_wrong))
    assert decision.outcome == "note"
    assert why in decision.reason


def test_a_waiver_asks_for_no_bound() -> None:
    assert decide(ASKED, Found((), ()), DRAFT, PROVEN, rules(None, "off")).outcome == "reply"


def test_a_bound_counts_while_nothing_changed() -> None:
    assert obstacle(ROW, (0, 0), "now") is None


def test_a_bound_expires_with_whatever_it_rested_on() -> None:
    assert "expired" in (obstacle(ROW, (0, 0), "later") or "")


def test_live_replies_break_a_bound_only_when_chance_does_not_explain_them() -> None:
    assert obstacle(ROW, (20, 2), "now") is None
    assert "broken" in (obstacle(ROW, (20, 5), "now") or "")


def test_a_bound_that_was_not_shown_says_how_many_labels_it_takes() -> None:
    row = BoundRow(**(ROW.model_dump() | {"threshold": None, "missing": 42}))
    assert "42 more right labels" in (obstacle(row, (0, 0), "now") or "")


def test_no_bound_opens_what_the_ceiling_closes() -> None:
    closed = replace(rules(Bound(0.05, 0.6)), ceiling="note")
    assert decide(ASKED, Found((), ()), DRAFT, PROVEN, closed).outcome == "note"


def test_at_the_start_it_is_told_which_topics_stay_notes() -> None:
    waiting = rules(None)
    assert "run draftdesk simulate" in (held_back(waiting.topics[0], waiting) or "")
    shown = rules(Bound(0.05, 0.6))
    assert held_back(shown.topics[0], shown) is None
