"""Sources that contradict each other, and documents that agents contradict, are found among many that do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.simulate.contradictions import against_agents, between_sources, sayings
from bot.simulate.lacks import lacks
from storage.ledger import Version
from storage.tables import SampleRow

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def version(document: str, text: str, language: str = "en") -> Version:
    return Version(
        key=document,
        document=document,
        connector="help",
        fingerprint="",
        title=f"Title of {document}",
        url=f"https://kb.example/{document}",
        audience="public",
        language=language,
        markdown=text,
        valid_from=NOW,
        valid_to=None,
        assumed=False,
        updated_at=NOW,
        created_at=NOW,
    )


def answered(ticket: str, answer: str, at: datetime) -> SampleRow:
    record: dict[str, Any] = {"triage": {"language": "en"}, "answer": answer, "requester": ["Ana Lima"], "hours": 2.0}
    return SampleRow(
        id=ticket,
        connector="help",
        fingerprint="now",
        ticket_id=ticket,
        decision="note",
        confidence=0.5,
        eligible=True,
        as_of=at,
        made_at=at,
        record=record,
    )


REFUND = "Refunds reach your card within 14 days."
ARTICLE, MACRO = "zendesk:help:article:1", "zendesk:help:macro:9"
FILLER = [version(f"zendesk:help:article:{n}", f"Part {n} of the hub weighs {n} grams.") for n in range(100, 160)]


def test_a_macro_and_an_article_that_name_different_figures_are_found_once() -> None:
    known = sayings([version(ARTICLE, REFUND), version(MACRO, "Hello. Refunds reach your card within 30 days."), *FILLER])
    found = between_sources(known)
    assert [[one["document"] for one in clash["documents"]] for clash in found] == [[ARTICLE, MACRO]]
    assert "“14 day" in found[0]["why"]
    assert found[0]["documents"][0]["says"] == REFUND


def test_the_same_figure_other_languages_and_one_document_alone_are_no_contradiction() -> None:
    same = [version(ARTICLE, REFUND), version(MACRO, REFUND), version("zendesk:help:article:2", REFUND.replace("14", "30"), "fr")]
    assert between_sources(sayings(same)) == []
    assert between_sources(sayings([version(ARTICLE, f"{REFUND}\n\nRefunds reach your card within 30 days.")])) == []


def test_a_document_is_out_of_date_when_agents_answer_otherwise_and_nobody_since_as_it_says() -> None:
    later = "Hi Ana Lima, refunds reach your card within 5 days."
    rows = [answered("1", f"Hello, {REFUND.lower()}", NOW), *(answered(str(n), later, NOW + timedelta(days=n)) for n in (2, 3))]
    (found,) = against_agents(sayings([version(ARTICLE, REFUND), *FILLER]), rows)
    assert (found["document"], found["tickets"], found["examples"], found["agree"], found["stale"]) == (ARTICLE, 2, ["2", "3"], 1, True)
    assert "5 days" in found["agents"]
    assert "Ana" not in found["agents"]


def test_agents_who_went_back_to_what_the_document_says_make_it_no_stale_one() -> None:
    rows = [
        answered("2", "Refunds reach your card within 5 days.", NOW + timedelta(days=1)),
        answered("3", "Refunds reach your card within 5 days.", NOW + timedelta(days=2)),
        answered("4", REFUND, NOW + timedelta(days=3)),
    ]
    (found,) = against_agents(sayings([version(ARTICLE, REFUND)]), rows)
    assert not found["stale"]


def test_what_the_nearest_document_lacks_is_what_agents_state_and_it_does_not() -> None:
    told = ["Refunds reach your card within 14 days.", "Shipping to Norway costs 12 euros.", "The customs form is sent by mail."]
    assert lacks(told, f"# Refunds\n\n{REFUND}", "en") == told[1:]
    assert lacks(told[:1], REFUND, "en") == []
