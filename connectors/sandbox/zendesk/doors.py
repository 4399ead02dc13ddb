"""The helpdesk's own doors below /_sandbox/: its ledger and state, tickets and comments of people, articles of editors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.sandbox.site import called
from connectors.sandbox.wire import Problem, Request, Response, Route, fault
from connectors.sandbox.zendesk.paging import ok

if TYPE_CHECKING:
    from connectors.sandbox.zendesk.api import ZendeskApi

Ids = Mapping[str, str]


def ledger(api: ZendeskApi, request: Request, ids: Ids) -> Response:
    """`?ticket_id=` narrows it."""
    wanted = request.integer("ticket_id", 0)
    rows = [row for row in api.world.desk.ledger.rows() if not wanted or row["ticket_id"] == wanted]
    return ok({"ledger": rows, "doubled": api.world.desk.ledger.doubled()})


def state(api: ZendeskApi, request: Request, ids: Ids) -> Response:
    alive = api.world.desk.alive()
    counts = {"tickets": len(alive), "articles": len(api.world.guide.articles), "users": len(api.world.desk.users)}
    counts["comments"], counts["writes"] = sum(len(t.comments) for t in alive), len(api.world.desk.ledger.entries)
    return ok({"counts": counts, "statuses": dict(Counter(t.status for t in alive)), "keys": dict(api.world.desk.keys)})


def tickets(api: ZendeskApi, request: Request, ids: Ids) -> Response:
    """{"subject", "body", "requester_id"?, "status"?, "tags"?, "key"?}, or {"count": N, "subject"?, "body"?} for N plain ones."""
    asked = request.json()
    if "count" in asked:
        return Response(201, {"ids": called(api.world.desk.create_many, int(asked.pop("count")), **asked)})
    return Response(201, {"id": called(api.world.desk.create_ticket, **asked).id})


def comment(api: ZendeskApi, request: Request, ids: Ids) -> Response:
    """{"body", "author_id"?, "public"?, "status"?}: by default the requester speaks."""
    asked, number = request.json(), int(ids["ticket_id"])
    asked.setdefault("author_id", api.world.desk.tickets[number].requester_id)
    return Response(201, {"id": called(api.world.desk.comment, number, **asked).id})


def articles(api: ZendeskApi, request: Request, ids: Ids) -> Response:
    """{"action": "create" | "edit" | "draft" | "publish" | "restrict" | "archive" | "many", ...}; all but create and many name an `id`."""
    asked = request.json()
    action, number = asked.pop("action", "create"), asked.pop("id", 0)
    if action == "many":
        return Response(201, {"ids": called(api.world.guide.create_many, int(asked.pop("count")), **asked)})
    if action == "create":
        return Response(201, {"id": called(api.world.guide.create, **asked).id})
    if number not in api.world.guide.articles:
        raise Problem(fault(404, "RecordNotFound", f"no article {number}"))
    if action in ("draft", "publish"):
        called(api.world.guide.set_draft, number, action == "draft", **asked)
    elif action == "restrict":
        called(api.world.guide.restrict, number, asked.get("segment_id"))
    elif action in ("edit", "archive"):
        called(getattr(api.world.guide, action), number, **asked)
    else:
        raise Problem(fault(400, "BadAction", f"unknown action {action}"))
    return ok({"id": number})


DOORS = (
    Route("GET", "/_sandbox/ledger", ledger),
    Route("GET", "/_sandbox/state", state),
    Route("POST", "/_sandbox/tickets", tickets),
    Route("POST", "/_sandbox/tickets/{ticket_id}/comments", comment),
    Route("POST", "/_sandbox/articles", articles),
)
