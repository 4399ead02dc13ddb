"""Zendesk as a source of knowledge and as a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast

from connectors.base import (
    JSON,
    ConfigProblem,
    Cursor,
    CursorExpired,
    Membership,
    Outdated,
    Page,
    RateLimited,
    Refused,
    Rejected,
    Reply,
    ReplyRef,
    Ticket,
    TicketPage,
    TicketRef,
    Transient,
    WebhookEvent,
)
from connectors.fields import Row, mapping, moment, number
from connectors.http import HttpError, HttpFactory
from connectors.zendesk import parse, readers
from connectors.zendesk.articles import ARTICLES, Library, explain
from connectors.zendesk.client import Calls, by_id, sign_in
from connectors.zendesk.settings import Settings
from connectors.zendesk.webhook import receive

TICKET_EXPORT = "/incremental/tickets/cursor.json"
TICKETS = "/tickets.json"
WITHHELD = timedelta(seconds=120)  # the export hides the newest minute and refuses a start in it; clocks differ besides
STEPS_BACK = (timedelta(0), timedelta(hours=1), timedelta(days=1))  # where the server's clock is behind ours
YOUNG = timedelta(minutes=5)  # what the export may not show yet, with room for a slow turn
TOKENS_END = datetime(2027, 4, 30, tzinfo=UTC)  # all API tokens: support.zendesk.com/hc/en-us/articles/10840968198042
KEY_SHOWN = 12  # characters of the effect key that stand in a note's foot


class Zendesk:
    """One account. Implements Source, Listing, Helpdesk, Segmented, Fields and Webhook."""

    def __init__(self, settings: Settings, http: HttpFactory, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings = settings
        self._now = now
        self._calls = Calls(sign_in(settings, http, now))
        self._place = parse.Place(settings.name, settings.base_url, settings.knowledge.locales)
        self._ourselves: str | None = None

    def check(self) -> None:
        """Signs in, and looks whether the Help Center is there where it is wanted. Raises ConfigProblem."""
        me = self._calls.me()
        name = self._settings.name
        if number(me.get("id")) is None:
            raise ConfigProblem(
                f"{self._settings.base_url} answers, but takes {name} for an anonymous visitor: correct auth.email, or the credential"
            )
        if me.get("role") not in ("agent", "admin"):
            role = str(me.get("role"))
            raise ConfigProblem(f"{name} signs in as a user whose role is {role}; use an agent's or an administrator's credential")
        if self._settings.knowledge.articles:
            self._check_help_center()
        if self._settings.tickets is not None:
            self._check_tickets()

    def _check_help_center(self) -> None:
        try:
            self._calls.ask(ARTICLES, {"page[size]": "1"}).json()
        except HttpError as refusal:
            raise explain(ARTICLES, refusal) from None
        except ConfigProblem as problem:
            raise ConfigProblem(f"{problem}; or, when this account has no Help Center, set knowledge.articles: false") from None

    def _check_tickets(self) -> None:
        try:
            parse.listed(self._calls.ask(TICKETS, {"page[size]": "1"}).json(), "tickets", TICKETS)
        except (HttpError, ConfigProblem) as refusal:
            raise ConfigProblem(
                f"tickets cannot be read ({refusal}); give the credential the scopes tickets:read and tickets:write, or remove `tickets:`"
            ) from None

    def warnings(self) -> tuple[str, ...]:
        """What will break on a known day; no request."""
        if self._settings.auth.api_token is None:
            return ()
        return (
            f"{self._settings.name}: Zendesk stops all API tokens on {TOKENS_END:%Y-%m-%d} and makes no new ones; create a confidential"
            " OAuth client and set auth.client_id and auth.client_secret instead",
        )

    # --- knowledge ---

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        return self._library().pull(cursor)

    def list_ids(self) -> Iterator[str]:
        return self._library().ids()

    def _library(self) -> Library:
        return Library(self._calls, self._place, self._settings.knowledge, self._now)

    # --- tickets that moved ---

    def tickets(self, cursor: Cursor | None, since: datetime) -> Iterator[TicketPage]:
        """The cursor-based export, deleted and scrubbed tickets included; it repeats a ticket after each change.

        It withholds the newest minute, so a turn ends with a look at the newest tickets: hints, on which nothing depends.
        Raises CursorExpired.
        """
        state = dict(cursor or {})
        if cursor is not None and state.get("v") != 1:
            raise CursorExpired("the cursor is of another version of this connector; reading starts again")
        position = state.get("cursor")
        start = min(moment(state.get("start")) or since, self._now() - WITHHELD)
        while True:
            body = self._exported(str(position), None) if position else self._exported(None, start)
            refs = [ref for row in parse.listed(body, "tickets", TICKET_EXPORT) if (ref := parse.ticket_ref(row))]
            after = body.get("after_cursor")
            ended = bool(body.get("end_of_stream", not after or not refs))
            if not ended and (not after or after == position):
                raise Transient("the ticket export sends the same page again and again; it is read anew at the next turn")
            position = after or position
            onward: dict[str, JSON] = {"v": 1, "cursor": position} if position else {"v": 1, "start": start.isoformat()}
            onward["hinted"] = state.get("hinted") or {}
            if ended:
                hints, onward["hinted"] = self._hints(cast(Mapping[str, JSON], onward["hinted"]), start if cursor is None else None)
                yield TicketPage((*refs, *hints), onward, True)
                return
            yield TicketPage(tuple(refs), onward, False)

    def _exported(self, position: str | None, start: datetime | None) -> Row:
        steps = STEPS_BACK if start else STEPS_BACK[:1]
        for step in steps:
            params = {"start_time": str(int((start - step).timestamp()))} if start else {"cursor": str(position)}
            try:
                return mapping(self._calls.ask(TICKET_EXPORT, params).json())
            except HttpError as refusal:
                if position and refusal.status in (400, 404, 410, 422):
                    raise CursorExpired("Zendesk no longer knows this cursor of the ticket export; reading starts again") from None
                if refusal.status != 400:
                    raise ConfigProblem(f"Zendesk refuses the ticket export: {refusal}") from None
            except ConfigProblem as problem:
                raise ConfigProblem(f"{problem}; the ticket export asks for an administrator's credential") from None
        raise Transient("Zendesk finds the start of the ticket export too recent; see that this machine's clock is right")

    def _hints(self, hinted: Mapping[str, JSON], earliest: datetime | None) -> tuple[list[TicketRef], dict[str, JSON]]:
        """Tickets too young for the export and not yet hinted at in this state; nothing when the list is not to be had."""
        from_then = max(self._now() - YOUNG, earliest or parse.LONG_AGO)
        try:
            body = self._calls.ask(TICKETS, {"sort": "-updated_at", "page[size]": "100"}).json()
        except (HttpError, RateLimited, Transient, ConfigProblem):
            return [], dict(hinted)
        found = [ref for row in parse.rows(body, "tickets") if (ref := parse.ticket_ref(row))]
        young = [ref for ref in found if ref.updated_at >= from_then]
        state: dict[str, JSON] = {ref.id: ref.updated_at.isoformat() for ref in young}
        return [ref for ref in young if hinted.get(ref.id) != state[ref.id]], state

    # --- one ticket ---

    def ticket(self, ticket_id: str) -> Ticket | None:
        """The ticket with all its comments. The ticket is read before them, so that its version is never too new."""
        found = self._calls.ticket(vendor_id(ticket_id))
        if found is None or str(found[0].get("status")).lower() == "deleted":
            return None
        row, users = found
        said = self._calls.comments(vendor_id(ticket_id))
        if said is None:
            return None
        comments, writers = said
        people = by_id([*users, *writers])
        missing = sorted({identity for identity in parse.author_ids(row, comments) if identity not in people})
        people.update(by_id(self._calls.users(missing)))
        return parse.ticket(self._settings.base_url, row, comments, self._me(), people)

    def membership(self, ticket: Ticket) -> Membership:
        """The requester's user segments as Zendesk tells them now."""
        requester = number(ticket.requester_id)
        doubt = readers.doubt(self._calls.user(requester) if requester else None)
        found = self._calls.segments_of(requester) if requester and not doubt else None
        if doubt:
            return Membership(frozenset(), doubt)
        if found is None:
            return Membership(frozenset(), "Zendesk does not tell the requester's segments")
        return readers.membership(self._settings.name, found, ticket.organization_id)

    def _me(self) -> str:
        if self._ourselves is None:
            identity = number(self._calls.me().get("id"))
            if identity is None:
                raise ConfigProblem(f"{self._settings.base_url} takes {self._settings.name} for an anonymous visitor: correct auth")
            self._ourselves = identity
        return self._ourselves

    # --- writing back ---

    def find_reply(self, ticket_id: str, effect_key: str) -> ReplyRef | None:
        """The comment that carries the key: in its own metadata, in its audit's, or, last, by the foot of our own note."""
        said = self._calls.comments(vendor_id(ticket_id))
        if said is None:
            return None
        by_metadata = next((row for row in said[0] if parse.effect_key(row) == effect_key), None)
        if by_metadata is not None:
            return ReplyRef(number(by_metadata.get("id")) or effect_key)
        for audit in self._calls.audits(vendor_id(ticket_id)):
            if parse.effect_key(audit) == effect_key:
                return ReplyRef(parse.comment_of_audit(audit) or effect_key)
        foot = f"draft {effect_key[:KEY_SHOWN]}"
        ours = (row for row in said[0] if number(row.get("author_id")) == self._me())
        by_foot = next((row for row in ours if foot in parse.comment_text(row)), None)
        return ReplyRef(number(by_foot.get("id")) or effect_key) if by_foot is not None else None

    def post_reply(self, ticket_id: str, reply: Reply, effect_key: str, seen_version: str) -> ReplyRef:
        """One update: the comment, its privacy and our key together, only if nobody touched the ticket since `seen_version`.

        Raises Outdated, Refused, RateLimited (nothing was written), Transient (nobody knows). Tags are added afterwards, by a call
        of their own that cannot replace an agent's; where that fails the reply stands, and `add_tags` may be called again.
        """
        request: dict[str, JSON] = {
            "comment": {"html_body": reply.html, "public": reply.public},
            "metadata": {parse.EFFECT: effect_key},
            "safe_update": True,
            "updated_stamp": seen_version,
        }
        if reply.status:
            request["status"] = reply.status
        try:
            body = self._calls.update_ticket(vendor_id(ticket_id), request)
        except HttpError as refusal:
            raise refused(ticket_id, refusal) from None
        with suppress(Refused, Outdated, RateLimited, Transient, ConfigProblem):
            self.add_tags(ticket_id, reply.tags)
        return ReplyRef(parse.comment_of_audit(mapping(body.get("audit"))) or effect_key)

    def add_tags(self, ticket_id: str, tags: tuple[str, ...]) -> None:
        """Adds; may be repeated. Raises Refused on a closed ticket."""
        if not tags:
            return
        try:
            self._calls.add_tags(vendor_id(ticket_id), tags)
        except HttpError as refusal:
            raise refused(ticket_id, refusal) from None

    def fill_fields(self, ticket_id: str, fields: Mapping[str, str]) -> None:
        """Custom fields by their number, and `priority`. An agent who changes the ticket at the same moment wins. Raises Refused."""
        found = self._calls.ticket(vendor_id(ticket_id))
        if found is None:
            raise Refused(f"ticket {ticket_id} is gone, or this credential may not see it")
        row = found[0]
        unknown = sorted(set(fields) - set(parse.custom_fields(row)) - {parse.PRIORITY})
        request = parse.filled(row, fields)
        if request:
            try:
                stamp = str(row.get("updated_at") or "")
                self._calls.update_ticket(vendor_id(ticket_id), {**request, "safe_update": True, "updated_stamp": stamp})
            except HttpError as refusal:
                raise Refused(f"ticket {ticket_id}: its fields are left as they are: {refusal}") from None
        if unknown:
            raise Refused(f"ticket {ticket_id} has no field {', '.join(unknown)}; correct triage.fields")

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
        raise ConfigProblem(f"{ticket_id[:40]!r} is not the number of a Zendesk ticket")
    return ticket_id


def refused(ticket_id: str, refusal: HttpError) -> Exception:
    """A 4xx on a write as what it means: changed meanwhile, or never."""
    if refusal.status == 409:
        return Outdated(f"ticket {ticket_id} was changed in the meantime; nothing was written")
    if refusal.status in (404, 410):
        return Refused(f"ticket {ticket_id} is gone, or this credential may not see it")
    if refusal.status == 422 and "closed" in refusal.body.lower():
        return Refused(f"ticket {ticket_id} is closed: Zendesk takes no update of it, only a follow-up ticket")
    return Refused(f"Zendesk refuses the update of ticket {ticket_id}: {refusal}")
