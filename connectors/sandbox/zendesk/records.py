"""What the helpdesk keeps: users, tickets, comments, audits. Times are aware UTC; the wire shows whole seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

JsonObject = dict[str, Any]


@dataclass(slots=True)
class UserRecord:
    id: int
    name: str
    role: str
    created_at: datetime
    email: str | None = None
    locale: str = "en-us"
    active: bool = True
    suspended: bool = False
    signature: str | None = None
    verified: bool = True
    organization_id: int | None = None
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class CommentRecord:
    id: int
    audit_id: int
    author_id: int
    body: str
    html: str
    public: bool
    created_at: datetime
    channel: str
    custom: JsonObject = field(default_factory=dict)
    attachments: tuple[str, ...] = ()
    voice: bool = False
    rel: str | None = None
    address: str | None = None


@dataclass(slots=True)
class AuditRecord:
    id: int
    ticket_id: int
    author_id: int
    created_at: datetime
    channel: str
    events: list[JsonObject]
    custom: JsonObject = field(default_factory=dict)


@dataclass(slots=True)
class RatingRecord:
    id: int
    score: str
    comment: str | None
    at: datetime


@dataclass(slots=True)
class TicketRecord:
    """`revision` orders the incremental export: it rises with every change of any ticket, system changes included."""

    id: int
    subject: str
    requester_id: int
    status: str
    created_at: datetime
    updated_at: datetime
    generated_at: datetime
    revision: int
    channel: str = "web"
    priority: str | None = None
    type: str | None = None
    tags: list[str] = field(default_factory=list)
    assignee_id: int | None = None
    group_id: int | None = None
    organization_id: int | None = None
    email_cc_ids: list[int] = field(default_factory=list)
    external_id: str | None = None
    custom_fields: list[JsonObject] = field(default_factory=list)
    rating: RatingRecord | None = None
    followup_source_id: int | None = None
    rel: str | None = None
    comments: list[CommentRecord] = field(default_factory=list)
    audits: list[AuditRecord] = field(default_factory=list)
    deleted_at: datetime | None = None
    deleted_status: str | None = None
    deleted_by: int | None = None
    scrubbed: bool = False

    def is_public(self) -> bool:
        return any(comment.public for comment in self.comments)
