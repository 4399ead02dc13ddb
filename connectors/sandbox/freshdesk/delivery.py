"""What an automation rule's webhook sends: no signature, labels for codes, and a secret in a header that the operator typed."""

from __future__ import annotations

import json

from connectors.sandbox.freshdesk.records import PRIORITY_NAMES, STATUS_NAMES, PersonRecord, TicketRecord

WEBHOOK_SECRET = "sandbox-freshdesk-webhook-secret"  # noqa: S105 - public on purpose: it opens an invented account on loopback
SECRET_HEADER = "X-Draftdesk-Secret"  # noqa: S105 - a header's name


def headers(secret: str, header: str = SECRET_HEADER) -> dict[str, str]:
    return {"Content-Type": "application/json", "User-Agent": "Freshdesk", header: secret}


def simple(ticket: TicketRecord, person: PersonRecord | None, origin: str, happened: str) -> bytes:
    """The form with ticked fields, in a wrapper; `triggered_event` looks like JSON and is none."""
    body = {
        "ticket_id": ticket.id,
        "ticket_subject": ticket.subject,
        "ticket_description": ticket.html,
        "ticket_url": f"{origin}/helpdesk/tickets/{ticket.id}",
        "ticket_public_url": f"{origin}/support/tickets/{ticket.id}",
        "ticket_status": STATUS_NAMES.get(ticket.status, "Open"),
        "ticket_priority": PRIORITY_NAMES[ticket.priority],
        "ticket_source": "Portal",
        "ticket_tags": ", ".join(ticket.tags),
        "ticket_contact_name": person.name if person else "",
        "ticket_contact_email": (person.email or "") if person else "",
        "triggered_event": happened,
    }
    return json.dumps({"freshdesk_webhook": body}, ensure_ascii=False).encode()


def advanced(ticket: TicketRecord) -> bytes:
    """A template of the operator's: no wrapper, and whatever stands in a placeholder goes in as it is, quotes and line breaks too."""
    return f'{{"ticket_id": "{ticket.id}"}}'.encode()


def broken(ticket: TicketRecord) -> bytes:
    """The same with the subject, which the vendor does not escape: with a quote in it, no JSON any more."""
    return f'{{"ticket_id": "{ticket.id}", "subject": "{ticket.subject}", "text": "{ticket.text}"}}'.encode()
