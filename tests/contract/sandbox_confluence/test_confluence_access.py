"""Who gets in, what others are told, and how often one may ask."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from connectors.sandbox.confluence.access import CLOUD_ID, EMAIL, OAUTH_TOKEN, PASSWORD, SCOPED_TOKEN, USERNAME
from connectors.sandbox.confluence.limits import Limits
from connectors.sandbox.confluence.world import Quirks

SEARCH = "/rest/api/content/search?cql=type=page"
GATEWAY = f"/ex/confluence/{CLOUD_ID}/wiki"


@pytest.mark.parametrize("credentials", [None, (EMAIL, "wrong"), ("somebody@else.example", "sandbox-confluence-token")])
def test_a_missing_and_a_rejected_credential_are_one_403_in_v1_and_401_in_v2(open_wiki: Any, credentials: Any) -> None:
    client = open_wiki(credentials=credentials)
    answer = client.get(SEARCH)
    assert answer.status_code == 403
    assert answer.json()["statusCode"] == 403
    assert "caller cannot access Confluence" in answer.json()["message"]
    newer = client.get("/api/v2/spaces")
    assert (newer.status_code, newer.json()["errors"][0]["status"]) == (401, 401)


def test_what_is_no_basic_at_all_gets_a_page_of_html(open_wiki: Any) -> None:
    answer = open_wiki(credentials="Basic %%%").get(SEARCH)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "Tomcat" in answer.text


def test_a_bearer_at_the_site_is_taken_for_something_else(open_wiki: Any) -> None:
    answer = open_wiki(credentials=f"Bearer {OAUTH_TOKEN}").get("/api/v2/spaces")
    assert (answer.status_code, answer.json()) == (403, {"error": "Failed to parse Connect Session Auth Token"})


def test_a_scoped_token_works_at_the_gateway_only(open_wiki: Any) -> None:
    client = open_wiki(credentials=(EMAIL, SCOPED_TOKEN))
    assert client.get("/api/v2/spaces").status_code == 401
    assert client.ok("/_edge/tenant_info") == {"cloudId": CLOUD_ID}
    told = client.ok(f"{GATEWAY}/api/v2/spaces", limit=1)
    assert told["_links"]["base"] == "https://tidewell.atlassian.example/wiki"
    assert told["_links"]["next"].startswith("/wiki/api/v2/spaces?"), "the gateway's own path is lost in the link"
    assert client.ok(GATEWAY + told["_links"]["next"].removeprefix("/wiki"))["results"][0]["key"] == "~tom"
    assert client.get("/ex/confluence/other/wiki/api/v2/spaces").status_code == 404


def test_a_scope_that_lacks_is_told(open_wiki: Any) -> None:
    client = open_wiki(credentials=f"Bearer {OAUTH_TOKEN}")
    client.api.access.scopes.discard("search:confluence")
    answer = client.get(f"{GATEWAY}{SEARCH}")
    assert (answer.status_code, answer.json()["message"]) == (401, "Unauthorized; scope does not match")
    assert client.get(f"{GATEWAY}/api/v2/pages").status_code == 200


def test_an_account_without_the_product_and_a_dead_token_are_refused(cloud: Any) -> None:
    cloud.api.access.permitted = False
    assert cloud.get(SEARCH).json() == {"statusCode": 403, "message": "Current user not permitted to use Confluence"}
    cloud.api.access.permitted = True
    cloud.api.access.revoked.add("sandbox-confluence-token")
    assert cloud.get(SEARCH).status_code == 403


def test_an_open_site_reads_bad_credentials_as_nobody(open_wiki: Any) -> None:
    client = open_wiki(credentials=(EMAIL, "wrong"), quirks=Quirks(shared_anonymously=True))
    assert [space["key"] for space in client.ok("/api/v2/spaces")["results"]] == ["KB"]
    assert client.ok("/rest/api/user/current")["type"] == "anonymous"


def test_data_center_takes_a_personal_token_and_basic_where_allowed(open_wiki: Any) -> None:
    basic = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    client = open_wiki("datacenter", credentials=basic)
    assert client.get("/rest/api/space").status_code == 401
    client.api.access.basic_allowed = True
    assert client.get("/rest/api/space").status_code == 200
    wrong = open_wiki("datacenter", credentials="Bearer wrong").get("/rest/api/space")
    assert (wrong.status_code, wrong.headers["content-type"][:9]) == (401, "text/html")
    assert open_wiki("datacenter", credentials=None).get("/rest/api/space").status_code == 403


@pytest.mark.parametrize(("login_page", "status"), [("page", 200), ("redirect", 302)])
def test_a_single_sign_on_answers_with_its_login_page(open_wiki: Any, login_page: Any, status: int) -> None:
    answer = open_wiki("datacenter", credentials="Bearer wrong", quirks=Quirks(login_page=login_page)).get("/rest/api/space")
    assert answer.status_code == status
    assert "login" in (answer.headers.get("location") or answer.text.lower())


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_who_asks_too_often_is_told_how_long_to_wait(open_wiki: Any, clock: Any, flavour: str) -> None:
    client = open_wiki(flavour, limits=Limits(3, 60))
    answers = [client.get(SEARCH) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[3].headers["retry-after"] == "1"
    if flavour == "cloud":
        assert answers[3].headers["ratelimit-reason"]
        assert answers[2].headers["x-ratelimit-nearlimit"] == "true"
        assert "retry-after" not in answers[0].headers
    else:
        assert answers[0].headers["retry-after"] == "0"
        assert answers[0].headers["x-ratelimit-fillrate"] == "60"
    clock.advance(1)
    assert client.get(SEARCH).status_code == 200


def test_there_are_two_apis_on_cloud_and_one_on_data_center(cloud: Any, datacenter: Any) -> None:
    assert datacenter.get("/api/v2/spaces").status_code == 404
    old = cloud.get("/rest/api/content", spaceKey="KB")
    assert (old.status_code, old.headers["warning"][:3]) == (200, "299")
    cloud.api.world.quirks.v1_content = False
    assert cloud.get("/rest/api/content", spaceKey="KB").status_code == 404
    assert cloud.get(SEARCH).status_code == 200


def test_data_center_may_have_no_context(open_wiki: Any) -> None:
    client = open_wiki("datacenter", context="")
    told = client.ok("/rest/api/content", limit=1)
    assert told["_links"]["base"] == client.site.url
