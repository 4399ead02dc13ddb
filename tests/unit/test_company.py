"""The invented company is what the demo, the simulation and the acceptance checks stand on: these promises keep it honest."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
import yaml

from connectors.sandbox.company import Case, Company, load_company

KEYS = {
    "already_answered", "angry", "answerable", "auto_reply", "french", "injection", "internal_only", "screenshot_only",
    "two_questions", "unanswerable", "very_long", "wants_human",
}  # fmt: skip
REASONS = {
    "customer_request", "no_knowledge", "unsupported", "policy", "conflict", "injection", "model_unavailable", "budget", "pending_question",
}  # fmt: skip
VOID = {"br", "hr", "img", "col"}


@cache
def company() -> Company:
    return load_company()


@cache
def expected() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(files("connectors.sandbox").joinpath("company/expected.yaml").read_text("utf-8"))
    return loaded


def words(markup: str) -> str:
    """Readable text of an article's body, as one line."""
    inline = re.sub(r"</?(?:strong|em|a|code)\b[^>]*>", "", markup)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", inline)).split())


@cache
def texts() -> dict[str, str]:
    """VENDOR_ID[:LOCALE] of every article -> its title and text."""
    found: dict[str, str] = {}
    for article in company().articles:
        for locale, text in article.translations.items():
            key = str(article.id) if locale == article.source_locale else f"{article.id}:{locale}"
            found[key] = f"{text.title} {words(text.body)}"
    return found


def public() -> set[str]:
    closed = set(expected()["internal"]) | {expected()["draft"]["article"]}
    return {key for key in texts() if key.partition(":")[0] not in closed}


def case(key: str) -> Case:
    return next(ticket for ticket in company().waiting if ticket.key == key)


def says(case: Case) -> str:
    return "\n".join(remark.body for remark in case.comments)


