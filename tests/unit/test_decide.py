"""What becomes of a checked draft, and what is decided before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pytest

from bot.answer.check import Judged, Verdict
from bot.answer.decide import Rules, decide, refuse_early
from bot.answer.retrieve import Found, Passage
from bot.answer.triage import Triage
from bot.answer.write import Draft, Sentence, Usage

NOTHING = Found((), ())
ASKED = Triage("en", None, "neutral", "normal", (), ("How long is the warranty?",), None, False, ())
PASSAGE = Passage("zendesk:help:article:1", "Warranty", "https://h.example/1", "public", "en", None, (), "Three years.", 0.9, 0.7, "v1")
DRAFT = Draft((Sentence("Three years.", (1,), "statement"),), (PASSAGE,), Usage(), True)
PROVEN = Verdict((Judged("Three years.", (1,), "statement", True, ""),), True)
UNPROVEN = Verdict((Judged("Four years.", (1,), "statement", False, "the number 4 is in no cited passage"),), False)


@dataclass(frozen=True)
class Topic:
    name: str
    deliver: Literal["reply", "note", "never"]
    max_wrong: float | Literal["off"] | None = None


RULES = Rules((Topic("refunds", "reply", "off"), Topic("shipping", "reply", 0.02), Topic("legal", "never")), "note", "reply", 3)


def about(topic: str) -> Triage:
    return replace(ASKED, topic=topic)


def test_a_proven_draft_becomes_a_note() -> None:
    assert decide(ASKED, NOTHING, DRAFT, PROVEN, RULES).outcome == "note"


def test_an_unsupported_sentence_goes_to_a_person_with_the_reason() -> None:
    decision = decide(ASKED, NOTHING, DRAFT, UNPROVEN, RULES)
    assert decision.outcome == "handoff"
    assert decision.reason == "unsupported: the number 4 is in no cited passage"


def test_no_answer_is_a_typed_hand_off() -> None:
    assert decide(ASKED, NOTHING, None, None, RULES).reason.startswith("no_knowledge: ")


def test_a_model_that_says_it_does_not_know_is_believed() -> None:
    silent = replace(DRAFT, sentences=())
    assert decide(ASKED, NOTHING, silent, Verdict((), False), RULES).reason.startswith("no_knowledge: ")


def test_courtesies_alone_are_no_answer() -> None:
    polite = Verdict((Judged("Kind regards", (), "courtesy", True, ""),), False)
    assert decide(ASKED, NOTHING, DRAFT, polite, RULES).reason == "unsupported: nothing but courtesies"


def test_a_reply_is_sent_only_where_the_bound_is_waived() -> None:
    assert decide(about("refunds"), NOTHING, DRAFT, PROVEN, RULES).outcome == "reply"
    assert decide(about("shipping"), NOTHING, DRAFT, PROVEN, RULES).outcome == "note"


@pytest.mark.parametrize(
    ("triage", "draft", "rules"),
    [
        (about("refunds"), DRAFT, replace(RULES, ceiling="note")),
        (replace(about("refunds"), suspicious=("tells the bot what to do",)), DRAFT, RULES),
        (about("refunds"), replace(DRAFT, complete=False), RULES),
        (about("refunds"), replace(DRAFT, asks=True), RULES),
    ],
    ids=["the connector's ceiling", "an attempt to instruct the bot", "a partial answer", "a question to the customer"],
)
def test_a_reply_is_lowered_to_a_note_by(triage: Triage, draft: Draft, rules: Rules) -> None:
    assert decide(triage, NOTHING, draft, PROVEN, rules).outcome == "note"


@pytest.mark.parametrize(
    ("triage", "replies", "outcome", "begins"),
    [
        (replace(ASKED, skip="the ticket is closed"), 0, "skip", "the ticket is closed"),
        (replace(ASKED, human_wanted=True), 0, "handoff", "customer_request: "),
        (about("legal"), 0, "handoff", "policy: "),
        (replace(ASKED, questions=()), 0, "handoff", "no_knowledge: "),
        (ASKED, 3, "skip", "policy: "),
        (replace(ASKED, human_wanted=True), 3, "skip", "policy: "),
    ],
)
def test_before_anything_is_written(triage: Triage, replies: int, outcome: str, begins: str) -> None:
    decision = refuse_early(triage, RULES, replies)
    assert decision is not None
    assert decision.outcome == outcome
    assert decision.reason.startswith(begins)


def test_an_ordinary_question_goes_on() -> None:
    assert refuse_early(ASKED, RULES, 2) is None
