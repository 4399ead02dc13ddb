"""What is read: tickets and their conversations, people, canned responses, ratings, the account's fields."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.freshdesk import shapes
from connectors.sandbox.freshdesk.errors import forbidden, invalid, not_found
from connectors.sandbox.freshdesk.paging import PAGING, accept, answer
from connectors.sandbox.freshdesk.records import PRIORITY_NAMES, STATUS_NAMES, JsonObject, PersonRecord, TicketRecord
from connectors.sandbox.freshdesk.search import search_tickets
from connectors.sandbox.freshdesk.world import Ids, World, is_mine_and_open
from connectors.sandbox.wire import Problem, Request, Response, Route

LISTED_WITHOUT_SINCE = timedelta(days=30)
ORDERS = ("created_at", "due_by", "updated_at", "status")
FILTERS = ("new_and_my_open", "watching", "spam", "deleted")
TICKET_QUERY = (
    *(*PAGING, "filter", "requester_id", "email", "unique_external_id", "company_id", "updated_since"),
    *("order_by", "order_type", "include"),
)
LIST_INCLUDES = ("stats", "requester", "description", "company")
VIEW_INCLUDES = ("stats", "requester", "company", "conversations")
EMBEDDED = 10  # conversations, the oldest


def time_of(request: Request, name: str) -> datetime | None:
    """Raises Problem 400."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(invalid(name, "It should be a valid ISO 8601 date and time", "invalid_date")) from None
    if at.tzinfo is None:
        raise Problem(invalid(name, "It should be a valid ISO 8601 date and time with a zone", "invalid_date"))
    return at


def one_of(request: Request, name: str, known: tuple[str, ...], default: str) -> str:
    value = request.query.get(name, default)
    if name in request.query and value not in known:
        raise Problem(invalid(name, f"It should be one of these values: '{','.join(known)}'"))
    return value


def included(request: Request, known: tuple[str, ...]) -> tuple[str, ...]:
    asked = tuple(part for part in request.query.get("include", "").split(",") if part)
    if any(part not in known for part in asked):
        raise Problem(invalid("include", f"It should be one of these values: '{','.join(known)}'"))
    return asked


def second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def list_tickets(world: World, request: Request, ids: Ids) -> Response:
    accept(request, TICKET_QUERY)
    parts = included(request, LIST_INCLUDES)
    order = one_of(request, "order_by", ORDERS, "created_at")
    rising = one_of(request, "order_type", ("asc", "desc"), "desc") == "asc"
    key: Callable[[TicketRecord], Any] = {
        "created_at": lambda ticket: (ticket.created_at, ticket.id),
        "due_by": lambda ticket: (ticket.created_at, ticket.id),
        "updated_at": lambda ticket: (ticket.updated_at, ticket.id),
        "status": lambda ticket: (ticket.status, ticket.id),
    }[order]
    rows = sorted(_wanted(world, request), key=key, reverse=not rising)
    page, headers = world.pager.page(request, rows, capped=True)
    return answer([_with(world, ticket, parts) for ticket in page], headers=headers)


def _wanted(world: World, request: Request) -> list[TicketRecord]:
    since = _next_second(time_of(request, "updated_since"))
    name = one_of(request, "filter", FILTERS, "")
    horizon, people = world.now() - LISTED_WITHOUT_SINCE, world.desk.people
    narrowed = any(field in request.query for field in ("requester_id", "email", "company_id", "unique_external_id"))
    sees_all = people[world.caller(request).user_id].ticket_scope == 1
    chosen: list[TicketRecord] = []
    for ticket in world.desk.tickets.values():
        if (ticket.updated_at < since) if since is not None else (ticket.created_at < horizon):
            continue
        if not _shown(ticket, name) or not (sees_all or world.may_see(request, ticket)):
            continue
        if name == "new_and_my_open" and not is_mine_and_open(ticket, world.caller(request).user_id):
            continue
        if not narrowed or _is_of(ticket, people.get(ticket.requester_id), request):
            chosen.append(ticket)
    return chosen


def _next_second(at: datetime | None) -> datetime | None:
    """Whole seconds are compared: a ticket of 12:00:00.9 is not of before 12:00:00, and not of 12:00:00.5 either."""
    return at if at is None or not at.microsecond else second(at) + timedelta(seconds=1)


def _shown(ticket: TicketRecord, name: str) -> bool:
    if ticket.archived or name == "watching":
        return False
    if name == "deleted":
        return ticket.deleted
    return (ticket.spam if name == "spam" else not ticket.spam) and not ticket.deleted


