"""What an agent reads in ten seconds: in this order, in few words, and nothing of other people's text as markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from bot.answer.check import Judged, Verdict
from bot.answer.note import draft_note, handoff_note
from bot.answer.retrieve import Passage

PASSAGE = Passage("help:1", "Warranty", "https://h.example/1", "public", "en", None, (), "Three years.", 0.9, 0.7, "v1")
OTHER = replace(PASSAGE, document="help:2", title="Returns", url="https://h.example/2")
SECRET = replace(PASSAGE, document="wiki:3", title="Goodwill", url="https://w.example/3", audience="internal")
BODY = "<p>Hello Ada,</p><p>Three years.</p>"
ONE = Verdict((Judged("Hello Ada,", (), "courtesy", True, ""), Judged("Three years.", (1,), "statement", True, "")), True)


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_the_draft_comes_first_whole_and_apart_from_everything_else() -> None:
    note = draft_note("abc", BODY, ONE, [PASSAGE], hints=[SECRET], remarks=[], why="policy: only notes outside business hours")
    before, draft, after = note.split("<hr>")
    assert draft == BODY
    assert words(before) == "Draft reply, ready to send"
    order = ["Sources (1 of 1 statements checked)", "Warranty", "Not sent by itself: Only notes outside business hours.",
             "For you, not for the customer", "Goodwill", "draft abc"]  # fmt: skip
    found = [words(after).find(text) for text in order]
    assert found == sorted(found)
    assert -1 not in found


def test_what_must_be_known_before_sending_stands_before_the_draft() -> None:
    note = draft_note("abc", BODY, ONE, [PASSAGE], hints=[], remarks=["the customer is angry"], complete=False, language="fr")
    assert words(note.split("<hr>")[0]) == "Draft (fr) of a part of the reply: a question is left to you ⚠ The customer is angry."


def test_beside_the_draft_there_are_few_words() -> None:
    note = draft_note("abc", BODY, ONE, [PASSAGE], hints=[SECRET], remarks=["the customer is angry"], why="policy: a reason of some length")
    before, _, after = note.split("<hr>")
    assert len(words(before + after).split()) <= 40, "ten seconds, at four words a second"


def test_of_several_sources_each_says_what_it_proves() -> None:
    said = [Judged(f"Statement number {n} of the draft is this one.", (1 + n % 2,), "statement", True, "") for n in range(8)]
    note = draft_note("abc", BODY, Verdict(tuple(said), True), [PASSAGE, OTHER], hints=[], remarks=[])
    assert "Sources (8 of 8 statements checked)" in words(note)
    assert words(note).count("and 2 more") == 2
    assert "“Statement number 1 of the draft is this one.”" in words(note)


@pytest.mark.parametrize(
    ("reason", "headline"),
    [
        ("customer_request: the customer asks for a person", "No draft: the customer asks for a person"),
        ("unsupported: the number 4 stands nowhere", "No draft: what was written could not be proved (the number 4 stands nowhere)"),
        ("budget: 0.05 of the 0.05 USD are spent", "No draft: the money for this ticket is used up (0.05 of the 0.05 USD are spent)"),
    ],
)
def test_a_hand_off_begins_with_its_reason_and_the_operators_words(reason: str, headline: str) -> None:
    note = handoff_note("abc", reason, hints=[SECRET], remarks=[], advice="Call back.", nearest=[PASSAGE, PASSAGE, OTHER])
    rest = "Call back. For you, not for the customer Goodwill Nearest pages for customers Warranty Returns draft abc"
    assert words(note) == f"{headline} {rest}"


def test_titles_reasons_and_remarks_are_text_and_not_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    page = replace(PASSAGE, title=evil, url="javascript:alert(1)")
    shown = [
        draft_note("abc", BODY, ONE, [page], hints=[page], remarks=[evil], why=evil, language=evil),
        handoff_note("abc", f"unsupported: {evil}", hints=[page], remarks=[evil], advice=evil, nearest=[page]),
    ]
    for note in shown:
        assert "<img" not in note
        assert "href" not in note


def test_of_a_refused_draft_an_agent_sees_what_was_proved_and_what_the_pages_say_instead_of_the_rest() -> None:
    said = (
        Judged("Hello Ada,", (), "courtesy", True, ""),
        Judged("The warranty lasts **three** years.", (1,), "statement", True, ""),
        Judged("You may return it for 90 days.", (2,), "statement", False, "no 90", "Return it within 30 days.", 2),
        Judged("We pay the postage.", (2,), "statement", False, "no cited passage says this"),
    )
    note = handoff_note("abc", "unsupported: no 90", hints=[], remarks=[], verdict=Verdict(said, False), citations=[PASSAGE, OTHER])
    assert "The warranty lasts three years. — Warranty" in words(note)
    assert "Return it within 30 days. — Returns" in words(note)
    assert "90 days" not in words(note)
    assert "postage" not in words(note)
