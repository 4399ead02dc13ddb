"""Pages and spaces: what is listed, how lists lead on, what a page says of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from connectors.sandbox.confluence.world import Quirks

SEEN = ["101", "102", "105", "106", "110", "114"]  # of KB, current
ARCHIVED = "107"


def ids(rows: list[Any]) -> list[str]:
    return [row["id"] for row in rows]


def test_spaces_that_one_may_not_see_are_left_out_without_a_word(cloud: Any, datacenter: Any) -> None:
    assert [row["key"] for row in cloud.ok("/api/v2/spaces", keys="KB,SECRET,NONE")["results"]] == ["KB"]
    assert cloud.get("/api/v2/spaces/13").status_code == cloud.get("/api/v2/spaces/13/pages").status_code == 404
    assert [row["key"] for row in datacenter.ok("/rest/api/space")["results"]] == ["KB", "~tom"]
    assert datacenter.get("/rest/api/space/SECRET").status_code == 404
    assert cloud.ok("/api/v2/pages", **{"space-id": "11,13", "status": "current"})["results"]


def test_a_list_holds_archived_pages_unless_it_is_told_otherwise(cloud: Any) -> None:
    assert ids(cloud.walk("/api/v2/spaces/11/pages")) == sorted([*SEEN, ARCHIVED])
    assert ids(cloud.walk("/api/v2/spaces/11/pages", status="current")) == SEEN
    assert ids(cloud.walk("/api/v2/pages", **{"space-id": "11", "status": ["trashed", "archived"]})) == [ARCHIVED, "108"]
    assert cloud.get("/api/v2/pages", status="draft").status_code == 400


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("sort", ["id", "-id", "title", "-title", "modified-date", "-modified-date", "created-date"])
@pytest.mark.parametrize("limit", [1, 2, 3, 250])
def test_cursors_lead_through_everything_once(open_wiki: Any, sort: str, limit: int, late: bool) -> None:
    client = open_wiki(quirks=Quirks(filters_late=late))
    found = ids(client.walk("/api/v2/spaces/11/pages", sort=sort, limit=limit, status="current"))
    assert sorted(found) == SEEN
    assert len(found) == len(SEEN)


def test_pages_that_one_may_not_see_make_a_list_short_or_even_empty(cloud: Any) -> None:
    first = cloud.ok("/api/v2/spaces/11/pages", limit=1, status="current")
    second = cloud.ok(first["_links"]["next"])
    third = cloud.ok(second["_links"]["next"])
    assert ids(second["results"]) == ["102"]
    assert (third["results"], "next" in third["_links"]) == ([], True)


def test_the_link_header_says_the_same_its_cursor_first_and_with_bare_equals_signs(cloud: Any) -> None:
    answer = cloud.get("/api/v2/spaces/11/pages", limit=2, depth="all")
    onward = answer.json()["_links"]["next"]
    assert answer.headers["link"] == f'<{onward}>; rel="next", <{cloud.site.url}/wiki>; rel="base"'
    assert onward.startswith("/wiki/api/v2/spaces/11/pages?cursor=ey")
    assert onward.endswith("&depth=all&limit=2")
    last = cloud.get("/api/v2/spaces/11/pages", limit=250)
    assert 'rel="next"' not in last.headers["link"]


def test_a_cursor_holds_a_plus_sign_that_must_survive(cloud: Any) -> None:
    onward = cloud.ok("/api/v2/spaces/11/pages", limit=2)["_links"]["next"]
    assert "%2B" in onward
    broken = requests.get(f"{cloud.site.url}{onward.replace('%2B', '+')}", auth=cloud.session.auth, timeout=10)
    assert broken.status_code == 400


def test_a_bad_or_forgotten_cursor_is_an_invalid_parameter(cloud: Any) -> None:
    onward = cloud.ok("/api/v2/pages", limit=1)["_links"]["next"]
    cloud.post("/_sandbox/cursors", {})
    for answer in (cloud.get(onward), cloud.get("/api/v2/pages", cursor="eyJ4IjoxfQ=="), cloud.get("/api/v2/pages", cursor="!")):
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["code"] == "INVALID_REQUEST_PARAMETER"


def test_a_page_edited_during_a_crawl_by_date_comes_twice_and_by_what_stands_still_once(cloud: Any, clock: Any) -> None:
    for sort, times in (("modified-date", 2), ("created-date", 1)):
        first = cloud.ok("/api/v2/spaces/11/pages", limit=4, sort=sort, status="current")
        clock.advance(60)
        cloud.api.wiki.edit(105, body="<p>anew</p>")
        rest = cloud.walk(first["_links"]["next"])
        assert ids([*first["results"], *rest]).count("105") == times


def test_limits_have_bounds(cloud: Any) -> None:
    assert [cloud.get("/api/v2/pages", limit=n).status_code for n in (0, 251, "x", 250)] == [400, 400, 400, 200]
    assert cloud.get("/api/v2/pages", sort="size").status_code == 400
    assert cloud.get("/api/v2/pages", **{"body-format": "view"}).status_code == 400
    assert cloud.get("/api/v2/pages/102", **{"body-format": "view"}).status_code == 200


@pytest.mark.parametrize("page", [103, 104, 108, 109, 112, 113, 999])
def test_not_there_and_not_to_be_seen_are_one_answer(cloud: Any, page: int) -> None:
    answer = cloud.get(f"/api/v2/pages/{page}")
    assert answer.status_code == 404
    assert answer.json() == {"errors": [{"status": 404, "code": "NOT_FOUND", "title": "Not Found", "detail": None}]}


def test_a_status_may_be_asked_for_by_id(cloud: Any, datacenter: Any) -> None:
    assert cloud.ok("/api/v2/pages/108", status=["current", "trashed"])["status"] == "trashed"
    assert cloud.ok("/api/v2/pages/107")["status"] == "archived"
    assert datacenter.get("/rest/api/content/108").status_code == 404
    assert datacenter.ok("/rest/api/content/108", status="any")["status"] == "trashed"
    gone = datacenter.get("/rest/api/content/103")
    assert (gone.status_code, gone.json()["reason"]) == (404, "Not Found")


def test_a_page_tells_its_version_labels_files_and_what_lies_above(cloud: Any) -> None:
    page = cloud.ok("/api/v2/pages/114", **{"body-format": "storage", "include-labels": "true"})
    assert (page["parentId"], page["parentType"], page["version"]["number"]) == ("113", "folder", 2)
    assert page["body"]["storage"]["value"] == "<p>In</p>"
    assert cloud.ok("/api/v2/pages/114", version=1, **{"body-format": "storage"})["body"]["storage"]["value"] == "<p>Was</p>"
    assert [row["number"] for row in cloud.walk("/api/v2/pages/114/versions")] == [2, 1]
    assert [row["title"] for row in cloud.walk("/api/v2/pages/114/attachments")] == ["a.pdf"]
    assert cloud.ok("/api/v2/pages/114/ancestors")["results"] == [{"id": "101", "type": "page"}, {"id": "113", "type": "folder"}]
    assert ids(cloud.ok("/api/v2/pages/114/ancestors", limit=1)["results"]) == ["113"]
    assert sorted(row["name"] for row in cloud.walk("/api/v2/pages/102/labels", limit=1)) == ["a", "b"]
    label = cloud.walk("/api/v2/pages/102/labels")[0]
    assert ids(cloud.walk(f"/api/v2/labels/{label['id']}/pages")) == ["102"]
    assert ids(cloud.walk("/api/v2/pages/101/children")) == ["102", "105"]


def test_only_an_edit_makes_a_version(cloud: Any, clock: Any) -> None:
    before = cloud.ok("/api/v2/pages/102")["version"]
    clock.advance(60)
    wiki = cloud.api.wiki
    wiki.label(102, "c")
    wiki.restrict(102, users=["712020:bot"])
    wiki.move(102, parent=105)
    wiki.trash(102)
    wiki.restore(102)
    assert cloud.ok("/api/v2/pages/102")["version"] == before
    wiki.edit(102, title="Valves")
    assert cloud.ok("/api/v2/pages/102")["version"]["number"] == before["number"] + 1


def test_what_is_deleted_leaves_its_children_to_what_lay_above(cloud: Any) -> None:
    cloud.api.wiki.trash(105)
    assert cloud.ok("/api/v2/pages/106")["parentId"] == "101"
    with pytest.raises(ValueError, match="has a page"):
        cloud.api.wiki.create("Valve", "", space="KB")


def test_a_space_move_takes_along_what_lies_below(cloud: Any) -> None:
    cloud.api.wiki.move(105, space="~tom")
    assert cloud.ok("/api/v2/pages/106")["spaceId"] == "12"


def test_rendering_shows_what_the_asker_may_see_of_other_pages(cloud: Any) -> None:
    include = (
        '<ac:structured-macro ac:name="include"><ac:parameter ac:name=""><ac:link><ri:page ri:content-title="{}" /></ac:link>'
        "</ac:parameter></ac:structured-macro>"
    )
    included = include.format("Some") + include.format("Closed")
    cloud.api.wiki.edit(102, body=f"<p>caf&eacute; &amp; co</p>{included}<time datetime='2026-01-01' />")
    told = cloud.ok("/api/v2/pages/102", **{"body-format": "export_view"})["body"]["export_view"]["value"]
    assert "café &amp; co" in told
    assert "Few" in told
    assert "Mira's" not in told
    assert "2026-01-01</time>" in told
    document = json.loads(cloud.ok("/api/v2/pages/102", **{"body-format": "atlas_doc_format"})["body"]["atlas_doc_format"]["value"])
    assert document["content"][0]["content"][0]["text"] == "café & co"


# --- Data Center ---


def test_a_lessened_limit_makes_the_next_link_jump_over_rows(datacenter: Any) -> None:
    for number in range(120):
        datacenter.api.wiki.create(f"Many {number}", "<p>x</p>", space="~tom")
    told = datacenter.ok("/rest/api/content", spaceKey="~tom", limit=100, expand="body.storage")
    assert (told["limit"], told["size"]) == (50, 50)
    assert "start=100" in told["_links"]["next"]
    assert told["_links"]["context"] == "/confluence"
    start, found = 0, 0
    while True:
        told = datacenter.ok("/rest/api/content", spaceKey="~tom", limit=100, start=start, expand="body.storage")
        found, start = found + told["size"], start + told["size"]
        if "next" not in told["_links"]:
            break
    assert found == 121
    assert datacenter.ok("/rest/api/content", spaceKey="~tom", limit=5000)["limit"] == 1000
    assert datacenter.ok("/rest/api/content", spaceKey="~tom", limit=5000, expand="version")["limit"] == 200


def test_a_limit_of_nothing_leads_to_itself(datacenter: Any) -> None:
    told = datacenter.ok("/rest/api/content", spaceKey="KB", limit=0)
    assert (told["results"], told["_links"]["next"]) == ([], "/rest/api/content?spaceKey=KB&limit=0&start=0")


def test_strange_starts_and_limits_are_refused(datacenter: Any) -> None:
    refused = datacenter.get("/rest/api/content", limit=-1)
    assert refused.json()["message"] == "java.lang.IllegalArgumentException: limit cannot be less than zero"
    assert datacenter.get("/rest/api/content", limit="abc").status_code == 400
    assert "no longer supported" in datacenter.get("/rest/api/content", start=100_001).json()["message"]


def test_expansions_tell_more(datacenter: Any) -> None:
    bare = datacenter.ok("/rest/api/content", spaceKey="KB", limit=2)["results"][1]
    assert not {"body", "version", "space", "ancestors"} & set(bare)
    expand = "body.storage,version,ancestors,space,metadata.labels,history.lastUpdated"
    full = datacenter.ok("/rest/api/content", spaceKey="KB", limit=2, expand=expand)["results"][1]
    assert full["body"]["storage"]["value"] == "<p>It closes.</p>"
    assert ids(full["ancestors"]) == ["101"]
    assert [row["name"] for row in full["metadata"]["labels"]["results"]] == ["a", "b"]
    assert full["version"]["when"].endswith("+05:30"), "the server's zone"
    assert full["history"]["lastUpdated"]["number"] == 2


def test_an_answer_too_heavy_times_out(open_wiki: Any) -> None:
    client = open_wiki("datacenter", quirks=Quirks(heavy=40))
    assert client.get("/rest/api/content", spaceKey="KB", expand="body.storage").status_code == 504
    assert client.get("/rest/api/content", spaceKey="KB", expand="body.storage", limit=2).status_code == 200


def test_paging_faults_strike(cloud: Any) -> None:
    cloud.site.faults.add("empty_page", "*/pages")
    empty = cloud.ok("/api/v2/spaces/11/pages", limit=2, status="current")
    assert (empty["results"], ids(cloud.walk(empty["_links"]["next"]))) == ([], SEEN)
    cloud.site.faults.add("duplicate_page", "*/pages")
    assert ids(cloud.walk("/api/v2/spaces/11/pages", limit=2, status="current")) == ["101", "102", *SEEN]
    cloud.site.faults.add("foreign_link", "*/pages")
    foreign = cloud.ok("/api/v2/spaces/11/pages", limit=2)
    assert foreign["_links"]["next"].startswith("http://elsewhere.tidewell.example/wiki/api/v2/")


def test_people_may_be_played_over_http(cloud: Any) -> None:
    made = cloud.post("/_sandbox/pages", {"action": "create", "title": "New", "body": "<p>New</p>", "space": "KB"}).json()["id"]
    assert cloud.ok(f"/api/v2/pages/{made}")["title"] == "New"
    assert cloud.post("/_sandbox/pages", {"action": "archive", "id": made}).status_code == 200
    assert cloud.post("/_sandbox/pages", {"action": "burn"}).status_code == 400
    assert cloud.post("/_sandbox/pages", {"action": "edit", "id": 4}).status_code == 400
    assert cloud.post("/_sandbox/quirks", {"index_delay": 300}).json()["index_delay"] == 300
    assert any(page["status"] == "archived" for page in cloud.ok("/_sandbox/state")["pages"])
