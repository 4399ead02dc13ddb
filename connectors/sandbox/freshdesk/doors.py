"""The account's own doors below /_sandbox/: its ledger and state, tickets and words of people, articles of editors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from connectors.sandbox.freshdesk.paging import answer
from connectors.sandbox.site import called
from connectors.sandbox.wire import Problem, Request, Response, Route, fault

if TYPE_CHECKING:
    from connectors.sandbox.freshdesk.api import FreshdeskApi

Ids = Mapping[str, str]


def ledger(api: FreshdeskApi, request: Request, ids: Ids) -> Response:
    """`?ticket_id=` narrows it."""
    wanted = request.integer("ticket_id", 0)
    rows = [row for row in api.desk.ledger.rows() if not wanted or row["ticket_id"] == wanted]
    return answer({"ledger": rows, "doubled": api.desk.ledger.doubled()})


def state(api: FreshdeskApi, request: Request, ids: Ids) -> Response:
    listed = [ticket for ticket in api.desk.tickets.values() if ticket.listed()]
    counts = {"tickets": len(listed), "articles": len(api.solutions.articles), "users": len(api.desk.people)}
    counts["comments"], counts["writes"] = sum(len(t.messages) for t in listed), len(api.desk.ledger.entries)
    statuses = {str(status): number for status, number in Counter(ticket.status for ticket in listed).items()}
    return answer({"counts": counts, "statuses": statuses, "keys": dict(api.desk.keys), "credits": api.budget.spent})


def tickets(api: FreshdeskApi, request: Request, ids: Ids) -> Response:
    """{"subject", "body", "requester_id"?, "status"?, "tags"?, "key"?}, or {"count": N, "subject"?, "body"?} for N plain ones."""
    asked = request.json()
    if "count" in asked:
        return answer({"ids": called(api.desk.create_many, int(asked.pop("count")), **asked)}, 201)
    return answer({"id": called(api.desk.create_ticket, **asked).id}, 201)


def comment(api: FreshdeskApi, request: Request, ids: Ids) -> Response:
    """{"body", "author_id"?, "private"?}: by default the requester speaks."""
    return answer({"id": called(api.desk.write, int(ids["ticket_id"]), **request.json()).id}, 201)


def mark(api: FreshdeskApi, request: Request, ids: Ids) -> Response:
    """{"deleted"?, "spam"?, "archived"?} as a person does it."""
    called(api.desk.set_aside, int(ids["ticket_id"]), **request.json())
    return answer({"id": int(ids["ticket_id"])})


def articles(api: FreshdeskApi, request: Request, ids: Ids) -> Response:
    """{"action"?: create | many | edit | draft | publish | delete | move, "id"?, ...}."""
    asked = request.json()
    action, number = asked.pop("action", "create"), asked.pop("id", 0)
    if action == "many":
        return answer({"ids": called(api.solutions.create_many, int(asked.pop("count")), **asked)}, 201)
    if action == "create":
        return answer({"id": called(api.solutions.create, **asked).id}, 201)
    if number not in api.solutions.articles:
        raise Problem(fault(404, "RecordNotFound", f"no article {number}"))
    if action in ("draft", "publish"):
        called(api.solutions.set_draft, number, action == "draft", **asked)
    elif action in ("edit", "delete", "move"):
        called(getattr(api.solutions, action), number, **asked)
    else:
        raise Problem(fault(400, "BadAction", f"unknown action {action}"))
    return answer({"id": number})


def folders(api: FreshdeskApi, request: Request, ids: Ids) -> Response:
    """{"visibility", "company_ids"?}."""
    called(api.solutions.show_to, int(ids["folder_id"]), **request.json())
    return answer({"id": int(ids["folder_id"])})


DOORS = (
    Route("GET", "/_sandbox/ledger", ledger),
    Route("GET", "/_sandbox/state", state),
    Route("POST", "/_sandbox/tickets", tickets),
    Route("POST", "/_sandbox/tickets/{ticket_id}/comments", comment),
    Route("POST", "/_sandbox/tickets/{ticket_id}/marks", mark),
    Route("POST", "/_sandbox/articles", articles),
    Route("POST", "/_sandbox/folders/{folder_id}", folders),
)
