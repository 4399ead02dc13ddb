"""Who gets in, what a call costs, and how a refusal looks."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox.freshdesk.api import FreshdeskApi
from connectors.sandbox.freshdesk.auth import API_KEY, RESTRICTED_KEY
from connectors.sandbox.freshdesk.limits import GROWTH, Budget, Limits


@pytest.mark.parametrize(("key", "password"), [(None, "X"), ("not-the-key", "X"), (API_KEY, ""), ("X", API_KEY)])
def test_a_wrong_key_is_401_with_a_code(connect: Any, key: str | None, password: str) -> None:
    answer = connect(key, password).get("/agents/me")
    assert answer.status_code == 401
    assert answer.json() == {"code": "invalid_credentials", "message": "You have to be logged in to perform this action."}


def test_any_password_will_do(connect: Any) -> None:
    me = connect(API_KEY, "anything").get("/agents/me").json()
    assert (me["ticket_scope"], me["contact"]["email"]) == (1, "bot@tidewell.example")


def test_a_suspended_account_and_a_forbidden_path_are_403(desk: Any, account: FreshdeskApi) -> None:
    account.access.forbidden.append("/api/v2/solutions")
    assert desk.get("/solutions/categories").json()["code"] == "access_denied"
    assert desk.get("/agents/me").status_code == 200
    account.access.suspended = True
    assert desk.get("/agents/me").status_code == 403


def test_an_agent_of_restricted_scope_lists_less_and_is_refused_the_rest(connect: Any) -> None:
    jana = connect(RESTRICTED_KEY)
    assert jana.get("/tickets").json() == []
    assert jana.get("/tickets/13").status_code == 403


def test_a_404_has_no_body(desk: Any) -> None:
    for path in ("/tickets/99999", "/solutions/articles/1", "/nothing/of/the/kind"):
        answer = desk.get(path)
        assert (answer.status_code, answer.content) == (404, b"")


def test_a_wrong_method_names_the_right_ones(desk: Any) -> None:
    answer = desk("PUT", "/tickets", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_the_form_of_a_request_matters(desk: Any) -> None:
    assert desk("GET", "/tickets", headers={"accept": "text/html"}).status_code == 406
    assert desk("POST", "/tickets/13/notes", data="body=x").status_code == 415
    broken = desk("POST", "/tickets/13/notes", data="{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["code"]) == (400, "invalid_json")


def test_limits_are_decimals_as_text_and_includes_cost_more(desk: Any) -> None:
    plain, rich = desk.get("/tickets"), desk.get("/tickets", include="description,stats")
    assert plain.headers["x-ratelimit-total"] == "1000000.0"
    assert plain.headers["x-ratelimit-used-currentrequest"] == "1"
    assert rich.headers["x-ratelimit-used-currentrequest"] == "5"
    assert float(plain.headers["x-ratelimit-remaining"]) - float(rich.headers["x-ratelimit-remaining"]) == 5.0
    assert plain.headers["x-freshdesk-api-version"] == "latest=v2; requested=v2"
    assert (plain.headers["cache-control"], plain.headers["status"]) == ("no-store", "200 OK")


def test_beyond_the_limit_it_is_429_until_the_minute_is_over(desk: Any, account: FreshdeskApi, clock: Any) -> None:
    account.budget = Budget(Limits(3), clock)
    statuses = [desk.get("/agents/me").status_code for _ in range(2)] + [desk.get("/nothing").status_code]
    assert statuses == [200, 200, 404], "what is not found counts too"
    clock.advance(25)
    refused = desk.post("/tickets/13/notes", {"body": "x"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "35")
    assert not account.desk.ledger.entries
    clock.advance(35)
    assert desk.get("/agents/me").status_code == 200


def test_an_endpoint_has_a_narrower_limit(desk: Any, account: FreshdeskApi, clock: Any) -> None:
    account.budget = Budget(GROWTH, clock)
    statuses = [desk.get("/tickets").status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert desk.get("/agents/me").status_code == 200
