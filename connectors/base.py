"""What a connector is: the value types it yields and the protocols it may implement.

This is the only file a connector author must read. A connector is a plain class; what it can do is
what it implements (`isinstance(c, Listing)`), there is no base class. It opens no socket of its own:
its factory is given a function that makes an `HttpClient` for one origin (see `connectors.http`).

Rules that the conformance suite holds a connector to:

* `pull` is the same code for the first load (`cursor=None`) and for every catch-up. An empty page is
  not the end; only `caught_up` is. A page's changes and its cursor are stored in one transaction, so a
  crash resumes from any cursor ever yielded.
* Cursors are inclusive and re-read an overlap: a duplicate is normal, a gap is a bug.
* Ids carry the account: ``zendesk:help:article:123`` (TYPE:CONNECTOR:KIND:VENDOR_ID[:LOCALE]).
* Audience fails closed: whatever is not known to be readable by any customer is ``internal``. Where only some customers may read it,
  it is ``internal`` too, and `segments` names those who may; a desk that is `Segmented` tells which of them a ticket's readers are in.
* One bad item is an `Unreadable`, never an exception: it counts as present and is tried again later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
Cursor = Mapping[str, JSON]  # opaque to all but its connector; versioned with "v"
Audience = Literal["public", "internal"]
Author = Literal["customer", "agent", "bot", "system"]  # "bot" is ourselves


@dataclass(frozen=True, slots=True)
class Document:
    """One readable text of the source, as it stands now. Times are timezone-aware UTC."""

    id: str
    title: str
    markdown: str
    url: str
    updated_at: datetime | None
    created_at: datetime | None = None
    audience: Audience = "internal"
    language: str | None = None  # ISO 639-1, where the source tells
    segments: tuple[str, ...] = ()  # sorted; whoever is in one of them may read it although it is internal: zendesk:help:segment:7


@dataclass(frozen=True, slots=True)
class Gone:
    """Deleted, archived, unpublished, or no longer ours to read.

    `inferred`: nobody said so, it was only not met where it used to be. A `Listing`'s inferred ones are not removed by the stream:
    a complete listing follows at once, with its brake.
    """

    id: str
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """There, but not to be read just now; `reason` is shown to the operator."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    changes: tuple[Document | Gone | Unreadable, ...]
    cursor: Cursor
    caught_up: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a large first load (a space, a folder); `expected`: how many documents the vendor counts there, if it tells cheaply."""

    key: str
    title: str
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    id: str
    author_id: str
    author: Author
    public: bool
    text: str  # plain text; quoted mail not yet removed
    created_at: datetime
    attachments: tuple[str, ...] = ()  # file names only: nothing is fetched
    effect_key: str | None = None  # of our own replies, where the vendor gives it back


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as read just now, comments oldest first; `version` is what `post_reply` compares."""

    id: str
    subject: str
    status: Literal["new", "open", "pending", "hold", "solved", "closed"]
    version: str
    requester_id: str
    requester_email: str | None
    requester_name: str | None
    comments: tuple[Comment, ...]
    tags: tuple[str, ...]
    url: str
    created_at: datetime
    updated_at: datetime
    channel: str = "web"
    language: str | None = None  # the requester's locale, where the vendor tells
    automated: str | None = None  # why a machine seems to have written it (auto-reply, bounce, loop)
    satisfaction: Literal["good", "bad"] | None = None  # what the customer said of it, where the vendor tells
    sole_reader: bool = False  # the vendor tells that a public comment reaches the requester, and none but people of `organization_id`
    organization_id: str | None = None  # whose other people may be allowed to open the ticket


@dataclass(frozen=True, slots=True)
class TicketRef:
    """A ticket that moved: a hint to read it again, nothing more."""

    id: str
    status: str  # as in Ticket, or "deleted"
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TicketPage:
    tickets: tuple[TicketRef, ...]
    cursor: Cursor
    caught_up: bool