def _is_of(ticket: TicketRecord, person: PersonRecord | None, request: Request) -> bool:
    """Whether the requester is the one asked for."""
    facts = {"requester_id": str(ticket.requester_id), "email": (person.email if person else "") or ""}
    facts |= {"company_id": str(person.company_id if person else None), "unique_external_id": ""}
    return all(request.query[field].lower() == value.lower() for field, value in facts.items() if field in request.query)


def _with(world: World, ticket: TicketRecord, parts: tuple[str, ...]) -> JsonObject:
    row, person = shapes.ticket_row(ticket), world.desk.people.get(ticket.requester_id)
    row["company_id"] = person.company_id if person else None
    if "description" in parts:
        row |= shapes.described(ticket)
    if "stats" in parts:
        row["stats"] = shapes.stats(ticket)
    if "requester" in parts and person is not None:
        row["requester"] = shapes.requester(person)
    if "company" in parts:
        known = person is not None and person.company_id is not None
        row["company"] = {"id": person.company_id, "name": world.desk.companies[person.company_id]} if known else {}  # type: ignore[union-attr, index]
    return row


def view_ticket(world: World, request: Request, ids: Ids) -> Response:
    accept(request, ("include",))
    parts = included(request, VIEW_INCLUDES)
    ticket = world.desk.tickets.get(int(ids["ticket_id"]))
    if ticket is None or (ticket.deleted and not world.quirks.deleted_answers):
        return not_found()
    if ticket.archived:
        return Response(301, None, {"location": f"{request.origin}/api/v2/tickets/archived/{ticket.id}"})
    if not world.may_see(request, ticket):
        return forbidden()
    return answer(_viewed(world, request, ticket, parts))


def view_archived(world: World, request: Request, ids: Ids) -> Response:
    ticket = world.desk.tickets.get(int(ids["ticket_id"]))
    if ticket is None or not ticket.archived:
        return not_found()
    return answer({**_viewed(world, request, ticket, ()), "archived": True})


def _viewed(world: World, request: Request, ticket: TicketRecord, parts: tuple[str, ...]) -> JsonObject:
    row = _with(world, ticket, ("description", *parts))
    row["attachments"] = [shapes.attachment(one, request.origin) for one in ticket.attachments]
    if "conversations" in parts:
        oldest = ticket.messages[:EMBEDDED]
        row["conversations"] = [shapes.message_row(message, ticket, world.desk, request.origin) for message in oldest]
    return row


def conversations(world: World, request: Request, ids: Ids) -> Response:
    accept(request, PAGING)
    ticket = world.writable(request, ids)
    if not world.may_see(request, ticket):
        return forbidden()
    page, headers = world.pager.page(request, ticket.messages)
    return answer([shapes.message_row(message, ticket, world.desk, request.origin) for message in page], headers=headers)


# --- people ---


def me(world: World, request: Request, ids: Ids) -> Response:
    return answer(shapes.agent_row(world.desk.people[world.caller(request).user_id]))


def list_agents(world: World, request: Request, ids: Ids) -> Response:
    accept(request, (*PAGING, "email", "mobile", "phone", "state"))
    agents = [person for person in world.desk.people.values() if person.agent and not person.deleted]
    if "email" in request.query:
        agents = [person for person in agents if (person.email or "").lower() == request.query["email"].lower()]
    page, headers = world.pager.page(request, agents)
    return answer([shapes.agent_row(person) for person in page], headers=headers)


def view_agent(world: World, request: Request, ids: Ids) -> Response:
    person = world.desk.agent(int(ids["agent_id"]))
    return not_found() if person is None else answer(shapes.agent_row(person))


def list_contacts(world: World, request: Request, ids: Ids) -> Response:
    accept(request, (*PAGING, "email", "mobile", "phone", "company_id", "unique_external_id", "state", "_updated_since"))
    since, state = time_of(request, "_updated_since"), request.query.get("state")
    people = [p for p in world.desk.people.values() if p.deleted == (state == "deleted") and (p.deleted or not p.agent)]
    people = [person for person in people if since is None or second(person.updated_at) >= since]
    for name, field in (("email", "email"), ("company_id", "company_id")):
        if name in request.query:
            people = [person for person in people if str(getattr(person, field) or "").lower() == request.query[name].lower()]
    page, headers = world.pager.page(request, people)
    return answer([shapes.contact_row(person) for person in page], headers=headers)


