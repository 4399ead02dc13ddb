"""What Zendesk answers, as our values: pure, and liberal in what it takes. Shapes: developer.zendesk.com/api-reference/."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from connectors.base import JSON, Author, Comment, Document, Gone, Ticket, TicketRef, Transient, Unreadable
from connectors.fields import Row, mapping, moment, number, objects
from connectors.markdown import to_markdown
from connectors.zendesk.machines import machine
from connectors.zendesk.readers import is_public, segments, sole_reader

Change = Document | Gone | Unreadable
Status = Literal["new", "open", "pending", "hold", "solved", "closed"]

SYSTEM = "-1"  # the author of Zendesk's own comments; /users/-1 answers 400
EFFECT = "draftdesk_effect"  # our key in ticket.metadata, read back as metadata.custom of the audit and of the comment
BY_HAND = frozenset({"web", "email", "mobile", "chat", "native_messaging"})  # channels in which a person types
STATUSES = frozenset({"new", "open", "pending", "hold", "solved", "closed"})
LOCALE_IN_URL = re.compile(r"/hc/[A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*/articles/")
PRIORITY = "priority"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def latest(*texts: object) -> datetime | None:
    """The latest of these times; None where there is none."""
    return max((found for found in map(moment, texts) if found), default=None)


def digest(row: Row) -> str:
    """A row as it stands, in ten letters: the same only when nothing of it changed, whatever its times say."""
    return hashlib.blake2b(json.dumps(row, sort_keys=True, default=str).encode(), digest_size=5).hexdigest()


def rows(body: object, key: str) -> list[Row]:
    """The objects of a list answer; a missing or null list is empty."""
    found = mapping(body).get(key)
    return objects(found)


def listed(body: object, key: str, place: str) -> list[Row]:
    """The objects of a list that must be there: an answer without it is another answer, not an empty list. Raises Transient."""
    if not isinstance(mapping(body).get(key), list):
        raise Transient(f"{place} answers without its list of {key}; it is read anew at the next turn")
    return rows(body, key)


# --- Help Center articles -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where documents come from: the connector's name, the account's origin, and the locales wanted (None: all)."""

    name: str
    origin: str
    locales: tuple[str, ...] | None = None

    def article(self, row: Row, locale: str) -> str:
        """The document id of one language version; the source language carries no locale."""
        base = f"zendesk:{self.name}:article:{number(row.get('id'))}"
        return base if locale == source_locale(row) else f"{base}:{locale}"

    def wants(self, locale: str) -> bool:
        return self.locales is None or locale in self.locales or locale.split("-", maxsplit=1)[0] in self.locales


def source_locale(row: Row) -> str:
    return str(row.get("source_locale") or row.get("locale") or "").lower()


def article_stamp(row: Row, key: str) -> datetime:
    """The time by which a list is sorted; never missing, so that such a row sorts as the oldest."""
    return moment(row.get(key)) or latest(row.get("updated_at"), row.get("created_at")) or LONG_AGO


def side_loaded(body: object, row: Row) -> list[Row] | None:
    """The translations that a list answer delivered with an article, nested or in an array of its own; None: not delivered."""
    nested = row.get("translations")
    if isinstance(nested, list) and all(isinstance(item, dict) for item in nested):
        return nested
    if not isinstance(mapping(body).get("translations"), list):
        return None
    own = number(row.get("id"))
    return [item for item in rows(body, "translations") if number(item.get("source_id", item.get("article_id"))) == own]


def article_versions(row: Row, translations: Sequence[Row]) -> dict[str, Row]:
    """Locale -> the version to read: the row's own language, and each translation; a translation's own draft flag counts too."""
    shown = shown_locale(row)
    versions: dict[str, Row] = {shown: row}
    for translation in translations:
        locale = str(translation.get("locale") or "").lower()
        if locale == shown:
            # In its source language an article's times are its row's, in another its translation's; a draft in either is a draft.
            drafted = bool(row.get("draft")) or bool(translation.get("draft"))
            told = row if locale == source_locale(row) else translation
            versions[shown] = {**told, "draft": drafted, "hidden": translation.get("hidden")}
        elif locale:
            versions[locale] = translation
    return versions


def shown_locale(row: Row) -> str:
    return str(row.get("locale") or source_locale(row)).lower()


def article_changes(place: Place, row: Row, translations: Sequence[Row]) -> list[Change]:
    """Every wanted language version of an article as it stands."""
    if number(row.get("id")) is None:
        return []
    versions = article_versions(row, translations)
    return [article_change(place, row, locale, version) for locale, version in versions.items() if place.wants(locale)]


