"""A triage learnt from agents' tags: what is learnt, when it is adopted, and that it can only ever replace what it does better."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.answer.entities import Entity
from bot.answer.triage import Triage, triage
from bot.answer.write import ModelUnavailable, Usage
from bot.tone.labels import Labelled, build_labels, read_answer, read_labels
from bot.tone.redaction import personal
from bot.tone.replies import Dropped
from bot.tone.sorting import TunedTriage, cases, compare, of_triage, topics_of
from bot.tone.triaging import message_of
from connectors.base import Comment, Ticket

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOPICS = ["refunds", "set-up"]


def ticket(text: str, *tags: str, answer: str = "", identity: str = "7") -> Ticket:
    said = [Comment("1", "u", "customer", True, text, MONDAY)]
    if answer:
        said.append(Comment("2", "a", "agent", True, answer, MONDAY))
    return Ticket(identity, "Help", "closed", "v", "u", "ana@mail.example", "Ana Lima", tuple(said), tags, "", MONDAY, MONDAY)


def labelled(text: str, *tags: str, answer: str = "") -> Labelled | Dropped:
    return read_labels("help", ticket(text, *tags, answer=answer), TOPICS, ["en"])


def test_tags_are_labels_and_a_later_one_corrects_an_earlier() -> None:
    found = labelled("My hub is broken, says Ana Lima of ana@mail.example", "topic-set_up", "sentiment-neutral", "sentiment-negative")
    assert isinstance(found, Labelled)
    assert (found.topic, found.sentiment) == ("set-up", "negative")
    assert "Lima" not in found.text
    assert personal(found.text) == ()
    assert labelled("My hub is broken", "vip") == Dropped("help:7", "no tag says anything")


def test_an_order_number_that_an_agent_confirmed_is_learnt_to_be_found_but_not_which_it_was() -> None:
    found = labelled("Where is order A-1001, and A-2002?", "refunds", answer="Your order A-1001 left today.")
    assert isinstance(found, Labelled)
    assert found.entities is not None
    [one] = found.entities
    assert one.type == "order"
    assert one.text in found.text
    assert "1001" not in found.text + found.answer
    assert "2002" not in found.text


def test_files_hold_one_line_a_ticket_and_name_the_topics() -> None:
    rows = [
        read_labels("help", ticket(f"{word} {n} my part{n} of{n} it{n} now{n}", tag, identity=f"{n}"), TOPICS, ["en"])
        for n in range(30)
        for word, tag in [("Refund please", "refunds") if n % 2 else ("Cannot pair", "set-up")]
    ]
    made = build_labels(rows, TOPICS)
    assert (made.task, len(made.train) + len(made.validation)) == ("triage", 30)
    assert topics_of(made.system) == TOPICS


ASKED = ({"role": "system", "content": "s"}, {"role": "user", "content": "m"})
CASES = cases([[*ASKED, {"role": "assistant", "content": json.dumps({"topic": TOPICS[n % 2], "sentiment": "neutral"})}] for n in range(20)])


def answers(right: int) -> list[dict[str, Any]]:
    return [{"topic": TOPICS[n % 2] if n < right else None, "sentiment": "neutral", "entities": ()} for n in range(20)]


@pytest.mark.parametrize(("ours", "theirs", "adopted"), [(18, 8, True), (10, 10, False), (8, 18, False), (11, 10, False)])
def test_a_field_is_adopted_only_where_it_beats_the_built_in_triage_beyond_luck(ours: int, theirs: int, adopted: bool) -> None:
    told = compare(CASES, answers(ours), answers(theirs))
    assert told["topic"].adopted is adopted
    assert told["sentiment"].adopted is False
    assert "entities" not in told


def test_a_model_that_gives_no_answer_is_wrong() -> None:
    assert compare(CASES, [None] * 20, answers(10))["topic"].tuned == 0.0


class Model:
    def __init__(self, says: str | None) -> None:
        self.says, self.asked = says, 0

    def ask(self, messages: object, ticket_id: str) -> tuple[str, Usage]:
        self.asked += 1
        if self.says is None:
            raise ModelUnavailable("away", retryable=True)
        return self.says, Usage(cost_usd=0.1)


SYSTEM = 'one of ["refunds", "set-up"] or null'
ONE = ticket("Where is my money for order A-1001?")
BUILT_IN = replace(triage(ONE, ["en"]), skip=None)


def sorted_by(says: str | None, *fields: str, given: Triage = BUILT_IN) -> Triage:
    return TunedTriage(Model(says), SYSTEM, fields, message_of)(ONE, given)


def test_only_adopted_fields_are_replaced_and_only_by_what_can_be_believed() -> None:
    orders = [{"type": "order", "text": "A-1001"}, {"type": "order", "text": "B-9"}]
    said = json.dumps({"topic": "refunds", "sentiment": "negative", "entities": orders})
    tuned = sorted_by(said, "topic", "entities")
    assert (tuned.topic, tuned.sentiment) == ("refunds", BUILT_IN.sentiment)
    assert Entity("order", "A-1001") in tuned.entities
    assert Entity("order", "B-9") not in tuned.entities
    assert tuned.usage == Usage(cost_usd=0.1)
    assert sorted_by('{"topic": "invented"}', "topic").topic == BUILT_IN.topic
    assert replace(sorted_by(said, "topic"), topic=BUILT_IN.topic, usage=None) == BUILT_IN


@pytest.mark.parametrize("says", [None, "no JSON", "[]"])
def test_a_model_that_fails_leaves_the_built_in_triage(says: str | None) -> None:
    assert replace(sorted_by(says, "topic"), usage=None) == BUILT_IN


def test_a_skipped_or_suspicious_ticket_is_shown_to_no_model() -> None:
    for given in (replace(BUILT_IN, skip="closed"), replace(BUILT_IN, suspicious=("speaks to bots",))):
        model = Model('{"topic": "refunds"}')
        assert TunedTriage(model, SYSTEM, ("topic",), message_of)(ONE, given) is given
        assert model.asked == 0


def test_an_answer_may_be_wrapped_in_words_and_an_invented_entity_is_none() -> None:
    said = read_answer('Sure: {"topic": "refunds", "entities": [{"type": "email", "text": "x"}]} done', "x", TOPICS)
    assert said == {"topic": "refunds", "sentiment": None, "entities": ()}
    assert of_triage(BUILT_IN)["entities"] == (Entity("order", "A-1001"),)
