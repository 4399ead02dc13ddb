"""A webhook delivery: is it Zendesk's, is it fresh, and which ticket does it name. Nothing else of it is believed.

Signature: base64(HMAC-SHA256(signing secret, timestamp + raw body)), developer.zendesk.com/documentation/webhooks/verifying/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connectors.base import Rejected, WebhookEvent
from connectors.fields import moment

FRESH = timedelta(minutes=5)  # a delivery is accepted this long before and after its timestamp
SIGNATURE = "x-zendesk-webhook-signature"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"
INVOCATION = "x-zendesk-webhook-invocation-id"

VENDOR_ID = re.compile(r"[1-9]\d{0,18}")
TICKET_SUBJECT = re.compile(r"zen:ticket:([1-9]\d{0,18})")
# An administrator's template whose quotes or newlines broke its JSON: named ids first, a bare "id" last.
BROKEN_TEMPLATE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"ticket[._ -]?id\W{1,6}([1-9]\d{0,18})(?!\d)",
        r"/tickets/([1-9]\d{0,18})(?!\d)",
        r"\"ticket\"\s*:\s*\"?([1-9]\d{0,18})(?!\d)",
        r"\"id\"\s*:\s*\"?([1-9]\d{0,18})(?!\d)",
    )
)


def receive(secrets: Sequence[str], headers: Mapping[str, str], raw_body: bytes, now: datetime) -> WebhookEvent:
    """The event of a genuine, fresh delivery; several secrets are accepted while one is being replaced. Raises Rejected."""
    named = {name.lower(): value.strip() for name, value in headers.items()}
    stamp = named.get(TIMESTAMP, "")
    if not is_genuine(secrets, named.get(SIGNATURE, ""), stamp, raw_body):
        raise Rejected("the delivery's signature is missing or does not match tickets.webhook_secret")
    sent = moment(stamp)
    if sent is None or abs(now - sent) > FRESH:
        raise Rejected("the delivery is more than five minutes old, or the clock of this machine is wrong")
    body = read(raw_body)
    return WebhookEvent(delivery_id=delivery_id(named, body, stamp, raw_body), ticket_id=ticket_id(body, raw_body))


def is_genuine(secrets: Sequence[str], signature: str, stamp: str, raw_body: bytes) -> bool:
    """Whether one of the secrets signed this timestamp and these bytes; every secret is tried, in constant time each."""
    matches = [hmac.compare_digest(sign(secret, stamp, raw_body), signature.encode()) for secret in secrets if secret]
    return bool(stamp) and any(matches)


def sign(secret: str, stamp: str, raw_body: bytes) -> bytes:
    """The signature that Zendesk puts on a delivery."""
    return base64.b64encode(hmac.new(secret.encode(), stamp.encode() + raw_body, hashlib.sha256).digest())


def read(raw_body: bytes) -> object:
    """The body as JSON, or None where it is not."""
    try:
        return json.loads(raw_body)
    except (ValueError, RecursionError):
        return None


def delivery_id(named: Mapping[str, str], body: object, stamp: str, raw_body: bytes) -> str:
    """The same for every repeat: Zendesk's invocation id, else the event's own id, else a digest of what was signed."""
    if named.get(INVOCATION):
        return named[INVOCATION]
    if isinstance(body, dict) and is_event(body) and isinstance(body.get("id"), str) and body["id"]:
        return str(body["id"])
    return hashlib.sha256(stamp.encode() + raw_body).hexdigest()


def is_event(body: Mapping[str, object]) -> bool:
    return str(body.get("type", "")).startswith("zen:event-type:")


def ticket_id(body: object, raw_body: bytes) -> str | None:
    """The one ticket that the delivery names, by digits; None where it names none."""
    if not isinstance(body, dict):
        return ticket_in_text(raw_body.decode("utf-8", errors="replace"))
    if is_event(body):
        return ticket_of_event(body)
    nested = body.get("ticket")
    inside = nested if isinstance(nested, dict) else {}
    for value in (body.get("ticket_id"), body.get("ticketId"), body.get("ticket.id"), inside.get("id"), nested, body.get("id")):
        found = vendor_id(value)
        if found:
            return found
    return None


def ticket_of_event(body: Mapping[str, object]) -> str | None:
    """Of an event's envelope; events about users and organisations name no ticket."""
    subject = TICKET_SUBJECT.fullmatch(str(body.get("subject", "")))
    if subject:
        return subject[1]
    detail = body.get("detail")
    about_ticket = str(body["type"]).startswith("zen:event-type:ticket.")
    return vendor_id(detail.get("id")) if about_ticket and isinstance(detail, dict) else None


def ticket_in_text(text: str) -> str | None:
    found = (pattern.search(text) for pattern in BROKEN_TEMPLATE)
    return next((match[1] for match in found if match), None)


def vendor_id(value: object) -> str | None:
    """An id written as a number or as digits; absent ones arrive as "" or "0"."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    return text if VENDOR_ID.fullmatch(text) else None