def article_change(place: Place, row: Row, locale: str, version: Row) -> Change:
    """One language version: Gone when drafted or hidden, Unreadable when its parts are not what they should be."""
    identity = place.article(row, locale)
    if not is_live(version):
        return Gone(identity)
    title, body = version.get("title") or version.get("name") or "", version.get("body") or ""
    if not isinstance(title, str) or not isinstance(body, str):
        return Unreadable(identity, "the article's title or body is not text")
    url = article_url(place, row, locale, version)
    try:
        markdown = to_markdown(body, url)
    except (ValueError, TypeError, RecursionError) as problem:
        return Unreadable(identity, f"the article's body could not be read as HTML ({type(problem).__name__})")
    return Document(
        id=identity,
        title=" ".join(title.split()),
        markdown=markdown,
        url=url,
        updated_at=latest(version.get("updated_at"), version.get("edited_at")) or latest(row.get("updated_at"), row.get("edited_at")),
        created_at=moment(version.get("created_at")) or moment(row.get("created_at")),
        audience="public" if is_public(row) else "internal",
        language=language(locale),
        segments=() if is_public(row) else segments(place.name, row),
    )


def is_live(version: Row) -> bool:
    return not version.get("draft") and not version.get("hidden")


def article_url(place: Place, row: Row, locale: str, version: Row) -> str:
    given = version.get("html_url") or row.get("html_url")
    if not isinstance(given, str) or not given.startswith(("https://", "http://")):
        return f"{place.origin}/hc/{locale}/articles/{number(row.get('id'))}"
    return LOCALE_IN_URL.sub(f"/hc/{locale}/articles/", given, count=1)


def language(locale: str) -> str | None:
    """ISO 639-1 of a locale such as en-us; None where it has no two-letter code."""
    first = locale.replace("_", "-").split("-")[0].lower()
    return first if re.fullmatch(r"[a-z]{2}", first) else None


# --- macros ---------------------------------------------------------------------------------------------------------


def macro_id(place: Place, row: Row) -> str:
    return f"zendesk:{place.name}:macro:{number(row.get('id'))}"


def macro_text(row: Row, origin: str) -> str:
    """What the macro writes, as Markdown; empty when it writes nothing. A value is the text, or [channel, text]."""
    texts = {}
    for action in rows(row, "actions"):
        value = action.get("value")
        last = value[-1] if isinstance(value, list) and value else value
        if isinstance(last, str) and last.strip():
            texts[action.get("field")] = last
    if "comment_value_html" in texts:
        return to_markdown(texts["comment_value_html"], origin)
    return str(texts.get("comment_value", "")).strip()


def macro_change(place: Place, row: Row) -> Change:
    """An agent's macro, always internal; Gone when inactive, one person's own, or without a text."""
    identity = macro_id(place, row)
    if not is_live_macro(row):
        return Gone(identity)
    text = macro_text(row, place.origin)
    if not text:
        return Gone(identity)
    title, updated, created = str(row.get("title") or ""), moment(row.get("updated_at")), moment(row.get("created_at"))
    url = f"{place.origin}/admin/workspaces/agent-workspace/macros/{number(row.get('id'))}"
    return Document(identity, " ".join(title.split()), text, url, updated, created, "internal")


def is_live_macro(row: Row) -> bool:
    return row.get("active") is not False and mapping(row.get("restriction")).get("type") != "User"


# --- tickets --------------------------------------------------------------------------------------------------------


def ticket_ref(row: Row) -> TicketRef | None:
    """A row of the export. Deleted tickets stay in it, scrubbed ones with their text replaced."""
    identity = number(row.get("id"))
    if identity is None:
        return None
    scrubbed = row.get("subject") == "SCRUBBED" and row.get("description") == "X"
    status = "deleted" if scrubbed else str(row.get("status") or "open").lower()
    return TicketRef(identity, status, latest(row.get("updated_at")) or LONG_AGO)


def status(row: Row) -> Status:
    """A custom status that we do not know counts as open."""
    found = str(row.get("status") or "").lower()
    return cast(Status, found) if found in STATUSES else "open"


@dataclass(frozen=True, slots=True)
class People:
    """Who may have written a comment."""

    requester: str
    ourselves: str
    users: Mapping[str, Row]

    def author(self, row: Row) -> Author:
        """`customer` needs a reason: an author whom nobody can name counts as an agent, so that we keep quiet."""
        identity = number(row.get("author_id")) or SYSTEM
        channel = str(mapping(row.get("via")).get("channel") or "")
        if effect_key(row) or (identity == self.ourselves and channel not in BY_HAND):
            return "bot"
        if identity == SYSTEM or channel == "rule":
            return "system"
        role = str(self.users.get(identity, {}).get("role") or "")
        # Whoever shares our account and types in it by hand is a person: they win.
        ours = identity == self.ourselves
        customer = not ours and row.get("public") is not False and (identity == self.requester or role == "end-user")
        return "customer" if customer else "agent"


