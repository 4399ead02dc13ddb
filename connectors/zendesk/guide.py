"""Zendesk's part of `draftdesk init`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.guide import Choice, Guide, Pick, Question, Way
from connectors.http import HttpFactory

ADDRESS = Question("base_url", "Your account's address", "https://acme.zendesk.com")
GUIDE = Guide(
    title="Zendesk: Help Center articles, and tickets",
    name="help",
    ways=(
        Way(
            "oauth",
            "OAuth client (recommended: API tokens end on 2027-04-30)",
            (
                "In Admin Center open Apps and integrations > APIs > OAuth clients and add a client.",
                "Client kind: Confidential. Grant type: client credentials. Scopes: read and write.",
                "Save, then copy the identifier and the secret; the secret is shown once.",
            ),
            (
                ADDRESS,
                Question("auth.client_id", "The client's identifier", "draftdesk"),
                Question("auth.client_secret", "The client's secret", kind="secret"),
            ),
        ),
        Way(
            "token",
            "API token of an agent (only tokens made before 2026-10-27 still work)",
            ("Use a token that exists: Zendesk makes no new ones. The agent it belongs to must see the tickets to answer.",),
            (
                ADDRESS,
                Question("auth.email", "The agent's e-mail address", "bot@acme.example"),
                Question("auth.api_token", "The token", kind="secret"),
            ),
        ),
    ),
    picks=(Pick("knowledge.locales", "Languages of the Help Center to read (none chosen: all)"),),
    webhook=(
        "In Admin Center open Apps and integrations > Webhooks and create one: POST, JSON, no authentication,",
        "subscribed to ticket created and comment added; its address is PUBLIC_URL/webhooks/NAME.",
        "Copy its signing secret. Without a webhook, tickets are found by polling.",
    ),
)


def choices(block: Mapping[str, Any], http: HttpFactory) -> Mapping[str, tuple[Choice, ...]]:
    """The Help Center's locales. Raises what `check` raises."""
    from connectors.zendesk.client import Calls, sign_in
    from connectors.zendesk.settings import Settings

    calls = Calls(sign_in(Settings.model_validate({"name": "x", "type": "zendesk", **block}), http, lambda: datetime.now(UTC)))
    calls.me()
    return {"knowledge.locales": tuple(Choice(locale, locale) for locale in calls.locales() or ())}
