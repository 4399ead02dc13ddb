"""Freshdesk as a source of knowledge and as a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from connectors.base import (
    JSON,
    ConfigProblem,
    Cursor,
    Membership,
    Outdated,
    Page,
    Part,
    RateLimited,
    Refused,
    Rejected,
    Reply,
    ReplyRef,
    Ticket,
    TicketPage,
    Transient,
    WebhookEvent,
)
from connectors.fields import Row, mapping, number
from connectors.freshdesk import desk, readers, tickets
from connectors.freshdesk.client import Calls, sign_in
from connectors.freshdesk.parse import Place, code
from connectors.freshdesk.settings import Settings
from connectors.freshdesk.solutions import Solutions
from connectors.freshdesk.walk import CANNED, CATEGORIES
from connectors.freshdesk.webhook import receive
from connectors.http import HttpError, HttpFactory

ALL_TICKETS = 1  # an agent's ticket_scope; 2: of its groups, 3: its own


class Freshdesk:
    """One account. Implements Source, Listing, Divided, Forewarned, Helpdesk, Segmented, Statuses, Fields and Webhook."""

    def __init__(self, settings: Settings, http: HttpFactory, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings = settings
        self._now = now
        self._calls = Calls(sign_in(settings, http))
        self._solutions = Solutions(self._calls, Place(settings.name, settings.base_url), settings.knowledge, now)
        self._me: Row | None = None

    def check(self) -> None:
        """Signs in, and tries what is wanted: articles, canned responses, tickets. Raises ConfigProblem."""
        self._me = None
        self._ourselves()
        wanted = self._settings.knowledge
        if wanted.articles:
            self._try(CATEGORIES, "solutions cannot be read", "the right to view solutions, or set knowledge.articles: false")
        if wanted.macros:
            self._try(CANNED, "canned responses cannot be read", "the right to use canned responses, or set knowledge.macros: false")
        if self._settings.tickets is not None:
            self._try(tickets.TICKETS, "tickets cannot be read", "the right to view and answer tickets, or remove `tickets:`")

    def _try(self, path: str, problem: str, remedy: str) -> None:
        try:
            self._calls.page(path, {})
        except (HttpError, ConfigProblem) as refusal:
            raise ConfigProblem(f"{problem} ({refusal}); give the key's agent {remedy}") from None

    def warnings(self) -> tuple[str, ...]:
        """What nobody says otherwise; no request. Tickets that the agent may not see are not there for it."""
        name, found = self._settings.name, list[str]()
        scope = code(self._me.get("ticket_scope")) if self._me else None
        if self._settings.tickets is not None and scope not in (None, ALL_TICKETS):
            found.append(f"{name}: the key's agent sees only its groups' or its own tickets, so others are not answered; make it global")
        if self._settings.knowledge.articles and self._solutions.counted == 0:
            found.append(f"{name}: no solution article was found; see that the key's agent may view solutions, and that there are any")
        return tuple(found)

    # --- knowledge ---

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        return self._solutions.pull(cursor)

    def list_ids(self) -> Iterator[str]:
        return self._solutions.ids()

    def parts(self) -> tuple[Part, ...]:
        return self._solutions.parts()

    def begin(self) -> Cursor:
        return self._solutions.begin()

    def pull_part(self, key: str, cursor: Cursor | None) -> Iterator[Page]:
        return self._solutions.pull_part(key, cursor)

    # --- tickets ---

    def tickets(self, cursor: Cursor | None, since: datetime) -> Iterator[TicketPage]:
        """Tickets by time of change, deleted and spam ones too; raises CursorExpired for a cursor that is not ours."""
        return tickets.moved(self._calls, cursor, since, self._now)

    def ticket(self, ticket_id: str) -> Ticket | None:
        found = self._standing(vendor_id(ticket_id))
        if found is None:
            return None
        row, said = found
        requester = number(row.get("requester_id"))
        person = self._calls.person(requester) if requester else {}
        return desk.ticket(self._settings.base_url, row, said, self._ourselves(), person)

    def membership(self, ticket: Ticket) -> Membership:
        """Of the requester's contact as it stands now."""
        requester = number(ticket.requester_id)
        contact = self._calls.contact(requester) if requester else None
        return readers.membership(self._settings.name, contact, ticket.organization_id)

    def _standing(self, ticket_id: str) -> tuple[Row, list[Row]] | None:
        """The ticket, then what was said on it, so that its version is never too new. None: deleted, or spam."""
        row = self._calls.ticket(ticket_id)
        if row is None or desk.is_gone(row):
            return None
        said = self._calls.conversations(ticket_id)
        return None if said is None else (row, said)

    def _ourselves(self) -> str:
        if self._me is None:
            self._me = self._calls.me()
        identity = number(self._me.get("id"))
        if identity is None:
            raise ConfigProblem(f"{self._settings.base_url} does not tell whose key this is: check base_url, and auth.api_key")
        return identity

    # --- writing back ---

    def find_reply(self, ticket_id: str, effect_key: str) -> ReplyRef | None:
        """Our own message that names the key."""
        said = self._calls.conversations(vendor_id(ticket_id))
        found = desk.written(said, effect_key, self._ourselves()) if said else None
        return ReplyRef(found) if found else None

    def post_reply(self, ticket_id: str, reply: Reply, effect_key: str, seen_version: str) -> ReplyRef:
        """Freshdesk knows neither versions nor repeated calls: what stands on the ticket is read right before the one write, and only
        what happens in the moment between the two can be overtaken.

        Raises Outdated, Refused, RateLimited (nothing was written), Transient (nobody knows). Tags are added afterwards; where that
        fails the reply stands, and `add_tags` may be called again.
        """
        found = self._standing(vendor_id(ticket_id))
        if found is None:
            raise Refused(f"ticket {ticket_id} is gone, or this key may not see it")
        row, said = found
        before = desk.written(said, effect_key, self._ourselves())
        if before:
            return ReplyRef(before)
        if desk.status(row) == "closed":
            raise Refused(f"ticket {ticket_id} is closed")
        if desk.version(row, said) != seen_version:
            raise Outdated(f"ticket {ticket_id} was changed in the meantime; nothing was written")
        try:
            made = self._calls.write(ticket_id, desk.with_key(reply.html, effect_key), public=reply.public)
        except HttpError as refusal:
            raise refused(ticket_id, refusal) from None
        with suppress(Refused, RateLimited, Transient, ConfigProblem):
            self.add_tags(ticket_id, reply.tags)
        return ReplyRef(number(made.get("id")) or effect_key)

    def add_tags(self, ticket_id: str, tags: tuple[str, ...]) -> None:
        """Reads, merges, writes; may be repeated. A tag that an agent sets between the two is lost: there is no call that adds.

        Raises Refused.
        """
        if not tags:
            return
        row = self._calls.ticket(vendor_id(ticket_id))
        if row is None or desk.is_gone(row):
            raise Refused(f"ticket {ticket_id} is gone, or this key may not see it")
        standing = desk.tag_list(row.get("tags"))
        present = {tag.casefold() for tag in standing}
        missing = [tag for tag in dict.fromkeys(tags) if tag.casefold() not in present]
        if not missing:
            return
        try:
            self._calls.set_tags(ticket_id, [*standing, *missing])
        except HttpError as refusal:
            raise refused(ticket_id, refusal) from None

    def set_status(self, ticket_id: str, status: Literal["pending", "solved"]) -> None:
        """Only of an open ticket: what a person set stays. Raises Refused."""
        row = self._calls.ticket(vendor_id(ticket_id))
        if row is None or desk.is_gone(row) or desk.status(row) != "open":
            return
        self._update(ticket_id, {"status": desk.CODES[status]})

    def fill_fields(self, ticket_id: str, fields: Mapping[str, str]) -> None:
        """Custom fields by their name (cf_topic). Freshdesk sets every ticket's priority, so that one is never ours. Raises Refused."""
        row = self._calls.ticket(vendor_id(ticket_id))
        if row is None or desk.is_gone(row):
            raise Refused(f"ticket {ticket_id} is gone, or this key may not see it")
        standing = mapping(row.get("custom_fields"))
        empty: dict[str, JSON] = {name: value for name, value in fields.items() if name in standing and standing[name] in (None, "")}
        if empty:
            self._update(ticket_id, {"custom_fields": empty})
        if unknown := sorted(set(fields) - set(standing)):
            raise Refused(f"ticket {ticket_id} has no field {', '.join(unknown)}; correct triage.fields")

    def _update(self, ticket_id: str, changes: dict[str, JSON]) -> None:
        try:
            self._calls.update(vendor_id(ticket_id), changes)
        except HttpError as refusal:
            raise refused(ticket_id, refusal) from None

    # --- webhooks ---

    def verify(self, headers: Mapping[str, str], raw_body: bytes, now: datetime) -> WebhookEvent:
        """Raises Rejected. While a secret is being replaced, its reference may hold the new one and the old one, on two lines."""
        secret = self._settings.tickets.webhook_secret if self._settings.tickets else None
        if secret is None:
            raise Rejected(f"{self._settings.name} has no tickets.webhook_secret, so no delivery can be genuine")
        return receive(secret.reveal().split(), headers, raw_body, now)


def vendor_id(ticket_id: str) -> str:
    """An id as it may stand in a path: digits only. Raises ConfigProblem."""
    if not (ticket_id.isascii() and ticket_id.isdigit()):
        raise ConfigProblem(f"{ticket_id[:40]!r} is not the number of a Freshdesk ticket")
    return ticket_id


def refused(ticket_id: str, refusal: HttpError) -> Refused:
    """A 4xx on a write: Freshdesk answers 404, 405 or 409 for tickets that are gone, deleted or spam."""
    if refusal.status in (404, 405, 409, 410):
        return Refused(f"ticket {ticket_id} is gone, deleted or spam, or takes no update: {refusal}")
    return Refused(f"Freshdesk refuses the write to ticket {ticket_id}: {refusal}")
