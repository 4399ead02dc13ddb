"""The Support API, writing side, with the traps that a client must know: the default of `public`, tags that replace, stamps of a second."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.markup import sanitise, strip_tags
from connectors.sandbox.wire import Problem, Request, Response, Route, fault, invalid, not_found
from connectors.sandbox.zendesk import shapes
from connectors.sandbox.zendesk.paging import ok
from connectors.sandbox.zendesk.records import JsonObject, TicketRecord
from connectors.sandbox.zendesk.support import find_ticket, gate
from connectors.sandbox.zendesk.world import World

Ids = Mapping[str, str]
FIELDS = {"status", "priority", "type", "subject", "assignee_id", "group_id", "external_id", "custom_fields", "tags"}
CONTROLS = {"comment", "safe_update", "updated_stamp", "metadata"}
COMMENT_KEYS = {"body", "html_body", "public", "author_id", "uploads"}
NEW_TICKET_KEYS = FIELDS | {"comment", "metadata", "requester_id", "requester", "via_followup_source_id", "description"}
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
KEY_LIFE = timedelta(hours=2)  # of an Idempotency-Key: Zendesk's ticketing introduction


def update_ticket(world: World, request: Request, ids: Ids) -> Response:
    caller = gate(world, request)
    ticket = find_ticket(world, ids)
    asked = _member(request.json(), "ticket")
    _still_writable(ticket)
    _not_outdated(ticket, asked)
    comment = _comment(asked.get("comment"), default_public=ticket.is_public())
    changes = _changes(asked, world)
    custom = asked.get("metadata") or {}
    audit = world.desk.apply(ticket, caller.user_id, changes, comment, custom)
    body = {"ticket": shapes.ticket(ticket, request.origin), "audit": shapes.audit(audit, ticket, request.origin)}
    return ok(body).with_headers(_warning(asked, FIELDS | CONTROLS))


def create_ticket(world: World, request: Request, ids: Ids) -> Response:
    """201; the one call that knows an Idempotency-Key."""
    caller = gate(world, request)
    key, digest = request.headers.get("idempotency-key"), hashlib.sha256(request.body).hexdigest()
    kept = _kept(world, key)
    if kept and kept[0] != digest:
        return fault(400, "IdempotentRequestError", "Request parameters don't match the given idempotency key")
    if kept:
        return kept[1].with_headers({"x-idempotency-lookup": "hit"})
    asked = _member(request.json(), "ticket")
    comment = _comment(asked.get("comment") or {"body": asked.get("description")}, default_public=True)
    assert comment is not None
    requester = asked.get("requester_id") or caller.user_id
    if requester not in world.desk.users:
        return invalid("requester", "Requester: is not a user")
    changes, custom = _changes(asked, world), asked.get("metadata") or {}
    ticket = world.desk.create_ticket(
        str(asked.get("subject") or ""),
        comment["text"] or "",
        html=comment["html"],
        requester_id=requester,
        channel="api",
        public=comment["public"],
        author_id=comment["author_id"] or requester,
        tags=changes.pop("tags", ()),
        custom=custom,
        status=changes.pop("status", "new"),
    )
    ticket.followup_source_id = asked.get("via_followup_source_id")
    for name, value in changes.items():
        setattr(ticket, name, value)
    made = ticket.comments[0]
    world.desk.ledger.record(
        "create", ticket.created_at, ticket.id, caller.user_id, comment_id=made.id, public=made.public, metadata=dict(custom)
    )
    body = {"ticket": shapes.ticket(ticket, request.origin), "audit": shapes.audit(ticket.audits[0], ticket, request.origin)}
    answer = Response(201, body, {"location": f"{request.origin}/api/v2/tickets/{ticket.id}.json", **_warning(asked, NEW_TICKET_KEYS)})
    if key:
        world.kept_answers[key] = (digest, answer, world.now())
        answer = answer.with_headers({"x-idempotency-lookup": "miss"})
    return answer


def add_tags(world: World, request: Request, ids: Ids) -> Response:
    ticket, given = _tag_call(world, request, ids)
    return _set_tags(world, request, ticket, [*ticket.tags, *(tag for tag in given if tag not in ticket.tags)], 200)


def replace_tags(world: World, request: Request, ids: Ids) -> Response:
    ticket, given = _tag_call(world, request, ids)
    return _set_tags(world, request, ticket, given, 201)


def remove_tags(world: World, request: Request, ids: Ids) -> Response:
    ticket, given = _tag_call(world, request, ids)
    return _set_tags(world, request, ticket, [tag for tag in ticket.tags if tag not in given], 200)


def delete_ticket(world: World, request: Request, ids: Ids) -> Response:
    caller = gate(world, request)
    world.desk.delete_ticket(find_ticket(world, ids).id, author_id=caller.user_id, through_api=True)
    return Response(204)


def restore_ticket(world: World, request: Request, ids: Ids) -> Response:
    caller = gate(world, request)
    ticket = world.desk.tickets.get(int(ids["ticket_id"]))
    if ticket is None or ticket.deleted_at is None or ticket.scrubbed:
        return not_found()
    world.desk.restore_ticket(ticket.id, caller.user_id)
    return ok({})


def _tag_call(world: World, request: Request, ids: Ids) -> tuple[TicketRecord, list[str]]:
    gate(world, request)
    ticket, asked = find_ticket(world, ids), request.json()
    _still_writable(ticket)
    _not_outdated(ticket, asked)
    return ticket, _tags(asked.get("tags"))


def _set_tags(world: World, request: Request, ticket: TicketRecord, tags: list[str], status: int) -> Response:
    assert request.caller
    world.desk.set_tags(ticket, tags, request.caller.user_id)
    return Response(status, {"tags": list(ticket.tags)})


def _still_writable(ticket: TicketRecord) -> None:
    if ticket.status == "closed":
        raise Problem(invalid("status", "Status: closed prevents ticket update", "ClosedPreventsUpdate"))


def _not_outdated(ticket: TicketRecord, asked: JsonObject) -> None:
    """Compared in whole seconds, as the stamp is written: a change within the same second goes unnoticed. `safe_update: false` is true."""
    if "safe_update" not in asked:
        return
    stamp = asked.get("updated_stamp")
    if not isinstance(stamp, str):
        raise Problem(invalid("updated_stamp", "Updated stamp: is required for a safe update", "BlankValue"))
    if _moment(stamp) != _moment(shapes.iso(ticket.updated_at)):
        text = "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data and try again."
        raise Problem(fault(409, "UpdateConflict", text))


def _moment(stamp: str) -> datetime:
    try:
        return datetime.fromisoformat(stamp).replace(microsecond=0)
    except ValueError:
        raise Problem(invalid("updated_stamp", "Updated stamp: is not a time")) from None


def _comment(raw: Any, *, default_public: bool) -> JsonObject | None:
    """None without a comment. An omitted `public` takes the ticket's own: that is how a draft reaches a customer."""
    if raw is None:
        return None
    given = {"body": raw} if isinstance(raw, str) else _object(raw, "comment")
    html = sanitise(str(given["html_body"])) if given.get("html_body") else None
    text = None if html else strip_tags(str(given.get("body") or ""))
    if not (html or "").strip() and not (text or "").strip() and not given.get("uploads"):
        raise Problem(invalid("base", "Comment: cannot be blank", "BlankValue"))
    public = given.get("public", default_public)
    return {"html": html, "text": text, "public": public in (True, "true", 1), "author_id": given.get("author_id")}


