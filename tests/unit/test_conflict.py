from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer.check import Judged, Verdict
from bot.answer.conflict import Conflict, conflicts
from bot.answer.note import handoff_note
from bot.answer.retrieve import Passage


def passage(document: str, text: str, language: str = "en", url: str = "https://kb.example/1") -> Passage:
    return Passage(document, f"About {document}", url, "public", language, None, (), text, 1.0, 0.8, "v")


def clash(said: str, other: str, language: str = "en") -> tuple[Conflict, ...]:
    verdict = Verdict((Judged(said, (1,), "statement", True, "quoted"),), True)
    cited = (passage("a", said, language),)
    return conflicts(verdict, cited, (*cited, passage("b", other, language)))


@pytest.mark.parametrize(
    ("said", "other", "language"),
    [
        ("You can send a product back within 30 days of delivery.", "A product can be sent back within 14 days of delivery.", "en"),
        ("The warranty of the valve lasts 2 years.", "The warranty of the valve lasts 5 years.", "en"),
        ("The express delivery of a kit costs €9.", "Express delivery of a kit costs €12.", "en"),
        ("Vous pouvez renvoyer un produit sous 30 jours après livraison.", "Un produit se renvoie sous 14 jours après livraison.", "fr"),
        ("The sensor can be opened with rechargeable batteries.", "The sensor cannot be opened with rechargeable batteries.", "en"),
    ],
)
def test_two_figures_for_the_same_thing_or_a_denial_are_a_conflict(said: str, other: str, language: str) -> None:
    assert clash(said, other, language)


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("You can send a product back within 30 days of delivery.", "You can send a product back within 30 days of delivery."),
        ("Refunds take 3 business days.", "Searches take 8 business days."),
        ("A team of 200 needs 60 GB of free space a year.", "A team of 2000 needs 600 GB of free space a year."),
        ("The kit weighs 2 kg.", "You can send the kit back within 14 days."),
        ("Returns are free within 30 days.", "Returns are free within a month or 30 days, whichever is later."),
    ],
)
def test_another_subject_another_case_or_the_same_figure_are_none(said: str, other: str) -> None:
    assert not clash(said, other)


def test_the_document_that_is_cited_does_not_contradict_itself() -> None:
    verdict = Verdict((Judged("The warranty of the valve lasts 2 years.", (1,), "statement", True, ""),), True)
    both = "The warranty of the valve lasts 2 years. The warranty of the old valve lasts 5 years."
    assert not conflicts(verdict, (passage("a", both),), (passage("a", both),))


def test_the_note_shows_both_sides_as_data() -> None:
    [found] = clash("The warranty of the <b>valve</b> lasts 2 years.", "The warranty of the <b>valve</b> lasts 5 years.")
    note = handoff_note("d1", "conflict: they disagree", hints=(), remarks=(), clashes=(found,))
    assert "lasts 2 years" in note
    assert "lasts 5 years" in note
    assert "<b>" not in note
    assert note.count("https://kb.example/1") == 2


@given(said=st.text(max_size=200), other=st.text(max_size=200))
def test_any_two_texts_can_be_compared(said: str, other: str) -> None:
    clash(said, other)
