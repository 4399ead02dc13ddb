"""The helpdesk's state machine: tickets are opened, commented, changed, deleted; every change has a revision and an audit.

Statuses: new -> open -> pending | hold -> solved -> closed; a customer's comment reopens pending, hold and solved;
closed takes no change; deleted is a mark beside the status and can be undone until the ticket is scrubbed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from connectors.sandbox.company import Case, Company, Macro
from connectors.sandbox.markup import html_from_text, text_from_html
from connectors.sandbox.zendesk.ledger import Ledger
from connectors.sandbox.zendesk.records import AuditRecord, CommentRecord, RatingRecord, TicketRecord, UserRecord

FIRST_MADE_ID = 46_408_700_000_001  # above every fixed id of the company
REOPENED_BY_CUSTOMER = ("pending", "hold", "solved")
CHANGEABLE = ("status", "priority", "type", "subject", "assignee_id", "group_id", "external_id", "custom_fields", "tags")


class Desk:
    """All methods are safe to call from any thread; those that change something return what they made."""

    def __init__(self, company: Company, now: Callable[[], datetime], lock: threading.RLock) -> None:
        self._now, self._lock = now, lock
        self._ids, self._revisions = count(FIRST_MADE_ID), count(1)
        self._latest = datetime.min.replace(tzinfo=now().tzinfo)
        self.bot_id = company.bot
        self.ledger = Ledger()
        self.users: dict[int, UserRecord] = {}
        self.tickets: dict[int, TicketRecord] = {}
        self.macros: dict[int, Macro] = {macro.id: macro for macro in company.macros}
        self.keys: dict[str, int] = {}
        self.started = now()
        self._settle_in(company)

    # -- reading

    def ticket(self, ticket_id: int) -> TicketRecord | None:
        """None when unknown or deleted."""
        record = self.tickets.get(ticket_id)
        return None if record is None or record.deleted_at else record

    def alive(self) -> list[TicketRecord]:
        with self._lock:
            return [ticket for ticket in self.tickets.values() if ticket.deleted_at is None]

    def user_by_email(self, email: str) -> UserRecord | None:
        return next((u for u in self.users.values() if u.active and u.email and u.email.lower() == email.lower()), None)

    def any_customer(self) -> int:
        return next(user.id for user in self.users.values() if user.role == "end-user")

    # -- what people do

    def add_user(self, name: str, email: str | None = None, role: str = "end-user", locale: str = "en-us") -> UserRecord:
        with self._lock:
            user = UserRecord(next(self._ids), name, role, self._now(), email, locale)
            self.users[user.id] = user
            return user

    def create_ticket(
        self,
        subject: str,
        body: str,
        *,
        requester_id: int | None = None,
        status: str = "new",
        tags: Iterable[str] = (),
        channel: str = "web",
        key: str | None = None,
        html: str | None = None,
        public: bool = True,
        author_id: int | None = None,
        custom: Mapping[str, Any] | None = None,
    ) -> TicketRecord:
        with self._lock:
            now = self._now()
            requester_id = self.any_customer() if requester_id is None else requester_id
            ticket = TicketRecord(next(self._ids), subject, requester_id, status, now, now, now, 0, channel, tags=list(tags))
            requester = self.users.get(requester_id)
            ticket.organization_id = requester.organization_id if requester else None
            self.tickets[ticket.id] = ticket
            if key:
                self.keys[key] = ticket.id
            author = requester_id if author_id is None else author_id
            self._append(ticket, author, body, html=html, public=public, at=now, channel=channel, custom=custom)
            self._moved(ticket, now)
            return ticket

    def create_many(self, number: int, *, subject: str = "Question {n}", body: str = "Hello, this is question {n}.") -> list[int]:
        """N plain waiting tickets of one customer; {n} counts from 1. Returns their ids."""
        texts = ((subject.replace("{n}", str(n)), body.replace("{n}", str(n))) for n in range(1, number + 1))
        with self._lock:
            customer = self.any_customer()
            return [self.create_ticket(title, text, requester_id=customer).id for title, text in texts]

    def comment(self, ticket_id: int, body: str, *, author_id: int, public: bool = True, status: str | None = None) -> CommentRecord:
        """A person comments in the browser or by mail: not a call of the API, so not in the ledger."""
        with self._lock:
            ticket, now = self.tickets[ticket_id], self._now()
            made = self._append(ticket, author_id, body, public=public, at=now, channel="web")
            customer = author_id == ticket.requester_id
            if status or (customer and ticket.status in REOPENED_BY_CUSTOMER):
                self._change(ticket, {"status": status or "open"}, ticket.audits[-1])
            self._moved(ticket, now)
            return made

    def copy_to(self, ticket_id: int, user_id: int) -> None:
        """An agent adds somebody who is sent every public comment from now on."""
        with self._lock:
            ticket = self.tickets[ticket_id]
            ticket.email_cc_ids = [*ticket.email_cc_ids, user_id]
            self._moved(ticket, self._now())

    def set_status(self, ticket_id: int, status: str, *, author_id: int | None = None) -> None:
        with self._lock:
            ticket, now = self.tickets[ticket_id], self._now()
            audit = self._audit(ticket, author_id or self.bot_id, now, "web", {})
            self._change(ticket, {"status": status}, audit)
            self._moved(ticket, now)

    def touch(self, ticket_id: int) -> None:
        """A system change: the export shows the ticket again, `updated_at` stays."""
        with self._lock:
            ticket = self.tickets[ticket_id]
            ticket.generated_at, ticket.revision = self._stamp(self._now()), next(self._revisions)

    def rate(self, ticket_id: int, score: str, comment: str | None = None) -> None:
        with self._lock:
            ticket, now = self.tickets[ticket_id], self._now()
            ticket.rating = RatingRecord(next(self._ids), score, comment, now)
            self._moved(ticket, now)

    # -- what the API does

    def apply(
        self, ticket: TicketRecord, author_id: int, changes: Mapping[str, Any], comment: Mapping[str, Any] | None, custom: Mapping[str, Any]
    ) -> AuditRecord:
        """One update: a comment (`text` or `html`, `public`, `author_id`) or None, then field changes: one audit, one ledger entry."""
        with self._lock:
            now, made = self._now(), None
            if comment is not None:
                made = self._append(
                    ticket,
                    comment.get("author_id") or author_id,
                    comment.get("text") or "",
                    html=comment.get("html"),
                    public=bool(comment["public"]),
                    at=now,
                    channel="api",
                    custom=custom,
                )
                audit = ticket.audits[-1]
            else:
                audit = self._audit(ticket, author_id, now, "api", custom)
            changed = self._change(ticket, changes, audit)
            self._moved(ticket, now)
            self.ledger.record(
                "comment" if made else "update",
                now,
                ticket.id,
                author_id,
                comment_id=made.id if made else None,
                public=made.public if made else None,
                metadata=dict(custom),
                changed=changed,
            )
            return audit

    def set_tags(self, ticket: TicketRecord, tags: list[str], author_id: int) -> None:
        with self._lock:
            now, changed = self._now(), tags != ticket.tags
            if changed:
                self._change(ticket, {"tags": tags}, self._audit(ticket, author_id, now, "api", {}))
                self._moved(ticket, now)
            self.ledger.record("tags", now, ticket.id, author_id, changed=("tags",) if changed else ())

    def delete_ticket(self, ticket_id: int, *, author_id: int | None = None, through_api: bool = False) -> None:
        with self._lock:
            ticket, now = self.tickets[ticket_id], self._now()
            ticket.deleted_at, ticket.deleted_status, ticket.deleted_by = now, ticket.status, author_id or self.bot_id
            self._moved(ticket, now)
            if through_api:
                self.ledger.record("delete", now, ticket_id, author_id or self.bot_id)

    def restore_ticket(self, ticket_id: int, author_id: int) -> None:
        with self._lock:
            ticket, now = self.tickets[ticket_id], self._now()
            ticket.deleted_at = ticket.deleted_status = ticket.deleted_by = None
            self._moved(ticket, now)
            self.ledger.record("restore", now, ticket_id, author_id)

    def scrub_ticket(self, ticket_id: int) -> None:
        """Permanent deletion: the row stays in the export, its text does not."""
        with self._lock:
            if self.tickets[ticket_id].deleted_at is None:
                self.delete_ticket(ticket_id)
            ticket = self.tickets[ticket_id]
            ticket.subject, ticket.tags, ticket.scrubbed = "SCRUBBED", [], True
            ticket.comments.clear()
            self._moved(ticket, self._now())

    # -- inside

    def _stamp(self, at: datetime) -> datetime:
        """The export's clock never runs backwards, whatever the machine's does."""
        self._latest = max(self._latest, at)
        return self._latest

    def _moved(self, ticket: TicketRecord, at: datetime) -> None:
        ticket.updated_at = max(ticket.updated_at, at)
        ticket.generated_at, ticket.revision = self._stamp(at), next(self._revisions)

    def _audit(self, ticket: TicketRecord, author_id: int, at: datetime, channel: str, custom: Mapping[str, Any]) -> AuditRecord:
        audit = AuditRecord(next(self._ids), ticket.id, author_id, at, channel, [], dict(custom))
        ticket.audits.append(audit)
        return audit

    def _append(
        self,
        ticket: TicketRecord,
        author_id: int,
        text: str,
        *,
        public: bool,
        at: datetime,
        channel: str,
        html: str | None = None,
        custom: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> CommentRecord:
        audit = self._audit(ticket, author_id, at, channel, custom or {})
        body, markup = (text, html_from_text(text)) if html is None else (text_from_html(html), html)
        made = CommentRecord(next(self._ids), audit.id, author_id, body, markup, public, at, channel, dict(custom or {}), **more)
        ticket.comments.append(made)
        audit.events.append({"id": made.id, "type": "Comment"})
        if public and author_id != ticket.requester_id:
            mail = {"id": next(self._ids), "type": "Notification", "recipients": [ticket.requester_id]}
            trigger = {"channel": "rule", "source": {"from": {}, "to": {}, "rel": "trigger"}}
            audit.events.append({**mail, "subject": ticket.subject, "body": body, "via": trigger})
        return made

    def _change(self, ticket: TicketRecord, changes: Mapping[str, Any], audit: AuditRecord) -> tuple[str, ...]:
        changed = []
        for name in CHANGEABLE:
            before = getattr(ticket, name)
            value = _merged(before, changes.get(name)) if name == "custom_fields" else changes.get(name)
            if name in changes and value != before:
                setattr(ticket, name, value)
                event = {"type": "Change", "field_name": name, "value": changes[name], "previous_value": before}
                audit.events.append({"id": next(self._ids), **event})
                changed.append(name)
        return tuple(changed)

    def _settle_in(self, company: Company) -> None:
        for person in company.people:
            created = self.started - person.created
            user = UserRecord(person.id, person.name, person.role, created, person.email, person.locale, person.active, person.suspended)
            user.signature, user.verified = person.signature, person.verified
            user.organization_id, user.tags = person.organization, list(person.tags)
            self.users[person.id] = user
        for case in (*company.past, *company.waiting):
            self._open_case(case)
        for ticket in sorted(self.tickets.values(), key=lambda ticket: ticket.updated_at):
            self._moved(ticket, ticket.updated_at)

    def _open_case(self, case: Case) -> None:
        created = self.started - case.created
        ticket = TicketRecord(
            case.id, case.subject, case.requester, case.status, created, created, created, 0, case.channel, case.priority, case.type
        )
        ticket.tags, ticket.assignee_id = list(case.tags), case.assignee
        ticket.organization_id = self.users[case.requester].organization_id
        for remark in case.comments:
            at = self.started - (remark.at if remark.at is not None else case.created)
            more: dict[str, Any] = {"attachments": remark.attachments, "voice": remark.voice, "rel": remark.rel, "address": remark.address}
            self._append(ticket, remark.by, remark.body, html=remark.html, public=remark.public, at=at, channel=case.channel, **more)
            ticket.updated_at = at
        ticket.rel = case.comments[0].rel
        if rating := case.satisfaction:
            ticket.rating = RatingRecord(next(self._ids), rating.score, rating.comment, self.started - rating.at)
            ticket.updated_at = max(ticket.updated_at, ticket.rating.at)
        self.tickets[case.id] = ticket
        if case.key:
            self.keys[case.key] = case.id


def second(at: datetime) -> datetime:
    """The vendor keeps whole seconds: what two times are compared by."""
    return at - timedelta(microseconds=at.microsecond)


def _merged(before: list[dict[str, Any]], changed: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Fields that an update does not name keep their value."""
    named = {int(item["id"]): item.get("value") for item in (*before, *(changed or ()))}
    return [{"id": identity, "value": value} for identity, value in named.items()]