def _changes(asked: JsonObject, world: World) -> JsonObject:
    changes = {name: asked[name] for name in FIELDS if name in asked}
    if "tags" in changes:
        changes["tags"] = _tags(changes["tags"])
    if changes.get("status", "new") not in STATUSES:
        raise Problem(invalid("status", f"Status: {changes['status']} is not included in the list"))
    if changes.get("assignee_id") is not None and changes["assignee_id"] not in world.desk.users:
        raise Problem(invalid("assignee", "Assignee: is invalid"))
    return changes


def _tags(raw: Any) -> list[str]:
    words = raw.replace(",", " ").split() if isinstance(raw, str) else [part for item in raw or () for part in str(item).split()]
    return list(dict.fromkeys(word.lower() for word in words))


def _warning(asked: JsonObject, known: set[str]) -> dict[str, str]:
    """Unknown keys are ignored; only this header tells."""
    comment = asked.get("comment")
    unknown = sorted(set(asked) - known)
    if isinstance(comment, dict):
        unknown += sorted(f"comment.{key}" for key in set(comment) - COMMENT_KEYS)
    return {"x-zendesk-api-warn": json.dumps({"unpermitted_keys": unknown})} if unknown else {}


def _member(content: JsonObject, name: str) -> JsonObject:
    if name not in content:
        raise Problem(fault(400, "BadRequest", f"Parameter {name} is required"))
    return _object(content[name], name)


def _object(value: Any, name: str) -> JsonObject:
    if not isinstance(value, dict):
        raise Problem(fault(400, "BadRequest", f"{name}: an object is expected"))
    return value


def _kept(world: World, key: str | None) -> tuple[str, Response] | None:
    kept = world.kept_answers.get(key) if key else None
    return (kept[0], kept[1]) if kept and world.now() - kept[2] < KEY_LIFE else None


WRITING = (
    Route("PUT", "/api/v2/tickets/{ticket_id}", update_ticket, "tickets-update"),
    Route("POST", "/api/v2/tickets", create_ticket),
    Route("DELETE", "/api/v2/tickets/{ticket_id}", delete_ticket),
    Route("PUT", "/api/v2/tickets/{ticket_id}/tags", add_tags),
    Route("POST", "/api/v2/tickets/{ticket_id}/tags", replace_tags),
    Route("DELETE", "/api/v2/tickets/{ticket_id}/tags", remove_tags),
    Route("PUT", "/api/v2/deleted_tickets/{ticket_id}/restore", restore_ticket),
)
