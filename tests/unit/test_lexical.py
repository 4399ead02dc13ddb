"""Words that match: across forms, accents, languages and machines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage.lexical import (
    BORDER,
    LATER,
    OPENING,
    Sparse,
    _letters,
    ask,
    echo,
    emphasis,
    fold,
    guess,
    likeness,
    opening,
    sequences,
    term_id,
    weigh,
    words,
)


def weights_of(question: str) -> dict[int, float]:
    asked = ask(question, "en")
    return dict(zip(asked.indices, asked.values, strict=True))


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
        ("de", "Kündigungen", "Die Kündigung ist jederzeit möglich."),
        ("de", "versendeten", "Wir versenden an Werktagen."),
        ("es", "cancelaciones", "Una cancelación es posible hasta el último día."),
        ("es", "facturacion", "La facturación se hace cada mes."),
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


def test_text_without_spaces_is_found_though_it_stands_among_latin_words() -> None:
    assert shared(ask("API キーの再発行"), weigh("管理画面でAPI キーを再発行します")) >= 3
    assert echo("返金の手続きについて", sequences(["返金の手続きについてのご案内", "配送の日程"])).argmax() == 0


def test_a_word_asked_twice_weighs_more() -> None:
    asked = weights_of("refund refund parcel")
    assert asked[term_id("refund")] > asked[term_id("parcel")]


def test_the_opening_of_a_long_question_weighs_more_than_all_that_follows() -> None:
    assert emphasis(OPENING) == [1.0] * OPENING
    for count in (OPENING + 1, 2 * OPENING, 500):
        weights = emphasis(count)
        assert len(weights) == count
        assert max(weights) == 1.0
        assert sum(weights[OPENING:]) <= max(LATER * OPENING, 1.0) + 1e-9
    asked = weights_of("refund my card please now " * 5 + "parcel " * 300)
    assert asked[term_id("parcel")] < OPENING


def test_only_a_long_question_has_an_opening() -> None:
    assert opening("refund " * OPENING) is None
    assert opening(" new\nturn " + "old " * 40) == "new turn" + " old" * (OPENING - 2)
    assert opening("") is None


def test_echo_hears_the_opening_over_what_follows() -> None:
    question = "how are refunds paid to my card when the parcel is lost on its way to me please "
    texts = ["Refunds paid to the card, parcel lost.", "The delivery by train runs on time, with stops at " + "many towns on the line."]
    told = question + texts[1] + " and I wrote all this before: " + " ".join(f"word{at} part{at}" for at in range(60))
    first, second = echo(told, sequences(texts))
    assert first > second
    first, second = likeness(told, texts)
    assert first < second


@settings(max_examples=200)
@given(st.lists(st.text(st.one_of(st.characters(max_codepoint=0x24F), st.characters()), max_size=30), min_size=1, max_size=4))
@example(["Straße", "ΟΔΟΣ ﬁn", "cafe\u0301", "返金 の", "a\x01b", "ŉ½…™", "00ำ"])
def test_all_texts_at_once_are_folded_as_word_by_word(texts: list[str]) -> None:
    sound = [text.encode("utf-8", "replace").decode() for text in texts]
    spaced = "".join(" ".join(["", *words(text), chr(BORDER)]) for text in sound)
    assert "".join(map(chr, _letters(texts))) == chr(BORDER) + spaced


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
    for scores in (likeness(question, texts), echo(question, sequences(texts))):
        assert scores.shape == (len(texts),)
        assert np.isfinite(scores).all()
        assert (scores >= 0).all()


@given(st.text(max_size=60), st.lists(st.text(max_size=80), min_size=1, max_size=4))
@example("a refund", ["a\x01refund", "refund\x00a", "日本 refund"])
def test_texts_are_scored_apart_whatever_stands_beside_them(question: str, texts: list[str]) -> None:
    """A text that holds nothing of the question scores nothing, though its neighbours' ends and beginnings would."""
    scores = echo(question, sequences(texts))
    letters = f" {' '.join(words(question))} "
    wanted = {letters[at : at + 6] for at in range(len(letters) - 5)}
    for text, score in zip(texts, scores, strict=True):
        spaced = f" {' '.join(words(text))} "
        assert bool(score > 0) == any(gram in spaced for gram in wanted)


@given(st.lists(st.text(max_size=40), max_size=4))
@example(["", "refunds in cash", "a\x01b", "日本 refund"])
def test_texts_read_together_are_read_as_each_alone(texts: list[str]) -> None:
    together = [letters.tolist() for letters in sequences(texts)]
    assert together == [sequences([text])[0].tolist() for text in texts]
