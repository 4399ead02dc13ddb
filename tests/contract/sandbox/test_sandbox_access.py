"""The gate: who is let in, with what, and how often."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from connectors.sandbox import Sandbox
from connectors.sandbox.zendesk.limits import REAL_TRIAL, Limits

LOGIN = {"grant_type": "client_credentials", "client_id": "draftdesk", "client_secret": "sandbox-secret", "scope": "read write"}


def bearer(url: str, token: str, path: str, method: str = "GET") -> requests.Response:
    return requests.request(method, url + path, headers={"Authorization": f"Bearer {token}"}, json={}, timeout=10)


def test_me_answers_200_with_an_anonymous_user_for_missing_credentials_or_a_wrong_password(sandbox: Sandbox, stranger: Any) -> None:
    assert stranger.get("/api/v2/users/me.json").json()["user"]["id"] is None
    wrong = stranger("GET", "/api/v2/users/me.json", auth=("bot@tidewell.example", "password"))
    assert (wrong.status_code, wrong.json()["user"]["id"]) == (200, None)


def test_a_wrong_api_token_is_401_and_a_right_one_is_the_bot(api: Any, stranger: Any, ids: Any) -> None:
    assert stranger("GET", "/api/v2/users/me.json", auth=("bot@tidewell.example/token", "wrong")).status_code == 401
    assert stranger.get("/api/v2/tickets.json").json() == {"error": "Couldn't authenticate you"}
    assert api.get("/api/v2/users/me.json").json()["user"]["id"] == ids.bot


def test_switched_off_tokens_answer_401(sandbox: Sandbox, api: Any) -> None:
    sandbox.access.tokens_switched_off = True
    assert api.get("/api/v2/tickets.json").status_code == 401


def test_client_credentials_give_a_token_that_expires(sandbox: Sandbox, stranger: Any, clock: Any) -> None:
    answer = stranger.post("/oauth/tokens", {**LOGIN, "expires_in": 600}).json()
    assert answer["expires_in"] == 600
    assert "refresh_token" not in answer
    assert bearer(sandbox.url, answer["access_token"], "/api/v2/tickets.json").status_code == 200
    clock.advance(601)
    assert bearer(sandbox.url, answer["access_token"], "/api/v2/tickets.json").status_code == 401


def test_an_expiry_out_of_bounds_and_a_wrong_secret_are_refused(stranger: Any) -> None:
    assert stranger.post("/oauth/tokens", {**LOGIN, "expires_in": 300}).status_code == 400
    refused = stranger.post("/oauth/tokens", {**LOGIN, "client_secret": "wrong"})
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_a_refresh_voids_the_pair_it_replaces(sandbox: Sandbox, stranger: Any) -> None:
    ask = {"grant_type": "refresh_token", "client_id": "draftdesk", "client_secret": "sandbox-secret"}
    first = stranger.post("/oauth/tokens", {**ask, "refresh_token": "sandbox-refresh"}).json()
    second = stranger.post("/oauth/tokens", {**ask, "refresh_token": first["refresh_token"]}).json()
    assert bearer(sandbox.url, first["access_token"], "/api/v2/tickets.json").status_code == 401
    assert bearer(sandbox.url, second["access_token"], "/api/v2/tickets.json").status_code == 200
    assert stranger.post("/oauth/tokens", {**ask, "refresh_token": first["refresh_token"]}).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("read", "GET", "/api/v2/tickets.json", 200),
        ("read", "PUT", "/api/v2/tickets/1.json", 403),
        ("read write mystery", "GET", "/api/v2/tickets.json", 403),
        ("tickets:read", "GET", "/api/v2/incremental/tickets/cursor.json?start_time=0", 200),
        ("tickets:read", "GET", "/api/v2/help_center/articles.json", 403),
        ("hc:read", "GET", "/api/v2/help_center/articles.json", 200),
        ("tickets:write", "PUT", "/api/v2/tickets/1.json", 404),
    ],
)
def test_a_token_opens_what_its_scopes_name_and_nothing_with_an_unknown_one(
    sandbox: Sandbox, stranger: Any, scope: str, method: str, path: str, status: int
) -> None:
    token = stranger.post("/oauth/tokens", {**LOGIN, "scope": scope}).json()["access_token"]
    assert bearer(sandbox.url, token, path, method).status_code == status


def test_the_export_is_for_admins_only(stranger: Any) -> None:
    agent = ("leo@tidewell.example/token", "sandbox-token")
    refused = stranger("GET", "/api/v2/incremental/tickets/cursor.json?start_time=0", auth=agent)
    assert (refused.status_code, refused.json()["error"]["title"]) == (403, "Forbidden")
    assert stranger("GET", "/api/v2/tickets.json", auth=agent).status_code == 200


def test_an_unknown_path_and_an_unknown_id_are_told_apart(api: Any) -> None:
    assert api.get("/api/v2/nothing.json").json()["error"] == "InvalidEndpoint"
    assert api.get("/api/v2/tickets/99.json").json()["error"] == "RecordNotFound"


def test_rate_headers_differ_between_the_products(api: Any) -> None:
    support, guide = api.get("/api/v2/tickets.json").headers, api.get("/api/v2/help_center/articles.json").headers
    assert {"x-rate-limit", "x-rate-limit-remaining", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"} <= set(support)
    assert "x-rate-limit-remaining" in guide
    assert "ratelimit-limit" not in guide


def test_the_account_limit_answers_429_in_plain_text_and_counts_products_apart(sandbox: Sandbox, api: Any, clock: Any) -> None:
    sandbox.world.buckets.limits = Limits(support=2, help_center=5)
    assert [api.get("/api/v2/macros.json").status_code for _ in range(3)] == [200, 200, 429]
    refused = api.get("/api/v2/macros.json")
    assert refused.text == "Number of allowed API requests per minute exceeded"
    assert refused.headers["content-type"].startswith("text/plain")
    assert refused.headers["retry-after"] == "60"
    assert api.get("/api/v2/help_center/articles.json").status_code == 200
    clock.advance(61)
    assert api.get("/api/v2/macros.json").status_code == 200


def test_an_endpoint_is_limited_while_the_account_has_calls_left(sandbox: Sandbox, api: Any, ids: Any) -> None:
    sandbox.world.buckets.limits = REAL_TRIAL
    answers = [api.get("/api/v2/incremental/tickets.json", start_time=0) for _ in range(11)]
    assert [a.status_code for a in answers] == [200] * 10 + [429]
    assert answers[-1].headers["zendesk-ratelimit-incremental-exports"].startswith("total=10; remaining=0; resets=")
    assert int(answers[-1].headers["ratelimit-remaining"]) > 0


def test_a_refused_update_had_no_effect(sandbox: Sandbox, api: Any, ids: Any) -> None:
    sandbox.world.buckets.limits = Limits(endpoints={"per-ticket-updates": 1})
    body = {"ticket": {"comment": {"body": "note", "public": False}}}
    assert [api.put(f"/api/v2/tickets/{ids.waiting}.json", body).status_code for _ in range(2)] == [200, 429]
    assert len(sandbox.desk.ledger.comments(ids.waiting)) == 1