def effect_key(row: Row) -> str | None:
    """Our key of a comment or an audit; it stands in metadata.custom."""
    found = mapping(mapping(row.get("metadata")).get("custom")).get(EFFECT)
    return found if isinstance(found, str) and found else None


def comment_of_audit(audit: Row) -> str | None:
    """The comment that an update made; without one, the update itself."""
    made = (number(event.get("id")) for event in rows(audit, "events") if str(event.get("type")).endswith("Comment"))
    return next((identity for identity in made if identity), None) or number(audit.get("id"))


def comment(row: Row, people: People, otherwise: datetime) -> Comment:
    author = people.author(row)
    return Comment(
        id=number(row.get("id")) or "",
        author_id=number(row.get("author_id")) or SYSTEM,
        author=author,
        public=row.get("public", author == "customer") is True,  # only an agent can write a private one
        text=comment_text(row),
        created_at=moment(row.get("created_at")) or otherwise,
        attachments=tuple(str(item["file_name"]) for item in rows(row, "attachments") if item.get("file_name")),
        effect_key=effect_key(row),
    )


def comment_text(row: Row) -> str:
    """The plainest form there is; voice comments have no plain_body, and any body may be null."""
    for key in ("plain_body", "body"):
        if isinstance(row.get(key), str) and row[key].strip():
            return str(row[key]).replace("&nbsp;", " ").replace("\u00a0", " ").strip()
    html = row.get("html_body")
    return to_markdown(html, "") if isinstance(html, str) and html.strip() else ""


def author_ids(row: Row, comments: Sequence[Row]) -> Iterator[str]:
    """Every person the ticket needs to know; never Zendesk itself."""
    for value in (row.get("requester_id"), *(item.get("author_id") for item in comments)):
        identity = number(value)
        if identity and not identity.startswith("-"):
            yield identity


def ticket(origin: str, row: Row, comments: Sequence[Row], ourselves: str, users: Mapping[str, Row]) -> Ticket:
    """The ticket, its comments oldest first, and why a machine seems to have written what waits for an answer."""
    identity, requester = number(row.get("id")) or "", number(row.get("requester_id")) or ""
    people = People(requester, ourselves, users)
    updated = moment(row.get("updated_at")) or moment(row.get("created_at")) or LONG_AGO
    created = moment(row.get("created_at")) or updated
    said = sorted((comment(item, people, created) for item in comments), key=lambda one: one.created_at)
    asking = users.get(requester, {})
    subject = str(row.get("subject") or row.get("raw_subject") or "")
    return Ticket(
        id=identity,
        subject=subject,
        status=status(row),
        version=str(row.get("updated_at") or ""),
        requester_id=requester,
        requester_email=str(asking["email"]) if asking.get("email") else None,
        requester_name=str(asking["name"]) if asking.get("name") else None,
        comments=tuple(said),
        tags=tuple(str(tag) for tag in row.get("tags") or ()),
        url=f"{origin}/agent/tickets/{identity}",
        created_at=created,
        updated_at=updated,
        channel=str(mapping(row.get("via")).get("channel") or "web"),
        language=language(str(asking.get("locale") or "")),
        automated=machine(subject, said, comments, users),
        satisfaction=_satisfaction(row),
        sole_reader=sole_reader(row, said, comments),
        organization_id=number(row.get("organization_id")),
    )


def _satisfaction(row: Row) -> Literal["good", "bad"] | None:
    """The score of `satisfaction_rating`; offered, unoffered and missing ratings say nothing."""
    score = str(mapping(row.get("satisfaction_rating")).get("score") or "")
    return "good" if score.startswith("good") else "bad" if score.startswith("bad") else None


def filled(row: Row, wanted: Mapping[str, str]) -> dict[str, JSON]:
    """What an update must say so that the empty ones of these fields are filled; nothing when there is none."""
    standing = custom_fields(row)
    empty: list[JSON] = [
        {"id": int(name), "value": value} for name, value in wanted.items() if name in standing and standing[name] in (None, "", [])
    ]
    request: dict[str, JSON] = {"custom_fields": empty} if empty else {}
    if PRIORITY in wanted and not row.get(PRIORITY):
        request[PRIORITY] = wanted[PRIORITY]
    return request


def custom_fields(row: Row) -> dict[str, object]:
    """What stands in a ticket's own fields, by their number; empty ones are named too."""
    return {identity: item.get("value") for item in rows(row, "custom_fields") if (identity := number(item.get("id")))}
