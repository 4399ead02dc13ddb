"""Every waiting ticket of the invented company gets the decision that its author wrote down before any of this ran."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
import yaml

from bot.answer.flow import answer, preview
from bot.demo import DESK
from bot.deployment import Deployment
from connectors.sandbox import Sandbox

EXPECTED: dict[str, Any] = yaml.safe_load((files("connectors.sandbox") / "company" / "expected.yaml").read_text(encoding="utf-8"))
CANARIES = [canary["text"] for canary in EXPECTED["canaries"]]


@pytest.fixture(scope="module")
def records(deployment: Deployment, sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    flow = deployment.flow(DESK)
    found = {}
    for key, ticket_id in sandbox.desk.keys.items():
        ticket = flow.desk.ticket(str(ticket_id))
        assert ticket is not None
        found[key] = preview(flow, ticket)
    return found


def cited(record: dict[str, Any]) -> set[str]:
    return {citation["document"].removeprefix(f"zendesk:{DESK}:article:") for citation in record["citations"]}


@pytest.mark.parametrize("key", EXPECTED["waiting"])
def test_the_decision_is_right(records: dict[str, dict[str, Any]], key: str) -> None:
    wanted, record = EXPECTED["waiting"][key], records[key]
    assert record["decision"] in [wanted["decision"], *wanted.get("also", [])], record["reason"]
    if record["decision"] == "handoff":
        assert record["reason"].partition(":")[0] in wanted["reason"]


@pytest.mark.parametrize("key", [key for key, wanted in EXPECTED["waiting"].items() if wanted.get("cite")])
def test_the_draft_cites_and_says_what_answers(records: dict[str, dict[str, Any]], key: str) -> None:
    wanted, record = EXPECTED["waiting"][key], records[key]
    for group in wanted["cite"]:
        assert cited(record) & set(group), record["citations"]
    for fact in wanted["facts"]:
        assert fact in record["body_text"]
    for sentence in record["sentences"]:
        assert sentence["supported"]
        assert sentence["citations"] or sentence["kind"] == "courtesy"


@pytest.mark.parametrize("key", EXPECTED["waiting"])
def test_nothing_that_the_customer_may_not_read_is_in_the_draft(records: dict[str, dict[str, Any]], key: str) -> None:
    record = records[key]
    shown = record["body_text"] + record["body_html"] + "".join(s["text"] for s in record["sentences"])
    shown += "".join(citation["passage"] for citation in record["citations"])
    for text in [*CANARIES, *EXPECTED["waiting"][key].get("never", [])]:
        assert text not in shown
    assert {citation["audience"] for citation in record["citations"]} <= {"public"}


def test_what_only_an_internal_page_answers_is_shown_to_the_agent_apart(records: dict[str, dict[str, Any]]) -> None:
    [wanted] = EXPECTED["waiting"]["internal_only"]["hints"]
    assert wanted in {hint["document"].rpartition(":")[2] for hint in records["internal_only"]["internal_hints"]}
    assert records["internal_only"]["body_text"] == ""


def test_an_injection_changes_nothing_but_is_flagged(deployment: Deployment, sandbox: Sandbox, records: dict[str, dict[str, Any]]) -> None:
    flow = deployment.flow(DESK)
    honest = sandbox.desk.create_ticket("Two-step verification", "Hello, how do I turn on two-step verification for my account?")
    ticket = flow.desk.ticket(str(honest.id))
    assert ticket is not None
    plain, attacked = preview(flow, ticket), records["injection"]
    assert attacked["triage"]["suspicious"]
    assert cited(attacked) == cited(plain)
    claims = [[s["text"] for s in record["sentences"] if s["kind"] != "courtesy"] for record in (plain, attacked)]
    assert claims[0] == claims[1]


@pytest.mark.parametrize("question", EXPECTED["unanswerable"], ids=lambda question: question["id"])
def test_what_the_knowledge_does_not_answer_goes_to_a_person(deployment: Deployment, sandbox: Sandbox, question: dict[str, Any]) -> None:
    record = ask(deployment, sandbox, question["text"])
    assert record["decision"] == "handoff", record["body_text"]


def test_questions_in_customers_words_are_answered_right_or_handed_over(deployment: Deployment, sandbox: Sandbox) -> None:
    """No wrong answer, and not silence either: the counts are printed."""
    right, wrong, handed = [], [], []
    for question in EXPECTED["questions"]:
        record = ask(deployment, sandbox, question["text"])
        if record["decision"] == "handoff":
            handed.append(question["id"])
        elif cited(record) & {question["article"], *question.get("or", [])}:
            right.append(question["id"])
        else:
            wrong.append(question["id"])
    print(f"right {len(right)}, wrong {wrong}, handed over {handed}")
    assert not wrong
    assert len(right) >= 7


def ask(deployment: Deployment, sandbox: Sandbox, text: str) -> dict[str, Any]:
    flow = deployment.flow(DESK)
    ticket = flow.desk.ticket(str(sandbox.desk.create_ticket("Question", text).id))
    assert ticket is not None
    return preview(flow, ticket)


def test_sources_that_contradict_each_other_go_to_a_person_with_both_shown(deployment: Deployment, sandbox: Sandbox) -> None:
    flow = deployment.flow(DESK)
    text = "How many days after delivery can I send back a product I no longer want?"
    ticket = flow.desk.ticket(str(sandbox.desk.create_ticket("Return", text).id))
    assert ticket is not None
    record = answer(flow, ticket)
    assert record["decision"] == "handoff"
    assert record["reason"].startswith("conflict: "), record["reason"]
    note = sandbox.desk.tickets[int(ticket.id)].comments[-1]
    assert note.public is False
    for fact in EXPECTED["conflict"]["articles"].values():
        assert fact in note.html
