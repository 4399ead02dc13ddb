"""The Help Center: who sees what, and which change is reported where."""

from __future__ import annotations

from typing import Any

import requests

from connectors.sandbox import Sandbox
from connectors.sandbox.company import Segment

ARTICLES = "/api/v2/help_center/articles.json"
EXPORT = "/api/v2/help_center/incremental/articles.json"


def listed(api: Any, target: str = ARTICLES, **params: Any) -> list[int]:
    return [row["id"] for row in api.get(target, **params).json()["articles"]]


def test_an_agent_sees_drafts_and_restricted_articles_and_a_customer_neither(api: Any, stranger: Any, ids: Any) -> None:
    assert listed(api) == [ids.refunds, ids.restricted, ids.draft]
    assert listed(stranger, "/api/v2/help_center/en-us/articles.json") == [ids.refunds]
    assert stranger.get(ARTICLES).status_code == 401
    customer = ("anna@customer.example/token", "sandbox-token")
    assert stranger("GET", f"/api/v2/help_center/articles/{ids.restricted}.json", auth=customer).status_code == 404


def test_restriction_shows_in_both_spellings(api: Any, ids: Any) -> None:
    found = api.get(f"/api/v2/help_center/articles/{ids.restricted}.json").json()["article"]
    assert (found["user_segment_id"], found["user_segment_ids"]) == (ids.segment, [ids.segment])
    (segment,) = api.get("/api/v2/help_center/user_segments.json").json()["user_segments"]
    assert segment["id"] == ids.segment


def test_a_users_segments_are_told_as_described_and_to_no_customer(sandbox: Sandbox, api: Any, stranger: Any, ids: Any) -> None:
    target = f"/api/v2/help_center/users/{ids.anna}/user_segments.json"
    assert api.get(target).json()["user_segments"] == [], "the only segment is for staff"
    sandbox.guide.segments[9] = Segment(9, "Signed in", "signed_in_users", built_in=True)
    (row,) = api.get(target).json()["user_segments"]
    lists = ("added_user_ids", "group_ids", "or_tags", "organization_ids", "tags")
    assert {name: type(value) for name, value in row.items()} == {
        **dict.fromkeys(lists, list), "built_in": bool, "created_at": str, "id": int, "name": str, "updated_at": str, "user_type": str,
    }  # fmt: skip
    assert stranger.get(target).status_code == 401
    assert stranger("GET", target, auth=("anna@customer.example/token", "sandbox-token")).status_code == 403
    assert api.get("/api/v2/help_center/users/1/user_segments.json").status_code == 404


def test_a_locale_lists_its_translations_and_without_one_the_source_is_shown(api: Any, ids: Any) -> None:
    (french,) = api.get("/api/v2/help_center/fr/articles.json").json()["articles"]
    assert (french["locale"], french["source_locale"], french["title"]) == ("fr", "en-us", "Remboursements")
    assert api.get(f"/api/v2/help_center/articles/{ids.refunds}.json").json()["article"]["locale"] == "en-us"
    assert api.get(f"/api/v2/help_center/fr/articles/{ids.restricted}.json").status_code == 404


def test_translations_come_nested_when_included_and_alone(api: Any, ids: Any) -> None:
    row = api.get(ARTICLES, include="translations,sections,categories,users").json()
    assert [t["locale"] for t in row["articles"][0]["translations"]] == ["en-us", "fr"]
    assert (row["sections"][0]["id"], row["categories"][0]["id"]) == (ids.section, ids.category)
    assert row["users"][0]["role"] == "admin"
    alone = api.get(f"/api/v2/help_center/articles/{ids.refunds}/translations.json").json()["translations"]
    assert {t["locale"]: t["draft"] for t in alone} == {"en-us": False, "fr": False}
    one = api.get(f"/api/v2/help_center/articles/{ids.refunds}/translations/fr.json").json()["translation"]
    assert one["body"] == "<p>Sous 30 jours.</p>"


