"""What is written: notes, replies, fields of tickets. Nothing here knows a repeated call from a new one."""

from __future__ import annotations

import email.policy
import json
from collections.abc import Collection
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from connectors.sandbox.freshdesk import shapes
from connectors.sandbox.freshdesk.errors import conflict, forbidden, invalid, missing, not_found, unexpected, unsupported
from connectors.sandbox.freshdesk.paging import answer
from connectors.sandbox.freshdesk.records import NOTE, JsonObject, TicketRecord
from connectors.sandbox.freshdesk.world import Ids, World
from connectors.sandbox.markup import sanitise, text_from_html
from connectors.sandbox.wire import Problem, Request, Response, Route

LARGEST_ATTACHMENTS = 20 * 2**20
NOTE_FIELDS = {"body": str, "private": bool, "incoming": bool, "notify_emails": list, "user_id": int, "attachments": list}
REPLY_FIELDS = {"body": str, "from_email": str, "user_id": int, "cc_emails": list, "bcc_emails": list, "attachments": list}
TICKET_FIELDS = {
    **{"subject": str, "type": str, "status": int, "priority": int, "source": int, "responder_id": int, "group_id": int},
    **{"tags": list, "custom_fields": dict, "description": str, "email": str, "requester_id": int, "name": str, "due_by": str},
    **{"cc_emails": list, "product_id": int, "company_id": int, "email_config_id": int, "fr_due_by": str, "unique_external_id": str},
}


