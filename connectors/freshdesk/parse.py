"""What Freshdesk answers, as our values: pure, and liberal in what it takes."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.base import Document, Gone, Transient, Unreadable
from connectors.fields import Row, mapping, moment, number, objects
from connectors.freshdesk.readers import Readers, names
from connectors.markdown import to_markdown

Change = Document | Gone | Unreadable

PUBLISHED = 2  # an article's status
PERSONAL = 1  # a canned response's visibility
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def code(value: object) -> int | None:
    """A small number that stands for a word (status, visibility, source); None where it is none."""
    found = number(value)
    return int(found) if found is not None else None


def listed(body: object, place: str) -> list[Row]:
    """The rows of a list answer, a bare array. Another answer is not an empty list. Raises Transient."""
    if not isinstance(body, list):
        raise Transient(f"{place} answers something else than a list; it is read anew at the next turn")
    return objects(body)


def digest(*parts: object) -> str:
    """The same only when nothing of it changed."""
    return hashlib.blake2b(json.dumps(parts, sort_keys=True, default=str).encode(), digest_size=6).hexdigest()


def language(locale: object) -> str | None:
    """ISO 639-1 of a locale such as pt-BR; None where it has no two-letter code."""
    first = re.split(r"[-_]", locale)[0].lower() if isinstance(locale, str) else ""
    return first if re.fullmatch(r"[a-z]{2}", first) else None


# --- solution articles ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where documents come from: the connector's name and the account's origin."""

    name: str
    origin: str

    def document(self, key: str) -> str:
        """A document's id of its key: digits, digits:LOCALE, or macro:digits."""
        return f"freshdesk:{self.name}:{key if key.startswith('macro:') else f'article:{key}'}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder, and who may read it and all the folders around it."""

    id: str
    readers: Readers


@dataclass(frozen=True, slots=True)
class Text:
    """An article in one language; `locale` None: the account's primary one. `key` names its document."""

    row: Row
    shelf: Shelf | None  # None: in a folder that nobody knows
    locale: str | None = None

    @property
    def key(self) -> str:
        base = number(self.row.get("id")) or ""
        return f"{base}:{self.locale.lower()}" if self.locale else base

    @property
    def readers(self) -> Readers:
        """Nobody where the row names another folder than the one in which it was met."""
        at_home = self.shelf is not None and number(self.row.get("folder_id")) in (None, self.shelf.id)
        return self.shelf.readers if self.shelf and at_home else Readers()

    @property
    def live(self) -> bool:
        """Published. A row that tells no status is taken for published, but never for public: see `article`."""
        return self.row.get("status") is None or code(self.row.get("status")) == PUBLISHED

    def digest(self) -> str:
        row = self.row
        told = [row.get(key) for key in ("folder_id", "status", "updated_at", "title", "description", "description_text")]
        groups = sorted(self.readers.groups)
        return digest(*told, self.readers.public, self.locale, shown_language(row), *([groups] if groups else []))


def shown_language(row: Row) -> str | None:
    """The language that an article's row is written in, as its place in the hierarchy tells."""
    told = [mapping(step.get("data")).get("language") for step in objects(row.get("hierarchy"))]
    return next((str(found) for found in reversed(told) if isinstance(found, str) and found), None)


def same_text(one: Row, other: Row) -> bool:
    return all(one.get(key) == other.get(key) for key in ("title", "description", "updated_at"))


def article(place: Place, text: Text, primary: str | None = None) -> Change:
    """Gone when it is no longer published, Unreadable when its parts are not what they should be."""
    identity, row = place.document(text.key), text.row
    if not text.live:
        return Gone(identity)
    title, body = row.get("title") or "", row.get("description")
    if body is None:
        body = row.get("description_text") or ""
    if not isinstance(title, str) or not isinstance(body, str):
        return Unreadable(identity, "the article's title or text is not text")
    url = article_url(place.origin, number(row.get("id")) or "", text.locale)
    try:
        markdown = to_markdown(body, url)
    except (ValueError, TypeError, RecursionError) as problem:
        return Unreadable(identity, f"the article could not be read as HTML ({type(problem).__name__})")
    readers = text.readers if code(row.get("status")) == PUBLISHED else Readers()
    return Document(
        id=identity,
        title=" ".join(title.split()),
        markdown=markdown,
        url=url,
        updated_at=moment(row.get("updated_at")),
        created_at=moment(row.get("created_at")),
        audience="public" if readers.public else "internal",
        language=language(text.locale or shown_language(row) or primary),
        segments=names(place.name, readers.groups),
    )


def article_url(origin: str, identity: str, locale: str | None) -> str:
    """No answer tells an article's address: it is made of its id."""
    return f"{origin}/{f'{locale}/' if locale else ''}support/solutions/articles/{identity}"


# --- canned responses -----------------------------------------------------------------------------------------------


def macro_key(row: Row) -> str:
    return f"macro:{number(row.get('id'))}"


def is_shared(row: Row) -> bool:
    """Whether a canned response is more than one agent's own."""
    return code(row.get("visibility")) != PERSONAL


def macro_digest(row: Row) -> str:
    return digest(*(row.get(key) for key in ("updated_at", "title", "content", "content_html", "visibility", "folder_id")))


def macro(place: Place, row: Row) -> Change:
    """A canned response, always internal; Gone when it is one agent's own or holds no text."""
    identity = place.document(macro_key(row))
    title, html, text = row.get("title") or "", row.get("content_html"), row.get("content")
    if not is_shared(row):
        return Gone(identity)
    if not isinstance(title, str) or not all(isinstance(part, str | None) for part in (html, text)):
        return Unreadable(identity, "the canned response's title or text is not text")
    url = f"{place.origin}/a/admin/canned_responses"
    try:
        markdown = to_markdown(html, url) if html else str(text or "").strip()
    except (ValueError, TypeError, RecursionError) as problem:
        return Unreadable(identity, f"the canned response could not be read as HTML ({type(problem).__name__})")
    updated, created = moment(row.get("updated_at")), moment(row.get("created_at"))
    return Document(identity, " ".join(title.split()), markdown, url, updated, created, "internal") if markdown else Gone(identity)

