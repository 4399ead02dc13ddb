"""Words that match: across forms, accents, languages and machines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.lexical import Sparse, ask, fold, guess, likeness, term_id, weigh, words


def shared(question: Sparse, passage: Sparse) -> int:
    return len(set(question.indices) & set(passage.indices))


@given(st.text(max_size=300), st.sampled_from([None, "en", "fr", "de", "es", "xx"]))
def test_any_text_gives_a_valid_sparse_vector(text: str, language: str | None) -> None:
    for sparse in (weigh(text, language), ask(text, language)):
        assert len(sparse.indices) == len(sparse.values)
        assert list(sparse.indices) == sorted(set(sparse.indices))
        assert all(0 <= term < 2**32 for term in sparse.indices)
        assert all(weight > 0 for weight in sparse.values)


@given(st.text(max_size=200))
def test_a_text_has_every_term_that_it_asks_for_itself(text: str) -> None:
    passage = weigh(text)
    if passage.indices:
        assert set(passage.indices) <= set(ask(text).indices) or guess(words(text))


def test_term_ids_are_the_same_on_every_machine() -> None:
    assert term_id("refund") == 1529615448
    assert term_id("café") == 2561491637


@pytest.mark.parametrize(
    ("language", "question", "passage"),
    [
        ("en", "refunding", "We refund the payments."),
        ("fr", "remboursee", "Elle est remboursée dans les trente jours."),
        ("de", "Rücksendungen", "Die Rücksendung ist kostenlos für Sie."),
        ("de", "strasse", "Die Straße ist gesperrt."),
        ("es", "devoluciones", "La devolución es gratis para todos."),
    ],
)
def test_a_word_is_found_in_another_form_whether_or_not_the_question_tells_its_language(language: str, question: str, passage: str) -> None:
    held = weigh(passage, language)
    assert shared(ask(question, language), held) >= 1
    assert shared(ask(question), held) >= 1


def test_stop_words_weigh_nothing_but_can_be_asked_when_there_is_nothing_else() -> None:
    assert weigh("the and of it is", "en") == Sparse((), ())
    assert ask("who is it").indices


def test_text_without_spaces_is_found_by_a_part_of_it() -> None:
    assert shared(ask("返金"), weigh("ご注文の返金について"))


def test_a_repeated_word_weighs_more_but_never_without_bound() -> None:
    once, often = weigh("refund now").values, weigh("refund " * 50).values
    assert max(once) < max(often) < 2.2


def test_the_language_is_guessed_from_small_words_and_not_from_one_name() -> None:
    assert guess(words("how do i get my money back")) == "en"
    assert guess(words("comment puis-je obtenir le remboursement de ma commande")) == "fr"
    assert guess(words("wie kann ich mein Konto löschen")) == "de"
    assert guess(words("como puedo cancelar mi cuenta")) == "es"
    assert guess(words("Tidewell A-1001")) is None


@given(st.text(max_size=100))
@example("𝓐 İ ẞ ﬁ")
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)
    assert fold(fold(text)) == fold(text)


def test_likeness_prefers_the_misspelt_and_the_inflected_over_the_unrelated() -> None:
    scores = likeness("accont deletion", ["Deleting your account is final.", "Parcels arrive on Monday."])
    assert scores[0] > scores[1]


def test_likeness_hears_word_order() -> None:
    scores = likeness("export channel history", ["Now export channel history.", "History: now export channel."])
    assert scores[0] > scores[1]


@given(st.text(max_size=60), st.lists(st.text(max_size=80), max_size=5))
def test_likeness_is_one_finite_score_per_text(question: str, texts: list[str]) -> None:
    scores = likeness(question, texts)
    assert scores.shape == (len(texts),)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
