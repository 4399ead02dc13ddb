"""Records -> the JSON of the Support API, key by key as the vendor answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.company import Macro
from connectors.sandbox.zendesk.records import AuditRecord, CommentRecord, JsonObject, TicketRecord, UserRecord

BRAND_ID, FORM_ID, GROUP_ID = 36_000_000_100_001, 36_000_000_100_002, 36_000_000_100_003
TOPIC_FIELD, MOOD_FIELD = 36_000_000_300_001, 36_000_000_300_002  # the account's own ticket fields
STATUS_IDS = {name: 36_000_000_200_001 + n for n, name in enumerate(("new", "open", "pending", "hold", "solved", "closed", "deleted"))}
TEXT_TYPES = {"pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "txt": "text/plain"}


def iso(at: datetime) -> str:
    """Whole seconds: two changes within one second carry the same stamp."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def via(channel: str, rel: str | None = None, address: str | None = None) -> JsonObject:
    source: JsonObject = {"from": {"address": address} if address else {}, "to": {}, "rel": rel}
    return {"channel": channel, "source": source}


def ticket(record: TicketRecord, origin: str, *, exported: bool = False) -> JsonObject:
    """As in lists; the incremental export adds `generated_timestamp` and keeps deleted and scrubbed rows."""
    gone, scrubbed = record.deleted_at is not None, record.scrubbed
    description = "X" if scrubbed else (record.comments[0].body if record.comments else "")
    status = "deleted" if gone else record.status
    shape: JsonObject = {
        "url": f"{origin}/api/v2/tickets/{record.id}.json",
        "id": record.id,
        "external_id": record.external_id,
        "via": _ticket_via(record),
        "created_at": iso(record.created_at),
        "updated_at": iso(record.updated_at),
        "type": record.type,
        "subject": record.subject,
        "raw_subject": record.subject,
        "description": description,
        "priority": record.priority,
        "status": status,
        "custom_status_id": STATUS_IDS.get(status),
        "recipient": None,
        "requester_id": record.requester_id,
        "submitter_id": record.requester_id,
        "assignee_id": record.assignee_id,
        "organization_id": record.organization_id,
        "group_id": record.group_id or GROUP_ID,
        "collaborator_ids": list(record.email_cc_ids),
        "follower_ids": [],
        "email_cc_ids": list(record.email_cc_ids),
        "forum_topic_id": None,
        "problem_id": None,
        "has_incidents": False,
        "is_public": record.is_public(),
        "due_at": None,
        "tags": [] if scrubbed else list(record.tags),
        "custom_fields": _fields(record),
        "fields": _fields(record),
        "satisfaction_rating": _rating(record),
        "sharing_agreement_ids": [],
        "followup_ids": [],
        "ticket_form_id": FORM_ID,
        "brand_id": BRAND_ID,
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
    }
    if exported:
        shape["generated_timestamp"] = int(record.generated_at.timestamp())
    return shape


def _ticket_via(record: TicketRecord) -> JsonObject:
    shape = via(record.channel, record.rel)
    if record.followup_source_id is not None:
        shape["source"] = {"from": {"ticket_id": record.followup_source_id}, "to": {}, "rel": "follow_up"}
    return shape


def _fields(record: TicketRecord) -> list[JsonObject]:
    """Each field of the account, empty ones too, as the vendor lists them."""
    standing = {item["id"]: item["value"] for item in record.custom_fields}
    return [{"id": identity, "value": value} for identity, value in (dict.fromkeys((TOPIC_FIELD, MOOD_FIELD)) | standing).items()]


def _rating(record: TicketRecord) -> JsonObject | None:
    if record.rating is None:
        return {"score": "unoffered"}
    return {"score": record.rating.score, "id": record.rating.id, "comment": record.rating.comment}


def comment(record: CommentRecord, ticket_id: int, origin: str) -> JsonObject:
    """A VoiceComment has neither `plain_body` nor `via`."""
    shape: JsonObject = {
        "id": record.id,
        "type": "VoiceComment" if record.voice else "Comment",
        "author_id": record.author_id,
        "body": record.body,
        "html_body": f'<div class="zd-comment" dir="auto">{record.html}</div>',
        "plain_body": record.body,
        "public": record.public,
        "attachments": [attachment(name, record.id + n, origin) for n, name in enumerate(record.attachments)],
        "audit_id": record.audit_id,
        "via": via(record.channel, record.rel, record.address),
        "created_at": iso(record.created_at),
        "metadata": {"system": {"client": "sandbox", "ip_address": "192.0.2.1"}, "custom": record.custom},
    }
    if record.voice:
        del shape["plain_body"], shape["via"]
        shape["data"] = {"from": record.address or "", "to": "", "recording_url": f"{origin}/api/v2/recordings/{ticket_id}"}
    return shape