def view_contact(world: World, request: Request, ids: Ids) -> Response:
    """Agents that are gone are found here too."""
    person = world.desk.people.get(int(ids["contact_id"]))
    return not_found() if person is None or (person.agent and not person.deleted) else answer(shapes.contact_row(person))


# --- the rest ---


def canned_folders(world: World, request: Request, ids: Ids) -> Response:
    rows = []
    for folder in world.desk.canned_folders.values():
        number = sum(1 for one in world.desk.canned.values() if one.folder_id == folder.id)
        at = shapes.moment(folder.created_at)
        row = {"id": folder.id, "name": folder.name, "personal": folder.personal, "responses_count": number}
        rows.append({**row, "created_at": at, "updated_at": at})
    return answer(rows)


def canned_in_folder(world: World, request: Request, ids: Ids) -> Response:
    folder_id = int(ids["folder_id"])
    if folder_id not in world.desk.canned_folders:
        return not_found()
    page, headers = world.pager.page(request, [one for one in world.desk.canned.values() if one.folder_id == folder_id])
    return answer([shapes.canned_row(one) for one in page], headers=headers)


def view_canned(world: World, request: Request, ids: Ids) -> Response:
    one = world.desk.canned.get(int(ids["response_id"]))
    return not_found() if one is None else answer(shapes.canned_row(one))


def ratings(world: World, request: Request, ids: Ids) -> Response:
    accept(request, (*PAGING, "created_since", "user_id"))
    since = time_of(request, "created_since")
    rows = [row for row in world.desk.ratings if since is None or second(row["at"]) >= since]
    page, headers = world.pager.page(request, rows)
    shown = []
    for row in page:
        at = shapes.moment(row["at"])
        shown.append({**{key: value for key, value in row.items() if key != "at"}, "created_at": at, "updated_at": at})
    return answer(shown, headers=headers)


def ticket_fields(world: World, request: Request, ids: Ids) -> Response:
    """Choices of the status are keyed by its number, with the agents' and the customers' label."""
    statuses = {str(number): [label, label] for number, label in STATUS_NAMES.items()}
    status = {"id": 1_060_000_000_961, "name": "status", "label": "Status", "type": "default_status", "choices": statuses}
    order = {"id": 1_060_000_000_962, "name": "cf_order_number", "label": "Order number", "type": "custom_text"}
    urgency = {label: number for number, label in PRIORITY_NAMES.items()}
    return answer([status, order, {"id": 1_060_000_000_963, "name": "priority", "type": "default_priority", "choices": urgency}])


def groups(world: World, request: Request, ids: Ids) -> Response:
    return answer([{"id": world.desk.group_id, "name": "Trade desk", "description": None, "escalate_to": None, "agent_ids": []}])


def empty(world: World, request: Request, ids: Ids) -> Response:
    return answer([])


def settings(world: World, request: Request, ids: Ids) -> Response:
    others = list(world.solutions.languages[1:])
    return answer({"primary_language": world.solutions.primary, "supported_languages": others, "portal_languages": others})


READING = (
    Route("GET", "/api/v2/tickets", list_tickets, "list_tickets"),
    Route("GET", "/api/v2/tickets/{ticket_id}", view_ticket),
    Route("GET", "/api/v2/tickets/archived/{ticket_id}", view_archived),
    Route("GET", "/api/v2/tickets/{ticket_id}/conversations", conversations),
    Route("GET", "/api/v2/search/tickets", search_tickets),
    Route("GET", "/api/v2/agents/me", me),
    Route("GET", "/api/v2/agents", list_agents),
    Route("GET", "/api/v2/agents/{agent_id}", view_agent),
    Route("GET", "/api/v2/contacts", list_contacts, "list_contacts"),
    Route("GET", "/api/v2/contacts/{contact_id}", view_contact),
    Route("GET", "/api/v2/canned_response_folders", canned_folders),
    Route("GET", "/api/v2/canned_response_folders/{folder_id}/responses", canned_in_folder),
    Route("GET", "/api/v2/canned_responses/{response_id}", view_canned),
    Route("GET", "/api/v2/surveys/satisfaction_ratings", ratings),
    Route("GET", "/api/v2/ticket_fields", ticket_fields),
    Route("GET", "/api/v2/groups", groups),
    Route("GET", "/api/v2/products", empty),
    Route("GET", "/api/v2/email_configs", empty),
    Route("GET", "/api/v2/settings/helpdesk", settings),
)
