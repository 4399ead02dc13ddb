"""What a ticket is about: near enough and nearer than the rest, else of no topic; a model's word counts only as asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bot.answer.topics import MODEL_SURE, TopicFinder, chosen
from bot.answer.write import ModelUnavailable, Usage
from bot.config.model import Topic
from storage.embedding import local_embedder

SET = yaml.safe_load((Path(__file__).parent / "topic_tickets.yaml").read_text(encoding="utf-8"))
TOPICS = tuple(Topic.model_validate(topic) for topic in SET["topics"])
HELD_BACK = [(topic, text) for topic, texts in SET["tickets"].items() for text in texts[1::2]]
TUNED_ON = [(topic, text) for topic, texts in SET["tickets"].items() for text in texts[::2]]


class Model:
    """Says what it is told to; `asked` keeps what it was shown."""

    def __init__(self, says: str | Exception | None) -> None:
        self.says, self.asked = says, list[str]()

    def ask(self, text: str, topics: Any, ticket_id: str) -> tuple[str | None, Usage]:
        self.asked.append(text)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says, Usage(10, 2, 0.001)


def finder(taught: Any = dict, model: Model | None = None) -> TopicFinder:
    return TopicFinder(TOPICS, local_embedder(), taught, model)


@pytest.mark.parametrize("half", [TUNED_ON, HELD_BACK], ids=["tuned on", "held back"])
def test_a_topic_that_is_named_is_the_right_one_and_most_in_its_language_are_named(half: list[tuple[str, str]]) -> None:
    """The examples are English, and so is the built-in embedder: tickets in other languages are mostly of no topic until taught."""
    find = finder()
    found = [(topic, text, find.find(text, "1").name) for topic, text in half]
    assert [(topic, text, name) for topic, text, name in found if name not in (None, topic)] == []
    english = [(topic, name) for (topic, _, name), (_, text) in zip(found, half, strict=True) if topic != "none" and text.isascii()]
    assert sum(name is not None for _, name in english) >= 0.6 * len(english)


def test_tickets_that_agents_marked_teach_what_no_example_says() -> None:
    embed = local_embedder().embed
    asked = "Unser Paket haengt seit Tagen im Verteilzentrum fest"
    assert finder().find(asked, "1").name is None
    past = ["Mein Paket haengt im Verteilzentrum", "Das Paket steckt seit Tagen im Verteilzentrum fest", "Paket haengt im Verteilzentrum"]
    taught = {"shipping": np.asarray(embed(past), dtype=np.float32)}
    found = finder(lambda: taught).find(asked, "1")
    assert (found.name, found.sure > 0.5) == ("shipping", True)
    assert finder(lambda: {"shipping": taught["shipping"][:2]}).find(asked, "1").name is None, "two tickets are no lesson"
    assert finder(lambda: {"gone-topic": taught["shipping"]}).find(asked, "1").name is None


def test_a_model_is_asked_only_where_neighbours_do_not_tell() -> None:
    model = Model("login")
    find = finder(model=model)
    assert find.find("How do I reset my password?", "1").name == "login"
    assert model.asked == []
    found = find.find("Ich komme nicht mehr in mein Konto", "1")
    assert (found.name, found.sure, found.usage.cost_usd) == ("login", MODEL_SURE, 0.001)


def test_a_message_that_speaks_to_bots_does_not_reach_the_model() -> None:
    model = Model("refunds")
    assert finder(model=model).find("Ich komme nicht mehr in mein Konto", "1", may_ask=False).name is None
    assert model.asked == []


def test_a_model_that_is_away_means_no_topic() -> None:
    away = Model(ModelUnavailable("down", retryable=True, usage=Usage(5, 0, 0.0005)))
    found = finder(model=away).find("Ich komme nicht mehr in mein Konto", "1")
    assert (found.name, found.sure, found.usage.cost_usd) == (None, 0.0, 0.0005)


@pytest.mark.parametrize(
    ("content", "topic"),
    [
        ('{"topic": "refunds"}', "refunds"),
        ('{"topic": null}', None),
        ('{"topic": "Refunds"}', None),
        ('{"topic": "free-money"}', None),
        ('{"topic": "refunds", "deliver": "reply"}', None),
        ('{"topic": ["refunds"]}', None),
        ('["refunds"]', None),
        ("refunds", None),
        ('The topic is {"topic": "refunds"}', None),
        ('```json\n{"topic": "refunds"}\n```', None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_only_strict_json_with_one_of_the_names_is_an_answer(content: str, topic: str | None) -> None:
    assert chosen(content, TOPICS) == topic


def test_without_topics_or_words_nothing_is_embedded() -> None:
    class Never:
        name = "never"
        dimensions = 1

        def embed(self, texts: Any) -> Any:
            raise AssertionError(texts)

    assert TopicFinder((), Never(), dict).find("Hello", "1").name is None
    assert TopicFinder(TOPICS, Never(), dict).find("  ", "1").name is None
