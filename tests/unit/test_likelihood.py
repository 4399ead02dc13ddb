"""What stands out among all that was found is likelier an answer than what is one of many of its kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.answer.extractive import ENOUGH, LIKELY, LIKELY_QUESTION, ExtractiveWriter
from bot.answer.likelihood import FEWEST, evidence, is_question, likelihood, names, standings, weigh
from bot.answer.relevance import SAME_MEANING, question_of, rank, read
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


def likely(passages: list[Passage], asked: str = ASKED) -> dict[str, float]:
    question = question_of(asked, "en")
    return likelihood(rank(question, read(passages, "en", EMBED), EMBED), question)


def of_the_failed(passages: list[Passage], asked: str = ASKED) -> float:
    return likely(passages, asked)[passages[0].document]


def test_the_higher_above_the_nearest_five_the_likelier() -> None:
    assert of_the_failed(found(0.3)) < of_the_failed(found(0.5)) < of_the_failed(found(0.7))
    assert of_the_failed(found(0.5, nearness=0.5)) < of_the_failed(found(0.5, nearness=0.3))


@pytest.mark.parametrize("passages", [found(0.9)[: FEWEST - 1], found(0.9, nearness=0.0)])
def test_among_too_few_or_without_scores_nothing_stands_out(passages: list[Passage]) -> None:
    assert not likely(passages)


def test_with_scores_what_stands_out_is_quoted_and_nothing_else() -> None:
    assert of_the_failed(found(0.7)) >= LIKELY > of_the_failed(found(0.2))
    writer = ExtractiveWriter(EMBED)
    assert writer.answer(ASKED, "en", found(0.7), scored=True)
    assert not writer.answer(ASKED, "en", found(0.2), scored=True)


def test_without_scores_what_the_question_shares_decides_alone() -> None:
    ranked = rank(question_of(ASKED, "en"), read(found(0.7), "en", EMBED), EMBED)
    assert evidence(ranked[0].signals) < ENOUGH, "else this shows nothing"
    assert not ExtractiveWriter(EMBED).answer(ASKED, "en", found(0.7), scored=False)


def test_a_name_that_the_document_does_not_speak_of_counts_against_it() -> None:
    question = question_of("How can I use another card of Lloyds and pay now?", "en")
    spoken = replace(found(0.5)[1], title="Cards of Lloyds")
    passages = [found(0.5)[0], spoken, *found(0.5)[2:]]
    stand = standings(rank(question, read(passages, "en", EMBED), EMBED), question)
    failed, lloyds = stand[passages[0].document], stand[spoken.document]
    assert (failed.unnamed, lloyds.unnamed) == (1.0, 0.0)
    assert weigh(failed) < weigh(replace(failed, unnamed=0.0))


def test_names_are_told_by_their_capitals_but_not_in_german() -> None:
    assert names(question_of("Hello. Can I pay with Bitcoin? Berlin is far.", "en")) == ("Bitcoin",)
    assert names(question_of("Kann ich mit Bitcoin zahlen?", "de")) == ()


@pytest.mark.parametrize("title", ["How do I archive a mail?", "Archivieren?", "Comment archiver", "Wie archiviert man"])
def test_a_title_can_be_a_question(title: str) -> None:
    assert is_question(title)


@pytest.mark.parametrize("title", ["Archive a mail", "Canned replies", "Issues with mail"])
def test_a_title_need_not_be_a_question(title: str) -> None:
    assert not is_question(title)


def test_under_somebody_elses_question_more_likelihood_is_asked_for() -> None:
    writer = ExtractiveWriter(EMBED)
    drafted: list[float] = []
    silent: list[float] = []
    for step in range(25):
        passages = found(0.2 + step / 50)
        passages[0] = replace(passages[0], title="What if a payment failed?")
        answered = writer.answer(ASKED, "en", passages, scored=True)
        (drafted if answered else silent).append(of_the_failed(passages))
    assert min(drafted) >= LIKELY_QUESTION > max(silent) > LIKELY


def test_an_article_in_parts_is_judged_as_one() -> None:
    first, second = found(0.5)[0], replace(found(0.5)[0], text="If you do not pay, the plan ends.", score=0.2)
    whole = likely([first, second, *found(0.5)[1:]])
    assert whole[first.document] >= likely([second, *found(0.5)[1:]])[first.document]


def test_where_a_message_says_more_than_its_question_the_likelihood_is_no_veto() -> None:
    asked = "How many days do I have to return a lamp after delivery?"
    returns = passage("Returns", "You can return a lamp within 30 days of delivery.", 0.1, nearness=0.9)
    passages = [returns, *(passage(title, text, 0.2, nearness=0.9) for title, text in RIVALS)]
    ranked = rank(question_of(asked, "en"), read(passages, "en", EMBED), EMBED)
    assert evidence(ranked[0].signals) >= ENOUGH, "else this shows nothing"
    writer = ExtractiveWriter(EMBED)
    assert not writer.answer(asked, "en", passages, scored=True)
    assert writer.answer(f"We have moved into a smaller house. {asked}", "en", passages, scored=True)
    assert writer.answer(asked, "en", passages, "Lamp", scored=True)


def test_a_word_of_another_language_comes_as_near_as_its_meaning() -> None:
    pages = read([passage("Refunds", "We refund the price.", 0.5), passage("Hub", "The hub blinks.", 0.5)], "fr", EMBED)
    near = {row.passage.document: row.signals.aligned for row in rank(question_of("rembourser", "fr"), pages, EMBED)}
    assert near["Refunds"] == pytest.approx(SAME_MEANING)
    assert near["Hub"] < SAME_MEANING / 2
