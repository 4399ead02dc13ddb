"""The `type: zendesk` block: what is taken, and the sentence for what is not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.zendesk import Settings

OAUTH = {"client_id": "draftdesk", "client_secret": "env:ZD_SECRET"}
TOKEN = {"email": "bot@acme.example", "api_token": "env:ZD_TOKEN"}


def settings(**more: Any) -> Settings:
    return Settings.model_validate({"name": "help", "type": "zendesk", "base_url": "https://acme.zendesk.com", "auth": OAUTH, **more})


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://acme.zendesk.com", "https://acme.zendesk.com"),
        ("https://ACME.zendesk.com/", "https://acme.zendesk.com"),
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123"),
        ("http://localhost:8123/", "http://localhost:8123"),
    ],
)
def test_an_origin_is_taken(written: str, origin: str) -> None:
    assert settings(base_url=written).base_url == origin


@pytest.mark.parametrize(
    "written",
    [
        "acme",
        "acme.zendesk.com",
        "ftp://acme.zendesk.com",
        "https://",
        "https://acme.zendesk.com/api/v2",
        "https://acme.zendesk.com?x=1",
        "https://user:hunter2@acme.zendesk.com",
        "http://acme.zendesk.com",
        "http://127.0.0.1.evil.example",
        "http://[::1",
    ],
)
def test_anything_but_an_origin_is_refused_at_base_url(written: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        settings(base_url=written)
    assert [fault["loc"] for fault in refusal.value.errors()] == [("base_url",)]
    assert "hunter2" not in refusal.value.errors()[0]["msg"]


def test_plain_http_is_taken_where_the_operator_says_so() -> None:
    assert settings(base_url="http://desk.internal", allow_plain_http=True).base_url == "http://desk.internal"


@pytest.mark.parametrize("auth", [OAUTH, {**OAUTH, "scope": "tickets:read hc:read"}, TOKEN, {"access_token": "file:/run/secrets/zd"}])
def test_each_kind_of_credential_is_taken(auth: dict[str, str]) -> None:
    assert settings(auth=auth).auth


@pytest.mark.parametrize(
    "auth",
    [{}, {"client_id": "x"}, {"email": "bot@acme.example"}, {**OAUTH, **TOKEN}, {**OAUTH, "email": "bot@acme.example"}, {"scope": "read"}],
)
def test_half_a_credential_or_two_are_refused(auth: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="exactly one of"):
        settings(auth=auth)


def test_a_literal_secret_is_refused_at_its_key() -> None:
    with pytest.raises(ValidationError) as refusal:
        settings(auth={"client_id": "x", "client_secret": "s3cr3t"})
    assert refusal.value.errors()[0]["loc"] == ("auth", "client_secret")


def test_a_bare_off_means_off() -> None:
    assert settings(knowledge={"solved_tickets": False}).knowledge.solved_tickets == "off"
    assert settings(knowledge={"solved_tickets": "voice"}).knowledge.solved_tickets == "voice"
    assert settings().knowledge.solved_tickets == "off"
    with pytest.raises(ValidationError):
        settings(knowledge={"solved_tickets": True})


def test_locales_are_compared_in_lower_case() -> None:
    assert settings(knowledge={"locales": ["en-US", "FR"]}).knowledge.locales == ("en-us", "fr")


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError):
        settings(knowledge={"article": True})