def asked(request: Request, known: dict[str, type]) -> JsonObject:
    """The body, JSON or multipart, its fields known and of the right type. Raises Problem 400 or 415."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/form-data"):
        return _form(request, kind)
    if not kind.startswith("application/json"):
        raise Problem(unsupported(kind))
    body = _object(request)
    for name, value in body.items():
        if name not in known:
            raise Problem(unexpected(name))
        wanted = known[name]
        if value is not None and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
            message = f"Value set is of type {type(value).__name__}. It should be a/an {wanted.__name__}"
            raise Problem(invalid(name, message, "datatype_mismatch"))
    return body


def _object(request: Request) -> JsonObject:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        message = "Request body has invalid json format. For more information, see the documentation."
        raise Problem(Response(400, {"code": "invalid_json", "message": message}))
    return body


def _form(request: Request, kind: str) -> JsonObject:
    parser = BytesParser(EmailMessage, policy=email.policy.HTTP)
    message = parser.parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.body)
    fields: JsonObject = {"attachments": []}
    size = 0
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        if part.get_filename():
            size += len(content)
            fields["attachments"].append(part.get_filename())
        elif name.endswith("[]"):
            fields.setdefault(name[:-2], []).append(content.decode())
        else:
            text = content.decode()
            fields[name] = {"true": True, "false": False}.get(text, int(text) if name.endswith("_id") else text)
    if size > LARGEST_ATTACHMENTS:
        raise Problem(invalid("attachments", "The total size of the attachments exceeds 20 MB", "invalid_size"))
    return fields


def _author(world: World, request: Request, body: JsonObject) -> int:
    user_id = body.get("user_id")
    if user_id is None:
        return world.caller(request).user_id
    if user_id not in world.desk.people:
        raise Problem(invalid("user_id", "There is no user matching the given user_id"))
    return int(user_id)


def _text(body: JsonObject) -> str:
    if not str(body.get("body") or "").strip():
        raise Problem(missing("body"))
    return str(body["body"])


def note(world: World, request: Request, ids: Ids) -> Response:
    body, ticket = asked(request, NOTE_FIELDS), world.writable(request, ids)
    if not world.may_see(request, ticket):
        return forbidden()
    text, author = _text(body), _author(world, request, body)
    notified = [str(address) for address in body.get("notify_emails") or ()]
    if any(world.desk.agent_by_email(address) is None for address in notified):
        raise Problem(invalid("notify_emails", "There is no agent with this email address"))
    private = True if body.get("private") is None else bool(body["private"])
    names = body.get("attachments") or ()
    made = world.desk.post(ticket, author, text, private=private, incoming=bool(body.get("incoming")), reply=False, names=names)
    headers = {"location": f"{request.origin}/api/v2/conversations/{made.id}"}
    return answer(shapes.made_note(made, ticket, notified, request.origin), 201, headers)


def reply(world: World, request: Request, ids: Ids) -> Response:
    body, ticket = asked(request, REPLY_FIELDS), world.writable(request, ids)
    if not world.may_see(request, ticket):
        return forbidden()
    text, author = _text(body), _author(world, request, body)
    made = world.desk.post(ticket, author, text, private=False, reply=True, names=body.get("attachments") or ())
    return answer(shapes.made_reply(made, ticket, world.desk, body, request.origin), 201)


def _tags(body: JsonObject) -> None:
    if any(not isinstance(tag, str) or not tag.strip() or len(tag) > 32 for tag in body.get("tags") or ()):
        raise Problem(invalid("tags", "Each tag should be text of at most 32 characters", "datatype_mismatch"))


def update_ticket(world: World, request: Request, ids: Ids) -> Response:
    body = asked(request, TICKET_FIELDS)
    ticket = world.desk.tickets.get(int(ids["ticket_id"]))
    if ticket is None or ticket.archived:
        return not_found()
    if not world.may_see(request, ticket):
        return forbidden()
    if ticket.deleted or ticket.spam:
        return conflict("A ticket that is deleted or marked as spam cannot be updated")
    if not body:
        raise Problem(missing("request"))
    _tags(body)
    _choices(world, body)
    world.desk.update(ticket, world.caller(request).user_id, {name: value for name, value in body.items() if value is not None})
    return answer({**shapes.ticket_row(ticket), **shapes.described(ticket), "attachments": []})


def _choices(world: World, body: JsonObject) -> None:
    for name, known in (("status", range(2, 8)), ("priority", range(1, 5))):
        if body.get(name) is not None and body[name] not in known:
            raise Problem(invalid(name, f"It should be one of these values: '{','.join(map(str, known))}'"))
    if body.get("responder_id") is not None and world.desk.agent(body["responder_id"]) is None:
        raise Problem(invalid("responder_id", "There is no agent matching the given responder_id"))
    if not all(name.startswith("cf_") for name in body.get("custom_fields") or ()):
        raise Problem(unexpected("custom_fields"))


def create_ticket(world: World, request: Request, ids: Ids) -> Response:
    body = asked(request, TICKET_FIELDS)
    for name in ("subject", "description", "status", "priority"):
        if not body.get(name):
            raise Problem(missing(name))
    _tags(body)
    _choices(world, body)
    requester = body.get("requester_id") or _requester(world, body)
    if requester not in world.desk.people:
        raise Problem(invalid("requester_id", "There is no contact matching the given requester_id"))
    markup = sanitise(str(body["description"]))
    ticket = world.desk.create_ticket(
        body["subject"], "", requester_id=requester, status=body["status"], tags=body.get("tags") or (), html=markup, source=2
    )
    ticket.priority = body["priority"]
    world.desk.ledger.record("create", world.now(), ticket.id, world.caller(request).user_id)
    return answer({**shapes.ticket_row(ticket), **shapes.described(ticket), "attachments": []}, 201)


def _requester(world: World, body: JsonObject) -> int:
    address = str(body.get("email") or "")
    if not address:
        raise Problem(missing("email"))
    known = next((p.id for p in world.desk.people.values() if (p.email or "").lower() == address.lower()), None)
    return known if known is not None else world.desk.add_person(str(body.get("name") or address), address).id


def delete_ticket(world: World, request: Request, ids: Ids) -> Response:
    ticket = world.desk.tickets.get(int(ids["ticket_id"]))
    if ticket is None or ticket.deleted:
        return not_found()
    world.desk.mark("delete", ticket, world.caller(request).user_id, deleted=True)
    return Response(204)


def restore_ticket(world: World, request: Request, ids: Ids) -> Response:
    ticket = world.desk.tickets.get(int(ids["ticket_id"]))
    if ticket is None or not ticket.deleted:
        return not_found()
    world.desk.mark("restore", ticket, world.caller(request).user_id, deleted=False)
    return Response(204)


def merge(world: World, request: Request, ids: Ids) -> Response:
    body = asked(request, {"primary_id": int, "ticket_ids": list, "note_in_primary": dict, "note_in_secondary": dict})
    if not body.get("primary_id") or not body.get("ticket_ids"):
        raise Problem(missing("primary_id" if not body.get("primary_id") else "ticket_ids"))
    found = [_mergeable(world, number) for number in (body["primary_id"], *body["ticket_ids"])]
    world.desk.merge(found[0], found[1:], world.caller(request).user_id)
    return Response(204)


def _mergeable(world: World, number: Any) -> TicketRecord:
    ticket = world.desk.tickets.get(number)
    if ticket is None or not ticket.listed():
        raise Problem(invalid("ticket_ids", f"There is no ticket matching {number}"))
    return ticket


def edit_message(world: World, request: Request, ids: Ids) -> Response:
    """Notes only."""
    body, found = asked(request, {"body": str, "attachments": list}), world.desk.find_message(int(ids["conversation_id"]))
    if found is None:
        return not_found()
    ticket, message = found
    if message.source != NOTE:
        return forbidden()
    message.html = sanitise(_text(body))
    message.text, message.edited_at, message.edited_by = text_from_html(message.html), world.now(), world.caller(request).user_id
    message.updated_at = world.now()
    world.desk.ledger.record("edit", world.now(), ticket.id, world.caller(request).user_id, comment_id=message.id)
    return answer(shapes.made_note(message, ticket, [], request.origin))


def delete_message(world: World, request: Request, ids: Ids) -> Response:
    found = world.desk.find_message(int(ids["conversation_id"]))
    if found is None:
        return not_found()
    found[0].messages.remove(found[1])
    world.desk.ledger.record("erase", world.now(), found[0].id, world.caller(request).user_id, comment_id=found[1].id)
    return Response(204)


def methods_of(routes: Collection[Route], path: str) -> str:
    """What an Allow header says of a path; nothing for a path that is not known."""
    return ", ".join(sorted({route.method for route in routes if route.pattern().match(path)}))


WRITING = (
    Route("POST", "/api/v2/tickets", create_ticket, "create"),
    Route("PUT", "/api/v2/tickets/merge", merge, "update"),
    Route("PUT", "/api/v2/tickets/{ticket_id}", update_ticket, "update"),
    Route("DELETE", "/api/v2/tickets/{ticket_id}", delete_ticket),
    Route("PUT", "/api/v2/tickets/{ticket_id}/restore", restore_ticket),
    Route("POST", "/api/v2/tickets/{ticket_id}/notes", note),
    Route("POST", "/api/v2/tickets/{ticket_id}/reply", reply),
    Route("PUT", "/api/v2/conversations/{conversation_id}", edit_message),
    Route("DELETE", "/api/v2/conversations/{conversation_id}", delete_message),
)