class Nesting(HTMLParser):
    """Collects tags that are closed in the wrong order or never."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def test_help_center_is_large_bilingual_and_has_one_draft_and_five_staff_articles() -> None:
    articles = company().articles
    assert len(articles) >= 44
    assert sum("fr" in article.translations for article in articles) >= 12
    assert [str(a.id) for a in articles if a.segment is not None] == expected()["internal"]
    assert [str(a.id) for a in articles if any(t.draft for t in a.translations.values())] == [expected()["draft"]["article"]]


def test_article_bodies_are_well_formed_and_of_a_helpful_length() -> None:
    for article in company().articles:
        for locale, text in article.translations.items():
            parser = Nesting()
            parser.feed(text.body)
            parser.close()
            assert parser.faults == [], f"{article.id} {locale}"
            assert parser.open == [], f"{article.id} {locale}"
            length = len(words(text.body).split())
            assert 80 <= length <= 350, f"{article.id} {locale}: {length} words"


def test_relative_links_lead_to_articles_that_a_customer_may_read() -> None:
    for key, body in ((str(a.id), t.body) for a in company().articles for t in a.translations.values()):
        for target in re.findall(r'href="/hc/en-us/articles/(\d+)"', body):
            assert target in public(), f"{key} links to {target}"


def test_each_number_of_a_translation_stands_in_its_original_unless_it_is_a_french_matter() -> None:
    only_french = {"48", "2", "7", "23", "12345678901"}
    for article in company().articles:
        if "fr" not in article.translations:
            continue
        numbers = {locale: set(re.findall(r"\d+", words(text.body))) for locale, text in article.translations.items()}
        assert numbers["fr"] - numbers["en-us"] <= only_french, f"{article.id}: {numbers['fr'] - numbers['en-us']}"


def test_past_tickets_are_many_varied_settled_and_old_enough_to_learn_from() -> None:
    past = company().past
    assert len(past) >= 120
    assert sum(ticket.locale == "fr" for ticket in past) >= 20
    assert {ticket.status for ticket in past} == {"solved", "closed"}
    assert len({ticket.subject for ticket in past}) == len(past)
    assert len({ticket.comments[0].body for ticket in past}) == len(past)
    assert len({ticket.requester for ticket in past}) >= 50
    assert 3 <= sum(ticket.satisfaction is not None and ticket.satisfaction.score == "bad" for ticket in past) <= 12
    assert max(ticket.created for ticket in past) > timedelta(days=365)


def test_agents_answer_in_the_house_voice() -> None:
    staff = {person.id for person in company().people if person.role != "end-user"}
    replies = [r.body for t in company().past for r in t.comments if r.by in staff and r.public and r.rel is None]
    assert len(replies) >= 120
    for reply in replies:
        assert re.match(r"(Hi|Bonjour) [^\n,]+,\n\n", reply), reply
        assert re.search(r"\n\n(Dry floors,\n\w+ at Tidewell|À pied sec,\n\w+ de Tidewell)$", reply), reply


def test_nobody_outside_the_example_domains_is_named() -> None:
    assert all(person.email is None or person.email.endswith(".example") for person in company().people)
    everything = "\n".join([*texts().values(), *(says(t) for t in (*company().past, *company().waiting))])
    for domain in re.findall(r"(?:https?://|@)([\w.-]+\w)", everything):
        assert domain.endswith(".example"), domain


def test_exactly_the_twelve_tickets_wait_and_the_oldest_comes_first() -> None:
    waiting = company().waiting
    assert {ticket.key for ticket in waiting} == KEYS
    ages = [ticket.created for ticket in waiting]
    assert ages == sorted(ages, reverse=True)
    assert ages[0] <= timedelta(hours=20)
    assert ages[-1] > timedelta(minutes=2)
    assert len(says(case("very_long")).split()) >= 3000
    assert case("screenshot_only").comments[0].attachments
    assert "https://evil.example" in says(case("injection"))
    staff = {person.id for person in company().people if person.role != "end-user"}
    assert [t.key for t in waiting if any(r.by in staff and r.public for r in t.comments)] == ["already_answered"]


@pytest.mark.parametrize("key", sorted(KEYS))
def test_what_is_expected_of_a_ticket_can_be_met_from_the_articles(key: str) -> None:
    want = expected()["waiting"][key]
    assert want["decision"] in {"note", "handoff", "skip"}
    assert set(want.get("reason", [])) <= REASONS
    assert bool(want.get("reason")) == (want["decision"] == "handoff")
    assert bool(want.get("cite")) == (want["decision"] == "note")
    cited = {article for group in want.get("cite", []) for article in group}
    assert cited <= public()
    assert set(want.get("hints", [])) <= set(expected()["internal"])
    for fact in want.get("facts", []):
        assert any(fact in texts()[article] for article in cited), fact


def test_every_canary_stands_in_its_one_hidden_place() -> None:
    places = {f"article {key}": text for key, text in texts().items()}
    places |= {f"ticket {t.id}": f"{t.subject}\n{says(t)}" for t in (*company().past, *company().waiting)}
    places |= {f"macro {m.id}": f"{m.title}\n{m.comment}\n{m.description}" for m in company().macros}
    for canary in expected()["canaries"]:
        kind = next(name for name in ("article", "ticket", "macro") if name in canary)
        assert [place for place, text in places.items() if canary["text"] in text] == [f"{kind} {canary[kind]}"], canary
    assert {c["article"] for c in expected()["canaries"] if "article" in c} == {*expected()["internal"], expected()["draft"]["article"]}


def test_ticket_canaries_stand_in_private_notes_only() -> None:
    past = {ticket.id: ticket for ticket in company().past}
    noted = [canary for canary in expected()["canaries"] if "ticket" in canary]
    assert len(noted) >= 10
    for canary in noted:
        assert all(not r.public for r in past[canary["ticket"]].comments if canary["text"] in r.body), canary


def test_the_contradiction_and_the_outdated_article_are_where_they_are_said_to_be() -> None:
    conflict, stale = expected()["conflict"], expected()["stale"]
    assert len(conflict["articles"]) == 2
    for article, claim in conflict["articles"].items():
        assert [key for key, text in texts().items() if claim in text] == [article]
    for saying in stale["outdated"]:
        assert [key for key, text in texts().items() if saying in text] == [stale["article"]]
    old = next(a for a in company().articles if str(a.id) == stale["article"])
    updated = old.translations["en-us"].updated
    assert updated is not None
    assert updated >= timedelta(days=800)
    aside = {*conflict["articles"], stale["article"]}
    assert not aside & {article for want in expected()["waiting"].values() for group in want.get("cite", []) for article in group}


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in expected()["questions"]])
def test_a_customers_question_has_its_answer_in_the_named_article(row: dict[str, Any]) -> None:
    assert row["article"] in public()
    assert set(row.get("or", [])) <= public()
    assert row["article"].endswith(":fr") == (row["language"] == "fr")
    assert row["text"] not in texts()[row["article"]]
    for fact in row["facts"]:
        assert fact in texts()[row["article"]], fact


def test_there_are_twenty_questions_and_eight_without_an_answer() -> None:
    assert len(expected()["questions"]) == 20
    assert len(expected()["unanswerable"]) == 8
    ids = [row["id"] for row in (*expected()["questions"], *expected()["unanswerable"])]
    assert len(set(ids)) == len(ids)