def test_articles_are_listed_by_section_category_and_label(api: Any, ids: Any) -> None:
    assert listed(api, f"/api/v2/help_center/sections/{ids.section}/articles.json")[0] == ids.refunds
    assert len(listed(api, f"/api/v2/help_center/categories/{ids.category}/articles.json")) == 3
    assert listed(api, label_names="refunds") == [ids.refunds]
    assert api.get("/api/v2/help_center/fr/sections.json").json()["sections"][0]["name"] == "Remboursements"
    assert api.get("/api/v2/help_center/categories.json").json()["categories"][0]["name"] == "Orders"


def test_locales_name_the_default(api: Any) -> None:
    assert api.get("/api/v2/help_center/locales.json").json() == {"locales": ["en-us", "fr"], "default_locale": "en-us"}


def test_the_export_reports_metadata_and_is_silent_about_text(sandbox: Sandbox, api: Any, ids: Any, clock: Any) -> None:
    start = int(clock.at.timestamp())
    clock.advance(10)
    sandbox.guide.edit(ids.refunds, body="<p>Refunds are available within 14 days.</p>")
    sandbox.guide.restrict(ids.draft, ids.segment)
    clock.advance(70)
    assert listed(api, EXPORT, start_time=start) == [ids.draft]
    assert listed(api, sort_by="edited_at", sort_order="desc")[0] == ids.refunds
    assert set(listed(api, sort_by="updated_at", sort_order="desc")[:2]) == {ids.refunds, ids.draft}


def test_a_translations_edit_moves_edited_at_of_its_own_locale_only(sandbox: Sandbox, api: Any, ids: Any, clock: Any) -> None:
    sandbox.guide.edit(ids.refunds, body="<p>Sous 14 jours.</p>", locale="fr")
    english = api.get(f"/api/v2/help_center/en-us/articles/{ids.refunds}.json").json()["article"]
    french = api.get(f"/api/v2/help_center/fr/articles/{ids.refunds}.json").json()["article"]
    stamp = f"{clock.at:%Y-%m-%dT%H:%M:%SZ}"
    assert (french["edited_at"], french["updated_at"], english["updated_at"]) == (stamp, stamp, stamp)
    assert english["edited_at"] < stamp


def test_the_export_has_no_end_of_stream_ends_with_null_and_is_empty_with_end_time_one(api: Any, clock: Any) -> None:
    whole = api.get(EXPORT, start_time=0).json()
    assert "end_of_stream" not in whole
    assert (whole["count"], whole["next_page"]) == (3, None)
    page = api.get(EXPORT, start_time=0, per_page=1).json()
    assert page["next_page"].endswith(f"start_time={page['end_time']}&per_page=1")
    assert api.get(EXPORT, start_time=int(clock.at.timestamp())).json() == {"count": 0, "next_page": None, "end_time": 1, "articles": []}


def test_the_export_is_not_for_customers(stranger: Any) -> None:
    assert stranger.get(EXPORT, start_time=0).status_code == 401
    assert stranger("GET", EXPORT, auth=("anna@customer.example/token", "sandbox-token")).status_code == 403


def test_an_archived_article_vanishes_without_a_trace(sandbox: Sandbox, api: Any, ids: Any, clock: Any) -> None:
    sandbox.guide.archive(ids.refunds)
    clock.advance(61)
    assert ids.refunds not in listed(api) + listed(api, EXPORT, start_time=0)
    assert api.get(f"/api/v2/help_center/articles/{ids.refunds}.json").status_code == 404


def test_a_draft_made_of_a_published_article_stays_in_the_agents_list(sandbox: Sandbox, api: Any, stranger: Any, ids: Any) -> None:
    sandbox.guide.set_draft(ids.refunds, True)
    assert ids.refunds in listed(api)
    assert listed(stranger, "/api/v2/help_center/en-us/articles.json") == []


def test_the_page_of_a_restricted_article_is_a_sign_in_form_that_answers_200(sandbox: Sandbox, api: Any, ids: Any) -> None:
    articles = {row["id"]: row for row in api.get(ARTICLES).json()["articles"]}
    open_page = requests.get(articles[ids.refunds]["html_url"], timeout=10)
    closed_page = requests.get(articles[ids.restricted]["html_url"], timeout=10)
    assert "within 30 days" in open_page.text
    assert (closed_page.status_code, "Sign in" in closed_page.text, "Secret" in closed_page.text) == (200, True, False)
