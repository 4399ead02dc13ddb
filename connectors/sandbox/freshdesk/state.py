"""The helpdesk's state machine: tickets are opened, written to, changed, spammed, deleted, restored, merged, archived.

Statuses: 2 open -> 3 pending or 6 and more (waiting) -> 4 resolved -> 5 closed; what a customer writes opens it again.
Spam, deleted and archived are marks beside the status; the plain list shows none of the three.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any

from connectors.sandbox.freshdesk.content import Case, Content, Person
from connectors.sandbox.freshdesk.ledger import Ledger, digest, effect_key
from connectors.sandbox.freshdesk.records import (
    CLOSED,
    NOTE,
    OPEN,
    PENDING,
    REPLY,
    RESOLVED,
    CannedFolderRecord,
    CannedRecord,
    JsonObject,
    MessageRecord,
    PersonRecord,
    TicketRecord,
)
from connectors.sandbox.markup import html_from_text, sanitise, text_from_html

FIRST_MADE_TICKET, FIRST_MADE_MESSAGE, FIRST_MADE_PERSON = 50_001, 1_060_000_500_001, 1_060_000_700_001
CHANGEABLE = ("status", "priority", "source", "subject", "responder_id", "group_id", "type", "tags", "custom_fields")


class Desk:
    """All methods are safe to call from any thread. `deletion_moves`: whether deleting and spamming are changes (`updated_at`)."""

    def __init__(self, content: Content, now: Callable[[], datetime], lock: threading.RLock, *, deletion_moves: bool = True) -> None:
        self._now, self._lock, self._deletion_moves = now, lock, deletion_moves
        self._tickets, self._messages, self._people = count(FIRST_MADE_TICKET), count(FIRST_MADE_MESSAGE), count(FIRST_MADE_PERSON)
        self.bot_id, self.group_id = content.bot, content.group_id
        self.ledger = Ledger()
        self.people: dict[int, PersonRecord] = {}
        self.companies = {company.id: company.name for company in content.companies}
        self.tickets: dict[int, TicketRecord] = {}
        self.canned: dict[int, CannedRecord] = {}
        self.canned_folders: dict[int, CannedFolderRecord] = {}
        self.keys: dict[str, int] = {}
        self.ratings: list[JsonObject] = []
        self._settle_in(content)

    # -- reading

    def agent(self, person_id: int) -> PersonRecord | None:
        """None for contacts and for agents that are gone."""
        person = self.people.get(person_id)
        return person if person and person.agent and not person.deleted else None

    def agent_by_email(self, email: str) -> PersonRecord | None:
        return next((p for p in self.people.values() if p.agent and not p.deleted and (p.email or "").lower() == email.lower()), None)

    def any_customer(self) -> int:
        return next(person.id for person in self.people.values() if not person.agent and not person.deleted)

    def any_agent(self) -> int:
        """One who is not the bot."""
        return next((person.id for person in self.people.values() if person.agent and person.id != self.bot_id), self.bot_id)

    # -- what people do

    def add_person(self, name: str, email: str | None = None, *, agent: bool = False, ticket_scope: int = 1) -> PersonRecord:
        with self._lock:
            person = PersonRecord(next(self._people), name, email, self._now(), self._now(), agent, ticket_scope)
            self.people[person.id] = person
            return person

    def create_ticket(
        self,
        subject: str,
        body: str,
        *,
        requester_id: int | None = None,
        status: int = OPEN,
        tags: Iterable[str] = (),
        source: int = 2,
        key: str | None = None,
        html: str | None = None,
    ) -> TicketRecord:
        with self._lock:
            now, markup = self._now(), html_from_text(body) if html is None else html
            text = body if html is None else text_from_html(html)
            ticket = TicketRecord(next(self._tickets), subject, requester_id or self.any_customer(), markup, text, now, now, status)
            ticket.tags, ticket.source, ticket.group_id, ticket.status_updated_at = list(tags), source, self.group_id, now
            self.tickets[ticket.id] = ticket
            if key:
                self.keys[key] = ticket.id
            return ticket

    def create_many(self, number: int, *, subject: str = "Question {n}", body: str = "Hello, this is question {n}.") -> list[int]:
        """N plain waiting tickets of one customer; {n} counts from 1. Returns their ids."""
        texts = ((subject.replace("{n}", str(n)), body.replace("{n}", str(n))) for n in range(1, number + 1))
        with self._lock:
            customer = self.any_customer()
            return [self.create_ticket(title, text, requester_id=customer).id for title, text in texts]

    def write(self, ticket_id: int, body: str, *, author_id: int | None = None, private: bool = False) -> MessageRecord:
        """A person writes in the browser or by mail, by default the requester: not a call of the API, so not in the ledger."""
        with self._lock:
            ticket = self.tickets[ticket_id]
            return self._append(ticket, author_id or ticket.requester_id, html_from_text(body), body, private=private)

    def change(self, ticket_id: int, **fields: Any) -> None:
        """A person sets status, tags and the like."""
        with self._lock:
            ticket = self.tickets[ticket_id]
            self._moves(ticket)
            self._set(ticket, fields)

    def copy_to(self, ticket_id: int, address: str) -> None:
        """An agent adds somebody who is sent every reply from now on."""
        with self._lock:
            ticket = self.tickets[ticket_id]
            ticket.cc_emails = [*ticket.cc_emails, address]
            self._moves(ticket)

    def set_aside(self, ticket_id: int, **marks: bool) -> None:
        """`deleted=True`, `spam=False`, `archived=True` ... by a person."""
        with self._lock:
            ticket = self.tickets[ticket_id]
            if self._deletion_moves:
                self._moves(ticket)
            for name, value in marks.items():
                if name not in ("deleted", "spam", "archived"):
                    raise ValueError(f"no mark is called {name}")
                setattr(ticket, name, value)

    def rate(self, ticket_id: int, rating: int, feedback: str | None = None) -> None:
        """103 extremely happy ... -103 extremely unhappy."""
        with self._lock:
            ticket, now = self.tickets[ticket_id], self._now()
            row: JsonObject = {"id": next(self._messages), "survey_id": 1, "user_id": ticket.requester_id, "agent_id": ticket.responder_id}
            row |= {"feedback": feedback, "group_id": ticket.group_id, "ticket_id": ticket_id, "ratings": {"default_question": rating}}
            self.ratings.append({**row, "at": now})

    # -- what the API does

    def post(
        self,
        ticket: TicketRecord,
        author_id: int,
        html: str,
        *,
        private: bool,
        reply: bool,
        incoming: bool = False,
        names: Sequence[str] = (),
    ) -> MessageRecord:
        """A note or a reply of a program; `names` of attached files."""
        with self._lock:
            plain = "<" not in html
            kept = sanitise(f"<div>{html}</div>" if plain else html)
            made = self._append(ticket, author_id, kept, text_from_html(kept), private=private, incoming=incoming, reply=reply, api=True)
            made.attachments = [self._attachment(name, self._now()) for name in names]
            key, mark = effect_key(html), digest(made.text)
            kind = "reply" if reply else "note"
            self.ledger.record(kind, made.created_at, ticket.id, author_id, comment_id=made.id, public=not private, digest=mark, key=key)
            return made

    def update(self, ticket: TicketRecord, author_id: int, fields: Mapping[str, Any]) -> None:
        with self._lock:
            self._moves(ticket)
            changed = self._set(ticket, fields)
            self.ledger.record("update", self._now(), ticket.id, author_id, changed=changed)

    def mark(self, kind: str, ticket: TicketRecord, author_id: int, **marks: bool) -> None:
        """`kind`: delete or restore."""
        with self._lock:
            self.set_aside(ticket.id, **marks)
            self.ledger.record(kind, self._now(), ticket.id, author_id)

    def merge(self, primary: TicketRecord, others: Sequence[TicketRecord], author_id: int) -> None:
        """The others are closed, with a note among agents that names the primary."""
        with self._lock:
            for other in others:
                text = f"This ticket is closed and merged into ticket {primary.id}"
                self._append(other, author_id, f"<div>{text}</div>", text, private=True)
                self._set(other, {"status": CLOSED})
                source = f"Merged from ticket {other.id}"
                self._append(primary, author_id, f"<div>{source}</div>", source, private=True)
                self.ledger.record("merge", self._now(), other.id, author_id)

    def find_message(self, message_id: int) -> tuple[TicketRecord, MessageRecord] | None:
        for ticket in self.tickets.values():
            for message in ticket.messages:
                if message.id == message_id:
                    return ticket, message
        return None

    # -- inside

    def _moves(self, ticket: TicketRecord) -> None:
        """To be called before a change: what the search index goes on showing for a while is kept."""
        now = self._now()
        if ticket.updated_at < now:
            ticket.indexed = None
            ticket.indexed = copy.copy(ticket)
            ticket.indexed.tags = list(ticket.tags)
        ticket.updated_at = max(ticket.updated_at, now)

    def _append(
        self,
        ticket: TicketRecord,
        author_id: int,
        html: str,
        text: str,
        *,
        private: bool,
        incoming: bool | None = None,
        reply: bool | None = None,
        api: bool = False,
        at: datetime | None = None,
    ) -> MessageRecord:
        now = at or self._now()
        outside = self.agent(author_id) is None if incoming is None else incoming
        source = REPLY if (reply if reply is not None else not private) else NOTE
        if at is None:
            self._moves(ticket)
        made = MessageRecord(next(self._messages), author_id, html, text, outside, private, source, now, now, api)
        ticket.messages.append(made)
        if outside:
            ticket.requester_responded_at = now
            if ticket.status != OPEN and at is None:
                self._set(ticket, {"status": OPEN})
                ticket.reopened_at = now
        elif not private:
            ticket.agent_responded_at, ticket.first_responded_at = now, ticket.first_responded_at or now
        return made

    def _set(self, ticket: TicketRecord, fields: Mapping[str, Any]) -> tuple[str, ...]:
        changed = tuple(name for name in CHANGEABLE if name in fields and fields[name] != getattr(ticket, name))
        for name in changed:
            value = {**ticket.custom_fields, **fields[name]} if name == "custom_fields" else fields[name]
            setattr(ticket, name, list(value) if name == "tags" else value)
        if "status" in changed:
            self._status_moved(ticket, self._now())
        return changed

    def _status_moved(self, ticket: TicketRecord, at: datetime) -> None:
        ticket.status_updated_at = at
        ticket.resolved_at = (ticket.resolved_at or at) if ticket.status in (RESOLVED, CLOSED) else None
        ticket.closed_at = at if ticket.status == CLOSED else None
        ticket.pending_since = at if ticket.status == PENDING else None

    def _attachment(self, name: str, at: datetime) -> JsonObject:
        return {"id": next(self._messages), "name": name, "at": at}

    # -- the company moves in

    def _settle_in(self, content: Content) -> None:
        now = self._now()
        for person in (*content.agents, *content.contacts):
            self._settle_person(person, now, agent=person in content.agents)
        for case in (*content.past, *content.waiting):
            self._settle_case(case, now)
        for folder in content.canned_folders:
            self.canned_folders[folder.id] = CannedFolderRecord(folder.id, folder.name, now - folder.created, folder.personal)
        for one in content.canned:
            made, changed = now - one.created, now - (one.updated or one.created)
            self.canned[one.id] = CannedRecord(
                one.id, one.folder, one.title, one.text, html_from_text(one.text), made, changed, one.visibility
            )

    def _settle_person(self, person: Person, now: datetime, *, agent: bool) -> None:
        made = now - person.created
        self.people[person.id] = PersonRecord(
            person.id,
            person.name,
            person.email,
            made,
            made,
            agent,
            person.ticket_scope,
            person.signature,
            person.language,
            person.company,
            person.deleted,
        )

    def _settle_case(self, case: Case, now: datetime) -> None:
        first, made = case.remarks[0], now - case.created
        ticket = TicketRecord(case.id, case.subject, case.requester, html_from_text(first.body), first.body, made, made, case.status)
        ticket.priority, ticket.source, ticket.tags, ticket.responder_id = case.priority, case.source, list(case.tags), case.responder
        ticket.group_id = self.group_id
        ticket.attachments = [self._attachment(name, made) for name in first.attachments]
        for remark in case.remarks[1:]:
            at = now - (remark.at or case.created)
            said = self._append(ticket, remark.by, html_from_text(remark.body), remark.body, private=remark.private, at=at)
            said.attachments = [self._attachment(name, at) for name in remark.attachments]
            ticket.updated_at = at
        self._status_moved(ticket, ticket.updated_at)
        self.tickets[case.id] = ticket
        if case.key:
            self.keys[case.key] = case.id