def attachment(name: str, number: int, origin: str) -> JsonObject:
    kind = TEXT_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    address = f"https://attachments.tidewell.example/{number}/{name}"  # another host: credentials must not go there
    return {
        "url": f"{origin}/api/v2/attachments/{number}.json",
        "id": number,
        "file_name": name,
        "content_url": address,
        "mapped_content_url": address,
        "content_type": kind,
        "size": 1024,
        "width": None,
        "height": None,
        "inline": False,
        "deleted": False,
        "malware_access_override": False,
        "malware_scan_result": "malware_not_found",
        "thumbnails": [],
    }


def audit(record: AuditRecord, owner: TicketRecord, origin: str) -> JsonObject:
    comments = {c.id: c for c in owner.comments}
    return {
        "id": record.id,
        "ticket_id": record.ticket_id,
        "created_at": iso(record.created_at),
        "author_id": record.author_id,
        "metadata": {"system": {"client": "sandbox", "ip_address": "192.0.2.1"}, "custom": record.custom},
        "events": [_event(event, comments, record, origin) for event in record.events],
        "via": via(record.channel),
    }


def _event(event: JsonObject, comments: dict[int, CommentRecord], record: AuditRecord, origin: str) -> JsonObject:
    if event["type"] != "Comment" or event["id"] not in comments:
        return event
    shape = comment(comments[event["id"]], record.ticket_id, origin)
    keys = ("id", "type", "author_id", "body", "html_body", "plain_body", "public", "attachments", "audit_id")
    return {key: shape[key] for key in keys if key in shape}


def user(record: UserRecord, origin: str) -> JsonObject:
    """A deleted user stays resolvable, without an address."""
    return {
        "id": record.id,
        "url": f"{origin}/api/v2/users/{record.id}.json",
        "name": record.name,
        "email": record.email if record.active else None,
        "created_at": iso(record.created_at),
        "updated_at": iso(record.created_at),
        "time_zone": "Europe/London",
        "iana_time_zone": "Europe/London",
        "phone": None,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 16 if record.locale.startswith("fr") else 1,
        "locale": record.locale,
        "organization_id": record.organization_id,
        "role": record.role,
        "verified": record.verified,
        "external_id": None,
        "tags": list(record.tags),
        "alias": None,
        "active": record.active,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "two_factor_auth_enabled": None,
        "signature": record.signature,
        "details": None,
        "notes": None,
        "role_type": None,
        "custom_role_id": None,
        "moderator": record.role != "end-user",
        "ticket_restriction": "requested" if record.role == "end-user" else None,
        "only_private_comments": False,
        "restricted_agent": record.role == "end-user",
        "suspended": record.suspended,
        "default_group_id": GROUP_ID if record.role != "end-user" else None,
        "report_csv": False,
        "user_fields": {},
    }


ANONYMOUS: dict[str, Any] = {
    "id": None,
    "name": "Anonymous user",
    "email": "invalid@example.com",
    "role": "end-user",
    "active": False,
    "verified": False,
}


def macro(record: Macro, origin: str, started: datetime) -> JsonObject:
    actions: list[JsonObject] = [{"field": "comment_value", "value": record.comment}]
    if record.public is not None:
        actions.append({"field": "comment_mode_is_public", "value": "true" if record.public else "false"})
    if record.set_tags:
        actions.append({"field": "current_tags", "value": " ".join(record.set_tags)})
    if record.status:
        actions.append({"field": "status", "value": record.status})
    updated: timedelta = record.created if record.updated is None else record.updated
    return {
        "url": f"{origin}/api/v2/macros/{record.id}.json",
        "id": record.id,
        "title": record.title,
        "raw_title": record.title,
        "active": record.active,
        "updated_at": iso(started - updated),
        "created_at": iso(started - record.created),
        "default": False,
        "position": record.id % 10_000,
        "description": record.description,
        "actions": actions,
        "restriction": None,
    }


def rating(record: TicketRecord, origin: str) -> JsonObject:
    assert record.rating is not None
    return {
        "url": f"{origin}/api/v2/satisfaction_ratings/{record.rating.id}.json",
        "id": record.rating.id,
        "ticket_id": record.id,
        "requester_id": record.requester_id,
        "assignee_id": record.assignee_id or record.requester_id,
        "group_id": record.group_id or GROUP_ID,
        "score": record.rating.score,
        "comment": record.rating.comment,
        "reason": None,
        "reason_id": 0,
        "reason_code": 0,
        "created_at": iso(record.rating.at),
        "updated_at": iso(record.rating.at),
    }
