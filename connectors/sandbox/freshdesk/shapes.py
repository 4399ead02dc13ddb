"""Rows as the API answers them. Which keys a row has depends on the call that it answers: a note has no source, a reply no `private`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.sandbox.freshdesk.records import (
    ArticleRecord,
    CannedRecord,
    CategoryRecord,
    FolderRecord,
    JsonObject,
    MessageRecord,
    PersonRecord,
    TicketRecord,
)
from connectors.sandbox.markup import text_from_html

if TYPE_CHECKING:
    from connectors.sandbox.freshdesk.solutions import Solutions
    from connectors.sandbox.freshdesk.state import Desk

SUPPORT_ADDRESS = "trade@tidewell.example"
STATS = (
    *("agent_responded_at", "requester_responded_at", "first_responded_at", "status_updated_at", "reopened_at"),
    *("resolved_at", "closed_at", "pending_since"),
)


def moment(at: datetime | None) -> str | None:
    """Whole seconds, as everywhere in this API."""
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def ticket_row(ticket: TicketRecord) -> JsonObject:
    due = ticket.created_at + timedelta(days=3)
    row: JsonObject = {
        "cc_emails": list(ticket.cc_emails),
        "fwd_emails": [],
        "reply_cc_emails": list(ticket.cc_emails),
        "ticket_cc_emails": list(ticket.cc_emails),
        "ticket_bcc_emails": [],
        "fr_escalated": False,
        "spam": ticket.spam,
        "email_config_id": None,
        "group_id": ticket.group_id,
        "priority": ticket.priority,
        "requester_id": ticket.requester_id,
        "responder_id": ticket.responder_id,
        "source": ticket.source,
        "company_id": None,
        "status": ticket.status,
        "subject": ticket.subject,
        "association_type": None,
        "support_email": SUPPORT_ADDRESS if ticket.source == 1 else None,
        "to_emails": [SUPPORT_ADDRESS] if ticket.source == 1 else None,
        "product_id": None,
        "id": ticket.id,
        "type": ticket.type,
        "due_by": moment(due),
        "fr_due_by": moment(ticket.created_at + timedelta(days=1)),
        "is_escalated": False,
        "custom_fields": {"cf_order_number": None, "cf_topic": None, "cf_mood": None, **ticket.custom_fields},
        "created_at": moment(ticket.created_at),
        "updated_at": moment(ticket.updated_at),
        "associated_tickets_count": None,
        "tags": list(ticket.tags),
        "source_info": None,
        "structured_description": None,
        "form_id": 1_060_000_000_950,
        "sentiment_score": None,
        "initial_sentiment_score": None,
        "nr_due_by": None,
        "nr_escalated": False,
    }
    return {**row, "deleted": True} if ticket.deleted else row


def described(ticket: TicketRecord) -> JsonObject:
    return {"description": ticket.html, "description_text": ticket.text}


def stats(ticket: TicketRecord) -> JsonObject:
    return {name: moment(getattr(ticket, name)) for name in STATS}


def requester(person: PersonRecord) -> JsonObject:
    return {"id": person.id, "name": person.name, "email": person.email, "mobile": None, "phone": None}


def message_row(message: MessageRecord, ticket: TicketRecord, desk: Desk, files: str) -> JsonObject:
    """One conversation of the list; `files` is the origin of attachment links."""
    person = desk.people.get(message.user_id)
    reply = message.source == 0 and not message.incoming
    address = desk.people[ticket.requester_id].email if ticket.requester_id in desk.people else None
    return {
        "body": message.html,
        "body_text": message.text,
        "structured_body": None,
        "id": message.id,
        "incoming": message.incoming,
        "private": message.private,
        "user_id": message.user_id,
        "support_email": SUPPORT_ADDRESS if reply else None,
        "source": message.source,
        "category": None,
        "to_emails": [address] if reply and address else ([] if message.source == 2 else None),
        "from_email": person.email if person and message.incoming else (SUPPORT_ADDRESS if reply else None),
        "cc_emails": [] if reply else None,
        "bcc_emails": None,
        "ticket_id": ticket.id,
        "created_at": moment(message.created_at),
        "updated_at": moment(message.updated_at),
        "last_edited_at": moment(message.edited_at),
        "last_edited_user_id": message.edited_by,
        "attachments": [attachment(one, files) for one in message.attachments],
    }


def made_note(message: MessageRecord, ticket: TicketRecord, notified: list[str], files: str) -> JsonObject:
    return {
        "body": message.html,
        "body_text": message.text,
        "structured_body": None,
        "id": message.id,
        "incoming": message.incoming,
        "private": message.private,
        "user_id": message.user_id,
        "support_email": None,
        "ticket_id": ticket.id,
        "to_emails": notified,
        "created_at": moment(message.created_at),
        "updated_at": moment(message.updated_at),
        "attachments": [attachment(one, files) for one in message.attachments],
    }


def made_reply(message: MessageRecord, ticket: TicketRecord, desk: Desk, asked: JsonObject, files: str) -> JsonObject:
    to = desk.people[ticket.requester_id].email if ticket.requester_id in desk.people else None
    return {
        "id": message.id,
        "user_id": message.user_id,
        "from_email": asked.get("from_email") or f"Tidewell Trade <{SUPPORT_ADDRESS}>",
        "cc_emails": asked.get("cc_emails") or [],
        "bcc_emails": asked.get("bcc_emails") or [],
        "body": message.html,
        "body_text": message.text,
        "ticket_id": ticket.id,
        "to_emails": [to] if to else [],
        "attachments": [attachment(one, files) for one in message.attachments],
        "source_additional_info": None,
        "created_at": moment(message.created_at),
        "updated_at": moment(message.updated_at),
    }


def attachment(one: JsonObject, files: str) -> JsonObject:
    """The link is signed and ends: it needs no credentials and must not be kept."""
    link = f"{files}/attachments/{one['id']}/original?X-Amz-Expires=300&X-Amz-Signature=0a1b2c"
    kind = "image/png" if one["name"].endswith(".png") else "application/octet-stream"
    row = {"id": one["id"], "name": one["name"], "content_type": kind, "size": 48_213, "attachment_url": link}
    return {**row, "created_at": moment(one["at"]), "updated_at": moment(one["at"])}


# --- people ---


def agent_row(person: PersonRecord) -> JsonObject:
    contact = {"active": True, "email": person.email, "job_title": None, "language": person.language, "mobile": None, "name": person.name}
    contact |= {"phone": None, "time_zone": "Amsterdam", "created_at": moment(person.created_at), "updated_at": moment(person.updated_at)}
    return {
        "available": False,
        "occasional": False,
        "id": person.id,
        "ticket_scope": person.ticket_scope,
        "signature": person.signature,
        "group_ids": [],
        "role_ids": [],
        "skill_ids": [],
        "available_since": None,
        "type": "support_agent",
        "contact": contact,
        "deactivated": False,
        "focus_mode": True,
        "created_at": moment(person.created_at),
        "updated_at": moment(person.updated_at),
        "last_active_at": moment(person.updated_at),
    }


def contact_row(person: PersonRecord) -> JsonObject:
    row: JsonObject = {
        "active": person.verified and not person.agent,
        "address": None,
        "description": None,
        "email": person.email,
        "id": person.id,
        "job_title": None,
        "language": person.language,
        "mobile": None,
        "name": person.name,
        "phone": None,
        "time_zone": "Amsterdam",
        "twitter_id": None,
        "custom_fields": {},
        "tags": [],
        "other_emails": [],
        "facebook_id": None,
        "unique_external_id": None,
        "company_id": person.company_id,
        "other_companies": [{"company_id": id, "view_all_tickets": False} for id in person.other_companies],
        "created_at": moment(person.created_at),
        "updated_at": moment(person.updated_at),
    }
    return {**row, "deleted": True} if person.deleted else row


# --- solutions ---


def category_row(category: CategoryRecord, language: str) -> JsonObject:
    times = {"created_at": moment(category.created_at), "updated_at": moment(category.updated_at)}
    return {"id": category.id, "name": category.names[language], "description": category.description, **times, "icon": {}}


def folder_row(folder: FolderRecord, solutions: Solutions, language: str) -> JsonObject:
    row: JsonObject = {
        "id": folder.id,
        "name": folder.names[language],
        "description": None,
        "articles_count": len(solutions.in_folder(folder.id)),
        "sub_folders_count": len(solutions.subfolders(folder.id)),
        "parent_folder_id": folder.parent_id,
        "hierarchy": hierarchy(folder, solutions, language)[:-1],
        "visibility": folder.visibility,
        "icon_url": None,
        "created_at": moment(folder.created_at),
        "updated_at": moment(folder.updated_at),
    }
    if folder.visibility is None:
        del row["visibility"]
    if folder.visibility == 4:
        row["company_ids"] = list(folder.company_ids)
    return row


def hierarchy(folder: FolderRecord, solutions: Solutions, language: str) -> list[JsonObject]:
    """Where a thing lies: the category, then the folders from the outermost."""
    category = solutions.categories[folder.category_id]
    places = [("category", category.id, category.names), *(("folder", one.id, one.names) for one in solutions.above(folder.id))]
    return [
        {"level": level, "type": kind, "data": {"id": number, "name": names.get(language, names[solutions.primary]), "language": language}}
        for level, (kind, number, names) in enumerate(places)
    ]


def article_row(article: ArticleRecord, solutions: Solutions, language: str, *, alone: bool = False) -> JsonObject:
    """`alone`: read by itself, with the token of the editors' conversation that must not be kept."""
    text, folder = article.texts[language], solutions.folders[article.folder_id]
    markup = text.html
    row: JsonObject = {
        "id": article.id,
        "type": article.type,
        "status": text.status,
        "agent_id": article.agent_id,
        "created_at": moment(text.created_at),
        "updated_at": moment(text.updated_at),
        "category_id": folder.category_id,
        "folder_id": folder.id,
        "title": text.title,
        "description": markup,
        "description_text": f" {text_from_html(markup)} " if isinstance(markup, str) else markup,
        "seo_data": {"meta_title": text.title, "meta_description": None},
        "tags": list(article.tags),
        "attachments": [],
        "cloud_files": [],
        "thumbs_up": 0,
        "thumbs_down": 0,
        "hits": article.hits,
        "suggested": 0,
        "feedback_count": 0,
        "hierarchy": hierarchy(folder, solutions, language),
    }
    return {**row, "collaboration": {"convo_token": "eyJhbGciOiJIUzI1NiJ9.c2FuZGJveA.invented"}} if alone else row


def canned_row(one: CannedRecord) -> JsonObject:
    return {
        "id": one.id,
        "title": one.title,
        "folder_id": one.folder_id,
        "content": one.text,
        "content_html": one.html,
        "attachments": [],
        "group_ids": list(one.group_ids),
        "visibility": one.visibility,
        "created_at": moment(one.created_at),
        "updated_at": moment(one.updated_at),
    }
