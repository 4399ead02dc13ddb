"""Incremental exports of tickets: by cursor, and by time with its pages that never say "none left"."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.wire import Problem, Request, Response, Route, fault, listed_fault
from connectors.sandbox.zendesk import shapes
from connectors.sandbox.zendesk.paging import ok
from connectors.sandbox.zendesk.records import JsonObject, TicketRecord
from connectors.sandbox.zendesk.support import gate, users
from connectors.sandbox.zendesk.world import World

Ids = Mapping[str, str]
LARGEST_PAGE = 1000


def by_cursor(world: World, request: Request, ids: Ids) -> Response:
    """`start_time` once, then `cursor`. `after_cursor` is there at the end of the stream too; resume from it later."""
    gate(world, request, roles=("admin",))
    size = min(max(1, request.integer("per_page", LARGEST_PAGE)), LARGEST_PAGE)
    rows = _visible(world, request)
    if cursor := request.query.get("cursor"):
        position = _position(cursor)
    else:
        start = _start_time(world, request)
        position = max((t.revision for t in world.desk.tickets.values() if _second(t) < start), default=0)
    rows = [t for t in rows if t.revision > position]
    page, ended = rows[:size], len(rows) <= size
    after = _cursor(page[-1]) if page else cursor or _encode(int(world.now().timestamp()), position)
    if request.twist in ("empty_page", "duplicate_page"):
        ended, after = False, _encode(1, position)
        page = [] if request.twist == "empty_page" else page
    link = request.link({"cursor": after}, drop=("start_time", "cursor"))
    body: JsonObject = {"tickets": [shapes.ticket(t, request.origin, exported=True) for t in page]}
    body |= {"after_cursor": after, "after_url": link, "before_cursor": None, "before_url": None, "end_of_stream": ended}
    return ok(_with_users(world, request, body, page))


def by_time(world: World, request: Request, ids: Ids) -> Response:
    """`start_time` is inclusive, `next_page` never null; a page is stretched to the end of its second, unless it is a full one."""
    gate(world, request, roles=("admin",))
    size = min(max(1, request.integer("per_page", LARGEST_PAGE)), LARGEST_PAGE)
    start = _start_time(world, request)
    rows = [t for t in _visible(world, request) if _second(t) >= start]
    end = size
    while size < LARGEST_PAGE and end < len(rows) and _second(rows[end]) == _second(rows[end - 1]):
        end += 1
    page = rows[:end]
    end_time = _second(page[-1]) + (0 if len(page) == LARGEST_PAGE < len(rows) else 1) if page else start
    body: JsonObject = {"tickets": [shapes.ticket(t, request.origin, exported=True) for t in page]}
    body |= {"count": len(page), "end_of_stream": len(rows) <= end, "end_time": end_time}
    body["next_page"] = request.link({"start_time": end_time})
    return ok(_with_users(world, request, body, page))


def _visible(world: World, request: Request) -> list[TicketRecord]:
    """In the order of change, without what is younger than the export's delay. Deleted rows stay in unless they are asked out."""
    horizon = world.now() - world.export_delay
    without_deleted = request.query.get("exclude_deleted") == "true"
    rows = [t for t in world.desk.tickets.values() if t.generated_at <= horizon and not (without_deleted and t.deleted_at)]
    return sorted(rows, key=lambda t: t.revision)


def _start_time(world: World, request: Request) -> int:
    if "start_time" not in request.query:
        raise Problem(fault(400, "BadRequest", "start_time is required"))
    start = request.integer("start_time", 0)
    if start > (world.now() - world.export_delay).timestamp():
        text = f"Too recent start_time. Use a start_time older than {world.export_delay.seconds} seconds"
        raise Problem(fault(400, "StartTimeTooRecent", text))
    return start


def _second(ticket: TicketRecord) -> int:
    return int(ticket.generated_at.timestamp())


def _cursor(ticket: TicketRecord) -> str:
    return _encode(_second(ticket), ticket.revision)


def _encode(seconds: int, position: int) -> str:
    return base64.b64encode(f"{seconds}.0||{position}|".encode()).decode()


def _position(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor, validate=True).decode().split("||")[1].rstrip("|"))
    except (ValueError, IndexError):
        raise Problem(listed_fault(400, "InvalidCursor", "The cursor is malformed or no longer valid")) from None


def _with_users(world: World, request: Request, body: JsonObject, page: list[TicketRecord]) -> JsonObject:
    if request.includes("users"):
        people: list[Any] = [number for t in page for number in (t.requester_id, t.assignee_id) if number is not None]
        body["users"] = users(world, people, request.origin)
    return body


EXPORTS = (
    Route("GET", "/api/v2/incremental/tickets/cursor", by_cursor, "incremental-exports-cursor"),
    Route("GET", "/api/v2/incremental/tickets", by_time, "incremental-exports"),
)
