"""A ticket and what was said on it, as our values. Pure.

Freshdesk keeps no data of ours beside a message, strips what a reader does not see from its HTML, and a tag is a write of its own
that may fail alone. So the effect key of what we write stands in its text, as a reference in the last line. It is believed only in
messages of our own account that came from inside: a customer who answers quotes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Literal

from connectors import machines
from connectors.base import Author, Comment, Ticket, TicketRef
from connectors.fields import Row, mapping, moment, number, objects
from connectors.freshdesk.parse import LONG_AGO, code, digest, language
from connectors.freshdesk.readers import sole_reader
from connectors.markdown import plain

Status = Literal["new", "open", "pending", "hold", "solved", "closed"]

STATUSES: dict[int, Status] = {2: "open", 3: "pending", 4: "solved", 5: "closed"}
CODES = {"pending": 3, "solved": 4}
FIRST_OWN_STATUS = 6  # from here on the account's own: who is waited for is not to be told from the number
CHANNELS = {1: "email", 2: "web", 3: "phone", 5: "twitter", 6: "facebook", 7: "chat", 9: "web", 10: "email", 13: "whatsapp"}
OUTBOUND = 10  # a ticket's source: an agent wrote first
NOTE, FORWARD = 2, 8  # a conversation's source; a forward goes to somebody else than the customer
FIRST = "description"  # the id of the first message, which is the ticket's own text and no conversation
REFERENCE = re.compile(r"(?<!\w)Ref\.\s+([0-9a-f]{16,64})(?!\w)")


def with_key(html: str, effect_key: str) -> str:
    """What is written: the text, and its reference in a last line."""
    return f"{html}<p><small>Ref. {escape(effect_key)}</small></p>"


def ticket_ref(row: Row, *, gone: bool = False) -> TicketRef | None:
    """A row of a ticket list; `gone`: of the list of deleted or spam tickets."""
    identity = number(row.get("id"))
    if identity is None:
        return None
    told = "deleted" if gone or is_gone(row) else status(row)
    return TicketRef(identity, told, moment(row.get("updated_at")) or moment(row.get("created_at")) or LONG_AGO)


def is_gone(row: Row) -> bool:
    """Deleted or spam: for us there is no such ticket."""
    return row.get("deleted") is True or row.get("spam") is True


def status(row: Row) -> Status:
    """The account's own ones wait for somebody; what is no number counts as open."""
    found = code(row.get("status"))
    if found is None:
        return "open"
    return STATUSES.get(found, "hold" if found >= FIRST_OWN_STATUS else "open")


def version(row: Row, said: Sequence[Row]) -> str:
    """The ticket as it stands: its time counts whole seconds, so what was said on it is part of it."""
    messages = [[number(one.get("id")), one.get("updated_at")] for one in said]
    return f"{row.get('updated_at') or ''}/{len(said)}/{digest(messages)}"


def written(said: Sequence[Row], effect_key: str, ourselves: str) -> str | None:
    """The id of our message with this key."""
    wanted = re.compile(rf"(?<!\w)Ref\.\s+{re.escape(effect_key)}(?!\w)")
    mine = (row for row in said if is_ours(row, ourselves) and any(wanted.search(text) for text in texts(row)))
    found = next(mine, None)
    return None if found is None else number(found.get("id")) or effect_key


def is_ours(row: Row, ourselves: str) -> bool:
    return number(row.get("user_id")) == ourselves and row.get("incoming") is not True


def effect_key(row: Row, ourselves: str) -> str | None:
    if not is_ours(row, ourselves):
        return None
    found = [match for text in texts(row) for match in REFERENCE.findall(text)]
    return str(found[-1]) if found else None


def texts(row: Row) -> list[str]:
    """What a reader sees of a message: out of its HTML, and as Freshdesk tells it."""
    body, told = row.get("body"), row.get("body_text")
    return [text for text in (plain(body) if isinstance(body, str) else "", told if isinstance(told, str) else "") if text.strip()]


def author(row: Row, requester: str, ourselves: str) -> Author:
    """`customer` needs a reason: it came from outside, or the requester wrote it. Everybody else counts as an agent, so that we keep
    quiet: agents who left are found among the contacts, and whoever types in our account by hand is a person.
    """
    if effect_key(row, ourselves):
        return "bot"
    if row.get("incoming") is True:
        return "customer"
    by_requester = number(row.get("user_id")) == requester and requester != ourselves
    return "customer" if by_requester and row.get("private") is not True else "agent"


