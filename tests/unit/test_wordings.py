"""The same thing said with other words is known as the same; and its near misses are not."""

from __future__ import annotations

import pytest

from bot.answer.check import check
from bot.answer.retrieve import Passage
from bot.answer.wordings import reworded
from bot.answer.write import Draft, Sentence, Usage

SAME = [
    ("The link expires after one day.", "The link is valid for 24 hours.", "en"),
    ("You get 15% off.", "You get a 15% discount.", "en"),
    ("Each code works once.", "Each code works only one time.", "en"),
    ("Each code works once.", "Chaque code ne fonctionne qu'une seule fois.", "en"),
    ("You can change the order until it is packed.", "You can change the order as long as it is not packed.", "en"),
    ("You can withdraw your consent at any time.", "You can withdraw your consent whenever you like.", "en"),
    ("If your size is sold out, you receive a voucher.", "Should your size be sold out, you receive a voucher.", "en"),
    ("Gift cards can be used in the shop and online.", "Gift cards can be used both in the shop and online.", "en"),
    ("Send the reading between 1 and 31 December.", "Send the reading from 1 to 31 December.", "en"),
    ("Children must be at least 5 years old.", "Children must be 5 or older.", "en"),
    ("You can undo the move within 48 hours.", "You have two days to undo the move.", "en"),
    ("Cancel at least 4 hours before the lesson.", "Cancel no later than 4 hours before the lesson.", "en"),
    ("Checked bags may weigh at most 23 kg.", "Checked bags must not weigh more than 23 kg.", "en"),
    ("Tickets cannot be returned or exchanged.", "Les billets ne peuvent être ni repris ni échangés.", "en"),
    ("The address can be changed until the order ships.", "L'adresse peut être modifiée jusqu'à l'expédition de la commande.", "en"),
    ("Wait until the light stops blinking.", "Attendez que le voyant cesse de clignoter.", "en"),
    ("A skipped week is not charged.", "Une semaine sautée n'est pas facturée.", "en"),
    ("We exchange a broken lamp.", "We will exchange a broken lamp.", "en"),
    ("If you lose the card, we cannot replace it.", "We cannot replace the card if you lose it.", "en"),
    ("We email you when your order is ready.", "You get an email from us when your order is ready.", "en"),
    ("The change applies from the next invoice on.", "Die Änderung gilt ab der nächsten Rechnung.", "en"),
    ("The app uses the language of your phone.", "Die App verwendet die Sprache Ihres Telefons.", "en"),
    ("Choose **Settings and sharing**.", "Choisissez Settings and sharing.", "en"),
    ("Messages sent at the weekend are answered on Monday.", "Nachrichten vom Wochenende werden am Montag beantwortet.", "en"),
    ("Signed documents are kept for 10 years.", "Los documentos firmados se conservan durante 10 años.", "en"),
]  # fmt: skip
OTHER = [
    ("The link is valid for 24 hours.", "The link expires after 42 hours."),
    ("You can change the order until it is packed.", "You can change the order as long as it is packed."),
    ("You may use each code only once you have signed in.", "You may use each code once."),
    ("Remove the battery if you do not ride for more than 4 weeks.", "Remove the battery if you ride for at most 4 weeks."),
    ("Children must be at least 5 years old.", "Children must be 5 or younger."),
    ("We exchange a broken lamp.", "We have exchanged a broken lamp."),
    ("We may exchange a broken lamp.", "We will exchange a broken lamp."),
    ("We email you when your order is ready.", "Email us when your order is ready."),
    ("You can stop sharing at any time.", "They can stop sharing at any time."),
    ("Returns are sent at your expense.", "Returns are sent at our expense."),
    ("One receiver can hold four remotes.", "One remote can hold four receivers."),
    ("Press button A.", "Press button C."),
    ("Repairs are free during the warranty.", "Repairs are free after the warranty."),
    ("This goes for lamps.", "This goes for lamps, and the same goes for all other lamps."),
    ("The lamp is in stock.", "The lamp is out of stock."),
    ("Call us on +44 20 7946 0321, day and night.", "Call us on +44 20 7946 0321, weeks and night."),
    ("Buying a lamp is a promise to the customers.", "Buying a lamp is a promise to the neighbours."),
]


def judged(source: str, said: str, language: str = "en", title: str = "Help") -> tuple[bool, str]:
    passage = Passage("kb:1", title, "https://kb.example/1", "public", language, None, (), source, 1.0, 0.8, "v1")
    verdict = check(Draft((Sentence(said, (1,), "statement"),), (passage,), Usage(), True), ())
    return verdict.supported, verdict.sentences[0].why


@pytest.mark.parametrize(("source", "said", "language"), SAME, ids=[said for _, said, _ in SAME])
def test_what_says_the_same_is_proved(source: str, said: str, language: str) -> None:
    assert judged(source, said, language)[0], judged(source, said, language)[1]


@pytest.mark.parametrize(("source", "said"), OTHER, ids=[said for _, said in OTHER])
def test_what_says_something_else_is_refused(source: str, said: str) -> None:
    assert not judged(source, said)[0]


def test_a_word_of_the_title_widens_nothing_and_promises_nothing() -> None:
    file = "Do not reload the file yet."
    assert not judged(file, "Do not reload the file yet, and the same goes for all other products.", title="Products")[0]
    months = "We refund the full months that are left."
    assert not judged(months, "We refund the full months that are left and we will refund the full amount.", title="Amounts")[0]


def test_a_word_after_a_comma_is_no_measure_of_the_figure_before_it() -> None:
    called = "You can also call us on +44 20 7946 0321, day and night."
    assert judged(called, "Vous pouvez aussi nous appeler au +44 20 7946 0321, jour et nuit.")[0]
    assert not judged(called, "Vous pouvez aussi nous appeler au +44 20 7946 0321, heures et nuit.")[0]


def test_an_expression_that_the_passage_has_may_be_said_word_by_word() -> None:
    document = "The signer gets a reminder after 3 days and again after 7 days. We send a reminder after 3 days and again after 7 days."
    assert judged(document, "A reminder is sent after three days and again after seven days.")[0]


def test_a_row_of_a_table_gives_each_figure_to_its_own_column() -> None:
    table = "| Country | Time | Price |\n| --- | --- | --- |\n| Belgium | 2 days | €6.50 |\n| Portugal | 5 days | €11.20 |"
    assert judged(table, "For Belgium the time is 2 days and the price €6.50.")[0]
    assert "another column" in judged(table, "For Belgium the price is 2 days and the time €6.50.")[1]
    assert not judged(table, "The time is 2 days and the price €6.50.")[0], "of which country is not said"


def test_an_expression_has_one_form_and_keeps_it() -> None:
    for text in (
        "20% off",
        "expires after 5 days",
        "Should you be late, call.",
        "You have two days to answer.",
        "ne peuvent être ni lus ni vus",
    ):
        once = reworded(text)
        assert once != text
        assert reworded(once) == once
