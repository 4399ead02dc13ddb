"""Freshdesk's part of `draftdesk init`."""

from __future__ import annotations

from connectors.guide import Guide, Question, Way

GUIDE = Guide(
    title="Freshdesk: solution articles, and tickets",
    name="fresh",
    ways=(
        Way(
            "key",
            "An agent's API key",
            (
                "Sign in as the agent the bot shall act as, with global ticket access: it sees what that agent may see.",
                "Open the profile picture > Profile settings, and View API key on the right; solve the captcha and copy the key.",
                "API access must be part of the plan; the key stops working when the agent is deactivated or the key is reset.",
            ),
            (
                Question("base_url", "Your account's address", "https://acme.freshdesk.com"),
                Question("auth.api_key", "The API key", kind="secret"),
            ),
        ),
    ),
    webhook=(
        "In Admin > Workflows > Automations make a rule for ticket creation, and one for updates by the requester,",
        "with the action Trigger webhook: POST, JSON, to PUBLIC_URL/webhooks/NAME, content {\"ticket_id\": \"{{ticket.id}}\"},",
        "and the custom header X-Draftdesk-Secret with a secret of your own (answer new to have one made).",
    ),
)
