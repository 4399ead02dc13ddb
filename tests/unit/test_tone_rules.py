"""Recurring edits become proposals, sorted by what they touch, and tried on past drafts before anybody adopts them."""

from __future__ import annotations

from bot.tone.rules import Proposal, edits, kind_of, propose, tried

DRAFT = "The hub restarts by itself. Please be advised that it keeps its name. It costs 5 EUR."


def pairs(before: str, after: str, count: int) -> list[tuple[str, str, str, str]]:
    return [(f"help:{n}", "en", f"Case {n}. {DRAFT}", f"Case {n}. {DRAFT}".replace(before, after)) for n in range(count)]


def test_an_edit_is_proposed_once_several_tickets_share_it_and_counted_once_a_ticket() -> None:
    assert propose(edits(pairs("Please be advised that", "Note:", 2))) == []
    [one] = propose(edits(pairs("Please be advised that", "Note:", 4) * 2))
    assert (one.kind, one.before, one.after, len(one.tickets)) == ("tone", "Please be advised that", "Note:", 4)


def test_what_touches_facts_or_promises_is_no_matter_of_tone() -> None:
    assert propose(edits(pairs("5 EUR", "6 EUR", 3)))[0].kind == "fact"
    assert kind_of("It is sent.", "It is never sent.") == "policy"
    assert kind_of("Kind regards", "We refund you") == "policy"


def test_a_phrase_that_is_only_added_is_found_by_the_words_beside_it() -> None:
    [one] = propose(edits(pairs("restarts by itself.", "restarts by itself. Easy.", 3)))
    assert (one.before, one.after) == ("itself. Please", "itself. Easy. Please")


def test_a_trial_counts_drafts_that_come_nearer_and_facts_that_would_move() -> None:
    rule = Proposal("tone", "en", "Please be advised that", "Note:", ("help:1",))
    drafts = [
        ("en", DRAFT, DRAFT.replace("Please be advised that", "Note:")),
        ("en", DRAFT, DRAFT),
        ("fr", DRAFT, DRAFT),
        ("en", "Else.", "Else."),
    ]
    trial = tried(rule, drafts)
    assert (trial.drafts, trial.touched, trial.nearer, trial.farther, trial.facts_moved) == (3, 2, 1, 1, 0)
    assert tried(Proposal("tone", "en", "5 EUR", "6 EUR", ()), drafts).facts_moved == 2
    assert Proposal("tone", "en", "a", "b", (), tried(rule, drafts[:1])).holds
    assert not Proposal("tone", "en", "a", "b", (), tried(rule, drafts)).holds
    assert not Proposal("fact", "en", "a", "b", (), tried(rule, drafts[:1])).holds
