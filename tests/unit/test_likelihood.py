"""What stands out among all that was found is likelier an answer than what is one of many of its kind."""

from __future__ import annotations

import pytest

from bot.answer.extractive import ENOUGH, LIKELY, NEARLY, ExtractiveWriter, evidence
from bot.answer.likelihood import FEWEST, likelihood
from bot.answer.relevance import question_of, rank
from bot.answer.retrieve import Passage
from storage.embedding import local_embedder

EMBED = local_embedder().embed
ASKED = "How can I use another card and pay now?"
RIVALS = (
    ("Change your plan", "You can change the plan of your subscription. You pay the difference."),
    ("Cancel the subscription", "Open the settings of the subscription. A month that has begun is not refunded."),
    ("Change your email address", "Enter the new address, then confirm with the code."),
    ("Open invoices", "The open amount of an invoice can be paid by bank transfer."),
    ("Gift cards", "A gift card pays for products, not for a subscription."),
    ("Lost card with the set-up code", "We send a new card with the code."),
)


def passage(title: str, text: str, score: float, nearness: float = 0.3) -> Passage:
    return Passage(title, title, "https://kb.example", "public", "en", None, (), text, score, 0.45, title, nearness)


def found(score: float, nearness: float = 0.3) -> list[Passage]:
    """The page that answers, with that score, before six others."""
    failed = passage("A subscription payment failed", "Add the new card or PayPal account. Tap Pay now.", score, nearness)
    return [failed, *(passage(title, text, 0.2, nearness) for title, text in RIVALS)]


def likely(passages: list[Passage]) -> float:
    question = question_of(ASKED, "en")
    return likelihood(rank(question, passages, EMBED), question)


def test_the_higher_above_the_nearest_five_the_likelier() -> None:
    assert likely(found(0.3)) < likely(found(0.5)) < likely(found(0.7))
    assert likely(found(0.5, nearness=0.5)) < likely(found(0.5, nearness=0.3))


@pytest.mark.parametrize("passages", [found(0.9)[: FEWEST - 1], found(0.9, nearness=0.0)])
def test_among_too_few_or_without_scores_nothing_stands_out(passages: list[Passage]) -> None:
    assert likely(passages) == 0.0


def test_evidence_that_nearly_suffices_is_enough_for_what_stands_out_and_for_nothing_else() -> None:
    ranked = rank(question_of(ASKED, "en"), found(0.7), EMBED)
    assert NEARLY <= evidence(ranked[0].signals) < ENOUGH, "else this shows nothing"
    assert likely(found(0.7)) >= LIKELY > likely(found(0.3))
    writer = ExtractiveWriter(EMBED)
    assert writer.answer(ASKED, "en", found(0.7), scored=True)
    assert not writer.answer(ASKED, "en", found(0.3), scored=True)
    assert not writer.answer(ASKED, "en", found(0.7), scored=False)
