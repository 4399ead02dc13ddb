"""What the helpdesk's webhooks send: a signed event of a ticket."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from secrets import token_hex

from connectors.sandbox.zendesk.records import CommentRecord, JsonObject, TicketRecord
from connectors.sandbox.zendesk.shapes import BRAND_ID, FORM_ID, GROUP_ID, STATUS_IDS

WEBHOOK_SECRET = "sandbox-webhook-secret"  # noqa: S105 - public on purpose, like the rest of the invented account
ACCOUNT_ID = 22_129_848
EVENT_VERSION = "2022-11-06"


def event(ticket: TicketRecord, kind: str, at: datetime, number: str, comment: CommentRecord | None = None) -> bytes:
    """`kind`: ticket.created, ticket.comment_added, ticket.status_changed ... Ids are text, enums upper case, times have nine decimals."""
    happened: JsonObject = {"meta": {"sequence": {"id": number, "position": 1, "total": 1}}}
    if comment is not None:
        author = {"id": str(comment.author_id), "is_staff": comment.author_id != ticket.requester_id, "name": "A person"}
        happened["comment"] = {"id": str(comment.id), "body": comment.body, "is_public": comment.public, "author": author}
    body = {
        "type": f"zen:event-type:{kind}",
        "account_id": ACCOUNT_ID,
        "id": number,
        "time": nanoseconds(at),
        "zendesk_event_version": EVENT_VERSION,
        "subject": f"zen:ticket:{ticket.id}",
        "event": happened,
        "detail": _detail(ticket, comment),
    }
    return json.dumps(body, indent=2, ensure_ascii=False).encode()


def _detail(ticket: TicketRecord, comment: CommentRecord | None) -> JsonObject:
    return {
        "id": str(ticket.id),
        "status": ticket.status.upper(),
        "priority": (ticket.priority or "").upper() or None,
        "type": (ticket.type or "").upper() or None,
        "subject": ticket.subject,
        "description": ticket.comments[0].body if ticket.comments else "",
        "requester_id": str(ticket.requester_id),
        "assignee_id": str(ticket.assignee_id) if ticket.assignee_id else "0",
        "submitter_id": str(ticket.requester_id),
        "actor_id": str(comment.author_id if comment else ticket.requester_id),
        "group_id": str(ticket.group_id or GROUP_ID),
        "organization_id": None,
        "brand_id": str(BRAND_ID),
        "form_id": str(FORM_ID),
        "custom_status": str(STATUS_IDS[ticket.status]),
        "external_id": ticket.external_id,
        "is_public": ticket.is_public(),
        "tags": list(ticket.tags),
        "via": {"channel": "web_service" if ticket.channel == "api" else ticket.channel},
        "created_at": nanoseconds(ticket.created_at),
        "updated_at": nanoseconds(ticket.updated_at),
    }


def nanoseconds(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z"


def sign(body: bytes, at: datetime, secret: str) -> dict[str, str]:
    """The headers of a delivery: base64(HMAC-SHA256(secret, timestamp + body)), nothing between the two."""
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Zendesk Webhook",
        "X-Zendesk-Account-Id": str(ACCOUNT_ID),
        "X-Zendesk-Webhook-Id": "01HAP00000000000000SANDBOX",
        "X-Zendesk-Webhook-Invocation-Id": token_hex(13).upper(),
        "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
    }
