"""The sandbox's own door, for tests and demos in other processes: /_sandbox/..., without credentials, on loopback only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from connectors.sandbox.faults import FaultScript
from connectors.sandbox.paging import ok
from connectors.sandbox.wire import JsonObject, Problem, Request, Response, Route, Routes, fault
from connectors.sandbox.world import World

Ids = Mapping[str, str]
Log = Callable[[], list[JsonObject]]
ROW_LIMIT = 100_000


def control_routes(script: FaultScript, log: Log) -> Routes:
    """Routes whose functions take (world, request, ids) like all others."""

    def add_faults(world: World, request: Request, ids: Ids) -> Response:
        """A fault, or {"faults": [...]}; the keys are those of `faults.Fault`."""
        asked = request.json()
        try:
            made = [script.add(**one) for one in asked.get("faults", [asked])]
        except (TypeError, ValueError) as problem:
            return fault(400, "BadFault", str(problem))
        return Response(201, {"faults": [asdict(one) for one in made]})

    def drop_faults(world: World, request: Request, ids: Ids) -> Response:
        script.clear()
        return ok({})

    def requests(world: World, request: Request, ids: Ids) -> Response:
        return ok({"requests": log()})

    return Routes(
        Route("POST", "/_sandbox/faults", add_faults),
        Route("DELETE", "/_sandbox/faults", drop_faults),
        Route("GET", "/_sandbox/requests", requests),
        Route("GET", "/_sandbox/ledger", ledger),
        Route("GET", "/_sandbox/state", state),
        Route("POST", "/_sandbox/tickets", tickets),
        Route("POST", "/_sandbox/tickets/{ticket_id}/comments", comment),
        Route("POST", "/_sandbox/articles", articles),
    )


def ledger(world: World, request: Request, ids: Ids) -> Response:
    """`?ticket_id=` narrows it."""
    wanted = request.integer("ticket_id", 0)
    rows = [row for row in world.desk.ledger.rows() if not wanted or row["ticket_id"] == wanted]
    return ok({"ledger": rows, "doubled": world.desk.ledger.doubled()})


def state(world: World, request: Request, ids: Ids) -> Response:
    alive = world.desk.alive()
    counts = {"tickets": len(alive), "articles": len(world.guide.articles), "users": len(world.desk.users)}
    counts["comments"], counts["writes"] = sum(len(t.comments) for t in alive), len(world.desk.ledger.entries)
    return ok({"counts": counts, "statuses": dict(Counter(t.status for t in alive)), "keys": dict(world.desk.keys)})


def tickets(world: World, request: Request, ids: Ids) -> Response:
    """{"subject", "body", "requester_id"?, "status"?, "tags"?, "key"?}, or {"count": N, "subject"?, "body"?} for N plain ones."""
    asked = request.json()
    if "count" in asked:
        return Response(201, {"ids": _call(world.desk.create_many, int(asked.pop("count")), **asked)})
    return Response(201, {"id": _call(world.desk.create_ticket, **asked).id})


def comment(world: World, request: Request, ids: Ids) -> Response:
    """{"body", "author_id"?, "public"?, "status"?}: by default the requester speaks."""
    asked, number = request.json(), int(ids["ticket_id"])
    asked.setdefault("author_id", world.desk.tickets[number].requester_id)
    return Response(201, {"id": _call(world.desk.comment, number, **asked).id})


def articles(world: World, request: Request, ids: Ids) -> Response:
    """{"action": "create" | "edit" | "draft" | "publish" | "restrict" | "archive" | "many", ...}; all but create and many name an `id`."""
    asked = request.json()
    action, number = asked.pop("action", "create"), asked.pop("id", 0)
    if action == "many":
        return Response(201, {"ids": _call(world.guide.create_many, int(asked.pop("count")), **asked)})
    if action == "create":
        return Response(201, {"id": _call(world.guide.create, **asked).id})
    if number not in world.guide.articles:
        raise Problem(fault(404, "RecordNotFound", f"no article {number}"))
    if action in ("draft", "publish"):
        _call(world.guide.set_draft, number, action == "draft", **asked)
    elif action == "restrict":
        _call(world.guide.restrict, number, asked.get("segment_id"))
    elif action in ("edit", "archive"):
        _call(getattr(world.guide, action), number, **asked)
    else:
        raise Problem(fault(400, "BadAction", f"unknown action {action}"))
    return ok({"id": number})


def _call(function: Callable[..., Any], *args: Any, **details: Any) -> Any:
    try:
        return function(*args, **details)
    except (TypeError, ValueError, KeyError) as problem:
        raise Problem(fault(400, "BadRequest", str(problem))) from None
