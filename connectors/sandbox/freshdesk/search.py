"""Searching tickets: an index that lags, ten pages of thirty, days not seconds, a query in double quotes."""

from __future__ import annotations

import re
from collections.abc import Callable

from connectors.sandbox.freshdesk import shapes
from connectors.sandbox.freshdesk.errors import invalid
from connectors.sandbox.freshdesk.paging import accept, answer, natural
from connectors.sandbox.freshdesk.records import TicketRecord
from connectors.sandbox.freshdesk.world import Ids, World
from connectors.sandbox.wire import Problem, Request, Response

LONGEST, SIZE, PAGES = 512, 30, 10
TERM = re.compile(r"\s*(?P<field>\w+):(?P<sign>[<>]?)(?:'(?P<quoted>[^']*)'|(?P<bare>[^\s()']+))\s*")
NUMBERS = {"agent_id": "responder_id", "group_id": "group_id", "priority": "priority", "status": "status"}
DAYS = ("created_at", "updated_at", "due_by", "fr_due_by", "closed_at")
Test = Callable[[TicketRecord], bool]


def search_tickets(world: World, request: Request, ids: Ids) -> Response:
    accept(request, ("query", "page"))
    query = request.query.get("query", "")
    if len(query) < 2 or query[0] != '"' or query[-1] != '"' or len(query) - 2 > LONGEST:
        raise Problem(invalid("query", f"Enclose the query in double quotes; it may have {LONGEST} characters"))
    if (number := natural(request, "page", 1)) > PAGES:
        raise Problem(invalid("page", f"It should be a Positive Integer less than or equal to {PAGES}"))
    wanted = _either(query[1:-1])
    found = [ticket for ticket in _indexed(world, request) if wanted(ticket)]
    found.sort(key=lambda ticket: (ticket.created_at, ticket.id), reverse=True)
    shown = found[(number - 1) * SIZE : number * SIZE]
    return answer({"total": len(found), "results": [shapes.ticket_row(ticket) for ticket in shown]})


def _indexed(world: World, request: Request) -> list[TicketRecord]:
    """Tickets as the index knows them by now."""
    seen = world.now() - world.quirks.search_delay
    rows = []
    for ticket in world.desk.tickets.values():
        if ticket.created_at > seen or ticket.archived or not world.may_see(request, ticket):
            continue
        row = ticket.indexed if ticket.updated_at > seen and ticket.indexed is not None else ticket
        if row.listed():
            rows.append(row)
    return rows


def _either(text: str) -> Test:
    groups = [_all(part) for part in re.split(r"(?i)\s+OR\s+", text)]
    return lambda ticket: any(group(ticket) for group in groups)


def _all(text: str) -> Test:
    tests = [_term(part.strip("() ")) for part in re.split(r"(?i)\s+AND\s+", text)]
    return lambda ticket: all(test(ticket) for test in tests)


def _term(text: str) -> Test:
    match = TERM.fullmatch(text)
    if match is None:
        raise Problem(invalid("query", f"Given query is invalid: {text}"))
    field, sign, value = match["field"], match["sign"], match["quoted"] if match["quoted"] is not None else match["bare"]
    if field in NUMBERS:
        if not value.isdigit():
            raise Problem(invalid(field, "It should be a Positive Integer", "datatype_mismatch"))
        wanted = int(value)
        return lambda ticket: getattr(ticket, NUMBERS[field]) == wanted
    if field in DAYS:
        return _day(field, sign, value)
    if field == "tag":
        return lambda ticket: value in ticket.tags
    if field == "type":
        return lambda ticket: ticket.type == value
    if field.startswith("cf_"):
        return lambda ticket: str(ticket.custom_fields.get(field)) == value
    raise Problem(invalid(field, "Unexpected/invalid field in request", "invalid_field"))


def _day(field: str, sign: str, value: str) -> Test:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise Problem(invalid(field, "It should be a date: yyyy-mm-dd", "invalid_date"))

    def test(ticket: TicketRecord) -> bool:
        day = (shapes.ticket_row(ticket).get(field) or shapes.stats(ticket).get(field) or "")[:10]
        if not day:
            return False
        return bool(day >= value if sign == ">" else day <= value if sign == "<" else day == value)

    return test
