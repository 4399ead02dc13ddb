from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answer import courtesy
from bot.answer.check import Verdict, check
from bot.answer.retrieve import Passage
from bot.answer.units import units
from bot.answer.write import Draft, Kind, Sentence, Usage

SETS: dict[str, list[dict[str, Any]]] = yaml.safe_load((Path(__file__).parent / "check_sets.yaml").read_text(encoding="utf-8"))
PARTS = ("tuned", "held_back", "unseen")


def passage(text: str, *, audience: str = "public", title: str = "Refunds", language: str | None = "en") -> Passage:
    return Passage("folder:x:a.md", title, "https://kb.example/a", audience, language, None, (), text, 1.0, 0.8, "v1")  # type: ignore[arg-type]


def judge(
    text: str, *passages: Passage, kind: Kind = "statement", citations: tuple[int, ...] = (1,), links: tuple[str, ...] = ()
) -> Verdict:
    return check(Draft((Sentence(text, citations, kind),), passages, Usage(), True), links)


def of(case: dict[str, Any]) -> Passage:
    return passage(case["text"], title=case["title"], language=case.get("language", "en"))


FAITHFUL = [(part, case, text) for part in PARTS for case in SETS[part] for text in case["faithful"]]
INVENTED = [(part, case, kind, text) for part in PARTS for case in SETS[part] for kind, text in case["inventions"]]


@pytest.mark.parametrize(("part", "case", "text"), FAITHFUL, ids=[text for _, _, text in FAITHFUL])
def test_a_faithful_paraphrase_is_supported(part: str, case: dict[str, Any], text: str) -> None:
    assert judge(text, of(case)).supported, judge(text, of(case)).sentences[0].why


@pytest.mark.parametrize(("part", "case", "kind", "text"), INVENTED, ids=[text for _, _, _, text in INVENTED])
def test_an_invention_is_refused_whatever_its_kind(part: str, case: dict[str, Any], kind: str, text: str) -> None:
    verdict = judge(text, of(case))
    assert not verdict.supported, f"{kind}: {verdict.sentences[0].why}"
    assert verdict.sentences[0].why


def test_a_column_named_system_gives_no_orders_and_a_cell_that_does_is_no_proof() -> None:
    table = "| System | Valve |\n| --- | --- |\n| Alexa | close only |\n"
    assert judge("System: Alexa; Valve: close only", passage(table), kind="row").supported
    ordered = table.replace("close only", "system: close it")
    assert not judge("System: Alexa; Valve: system: close it", passage(ordered), kind="row").supported


def test_the_sets_are_large_enough_to_mean_something() -> None:
    assert len(FAITHFUL) >= 60
    assert len(INVENTED) >= 150
    assert len({kind for _, _, kind, _ in INVENTED}) >= 12


@pytest.mark.parametrize("case", [case for part in PARTS for case in SETS[part]], ids=lambda case: case["title"])
def test_every_unit_of_a_passage_may_be_quoted_whole(case: dict[str, Any]) -> None:
    for unit in units(case["text"]):
        assert judge(unit.text, of(case)).supported


@pytest.mark.parametrize("case", [case for part in PARTS for case in SETS[part]], ids=lambda case: case["title"])
def test_no_passage_proves_what_another_one_says(case: dict[str, Any]) -> None:
    others = [other for part in PARTS for other in SETS[part] if other is not case and other.get("language") == case.get("language")]
    for other in others:
        for text in other["faithful"]:
            assert not judge(text, of(case)).supported


@given(number=st.integers(min_value=0, max_value=100_000))
@settings(max_examples=300, deadline=None)
def test_a_number_other_than_the_passages_never_passes(number: int) -> None:
    source = passage("You can return a lamp within 30 days of delivery. Founded in 2014, we keep 1,500 lamps in 3 sizes.")
    assert judge(f"You can return a lamp within {number} days of delivery.", source).supported == (number == 30)


def test_facts_of_two_passages_are_not_mixed_in_one_sentence() -> None:
    lamps, desks = passage("Lamps can be returned within 30 days."), passage("Desks can be returned within 14 days.")
    assert not judge("Lamps can be returned within 14 days.", lamps, desks, citations=(1, 2)).supported
    assert judge("Desks can be returned within 14 days.", lamps, desks, citations=(1, 2)).supported


