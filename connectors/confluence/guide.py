"""Confluence's part of `draftdesk init`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.guide import Choice, Guide, Pick, Question, Way
from connectors.http import HttpFactory

GUIDE = Guide(
    title="Confluence: pages of the spaces you name",
    name="wiki",
    ways=(
        Way(
            "cloud",
            "Cloud: an account's address and API token",
            (
                "Make an account for the bot that can view the spaces to learn from, and no others.",
                "Signed in as that account, open id.atlassian.com > Security > API tokens and create one; note when it expires.",
                "A token without scopes is used with https://SITE.atlassian.net/wiki. For one with scopes tick read:page,",
                "read:space, read:label, read:content.metadata, read:content.restriction, read:user and search:confluence, and use",
                "https://api.atlassian.com/ex/confluence/CLOUD_ID/wiki (your cloud id: https://SITE.atlassian.net/_edge/tenant_info).",
            ),
            (
                Question("base_url", "The site's address", "https://acme.atlassian.net/wiki"),
                Question("auth.email", "The account's e-mail address", "bot@acme.example"),
                Question("auth.api_token", "The API token", kind="secret"),
            ),
            settings=(("flavour", "cloud"),),
        ),
        Way(
            "datacenter",
            "Data Center: a personal access token",
            (
                "Make a user for the bot that can view the spaces to learn from, and no others.",
                "Signed in as that user, open Profile > Settings > Personal access tokens and create one; note when it expires.",
            ),
            (
                Question("base_url", "The site's address, context path included", "https://wiki.acme.example"),
                Question("auth.token", "The token", kind="secret"),
            ),
            settings=(("flavour", "datacenter"),),
        ),
    ),
    picks=(Pick("knowledge.spaces", "Spaces to learn from", required=True, audience="knowledge.audience"),),
)


def choices(block: Mapping[str, Any], http: HttpFactory) -> Mapping[str, tuple[Choice, ...]]:
    """The spaces that the account can see. Raises what `check` raises."""
    from connectors.confluence.client import wiki
    from connectors.confluence.settings import Settings

    settings = Settings.model_validate({**block, "name": "x", "type": "confluence", "knowledge": {"spaces": ["UNKNOWN"]}})
    return {"knowledge.spaces": tuple(Choice(space.key, space.title) for space in wiki(settings, http).spaces(None).values())}
