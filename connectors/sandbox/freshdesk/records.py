"""What the account keeps, as it changes: people, tickets and their conversations, solutions, canned responses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

JsonObject = dict[str, Any]

OPEN, PENDING, RESOLVED, CLOSED = 2, 3, 4, 5
STATUS_NAMES = {2: "Open", 3: "Pending", 4: "Resolved", 5: "Closed", 6: "Waiting on Customer", 7: "Waiting on Third Party"}
PRIORITY_NAMES = {1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}
REPLY, NOTE = 0, 2  # a conversation's source
DRAFT, PUBLISHED = 1, 2  # an article's status
EVERYBODY, SIGNED_IN, STAFF, COMPANIES = 1, 2, 3, 4  # a folder's visibility


@dataclass(slots=True)
class PersonRecord:
    """`agent`: works here; `ticket_scope` 1 all tickets, 2 of the groups, 3 assigned ones. A deleted agent is found among the contacts."""

    id: int
    name: str
    email: str | None
    created_at: datetime
    updated_at: datetime
    agent: bool = False
    ticket_scope: int = 1
    signature: str | None = None
    language: str = "en"
    company_id: int | None = None
    deleted: bool = False
    verified: bool = True  # a contact that confirmed its address; whoever only ever mailed did not
    other_companies: list[int] = field(default_factory=list)


@dataclass(slots=True)
class MessageRecord:
    """One conversation. `through_api`: written by a program, not in the browser or by mail."""

    id: int
    user_id: int
    html: Any
    text: str
    incoming: bool
    private: bool
    source: int
    created_at: datetime
    updated_at: datetime
    through_api: bool = False
    attachments: list[JsonObject] = field(default_factory=list)
    edited_at: datetime | None = None
    edited_by: int | None = None


@dataclass(slots=True)
class TicketRecord:
    """`indexed`: the ticket as the search index still shows it while it has not seen the latest change."""

    id: int
    subject: str
    requester_id: int
    html: str
    text: str
    created_at: datetime
    updated_at: datetime
    status: int = OPEN
    priority: int = 1
    source: int = 2
    responder_id: int | None = None
    group_id: int | None = None
    type: str | None = None
    tags: list[str] = field(default_factory=list)
    custom_fields: JsonObject = field(default_factory=dict)
    attachments: list[JsonObject] = field(default_factory=list)
    messages: list[MessageRecord] = field(default_factory=list)
    spam: bool = False
    deleted: bool = False
    archived: bool = False
    cc_emails: list[str] = field(default_factory=list)
    agent_responded_at: datetime | None = None
    requester_responded_at: datetime | None = None
    first_responded_at: datetime | None = None
    status_updated_at: datetime | None = None
    reopened_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    pending_since: datetime | None = None
    indexed: TicketRecord | None = None

    def listed(self) -> bool:
        return not (self.spam or self.deleted or self.archived)


@dataclass(slots=True)
class CategoryRecord:
    """`names`: language -> name."""

    id: int
    names: dict[str, str]
    created_at: datetime
    updated_at: datetime
    description: str | None = None


@dataclass(slots=True)
class FolderRecord:
    """`visibility` None: the row does not tell (older accounts)."""

    id: int
    category_id: int
    parent_id: int | None
    names: dict[str, str]
    visibility: int | None
    created_at: datetime
    updated_at: datetime
    company_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class TextRecord:
    """An article in one language."""

    title: str
    html: Any
    status: int
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class ArticleRecord:
    """`texts`: language -> text; the primary language is always there."""

    id: int
    folder_id: int
    agent_id: int
    texts: dict[str, TextRecord]
    type: int = 1
    tags: list[str] = field(default_factory=list)
    hits: int = 0


@dataclass(slots=True)
class CannedRecord:
    """`visibility` 0 all agents, 1 its author only, 2 groups."""

    id: int
    folder_id: int
    title: str
    text: str
    html: str
    created_at: datetime
    updated_at: datetime
    visibility: int = 0
    group_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class CannedFolderRecord:
    id: int
    name: str
    created_at: datetime
    personal: bool = False
