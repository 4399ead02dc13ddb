"""What an agent made of a draft, told by the two texts alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.answer.outcomes import answer_to, compare
from connectors.base import Comment

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
DRAFT = """Hello Ada,

Thank you for your message.

You can return a lamp within 30 days of delivery. Postage is not refunded. Send it to the warehouse named on the slip.

Kind regards"""
BODY = "You can return a lamp within 30 days of delivery. Postage is not refunded. Send it to the warehouse named on the slip."


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (DRAFT, "sent"),
        (f"Hi Ada!\n\n{BODY}\n\nBest,\nTom\n--\nTom, Support", "sent"),
        (f"{BODY}\n\nOn Monday Ada wrote:\n> How do I return a lamp?", "sent"),
        (f"Dear Ada,\n\n{BODY} I have added a voucher of 5 euros for you.\n\nTom", "edited"),
        (f"Dear Ada,\n\n{BODY.replace('30', '14')}\n\nTom", "edited"),
        ("Hi,\n\nYou can return a lamp within 30 days of delivery. Use the label we sent you yesterday, please.\n\nTom", "rewritten"),
        ("Postage isn't refunded; lamps go back within 30 days after delivery, to the warehouse that stands on your slip.", "rewritten"),
        ("I called you about this and we agreed on a replacement, which leaves today. Sorry for the trouble.", "ignored"),
        ("", "ignored"),
    ],
)
def test_a_reply_is_told_from_the_draft_by_what_it_says_and_not_by_its_manner(reply: str, kind: str) -> None:
    found = compare(DRAFT, reply, "en")
    assert found.kind == kind, found
    assert 0 <= found.kept <= 1


def test_a_figure_that_was_changed_is_an_edit_however_long_the_draft() -> None:
    long = " ".join(f"Step {n} is done in the app." for n in range(5))
    assert compare(long, long.replace("Step 3", "Step 4"), "en").kind != "ignored"
    assert compare(long, long, "en").kind == "sent"


def test_the_answer_is_the_first_public_one_after_the_comment() -> None:
    asked = Comment("1", "u", "customer", True, "How?", NOW)
    note = Comment("2", "b", "bot", False, "draft", NOW + timedelta(minutes=1))
    said = Comment("3", "a", "agent", True, "So.", NOW + timedelta(minutes=2))
    assert answer_to((asked, note, said), "1") is said
    assert answer_to((said, asked, note), "1") is None
    assert answer_to((asked, note, replace(said, public=False)), "1") is None
    assert answer_to((note, said), "1") is None
