"""The trade desk's content is sound, and its expectations speak of what is there."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
import yaml

from connectors.sandbox.freshdesk.content import Content, Folder, Person, check_content, load_content
from connectors.sandbox.rows import CompanyFault

COMPANY = files("connectors.sandbox") / "company"
EXPECTED: dict[str, Any] = yaml.safe_load((COMPANY / "expected_freshdesk.yaml").read_text(encoding="utf-8"))
CONTENT = load_content()
PUBLIC = {folder.id for folder in CONTENT.folders if folder.visibility == 1}


def test_there_is_enough_to_learn_from() -> None:
    assert len(CONTENT.articles) >= 14
    assert len(CONTENT.past) >= 25
    assert {case.key for case in CONTENT.waiting} == set(EXPECTED["waiting"])


def test_past_tickets_are_answered_in_the_house_voice() -> None:
    agents = {person.id for person in CONTENT.agents}
    for case in CONTENT.past:
        answers = [remark.body for remark in case.remarks if remark.by in agents and not remark.private]
        assert answers, case.id
        assert all("Dry floors," in answer or "À pied sec," in answer for answer in answers), case.id


def test_a_canary_stands_in_one_place_of_all_the_company() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in COMPANY.iterdir() if path.name.endswith(".yaml")}
    whole = "\n".join(text for name, text in texts.items() if not name.startswith("expected"))
    for canary in EXPECTED["canaries"]:
        assert whole.count(canary["text"]) == 1, canary


def test_no_canary_stands_where_everybody_reads() -> None:
    shown = "\n".join(
        f"{text.title}\n{text.body}"
        for article in CONTENT.articles
        if article.folder in PUBLIC
        for text in article.texts.values()
        if not text.draft
    )
    agents = {person.id for person in CONTENT.agents}
    shown += "\n".join(r.body for c in (*CONTENT.past, *CONTENT.waiting) for r in c.remarks if not (r.private and r.by in agents))
    assert [canary["text"] for canary in EXPECTED["canaries"] if canary["text"] in shown] == []


def test_what_is_expected_of_an_article_stands_in_it() -> None:
    articles = {str(article.id): article for article in CONTENT.articles}
    for question in EXPECTED["questions"]:
        number, _, language = question["article"].partition(":")
        assert articles[number].folder in PUBLIC
        text = articles[number].texts[language or "en"]
        assert not text.draft
        assert all(fact in text.body for fact in question["facts"]), question
    for number in EXPECTED["internal"]:
        assert articles[number].folder not in PUBLIC
    assert articles[EXPECTED["draft"]["article"]].texts["en"].draft
    waiting = EXPECTED["waiting"]["trade_answerable"]
    assert all(fact in articles[waiting["cite"][0][0]].texts["en"].body for fact in waiting["facts"])


def test_folders_nest_five_levels_deep() -> None:
    parents = {folder.id: folder.parent for folder in CONTENT.folders}

    def depth(folder_id: int | None) -> int:
        return 0 if folder_id is None else 1 + depth(parents[folder_id])

    assert max(depth(article.folder) for article in CONTENT.articles) == 5


def test_a_reference_to_nothing_is_a_fault() -> None:
    from datetime import timedelta

    folder = Folder(1, 2, timedelta(days=1), {"en": "Lost"})
    with pytest.raises(CompanyFault, match="there is no 2"):
        check_content(Content(5, (Person(5, "Bot", timedelta(days=1)),), folders=(folder,)))
