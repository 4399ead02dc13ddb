"""Searching with CQL, and who may read a page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.sandbox.confluence.world import Quirks

SEARCH = "/rest/api/content/search"


def found(client: Any, cql: str, **more: Any) -> list[str]:
    return [row["id"] for row in client.ok(SEARCH, cql=cql, limit=100, **more)["results"]]


def at(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(("flavour", "zone"), [("cloud", "America/St_Johns"), ("datacenter", "Asia/Kolkata")])
def test_moments_are_the_askers_or_the_servers_to_the_minute(open_wiki: Any, clock: Any, flavour: str, zone: str) -> None:
    client = open_wiki(flavour)
    client.api.wiki.edit(102, body="<p>New</p>")
    clock.advance(120)
    edited = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert found(client, f'lastmodified >= "{at(edited, zone)}"') == ["102"]
    assert found(client, f'lastmodified > "{at(edited, zone)}"') == [], "the minute itself is lost"
    later = edited.replace(minute=1)
    assert found(client, f'lastmodified >= "{at(later, zone)}"') == []
    if flavour == "cloud":
        assert found(client, f'lastmodified >= "{at(edited, "UTC")}"') == [], "as UTC it would be hours too late"
    assert found(client, 'lastmodified >= now("-5m") and type = page') == ["102"]
    assert "102" in found(client, f'lastmodified >= "{at(edited, zone)[:10]}"')


def test_a_fresh_change_is_not_found_yet(cloud: Any, clock: Any) -> None:
    made = cloud.api.wiki.create("Fresh", "<p>Fresh</p>", space="KB").id
    clock.advance(44)
    assert str(made) not in found(cloud, "space = KB")
    clock.advance(2)
    assert str(made) in found(cloud, "space = KB")
    cloud.api.wiki.trash(made)
    assert str(made) not in found(cloud, "space = KB"), "what is gone is gone at once"


def test_questions_are_put_together(cloud: Any) -> None:
    assert found(cloud, 'space in (KB, "~tom") and title = "Valve" order by id desc') == ["111", "102"]
    assert found(cloud, "space = KB and not (label = a) and ancestor = 101") == ["105", "106", "114"]
    assert found(cloud, "type = page and title ~ \"below\" and space != '~tom'") == ["106", "110"]
    assert found(cloud, "id in (102, 103, 104, 111) order by title, id") == ["102", "111"]
    assert found(cloud, "space not in (KB)") == ["111"]
    assert found(cloud, "SPACE = kb AND (id = 101 OR id = 102) ORDER BY lastModified DESC") == ["102", "101"]


def test_pages_are_found_by_the_macros_in_them(cloud: Any, clock: Any) -> None:
    cloud.api.wiki.edit(102, body='<ac:structured-macro ac:name="excerpt-include" ac:schema-version="1"/><p>include</p>')
    cloud.api.wiki.edit(103, body="<p>macro include</p>")
    clock.advance(120)
    assert found(cloud, 'space in ("KB") and type = page and macro in ("include","excerpt-include")') == ["102"]


@pytest.mark.parametrize(
    "cql", ["space = ~tom", "colour = red", "space =", "space = KB and", 'lastmodified > "soon"', "(space = KB", 'a "b']
)
def test_what_is_no_query_is_refused(cloud: Any, cql: str) -> None:
    answer = cloud.get(SEARCH, cql=cql)
    assert (answer.status_code, answer.json()["statusCode"]) == (400, 400)


def test_a_query_is_needed(cloud: Any) -> None:
    answer = cloud.get(SEARCH)
    assert answer.status_code == 400
    assert "data" in answer.json()


def test_archived_pages_are_found_unless_the_context_says_otherwise(cloud: Any) -> None:
    assert "107" in found(cloud, "space = KB")
    assert "107" not in found(cloud, "space = KB", cqlcontext=json.dumps({"contentStatuses": ["current"]}))
    assert not {"108", "109", "103", "104", "112"} & set(found(cloud, "type = page"))
    assert cloud.get(SEARCH, cql="type=page", cqlcontext="{").status_code == 400


def test_searching_leads_on_by_cursor_below_the_base(cloud: Any) -> None:
    told = cloud.ok(SEARCH, cql="space = KB order by lastmodified asc", limit=2, start=4)
    assert told["start"] == 0
    onward = told["_links"]["next"]
    assert onward.startswith("/rest/api/content/search?cql="), "without the base's path"
    rows = [row["id"] for row in told["results"]]
    while onward:
        told = cloud.ok(onward)
        rows += [row["id"] for row in told["results"]]
        onward = told["_links"].get("next")
    assert len(rows) == len(set(rows)) == len(found(cloud, "space = KB"))


def test_the_searches_differ_in_what_they_make_of_nonsense(cloud: Any) -> None:
    assert cloud.get(SEARCH, cql="type=page", limit="abc").status_code == 400
    odd = cloud.get("/rest/api/search", cql="type=page", limit="abc")
    assert (odd.status_code, odd.content) == (404, b"")
    assert cloud.ok(SEARCH, cql="type=page", limit=0)["_links"]["next"]
    assert cloud.ok(SEARCH, cql="type=page", limit=5000)["limit"] == 1000
    assert cloud.ok(SEARCH, cql="type=page", limit=100, expand="body.export_view")["limit"] == 25
    assert cloud.get(SEARCH, cql="type=page", cursor="nonsense").status_code == 500


def test_the_plain_search_wraps_its_results_and_may_be_broken(cloud: Any) -> None:
    told = cloud.ok("/rest/api/search", cql="space = KB order by lastmodified desc", limit=1)
    row = told["results"][0]
    assert row["content"]["id"]
    assert row["entityType"] == "content"
    assert told["totalSize"] == len(found(cloud, "space = KB"))
    cloud.api.world.quirks.search_broken = True
    broken = cloud.get("/rest/api/search", cql="type=page")
    assert (broken.status_code, broken.headers["content-type"][:9]) == (400, "text/html")
    assert cloud.get(SEARCH, cql="type=page").status_code == 200


def test_data_center_searches_by_offset_with_hard_caps(datacenter: Any) -> None:
    for number in range(60):
        datacenter.api.wiki.create(f"Many {number}", "<p>x</p>", space="~tom", at=datetime(2026, 1, 1, tzinfo=UTC))
    told = datacenter.ok(SEARCH, cql='space = "~tom"', limit=60, expand="body.storage")
    assert (told["limit"], told["size"]) == (50, 50)
    assert "start=60" in told["_links"]["next"]
    assert datacenter.ok(SEARCH, cql='space = "~tom"', limit=60, start=50, expand="body.storage")["size"] == 11


# --- who may read ---


def test_a_restriction_names_people_and_groups_and_says_nothing_of_what_lies_above(cloud: Any) -> None:
    expand = {"expand": "restrictions.user,restrictions.group"}
    own = cloud.ok("/rest/api/content/105/restriction/byOperation/read", **expand)["restrictions"]
    assert [row["accountId"] for row in own["user"]["results"]] == ["712020:bot"]
    assert [row["name"] for row in own["group"]["results"]] == ["staff"]
    assert own["user"]["results"][0]["email"] == ""
    below = cloud.ok("/rest/api/content/106/restriction/byOperation/read", **expand)["restrictions"]
    assert below["user"]["results"] == below["group"]["results"] == []
    assert "restrictions" not in cloud.ok("/rest/api/content/105/restriction/byOperation/read")
    assert cloud.get("/rest/api/content/103/restriction/byOperation/read").status_code == 404
    assert cloud.get("/rest/api/content/113/restriction/byOperation/read").status_code == 200, "a folder has one too"


def test_restrictions_come_with_a_search(cloud: Any) -> None:
    expand = "restrictions.read.restrictions.user,restrictions.read.restrictions.group"
    rows = cloud.ok(SEARCH, cql="id in (102, 105)", expand=expand)["results"]
    named = {row["id"]: row["restrictions"]["read"]["restrictions"]["user"]["size"] for row in rows}
    assert named == {"102": 0, "105": 1}


def test_one_ancestor_that_is_a_draft_loses_the_whole_answer(cloud: Any) -> None:
    expand = "ancestors.restrictions.read.restrictions.user"
    assert cloud.get(SEARCH, cql="id in (102, 110)", expand=expand).status_code == 404
    assert cloud.get(SEARCH, cql="id in (102, 106)", expand=expand).status_code == 200
    assert cloud.get(SEARCH, cql="id in (102, 110)", expand="ancestors").status_code == 200
    assert cloud.ok("/api/v2/pages/110/ancestors")["results"] == [{"id": "109", "type": "page"}]


def test_what_is_unknown_is_not_told(open_wiki: Any) -> None:
    client = open_wiki(quirks=Quirks(restrictions_known=False))
    told = client.ok("/rest/api/content/105/restriction/byOperation/read", expand="restrictions.user,restrictions.group")
    assert "restrictions" not in told


def test_who_one_is_and_in_which_zone(cloud: Any, datacenter: Any) -> None:
    assert cloud.ok("/rest/api/user/current")["timeZone"] == "America/St_Johns"
    cloud.api.world.quirks.zone_told = False
    assert cloud.ok("/rest/api/user/current")["timeZone"] is None
    told = datacenter.ok("/rest/api/user/current")
    assert (told["username"], "timeZone" in told, "accountId" in told) == ("bot", False, False)
