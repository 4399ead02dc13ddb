"""Three hundred questions of customers on the company's articles: what the writer without a model answers, and what it leaves to a person.

Halves are told apart by a hash of the question, so that whoever tunes looks at `tuned` alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.answer.courtesy import other_language
from bot.answer.flow import preview
from bot.answer.links import plain
from bot.answer.words import normal
from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from connectors.base import Comment, Ticket
from connectors.markdown import to_markdown
from connectors.sandbox import Sandbox
from connectors.sandbox.company import load_company

pytestmark = pytest.mark.xdist_group("questions")
HALVES = ("tuned", "held back")
LANGUAGES = ("en", "fr", "de", "es")
# What is held, of each half: fewer right ones, more wrong ones, or more drafts where nothing answers are a step back. It is what is so
# today (71 and 56; 2 and 5; 14 and 8), less what another processor's rounding may turn, and not what is aimed at.
LEAST_RIGHT = {"tuned": 68, "held back": 53}  # of 91 and 90
MOST_WRONG = {"tuned": 3, "held back": 6}
MOST_DRAFTED = {"tuned": 15, "held back": 9}  # of 56 and 63


@dataclass(frozen=True)
class Question:
    """`facts`: any of them makes a draft right; none where no article answers. `article`: the end of its id."""

    language: str
    article: int | None
    facts: tuple[str, ...]
    text: str

    @property
    def half(self) -> str:
        return HALVES[hashlib.sha256(self.text.encode()).digest()[0] % 2]


def _read() -> tuple[Question, ...]:
    rows = yaml.safe_load((Path(__file__).parent / "questions.yaml").read_text(encoding="utf-8"))
    answerable = (Question(language, article, tuple(facts), text) for language, article, facts, text in rows["answerable"])
    return (*answerable, *(Question(language, article, (), text) for language, article, text in rows["unanswerable"]))


QUESTIONS = _read()


@pytest.fixture(scope="module")
def deployment(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """As the one beside, with all the languages that customers here write."""
    path = write_config(tmp_path_factory.mktemp("questions"), sandbox.url)
    path.write_text(
        path.read_text(encoding="utf-8").replace("languages: [en, fr]", f"languages: [{', '.join(LANGUAGES)}]"), encoding="utf-8"
    )
    opened = open_deployment(load(path))
    assert opened.sync(DESK).error is None
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def became(deployment: Deployment, sandbox: Sandbox) -> dict[Question, str]:
    """What became of each: `right` or `wrong` drafts, `drafted` where nothing answers, or `handed over`."""
    flow = deployment.flow(DESK)
    like = flow.desk.ticket(str(sandbox.desk.keys["answerable"]))
    assert like is not None
    return {question: _became(question, preview(flow, _ticket(question, number, like))) for number, question in enumerate(QUESTIONS)}


def _ticket(question: Question, number: int, like: Ticket) -> Ticket:
    comment = Comment(f"q{number}", like.requester_id, "customer", True, question.text, like.created_at)
    return replace(like, subject="", comments=(comment,), language=None)


def _became(question: Question, record: dict[str, Any]) -> str:
    assert record["decision"] in ("note", "reply", "handoff"), record["reason"]  # what is skipped measures nothing
    if record["decision"] == "handoff":
        return "handed over"
    if not question.facts:
        return "drafted"
    return "right" if any(_plain(fact) in _plain(record["body_text"]) for fact in question.facts) else "wrong"


def _plain(text: str) -> str:
    return normal(plain(text)).casefold()


def _count(became: dict[Question, str], half: str, *, answerable: bool) -> Counter[str]:
    return Counter(what for question, what in became.items() if question.half == half and bool(question.facts) == answerable)


@pytest.mark.parametrize("half", HALVES)
def test_what_the_articles_answer_is_answered_with_the_fact_or_left_to_a_person(became: dict[Question, str], half: str) -> None:
    count = _count(became, half, answerable=True)
    print(f"{half}: of {count.total()} answerable {count['right']} right, {count['wrong']} wrong, {count['handed over']} handed over")
    assert count["right"] >= LEAST_RIGHT[half]
    assert count["wrong"] <= MOST_WRONG[half]


@pytest.mark.parametrize("half", HALVES)
def test_what_no_article_answers_is_left_to_a_person(became: dict[Question, str], half: str) -> None:
    count = _count(became, half, answerable=False)
    print(f"{half}: of {count.total()} unanswerable {count['drafted']} drafted, {count['handed over']} handed over")
    assert count["drafted"] <= MOST_DRAFTED[half]


def test_a_german_question_is_answered_from_an_english_article_and_the_draft_says_so(deployment: Deployment, sandbox: Sandbox) -> None:
    flow = deployment.flow(DESK)
    like = flow.desk.ticket(str(sandbox.desk.keys["answerable"]))
    assert like is not None
    record = preview(flow, _ticket(Question("de", 128, ("2.4 GHz",), "Geht der Hub auch mit 5 GHz WLAN?"), 999, like))
    assert record["decision"] == "note", record["reason"]
    assert "2.4 GHz" in _plain(record["body_text"]).replace("ghz", "GHz")
    assert other_language("de", "en") in record["body_text"]


def test_facts_stand_in_public_articles_the_first_or_another_in_the_one_named() -> None:
    told = {
        article.id % 1000: " ".join(
            _plain(f"{text.title} {to_markdown(text.body, 'https://tidewell.example')}") for text in article.translations.values()
        )
        for article in load_company().articles
        if article.segment is None and not any(text.draft for text in article.translations.values())
    }
    everywhere = " ".join(told.values())
    assert {question.article for question in QUESTIONS} - {None} <= set(told)
    for question in QUESTIONS:
        if question.facts:
            assert question.article is not None
            assert any(_plain(fact) in told[question.article] for fact in question.facts), question
            assert all(_plain(fact) in everywhere for fact in question.facts), question


def test_the_set_is_as_large_and_as_mixed_as_it_claims() -> None:
    assert len(set(QUESTIONS)) == len({question.text for question in QUESTIONS}) == 300
    assert 0.55 <= sum(bool(question.facts) for question in QUESTIONS) / 300 <= 0.65
    assert min(Counter(question.half for question in QUESTIONS).values()) >= 130
    assert {question.language for question in QUESTIONS} == set(LANGUAGES)
    near = sum(not question.facts and question.article is not None for question in QUESTIONS)
    assert near >= 80  # the topic is covered, the fact asked for is not
