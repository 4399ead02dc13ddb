"""What every endpoint is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.sandbox.freshdesk.errors import not_found
from connectors.sandbox.freshdesk.paging import Pager
from connectors.sandbox.freshdesk.records import OPEN, TicketRecord
from connectors.sandbox.freshdesk.solutions import Solutions
from connectors.sandbox.freshdesk.state import Desk
from connectors.sandbox.wire import Caller, Problem, Request

Ids = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Quirks:
    """Where the published sources differ, both ways can be played."""

    solutions_paged: bool = True  # whether lists of categories, folders and articles come in pages
    deletion_moves: bool = True  # whether deleting a ticket moves its updated_at
    deleted_answers: bool = True  # whether a deleted ticket is still answered by its id, with "deleted": true
    search_delay: timedelta = timedelta(minutes=2)  # for which a change is not found by searching


@dataclass(frozen=True, slots=True)
class World:
    desk: Desk
    solutions: Solutions
    pager: Pager
    quirks: Quirks
    now: Callable[[], datetime]

    def caller(self, request: Request) -> Caller:
        assert request.caller is not None
        return request.caller

    def may_see(self, request: Request, ticket: TicketRecord) -> bool:
        """An agent of restricted scope sees what is assigned to it."""
        person = self.desk.people[self.caller(request).user_id]
        return person.ticket_scope == 1 or ticket.responder_id == person.id

    def writable(self, request: Request, ids: Ids) -> TicketRecord:
        """The ticket of a conversation. Raises Problem 404 where it is unknown, deleted or spam."""
        ticket = self.desk.tickets.get(int(ids["ticket_id"]))
        if ticket is None or not ticket.listed():
            raise Problem(not_found())
        return ticket


def is_mine_and_open(ticket: TicketRecord, person_id: int) -> bool:
    return ticket.status == OPEN and ticket.responder_id in (None, person_id)
