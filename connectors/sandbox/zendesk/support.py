"""The Support API, reading side: users, tickets, comments, audits, macros, ratings, the list of the deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from connectors.sandbox.company import Macro
from connectors.sandbox.wire import Caller, Problem, Request, Response, Route, fault, forbidden_role, not_found
from connectors.sandbox.zendesk import shapes
from connectors.sandbox.zendesk.auth import allow, unauthenticated
from connectors.sandbox.zendesk.paging import SUPPORT, ok, paginate, split_ids
from connectors.sandbox.zendesk.records import AuditRecord, CommentRecord, JsonObject, TicketRecord
from connectors.sandbox.zendesk.state import second
from connectors.sandbox.zendesk.world import World

Ids = Mapping[str, str]
ARCHIVED_AFTER = timedelta(days=120)  # closed tickets leave the lists, not the export


def gate(world: World, request: Request, *, roles: tuple[str, ...] = ("agent", "admin")) -> Caller:
    """Raises Problem 401 without credentials, 403 for a role or scopes that do not suffice."""
    caller = request.caller
    if caller is None:
        raise Problem(unauthenticated())
    allow(caller, request)
    if caller.role not in roles:
        raise Problem(forbidden_role())
    return caller


def find_ticket(world: World, ids: Ids) -> TicketRecord:
    """Raises Problem 404 for an unknown or deleted one."""
    ticket = world.desk.ticket(int(ids["ticket_id"]))
    if ticket is None:
        raise Problem(not_found())
    return ticket


def me(world: World, request: Request, ids: Ids) -> Response:
    """Answers 200 with an anonymous user where there are no valid credentials: a health check must look at the id."""
    if request.caller is None:
        return ok({"user": shapes.ANONYMOUS})
    allow(request.caller, request)
    return ok({"user": shapes.user(world.desk.users[request.caller.user_id], request.origin)})


def one_user(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    number = int(ids["user_id"])
    if number < 0:
        return fault(400, "InvalidValue", "user id must be positive")
    user = world.desk.users.get(number)
    return not_found() if user is None else ok({"user": shapes.user(user, request.origin)})


def many_users(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    found = users(world, split_ids(request), request.origin)
    return ok({"users": found, "count": len(found), "next_page": None, "previous_page": None})


def users(world: World, wanted: Iterable[int], origin: str) -> list[JsonObject]:
    """The known users among `wanted`, once each."""
    return [shapes.user(world.desk.users[number], origin) for number in dict.fromkeys(wanted) if number in world.desk.users]


def list_tickets(world: World, request: Request, ids: Ids) -> Response:
    """Archived tickets are not listed. CBP: `sort=[-]updated_at|id|status`; OBP: `sort_by`, `sort_order`."""
    gate(world, request)
    horizon = world.now() - ARCHIVED_AFTER
    rows = [t for t in world.desk.alive() if not (t.status == "closed" and t.updated_at < horizon)]
    sort = request.query.get("sort") or request.query.get("sort_by") or "id"
    descending = sort.startswith("-") or request.query.get("sort_order") == "desc"
    name = sort.lstrip("-")

    def key(ticket: TicketRecord) -> tuple[Any, ...]:
        value = {"updated_at": ticket.updated_at, "status": ticket.status, "created_at": ticket.created_at}.get(name)
        return (ticket.id,) if value is None else (value, ticket.id)

    body, page = paginate(request, "tickets", rows, key, lambda t: shapes.ticket(t, request.origin), style=SUPPORT, descending=descending)
    return ok(_side_loaded(world, request, body, page))


def one_ticket(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    ticket = find_ticket(world, ids)
    return ok(_side_loaded(world, request, {"ticket": shapes.ticket(ticket, request.origin)}, [ticket]))


def many_tickets(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    found = [t for number in split_ids(request) if (t := world.desk.ticket(number))]
    body = {"tickets": [shapes.ticket(t, request.origin) for t in found], "count": len(found), "next_page": None, "previous_page": None}
    return ok(_side_loaded(world, request, body, found))


def _side_loaded(world: World, request: Request, body: JsonObject, tickets: list[TicketRecord]) -> JsonObject:
    if request.includes("users"):
        people = [n for t in tickets for n in (t.requester_id, t.assignee_id) if n is not None]
        body["users"] = users(world, people, request.origin)
    if request.includes("comment_count"):
        for ticket, shape in zip(tickets, body.get("tickets") or [body.get("ticket", {})], strict=False):
            shape["comment_count"] = len(ticket.comments)
    return body


def comments(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    ticket = find_ticket(world, ids)
    descending = request.query.get("sort") == "-created_at" or request.query.get("sort_order") == "desc"

    def key(comment: CommentRecord) -> tuple[Any, ...]:
        return second(comment.created_at), comment.id

    def shape(comment: CommentRecord) -> JsonObject:
        return shapes.comment(comment, ticket.id, request.origin)

    body, page = paginate(request, "comments", ticket.comments, key, shape, style=SUPPORT, descending=descending)
    if request.includes("users"):
        body["users"] = users(world, [c.author_id for c in page], request.origin)
    return ok(body)


def audits(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    ticket = find_ticket(world, ids)

    def key(audit: AuditRecord) -> tuple[Any, ...]:
        return second(audit.created_at), audit.id

    body, page = paginate(request, "audits", ticket.audits, key, lambda a: shapes.audit(a, ticket, request.origin), style=SUPPORT)
    if request.includes("users"):
        body["users"] = users(world, [a.author_id for a in page], request.origin)
    return ok(body)


def tags(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    return ok({"tags": list(find_ticket(world, ids).tags)})


def macros(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    active = request.query.get("active")
    if request.path.removesuffix(".json").endswith("/active"):
        active = "true"
    rows = [m for m in world.desk.macros.values() if active is None or m.active == (active == "true")]

    def shape(macro: Macro) -> JsonObject:
        return shapes.macro(macro, request.origin, world.desk.started)

    return ok(paginate(request, "macros", rows, lambda m: (m.id,), shape, style=SUPPORT)[0])


def one_macro(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    macro = world.desk.macros.get(int(ids["macro_id"]))
    return not_found() if macro is None else ok({"macro": shapes.macro(macro, request.origin, world.desk.started)})


def ratings(world: World, request: Request, ids: Ids) -> Response:
    """`score=received` means good or bad; `start_time` in epoch seconds."""
    gate(world, request)
    score, start = request.query.get("score"), request.integer("start_time", 0)
    accepted = ("good", "bad") if score in (None, "received") else (score,)
    rows = [t for t in world.desk.alive() if t.rating and t.rating.score in accepted and t.rating.at.timestamp() >= start]
    body, _ = paginate(request, "satisfaction_ratings", rows, lambda t: (t.id,), lambda t: shapes.rating(t, request.origin), style=SUPPORT)
    return ok(body)


def deleted_tickets(world: World, request: Request, ids: Ids) -> Response:
    gate(world, request)
    rows = [t for t in world.desk.tickets.values() if t.deleted_at and not t.scrubbed]

    def shape(ticket: TicketRecord) -> JsonObject:
        assert ticket.deleted_at
        actor = world.desk.users[ticket.deleted_by or world.desk.bot_id]
        row = {"id": ticket.id, "subject": ticket.subject, "actor": {"id": actor.id, "name": actor.name}}
        return {**row, "deleted_at": shapes.iso(ticket.deleted_at), "previous_state": ticket.deleted_status}

    body, _ = paginate(request, "deleted_tickets", rows, lambda t: (t.id,), shape, style=SUPPORT)
    return ok(body)


READING = (
    Route("GET", "/api/v2/users/me", me),
    Route("GET", "/api/v2/users/show_many", many_users),
    Route("GET", "/api/v2/users/{user_id}", one_user),
    Route("GET", "/api/v2/tickets", list_tickets, "tickets-index"),
    Route("GET", "/api/v2/tickets/show_many", many_tickets),
    Route("GET", "/api/v2/tickets/{ticket_id}", one_ticket),
    Route("GET", "/api/v2/tickets/{ticket_id}/comments", comments),
    Route("GET", "/api/v2/tickets/{ticket_id}/audits", audits),
    Route("GET", "/api/v2/tickets/{ticket_id}/tags", tags),
    Route("GET", "/api/v2/macros", macros),
    Route("GET", "/api/v2/macros/active", macros),
    Route("GET", "/api/v2/macros/{macro_id}", one_macro),
    Route("GET", "/api/v2/satisfaction_ratings", ratings),
    Route("GET", "/api/v2/deleted_tickets", deleted_tickets, "deleted-tickets"),
)