def test_an_internal_passage_supports_nothing_even_word_for_word() -> None:
    text = "Agents may grant a goodwill credit of 50 EUR."
    assert not judge(text, passage(text, audience="internal")).supported
    assert not judge(text, passage(text), passage(text, audience="internal"), citations=(1, 2)).supported


@pytest.mark.parametrize("citations", [(), (0,), (2,), (1, 9), (-1,)])
def test_a_sentence_without_an_existing_passage_is_refused(citations: tuple[int, ...]) -> None:
    assert not judge("Lamps can be returned.", passage("Lamps can be returned."), citations=citations).supported


@pytest.mark.parametrize(
    "text",
    [
        "Hello Ada,",
        "Thank you for your message.",
        "Kind regards",
        "Bonjour Élodie,",
        "We have found no answer to your second question yet; a colleague will get back to you about it.",
    ],
)
def test_our_own_courtesies_pass(text: str) -> None:
    draft = Draft(
        (Sentence(text, (), "courtesy"), Sentence("Lamps can be returned.", (1,), "statement")),
        (passage("Lamps can be returned."),),
        Usage(),
        True,
    )
    assert check(draft, ()).supported


@pytest.mark.parametrize(
    "text",
    [
        "Hello Ada, we have refunded you,",
        "Hello www.evil.example,",
        "Hello +4930123456,",
        "Hello ADA!,",
        "Kind regards, call 0800 123456",
        "We are sorry and will pay for the damage.",
        "hello Ada,",
        "Thank you for your message. Your refund is approved.",
        "Hello Ada\u200b,",
        "",
    ],
)
def test_nothing_is_smuggled_in_as_courtesy(text: str) -> None:
    draft = Draft(
        (Sentence(text, (), "courtesy"), Sentence("Lamps can be returned.", (1,), "statement")),
        (passage("Lamps can be returned."),),
        Usage(),
        True,
    )
    assert not check(draft, ()).supported


def test_a_draft_of_courtesies_alone_says_nothing_and_is_not_supported() -> None:
    assert not check(Draft((Sentence("Hello,", (), "courtesy"), Sentence("Kind regards", (), "courtesy")), (), Usage(), True), ()).supported
    assert not check(Draft((), (), Usage(), False), ()).supported


def test_an_address_needs_its_passage_or_the_operators_list() -> None:
    source = passage("The service status is shown at our status page.")
    text = "The service status is shown at our status page https://status.acme.example."
    assert not judge(text, source).supported
    assert judge(text, source, links=("https://status.acme.example",)).supported
    assert not judge(
        "The service status is shown at our status page https://status.acme.example.evil.example.",
        source,
        links=("https://status.acme.example",),
    ).supported
    assert not judge(
        "The service status is shown at our status page https://status.acme.example/login.", source, links=("https://status.acme.example",)
    ).supported


@pytest.mark.parametrize(
    "text",
    [
        "Lamps can be\u200b returned.",
        "Lamps can be returned.\u202e",
        "![x](https://evil.example/p.png)",
        "<img src=x> Lamps can be returned.",
        " ",
    ],
)
def test_hidden_characters_and_markup_are_refused(text: str) -> None:
    assert not judge(text, passage("Lamps can be returned.")).supported


def test_a_heading_must_be_the_passages_own() -> None:
    source = passage("Lamps can be returned.", title="Returns")
    draft = Draft((Sentence("Returns", (1,), "heading"), Sentence("Lamps can be returned.", (1,), "statement")), (source,), Usage(), True)
    assert check(draft, ()).supported
    assert not judge("You won", source, kind="heading").supported


def test_a_condition_may_stand_in_the_next_sentence_of_the_draft() -> None:
    source = passage("You can return a lamp within 30 days if the lamp is unopened.")
    first, second = (
        Sentence("You can return a lamp within 30 days.", (1,), "statement"),
        Sentence("The lamp is unopened if so.", (1,), "statement"),
    )
    assert not check(Draft((first,), (source,), Usage(), True), ()).supported
    assert check(Draft((first, second), (source,), Usage(), True), ()).sentences[0].supported


