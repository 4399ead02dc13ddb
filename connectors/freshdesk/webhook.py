"""A delivery of an automation rule: does it carry the secret, and which ticket does it name. Nothing else of it is believed.

Freshdesk signs nothing and gives a delivery no id. What it sends is a template of the administrator's, into which texts are put
unescaped, as JSON, XML or a form.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import unquote

from connectors.base import Rejected, WebhookEvent
from connectors.fields import mapping, number

SECRET = "x-draftdesk-secret"  # noqa: S105 - a header's name
SAME_DELIVERY = 300  # seconds within which the same body is the same delivery
NAMED = ("ticket_id", "ticketId", "ticket.id")
# A body that is no JSON: named ids first, an address next, a bare "id" last.
IN_TEXT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"ticket[._ -]?id\W{1,6}([1-9][0-9]{0,18})(?![0-9])",
        r"/tickets/([1-9][0-9]{0,18})(?![0-9])",
        r"\"id\"\s*:\s*\"?([1-9][0-9]{0,18})(?![0-9])",
    )
)


def receive(secrets: Sequence[str], headers: Mapping[str, str], raw_body: bytes, now: datetime) -> WebhookEvent:
    """The event of a delivery with one of the secrets; there may be several while one is being replaced. Raises Rejected.

    The same body within five minutes counts as the same delivery. Not for ever: a short template says the same of every later
    change, and a repeat that is taken for new only makes us look once more.
    """
    given = next((value.strip() for name, value in headers.items() if name.lower() == SECRET), "")
    if not is_genuine(secrets, given):
        raise Rejected("the header X-Draftdesk-Secret is missing or does not match tickets.webhook_secret")
    period = int(now.timestamp() // SAME_DELIVERY)
    return WebhookEvent(hashlib.sha256(f"{period}:".encode() + raw_body).hexdigest(), ticket_id(raw_body))


def is_genuine(secrets: Sequence[str], given: str) -> bool:
    """Every secret is compared, in constant time each."""
    matches = [hmac.compare_digest(secret.encode(), given.encode()) for secret in secrets if secret]
    return bool(given) and any(matches)


def ticket_id(raw_body: bytes) -> str | None:
    """The one ticket that the delivery names; None where it names none."""
    try:
        body = mapping(json.loads(raw_body))
    except (ValueError, RecursionError):
        return in_text(raw_body)
    inner = mapping(body.get("freshdesk_webhook")) or body
    told = [inner.get(name) for name in NAMED] + [mapping(inner.get("ticket")).get("id"), inner.get("id")]
    found = next((identity for value in told if (identity := number(value)) and identity.strip("0")), None)
    return found or (in_text(raw_body) if inner else None)


def in_text(raw_body: bytes) -> str | None:
    """A form writes some signs as %XX."""
    text = unquote(raw_body.decode("utf-8", errors="replace"))
    found = (pattern.search(text) for pattern in IN_TEXT)
    return next((match[1] for match in found if match), None)
