"""Solutions: folders within folders, languages, what is restricted where, pages and their faults."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox.freshdesk.api import FreshdeskApi
from connectors.sandbox.freshdesk.world import Quirks
from connectors.sandbox.site import Site

ARTICLE = {
    *("id", "type", "status", "agent_id", "created_at", "updated_at", "category_id", "folder_id", "title", "description"),
    *("description_text", "seo_data", "tags", "attachments", "cloud_files", "thumbs_up", "thumbs_down", "hits", "suggested"),
    *("feedback_count", "hierarchy"),
}


def test_an_empty_folder_may_hold_folders_with_articles(desk: Any) -> None:
    folders = desk.get("/solutions/categories/400/folders").json()
    assert [(row["id"], row["articles_count"], row["sub_folders_count"]) for row in folders] == [(501, 1, 1), (504, 0, 0)]
    within = desk.get("/solutions/folders/501/subfolders").json()
    assert [(row["id"], row["articles_count"], row["sub_folders_count"], row["parent_folder_id"]) for row in within] == [(502, 0, 1, 501)]
    assert [row["id"] for row in desk.get("/solutions/folders/502/subfolders").json()] == [503]
    deep = desk.get("/solutions/folders/503/articles").json()[0]
    assert [(one["level"], one["data"]["id"]) for one in deep["hierarchy"]] == [(0, 400), (1, 501), (2, 502), (3, 503)]


def test_an_article_has_the_recorded_keys_and_a_token_only_by_itself(desk: Any) -> None:
    listed = desk.get("/solutions/folders/501/articles").json()[0]
    assert set(listed) == ARTICLE
    assert (listed["status"], listed["description"], listed["description_text"]) == (2, "<p>It closes.</p>", " It closes. ")
    alone = desk.get("/solutions/articles/601").json()
    assert set(alone) == ARTICLE | {"collaboration"}


def test_drafts_and_staff_folders_are_shown_to_an_agents_key(desk: Any) -> None:
    assert [row["status"] for row in desk.get("/solutions/folders/503/articles").json()] == [1]
    assert desk.get("/solutions/folders/504").json()["visibility"] == 3


def test_another_language_is_asked_for_by_its_code(desk: Any) -> None:
    assert [row["title"] for row in desk.get("/solutions/folders/501/articles/fr").json()] == ["Vanne"]
    assert desk.get("/solutions/articles/601/fr").json()["hierarchy"][0]["data"] == {"id": 400, "name": "Étagère", "language": "fr"}
    assert desk.get("/solutions/articles/602/fr").status_code == 404
    assert [row["name"] for row in desk.get("/solutions/categories/fr").json()] == ["Étagère"]
    assert [row["id"] for row in desk.get("/solutions/categories/400/folders/fr").json()] == [501]
    assert desk.get("/solutions/categories/de").status_code == 404


def test_only_its_text_moves_an_articles_time(desk: Any, account: FreshdeskApi, clock: Any) -> None:
    before = desk.get("/solutions/articles/601").json()["updated_at"]
    account.solutions.move(601, 504)
    account.solutions.show_to(501, 3)
    assert desk.get("/solutions/articles/601").json()["updated_at"] == before
    account.solutions.edit(601, title="Valve, again")
    assert desk.get("/solutions/articles/601").json()["updated_at"] == "2026-11-25T12:00:00Z"


def test_a_deleted_article_is_nowhere(desk: Any, account: FreshdeskApi) -> None:
    account.solutions.delete(601)
    assert desk.get("/solutions/articles/601").status_code == 404
    assert desk.get("/solutions/folders/501/articles").json() == []
    account.solutions.delete_folder(501)
    assert 602 not in account.solutions.articles


def test_lists_come_in_pages_or_whole(desk: Any, account: FreshdeskApi, clock: Any) -> None:
    account.solutions.create_many(64, folder_id=501)
    first = desk.get("/solutions/folders/501/articles")
    assert len(first.json()) == 30
    assert len(desk.walk("/solutions/folders/501/articles", per_page=50)) == 65
    whole = FreshdeskApi(clock, account.content, quirks=Quirks(solutions_paged=False))
    whole.solutions.create_many(64, folder_id=501)
    with Site(whole, now=clock, sleep=clock.advance) as site:
        desk.url = site.url
        answer = desk.get("/solutions/folders/501/articles")
        assert (len(answer.json()), "link" in answer.headers) == (65, False)


@pytest.mark.parametrize("kind", ["empty_page", "duplicate_page"])
def test_a_faulty_page_loses_no_row(desk: Any, account: FreshdeskApi, site: Site, kind: Any) -> None:
    account.solutions.create_many(64, folder_id=501)
    site.faults.add(kind, "/api/v2/solutions/folders/501/articles", skip=1)
    rows = desk.walk("/solutions/folders/501/articles", per_page=20)
    assert len({row["id"] for row in rows}) == 65
    assert len(rows) == (65 if kind == "empty_page" else 85)


def test_a_foreign_link_leads_away(desk: Any, site: Site) -> None:
    site.faults.add("foreign_link", "/api/v2/solutions/folders/501/articles")
    link = desk.get("/solutions/folders/501/articles").links["next"]["url"]
    assert link.startswith("http://elsewhere.tidewell.example/api/v2/")


def test_an_html_page_and_half_an_answer_can_be_had(desk: Any, site: Site) -> None:
    site.faults.add("html", "/api/v2/solutions/*")
    assert "<html" in desk.get("/solutions/categories").text
    site.faults.add("redirect", "/api/v2/solutions/*")
    assert desk.get("/solutions/categories").status_code == 302


def test_searching_finds_what_is_published(desk: Any) -> None:
    assert [row["id"] for row in desk.get("/search/solutions", term="closes").json()] == [601]
    assert desk.get("/search/solutions", term="down here").json() == []