def comment(row: Row, requester: str, ourselves: str, otherwise: Comment) -> Comment:
    """`otherwise` is the ticket's first message: its time stands in for one that is missing."""
    wrote, key = author(row, requester, ourselves), effect_key(row, ourselves)
    text = next(iter(texts(row)), "")
    source = code(row.get("source"))
    private = row.get("private", wrote != "customer" and source in (None, NOTE)) is not False or source == FORWARD
    return Comment(
        id=number(row.get("id")) or "",
        author_id=number(row.get("user_id")) or "",
        author=wrote,
        public=not private,
        text=REFERENCE.sub("", text).strip() if key else text,
        created_at=moment(row.get("created_at")) or otherwise.created_at,
        attachments=file_names(row),
        effect_key=key,
    )


def file_names(row: Row) -> tuple[str, ...]:
    return tuple(str(item["name"]) for item in objects(row.get("attachments")) if item.get("name"))


def first_message(row: Row, requester: str, ourselves: str) -> Comment:
    """The ticket's own text; an agent's where the conversation was opened from inside."""
    body, told = row.get("description"), row.get("description_text")
    text = (plain(body) if isinstance(body, str) else "") or (told.strip() if isinstance(told, str) else "")
    outbound = code(row.get("source")) == OUTBOUND or requester == ourselves
    return Comment(
        id=FIRST,
        author_id=requester,
        author="agent" if outbound else "customer",
        public=True,
        text=text,
        created_at=moment(row.get("created_at")) or moment(row.get("updated_at")) or LONG_AGO,
        attachments=file_names(row),
    )


def ticket(origin: str, row: Row, conversations: Sequence[Row], ourselves: str, person: Row) -> Ticket:
    """The ticket with everything said on it, oldest first; `person` is its requester as far as known."""
    identity, requester = number(row.get("id")) or "", number(row.get("requester_id")) or ""
    beside = mapping(row.get("requester"))
    first = first_message(row, requester, ourselves)
    later = (comment(one, requester, ourselves, first) for one in conversations)
    said = (first, *sorted(later, key=lambda one: one.created_at))
    email = next((str(who["email"]) for who in (person, beside) if who.get("email")), None)
    subject = str(row.get("subject") or "")
    tags = row.get("tags")
    return Ticket(
        id=identity,
        subject=subject,
        status=status(row),
        version=version(row, conversations),
        requester_id=requester,
        requester_email=email,
        requester_name=next((str(who["name"]) for who in (person, beside) if who.get("name")), None),
        comments=said,
        tags=tag_list(tags),
        url=f"{origin}/a/tickets/{identity}",
        created_at=first.created_at,
        updated_at=moment(row.get("updated_at")) or first.created_at,
        channel=CHANNELS.get(code(row.get("source")) or 0, "other"),
        language=language(person.get("language")),
        automated=automated(subject, said, conversations, email),
        sole_reader=sole_reader(row, said, conversations),
        organization_id=number(row.get("company_id")),
    )


def tag_list(value: object) -> tuple[str, ...]:
    return tuple(str(tag) for tag in value) if isinstance(value, list) else ()


def automated(subject: str, said: Sequence[Comment], raw: Sequence[Row], email: str | None) -> str | None:
    """Why a machine seems to have written the last customer message, as a sentence; None: a person did, or nobody waits."""
    asked = [one for one in said if one.author == "customer" and one.public]
    if not asked:
        return None
    last = asked[-1]
    sender = next((row.get("from_email") for row in raw if number(row.get("id")) == last.id), None)
    return (
        machines.of_sender(address(sender))
        or (machines.of_sender(email) if last.author_id == asked[0].author_id else None)
        or (machines.of_subject(subject) if len(asked) == 1 else None)
        or machines.of_words(last.text)
        or machines.loop(last, said)
    )


def address(sender: object) -> str | None:
    """Of "Name <address>", or of an address alone."""
    if not isinstance(sender, str):
        return None
    match = re.search(r"<([^<>]+)>", sender)
    return (match[1] if match else sender).strip()