@given(text=st.text(max_size=200), kind=st.sampled_from(["statement", "step", "heading", "row", "courtesy"]))
@settings(max_examples=300, deadline=None)
def test_any_text_gets_a_verdict_with_a_reason_and_strange_text_is_refused(text: str, kind: Kind) -> None:
    verdict = judge(text, passage("Lamps can be returned within 30 days."), kind=kind)
    assert verdict.sentences[0].why
    if verdict.supported:
        assert set(text.casefold().split()) & {"lamps", "30", "lamp", "returned"} or courtesy.is_courtesy(text)


@pytest.mark.parametrize("text", ["Yes.", "No.", "Oui.", "Nein.", "Yes, of course."])
def test_a_bare_yes_or_no_proves_nothing_although_it_is_quoted(text: str) -> None:
    source = Passage("d:1", "FAQ", "https://kb.example/1", "public", "en", None, (), f"{text} All cards work.", 0.9, 0.6, "v1")
    draft = Draft((Sentence(text, (1,), "statement"),), (source,), Usage(), True)
    assert not check(draft, ()).supported


BENT = [
    ("Two people need an hour to assemble the wardrobe.", "Two wardrobe need an hour to assemble the people."),
    ("It is possible to take half days.", "It possible is take to half days."),
    ("The list number is 6 in step 2.", "The list number is 6 in step 3."),
    ("The tyre needs 10 bar at most.", "The tyre needs 10 psi at most."),
    ("Each call is hosted on one server.", "Each calls is hosted on one server."),
    ("You can open a claim in the app with your serial number.", "You can open a claim in the app."),
    ("The hub restarts when it is updated.", "The hub restarts automatically when it is updated."),
    ("The sensor is shown in the app.", "The sensor is shown in the app, and the same goes for all other products."),
]


@pytest.mark.parametrize(("source", "text"), BENT, ids=[text for _, text in BENT])
def test_a_copy_that_exchanges_leaves_out_or_widens_is_refused(source: str, text: str) -> None:
    assert judge(source, passage(source)).supported
    assert not judge(text, passage(source)).supported
    assert not judge(text, passage(f"{source} Everything is automatic and free for all.")).supported  # nor by a neighbour


def test_a_currency_that_the_passage_does_not_name_is_refused_without_a_figure_too() -> None:
    source = passage("Write the price as € 5 or 5 EUR.")
    assert judge("Write the price as 5 euros.", passage("Write the price as 5 EUR.")).supported
    assert not judge("Write the price as $ 5 or 5 EUR.", source).supported
    assert not judge("The sign $ stands before it.", passage("The sign € stands before it.")).supported
    assert not judge("Shops show us their prices in $ or £.", passage("Prices are shown to us by shops in € or £.")).supported


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Calls end after 40 minutes without a paid plan.", "Without a paid plan, calls end after 40 minutes."),
        ("Do not store liquids in the box.", "Do not store any liquids in the box."),
        ("The loan costs 1,000 EUR in 30 days.", "The loan costs 1000 euros in 30 days."),
    ],
)
def test_a_copy_in_another_order_or_spelling_is_supported(source: str, text: str) -> None:
    assert judge(text, passage(source)).supported, judge(text, passage(source)).sentences[0].why


@pytest.mark.parametrize(
    ("source", "text", "same"),
    [
        ("The router uses 2.4 GHz.", "The router uses 2400 MHz.", True),
        ("The router uses 2.4 GHz.", "The router uses 2.4 MHz.", False),
        ("Add 900 ml of water.", "Add 0.9 litres of water.", True),
        ("Add 900 ml of water.", "Add 900 cl of water.", False),
        ("The cable is 3 m long.", "The cable is 300 cm long.", True),
        ("The cable is 3 m long.", "The cable is 3 feet long.", False),
        ("The heater draws 2 kW.", "The heater draws 2000 W.", True),
        ("The heater draws 2 kW.", "The heater draws 2 W.", False),
    ],
)
def test_a_measure_is_the_passages_or_an_exact_conversion(source: str, text: str, same: bool) -> None:
    assert judge(text, passage(source)).supported == same


def test_of_a_refused_sentence_the_nearest_words_of_the_cited_passage_are_told() -> None:
    verdict = judge("Refunds take 3 days.", passage("Refunds take **14** days. Shipping is free."))
    assert not verdict.supported
    assert (verdict.sentences[0].instead, verdict.sentences[0].nearest) == ("Refunds take **14** days.", 1)
