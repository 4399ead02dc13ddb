"""Tickets of which a part is known: that part is answered, the rest is said not to be known, and nothing of it goes out by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest

from bot.answer.decide import Mode, Rules
from bot.answer.flow import Flow, preview
from connectors.base import Author, Comment
from connectors.sandbox import Sandbox

UNKNOWN = "We have found no answer to your second question yet; a colleague will get back to you about it."
BOTH = "How long is the password reset link valid? And do you sponsor school fairs in March?"
LABEL = "What does the return label cost from my place?"


@dataclass(frozen=True)
class Anything:
    """A topic of which every answer may go out."""

    name: str = "anything"
    deliver: Mode = "reply"
    max_wrong: float | Literal["off"] | None = "off"


@pytest.fixture
def willing(flow: Flow) -> Flow:
    """One that replies by itself wherever nothing keeps it from that."""

    rules = Rules(topics=(Anything(),), default="reply", ceiling="reply", max_replies_per_ticket=9)
    return replace(flow, rules=rules, triage=lambda ticket: replace(flow.triage(ticket), topic="anything"))


def asked(flow: Flow, sandbox: Sandbox, text: str) -> dict[str, Any]:
    ticket = flow.desk.ticket(str(sandbox.desk.keys["answerable"]))
    assert ticket is not None
    comment = Comment("partial", ticket.requester_id, "customer", True, text, ticket.created_at)
    return preview(flow, replace(ticket, subject="", comments=(comment,), language=None))


def test_the_known_part_is_answered_and_the_unknown_one_is_said_not_to_be_known(willing: Flow, sandbox: Sandbox) -> None:
    record = asked(willing, sandbox, BOTH)
    assert record["decision"] == "note"
    assert record["reason"] == "policy: only a part of the questions is answered"
    assert "valid for 30 minutes" in record["body_text"]
    assert UNKNOWN in record["body_text"]


def test_where_no_part_is_known_there_is_no_draft(willing: Flow, sandbox: Sandbox) -> None:
    record = asked(willing, sandbox, "Who founded your company? And do you sponsor school fairs in March?")
    assert (record["decision"], record["body_text"]) == ("handoff", "")


def test_a_question_with_all_its_answer_goes_out(willing: Flow, sandbox: Sandbox) -> None:
    record = asked(willing, sandbox, "How long is the password reset link valid?")
    assert record["decision"] == "reply"
    assert UNKNOWN not in record["body_text"]


def test_the_missing_fact_is_asked_for_by_a_person(willing: Flow, sandbox: Sandbox) -> None:
    record = asked(willing, sandbox, LABEL)
    assert record["decision"] == "note"
    assert record["reason"] == "policy: the draft asks the customer which case is theirs; a person sends it"
    assert all(price in record["body_text"] for price in ("€5.90", "£4.90", "$7.90"))
    assert "Which of these cases is yours?" in record["body_text"]


def test_the_case_that_the_customer_then_names_is_answered(willing: Flow, sandbox: Sandbox) -> None:
    ticket = willing.desk.ticket(str(sandbox.desk.keys["answerable"]))
    assert ticket is not None
    ours = asked(willing, sandbox, LABEL)["body_text"]
    said: tuple[tuple[Author, str], ...] = (("customer", LABEL), ("agent", ours), ("customer", "United Kingdom, please"))
    comments = tuple(
        Comment(f"case{at}", ticket.requester_id, author, True, text, ticket.created_at) for at, (author, text) in enumerate(said)
    )
    record = preview(willing, replace(ticket, subject="", comments=comments, language=None))
    assert record["reason"] == "policy: an agent is at work on the ticket"  # who asked which case it is, just now
    assert "£4.90" in record["body_text"]
    assert "$7.90" not in record["body_text"]
    assert "Which of these cases is yours?" not in record["body_text"]
