"""Who may sign in, what a wrong assertion is answered, and how long a token lasts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from connectors.sandbox.google_docs.site import GoogleSite

SCOPE = "https://www.googleapis.com/auth/"


def test_a_token_is_given_for_a_signed_assertion_and_ends_within_the_hour(api: Any, clock: Any, exchange: Any, assertion: Any) -> None:
    answer = exchange(assertion())
    assert (answer.status_code, answer.json()["expires_in"], answer.json()["token_type"]) == (200, 3599, "Bearer")
    api.ok("/drive/v3/files")
    clock.advance(3600)
    assert api.reason("/drive/v3/files") == (401, "authError")
    assert api("/docs/v1/documents/returns").json()["error"]["status"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": 9_999_999_999}, "short-lived"),
        ({"iat": 1, "exp": 3601}, "short-lived"),
        ({"iss": "somebody@else.example"}, "account not found"),
        ({"aud": "https://elsewhere.example/token"}, "audience"),
        ({"sub": "nobody@tidewell.example"}, "Invalid email or User ID"),
        ({"header": {"alg": "HS256"}}, "Invalid JWT Signature."),
        ({"header": {"kid": "another"}}, "Invalid JWT Signature."),
    ],
)
def test_a_wrong_assertion_is_an_invalid_grant(exchange: Any, assertion: Any, claims: dict[str, Any], words: str) -> None:
    answer = exchange(assertion(**claims))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert words in answer.json()["error_description"]


def test_a_key_that_is_not_the_accounts_or_was_revoked_signs_nothing(site: GoogleSite, exchange: Any, assertion: Any) -> None:
    assert exchange(assertion(site.service_account_key(wrong=True))).json()["error_description"] == "Invalid JWT Signature."
    site.sign_in.revoked = True
    assert exchange(assertion()).json()["error_description"] == "Invalid JWT Signature."


def test_what_was_signed_cannot_be_altered(exchange: Any, assertion: Any) -> None:
    one, other = assertion().split("."), assertion(scope=f"{SCOPE}drive").split(".")
    assert exchange(".".join([one[0], other[1], one[2]])).json()["error"] == "invalid_grant"
    assert exchange("not.an.assertion").json()["error"] == "invalid_grant"


@pytest.mark.parametrize(("scope", "error"), [("", "invalid_scope"), (f"{SCOPE}never.heard", "invalid_scope")])
def test_scopes_are_known_ones(exchange: Any, assertion: Any, scope: str, error: str) -> None:
    assert exchange(assertion(scope=scope)).json()["error"] == error


def test_another_grant_is_not_taken(exchange: Any, assertion: Any) -> None:
    assert exchange(assertion(), grant="password").json()["error"] == "unsupported_grant_type"


def test_the_account_acts_for_a_person_only_for_the_scopes_that_were_delegated(
    signed_in: Callable[..., Any], exchange: Any, assertion: Any
) -> None:
    mira = signed_in(sub="mira@tidewell.example")
    assert "Private" in mira.names()
    answer = exchange(assertion(sub="mira@tidewell.example", scope=f"{SCOPE}drive.readonly {SCOPE}documents.readonly"))
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")


def test_without_credentials_drive_says_403_and_docs_401(stranger: Any) -> None:
    drive, docs = stranger("/drive/v3/files"), stranger("/docs/v1/documents/returns")
    assert (drive.status_code, drive.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert (docs.status_code, "errors" in docs.json()["error"]) == (401, False)


def test_a_token_without_the_scope_is_refused(signed_in: Callable[..., Any]) -> None:
    seeing = signed_in(scope=f"{SCOPE}drive.metadata.readonly")
    seeing.ok("/drive/v3/files")
    assert seeing.reason("/drive/v3/files/returns/export", mimeType="text/plain") == (403, "insufficientPermissions")
    assert seeing("/docs/v1/documents/returns").json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_the_key_file_says_where_tokens_are_had(site: GoogleSite) -> None:
    told = json.loads(site.service_account_key())
    assert told["token_uri"] == site.endpoints()["token"] == f"{site.url}/token"
    assert (told["type"], told["client_email"].endswith("iam.gserviceaccount.com")) == ("service_account", True)
