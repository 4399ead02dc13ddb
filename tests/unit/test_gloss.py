"""A question in a language that no article is written in is searched for in the articles' own words."""

from __future__ import annotations

import pytest

from bot.answer.concepts import LANGUAGES
from bot.answer.gloss import INTERROGATIVES, glossed, main_language


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Wie lange ist der Link zum Zurücksetzen des Passworts gültig?", "de", ("how long", "link", "password", "valid")),
        ("Wie viele Sensoren schafft ein Hub?", "de", ("how many", "sensor", "Hub")),
        ("Wo finde ich die Rechnungsadresse?", "de", ("where", "billing address")),
        ("¿Cuánto cuesta el envío a España?", "es", ("how much", "send", "spain")),
        ("Où est ma facture ?", "fr", ("where", "invoice")),
    ],
)
def test_what_is_asked_and_about_what_is_put_into_the_other_language(text: str, language: str, words: tuple[str, ...]) -> None:
    put = glossed(text, language, "en")
    assert put is not None
    assert [word for word in words if word.casefold() not in put.casefold()] == []
    assert put.endswith("?")


def test_a_name_and_a_figure_stay_as_they_are() -> None:
    assert "Klarna" in (glossed("Kann ich die Bestellung mit Klarna bezahlen?", "de", "en") or "")
    assert "5 GHz" in (glossed("Geht der Hub mit 5 GHz WLAN?", "de", "en") or "")


def test_what_is_mostly_unknown_is_left_as_it_was() -> None:
    assert glossed("blorfen gnaftig wumpelt zwirbst", "de", "en") is None
    assert glossed("Where is my invoice?", "en", "en") is None
    assert glossed("Dov'è la mia fattura?", "it", "en") is None


def test_another_language_is_turned_to_only_where_nothing_is_written_in_the_asked_one() -> None:
    assert main_language(["en", "fr", "en"], "de") == "en"
    assert main_language(["en", "de"], "de") is None
    assert main_language([None, None], "de") is None
    assert main_language([], "de") is None


def test_every_way_to_ask_has_a_word_in_each_language() -> None:
    assert all(set(forms) == set(LANGUAGES) and all(forms.values()) for forms in INTERROGATIVES.values())
