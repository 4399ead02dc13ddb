from __future__ import annotations

import re

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answer.check import Judged, Verdict, check
from bot.answer.render import Blocked, Rendered, clean, inspect, render
from bot.answer.retrieve import Passage
from bot.answer.write import Draft, Kind, Sentence, Usage

TEXT = (
    "Open [the form](https://acme.example/form?a=1&b=2) and press **Send**. Write to help@acme.example or call +44 20 7946 0018. "
    "See [terms](/terms) and [old site](http://old.acme.example). Use `a < b`."
)


def passage(text: str = TEXT) -> Passage:
    return Passage("kb:1", "Form", "https://kb.example/1", "public", "en", None, (), text, 1.0, 0.8, "v1")


def draft(*said: tuple[str, Kind], text: str = TEXT) -> Draft:
    return Draft(tuple(Sentence(words, () if kind == "courtesy" else (1,), kind) for words, kind in said), (passage(text),), Usage(), True)


def passed(of: Draft) -> Verdict:
    """A verdict that lets everything through: what stands behind it must hold alone."""
    return Verdict(tuple(Judged(said.text, said.citations, said.kind, True, "") for said in of.sentences), True)


def test_paragraphs_steps_and_rows_have_their_own_shape() -> None:
    of = draft(
        ("Hello Ada,", "courtesy"),
        ("Do this:", "statement"),
        ("One", "step"),
        ("Two", "step"),
        ("A: 1", "row"),
        ("x < y", "statement"),
        ("Kind regards", "courtesy"),
    )
    rendered = render(of, passed(of), "en")
    assert (
        rendered.html
        == "<p>Hello Ada,</p><p>Do this:</p><ol><li>One</li><li>Two</li></ol><ul><li>A: 1</li></ul><p>x &lt; y</p><p>Kind regards</p>"
    )
    assert rendered.text == "Hello Ada,\n\nDo this:\n\n1. One\n2. Two\n\n- A: 1\n\nx < y\n\nKind regards"


def test_links_keep_only_their_target_and_relative_ones_only_their_label() -> None:
    of = draft((TEXT, "statement"))
    rendered = render(of, check(of, ()), "en")
    assert '<a href="https://acme.example/form?a=1&amp;b=2">the form</a>' in rendered.html
    assert "terms" in rendered.html
    assert "/terms" not in rendered.html
    assert "<strong>Send</strong>" in rendered.html
    assert "<code>a &lt; b</code>" in rendered.html
    assert "the form (https://acme.example/form?a=1&b=2)" in rendered.text
    assert "[1]" not in rendered.text + rendered.html


def test_an_unproved_draft_and_a_verdict_on_another_draft_are_not_rendered() -> None:
    of = draft(("You get 500 EUR.", "statement"))
    with pytest.raises(Blocked, match="not proved"):
        render(of, check(of, ()), "en")
    with pytest.raises(Blocked, match="not the one"):
        render(of, passed(draft(("Something else.", "statement"))), "en")


def test_a_courtesy_in_another_language_is_held_back() -> None:
    of = draft(("Bonjour Ada,", "courtesy"), ("Do this:", "statement"))
    with pytest.raises(Blocked, match="language"):
        render(of, passed(of), "en")


FOREIGN = [
    "Go to https://evil.example/x",
    "Go to [the form](https://evil.example/x)",
    "Go to [https://acme.example/form](https://evil.example)",
    "Go to <https://evil.example>",
    "Go to www.evil.example",
    "Go to evil.example/pay",
    "Go to EVIL.EXAMPLE",
    "Go to https&#58;//evil.example",
    "Go to https://acme.example.evil.example/form",
    "Go to https://acme.example/form?a=1&b=3",
    "Go to https://acme.example@evil.example/",
    "Go to //evil.example/x",
    "Go to ftp://evil.example",
    "Go to javascript:alert(1)",
    "Go to http://203.0.113.9/x",
    "Write to pay@evil.example",
    "Write to [us](mailto:pay@evil.example)",
    "Call +49 30 1234567",
    "Call 0800 123 4567",
    "Call (555) 123-4567",
    "Go to ｈｔｔｐｓ：／／evil．example",
    "![x](https://evil.example/p.png?d=secret)",
    "[a]: https://evil.example",
    "<img src=https://evil.example/p.png>",
    "<a href='https://evil.example'>x</a>",
    "Go to evil.**example**/pay",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_an_address_of_nobody_is_blocked_in_whatever_syntax(text: str) -> None:
    of = draft((text, "statement"))
    with pytest.raises(Blocked):
        render(of, passed(of), "en")


@pytest.mark.parametrize("text", FOREIGN)
def test_the_check_refuses_the_same_addresses_before(text: str) -> None:
    assert not check(draft((text, "statement")), ()).supported


def test_an_allowed_link_may_leave() -> None:
    of = draft(("See https://status.acme.example.", "statement"))
    assert "status.acme.example" in render(of, passed(of), "en", ("https://status.acme.example",)).text


def test_numbers_dates_and_prices_are_no_phone_numbers() -> None:
    of = draft(
        ("On 2026-11-20 it cost €1,234.50 for 10 000 000 rows, order TW-81093, 8.5 to 10.5.", "statement"),
        ("5", "step"),
        ("0800 is a prefix", "step"),
    )
    assert render(of, passed(of), "en").html


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="https://acme.example/form?a=1&b=2" target="_blank">x</a>',
        "<img src=x>",
        '<p style="x">a</p>',
        '<a href="javascript:x">a</a>',
        '<a href="https://acme.example/form?a=1&b=2">pay.evil.example</a>',
    ],
)
def test_the_last_look_does_not_trust_what_made_the_html(markup: str) -> None:
    with pytest.raises(Blocked):
        inspect(Rendered("x", markup), frozenset({"acme.example/form?a=1&b=2"}))


PIECES = st.lists(
    st.sampled_from(
        [
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "<a href='javascript:x'>",
            "<a href=https://e.example style=x>",
            "<style>@import 'x'</style>",
            "<",
            ">",
            '"',
            "'",
            "</p>",
            "&lt;script&gt;",
            "<scr",
            "ipt>",
            "<math><mi xlink:href='data:x'>",
            "<!--",
            "-->",
            "`",
            "**",
            "](",
            "![",
            "a",
            " ",
        ]
    )
    | st.text(max_size=8),
    max_size=12,
).map("".join)


@given(text=PIECES)
@settings(max_examples=1500, deadline=None)
def test_cleaning_leaves_no_attribute_but_href_and_is_idempotent(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    for tag in re.findall(r"<[^>]*>", once):
        assert re.fullmatch(r"</?[a-z0-9]+>|<a href=\"(?:https|mailto):[^\"]*\">", tag), tag


@given(text=PIECES, kind=st.sampled_from(["statement", "step", "row", "heading"]))
@settings(max_examples=500, deadline=None)
def test_whatever_a_sentence_holds_the_html_is_clean_or_blocked(text: str, kind: Kind) -> None:
    of = draft((text, kind), text=text)
    try:
        rendered = render(of, passed(of), "en")
    except Blocked:
        return
    for tag in re.findall(r"<[^>]*>", rendered.html):
        assert re.fullmatch(r"</?[a-z0-9]+>|<a href=\"(?:https|mailto):[^\"]*\">", tag), tag
    assert nh3.clean(rendered.html, attributes={"a": {"href"}}, link_rel=None) == rendered.html