@dataclass(frozen=True, slots=True)
class Reply:
    html: str  # already sanitised
    public: bool  # False: an internal note
    tags: tuple[str, ...] = ()  # added, never replacing an agent's
    status: Literal["pending", "solved"] | None = None  # the ticket's afterwards; None: as it is


@dataclass(frozen=True, slots=True)
class ReplyRef:
    id: str  # the vendor's id of the comment


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    delivery_id: str  # the same for every repeat of a delivery
    ticket_id: str | None  # None: nothing to look at


class ConfigProblem(Exception):
    """Stop and tell the operator: what is wrong, where, and what to do. Never retried."""


class RateLimited(Exception):
    """The vendor asks us to wait `retry_after` seconds; the call had no effect."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Transient(Exception):
    """A time-out, a broken connection or a server's fault: a read may be repeated; a write is *unknown*."""


class Outdated(Exception):
    """The ticket changed since `seen_version`: nothing was written; read it again and decide anew."""


class Refused(Exception):
    """The vendor will never take this write (ticket closed or gone, text rejected): nothing was written."""


class CursorExpired(Exception):
    """The vendor no longer knows this cursor: the caller starts again from None."""


class Rejected(Exception):
    """A webhook delivery that is not genuine, or not fresh."""


@runtime_checkable
class Source(Protocol):
    def check(self) -> None: ...  # the cheapest real call; raises ConfigProblem
    def pull(self, cursor: Cursor | None) -> Iterator[Page]: ...


@runtime_checkable
class Forewarned(Protocol):
    def warnings(self) -> tuple[str, ...]: ...  # sentences: credentials about to expire and the like; makes no request


@runtime_checkable
class Listing(Protocol):
    def list_ids(self) -> Iterator[str]: ...  # every live id, complete, or an exception


@runtime_checkable
class Divided(Protocol):
    """A first load in parts, each with a cursor of its own: `begin`, then every part to its end, then `pull` from what `begin` gave."""

    def parts(self) -> tuple[Part, ...]: ...
    def begin(self) -> Cursor: ...  # where catching up starts: as of now, taken before the parts are read
    def pull_part(self, key: str, cursor: Cursor | None) -> Iterator[Page]: ...


@runtime_checkable
class Helpdesk(Protocol):
    def tickets(self, cursor: Cursor | None, since: datetime) -> Iterator[TicketPage]: ...  # since: used when cursor is None
    def ticket(self, ticket_id: str) -> Ticket | None: ...  # None: deleted
    def find_reply(self, ticket_id: str, effect_key: str) -> ReplyRef | None: ...
    def post_reply(self, ticket_id: str, reply: Reply, effect_key: str, seen_version: str) -> ReplyRef: ...
    def add_tags(self, ticket_id: str, tags: tuple[str, ...]) -> None: ...  # idempotent


@runtime_checkable
class Statuses(Protocol):
    """For a helpdesk that sets a status by a call of its own, after `post_reply`: of a ticket that is still open; may be repeated."""

    def set_status(self, ticket_id: str, status: Literal["pending", "solved"]) -> None: ...


@runtime_checkable
class Fields(Protocol):
    """Ticket fields by the vendor's names. Only empty ones are filled: what a person chose stays. May be repeated; raises Refused."""

    def fill_fields(self, ticket_id: str, fields: Mapping[str, str]) -> None: ...


@dataclass(frozen=True, slots=True)
class Membership:
    """Segments that whoever may read a ticket's public comments is in, as of now; `why` says why there are none or not all."""

    segments: frozenset[str]
    why: str = ""


@runtime_checkable
class Segmented(Protocol):
    """For a helpdesk whose knowledge has segments. What the vendor does not vouch for (an address nobody confirmed, a membership that
    the ticket's other possible readers may lack) is left out. Only asked where `Ticket.sole_reader`.
    """

    def membership(self, ticket: Ticket) -> Membership: ...


@runtime_checkable
class Webhook(Protocol):
    def verify(self, headers: Mapping[str, str], raw_body: bytes, now: datetime) -> WebhookEvent: ...  # raises Rejected
