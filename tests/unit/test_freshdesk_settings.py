"""The `type: freshdesk` block: what is taken, and the sentence for what is not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.freshdesk import Settings


def settings(**more: Any) -> Settings:
    block = {"name": "fresh", "type": "freshdesk", "base_url": "https://acme.freshdesk.com", "auth": {"api_key": "env:FD_KEY"}}
    return Settings.model_validate({**block, **more})


def test_the_least_that_is_written_reads_articles_and_no_tickets() -> None:
    found = settings()
    assert (found.knowledge.articles, found.knowledge.macros, found.knowledge.locales, found.tickets) == (True, False, None, None)


@pytest.mark.parametrize("written", ["acme", "https://acme.freshdesk.com/api/v2", "http://acme.freshdesk.com", "https://x:y@acme.freshdesk.com"])
def test_anything_but_an_origin_is_refused_at_base_url(written: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        settings(base_url=written)
    assert refusal.value.errors()[0]["loc"] == ("base_url",)


def test_plain_http_is_taken_on_this_machine_or_by_word() -> None:
    assert settings(base_url="http://127.0.0.1:8123/").base_url == "http://127.0.0.1:8123"
    assert settings(base_url="http://fd.internal", allow_plain_http=True).base_url == "http://fd.internal"


@pytest.mark.parametrize("code", ["../agents", "french", "fr/x", ""])
def test_a_language_that_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(ValidationError):
        settings(knowledge={"locales": [code]})
    assert settings(knowledge={"locales": ["fr", "pt-BR"]}).knowledge.locales == ("fr", "pt-BR")
