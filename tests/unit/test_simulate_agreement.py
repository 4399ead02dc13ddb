"""Agreement compares facts, not wording; personal data stays out of what is drafted from answers."""

from __future__ import annotations

import pytest

from bot.answer.check import Judged, Verdict
from bot.answer.retrieve import Passage
from bot.answer.write import Draft, Sentence, Usage
from bot.simulate.agreement import agree, edit_distance, linked_found
from bot.simulate.gaps import Unanswered, as_markdown, find_gaps
from bot.simulate.redact import redact
from storage.embedding import local_embedder

SOURCE = Passage("zendesk:help:article:1", "Refunds", "https://kb.example/refunds", "public", "en", None, (), "", 0.9, 0.7, "v1")


def drafted(*texts: str) -> tuple[Draft, Verdict]:
    sentences = tuple(Sentence(text, (1,), "statement") for text in texts)
    draft = Draft(sentences, (SOURCE,), Usage(), True)
    return draft, Verdict(tuple(Judged(text, (1,), "statement", True, "") for text in texts), True)


@pytest.mark.parametrize(
    ("draft", "answer", "value"),
    [
        ("Refunds are paid within 30 days.", "You get your money back within 30 days!", 1.0),
        ("Refunds are paid within 30 days.", "It takes 14 days, sorry.", 0.0),
        ("Refunds are paid within 30 days.", "Sorry for the trouble, I am on it.", None),
        ("See https://kb.example/refunds for the 30 days.", "Look at https://kb.example/refunds please.", 1.0),
        ("Open Settings > Plan > Cancel subscription.", "Go to Settings > Plan > Cancel subscription and confirm.", 1.0),
    ],
)
def test_facts_are_compared(draft: str, answer: str, value: float | None) -> None:
    assert agree(*drafted(draft), answer, "en").value == value


def test_what_contradicts_the_agent_does_not_agree_however_much_else_does() -> None:
    draft = drafted("The warranty of the hub lasts 24 months from delivery.", "Write to us within 30 days.")
    found = agree(*draft, "The warranty of the hub lasts 36 months from delivery. Write to us within 30 days.", "en")
    assert found.value == 0.0
    assert found.contradiction


def test_a_longer_answer_of_the_agents_is_not_held_against_a_draft() -> None:
    found = agree(*drafted("The trial lasts 30 days."), "The trial lasts 30 days. After that it costs 5 euros or 50 euros.", "en")
    assert found.value == 1.0
    assert len(found.missing) == 2


def test_the_edit_distance_runs_from_the_same_to_nothing_in_common() -> None:
    assert edit_distance("a b c", "a b c") == 0.0
    assert edit_distance("a b c", "x y z") == 1.0


def test_linked_articles_are_known_by_their_address() -> None:
    documents = {"kb.example/refunds": "zendesk:help:article:1", "kb.example/other": "zendesk:help:article:2"}
    answer = "See https://kb.example/refunds, and http://kb.example/other, and https://elsewhere.example/x"
    assert linked_found(answer, documents, [SOURCE]) == (1, 2)


def test_personal_data_is_struck_out_and_knowledge_stays() -> None:
    text = "Hi Ana,\n\nOrder A-10012 of Ana Lima goes back to ana@example.org, or call +33 6 12 34 56 78. Refunds take 30 days."
    shown = redact(text, ("Ana Lima", "ana@example.org"))
    assert not any(word in shown for word in ("Ana", "Lima", "A-10012", "example.org", "12 34"))
    assert "Refunds take 30 days." in shown


def unanswered(ticket_id: str, subject: str, question: str, answer: str, replies: int = 1) -> Unanswered:
    return Unanswered(ticket_id, subject, question, answer, "en", 2.0, replies, {"document": "d", "title": "T", "cosine": 0.3})


def test_tickets_that_want_the_same_article_are_one_gap_and_the_largest_comes_first() -> None:
    tickets = [
        unanswered("1", "Shipping to Norway", "Do you ship to Norway?", "We ship to Norway in 6 business days for 12 euros."),
        unanswered("2", "Battery type", "Which battery does the sensor take?", "The sensor takes one CR2450 battery."),
        unanswered("3", "norway delivery", "How long is shipping to Norway?", "Norway: 6 business days. I have sent yours today, Ana."),
    ]
    gaps = find_gaps(tickets, local_embedder())
    assert [gap["tickets"] for gap in gaps] == [2, 1]
    assert gaps[0]["examples"] == ["1", "3"]
    assert "6 business days" in gaps[0]["draft"]
    assert "Ana" not in gaps[0]["draft"]
    assert next(name for name, _ in as_markdown(gaps)) == "001-shipping-to-norway.md"


def test_no_tickets_leave_no_gaps() -> None:
    assert find_gaps([], local_embedder()) == []
