"""An answer is likelier where it holds the kind of piece that is asked for."""

from __future__ import annotations

import pytest

from bot.answer.units import units
from bot.answer.wanted import fit

PLAIN = "The lamp has a round foot."


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("How long may I keep the lamp?", "You can send it back within 30 days."),
        ("Until what time do you answer?", "We answer until 18:00."),
        ("Combien de temps ai-je pour renvoyer la lampe ?", "Vous avez 14 jours."),
        ("Wie lange gilt der Pass?", "Er gilt 72 Stunden."),
        ("¿Cuánto tiempo dura la batería?", "Unos 3 años."),
        ("How much is a new foot?", "A foot costs €9."),
        ("Combien coûte un pied ?", "Un pied coûte 9,50 €."),
        ("Was kostet ein Fuß?", "Ein Fuß ist kostenlos."),
        ("¿Cuánto cuesta un pie?", "Cuesta 9 euros."),
        ("How many lamps can I add?", "Up to 60 lamps."),
        ("Where do I find the invoice?", "You find it under Orders > Documents."),
        ("Who may cancel?", "Only the owner can do it."),
        ("How do I pair the lamp?", "1. Press the button.\n2. Wait."),
        ("Wie kann ich die Lampe koppeln?", "1. Knopf drücken.\n2. Warten."),
    ],
)
def test_the_piece_asked_for_speaks_for_a_passage_and_its_lack_against_it(question: str, holds: str) -> None:
    (parts, plain) = units(holds), units(PLAIN)
    assert fit(question, parts, [1.0] * len(parts)) == 1.0
    assert fit(question, plain, [1.0]) < 0


def test_a_piece_beside_the_best_sentence_counts_half_and_far_from_it_not_at_all() -> None:
    parts = units(f"{PLAIN} You can send it back within 30 days.")
    assert fit("How long may I keep the lamp?", parts, [1.0, 0.9]) == 0.5
    assert fit("How long may I keep the lamp?", parts, [1.0, 0.2]) == -1.0


def test_other_questions_ask_for_no_kind_of_piece() -> None:
    assert fit("Is the foot round?", units(PLAIN), [1.0]) == 0.0
