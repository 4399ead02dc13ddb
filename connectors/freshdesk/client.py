"""The calls to Freshdesk's API v2. A list is a bare array; whether there is more says the Link header alone."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from connectors.base import JSON, ConfigProblem, Transient
from connectors.freshdesk.parse import Row, mapping, number
from connectors.freshdesk.settings import Settings
from connectors.http import Answer, Denied, HttpClient, HttpError, HttpFactory

API = "/api/v2"
PER_PAGE = "100"  # the most; 30 without asking
LAST_PAGE = 300  # of a ticket list: the next one answers 400
NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel\s*=\s*"?next\b', re.IGNORECASE)

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Batch:
    rows: list[Row]
    more: bool


class Calls:
    """One method per call. Paths are ours: of a next-link only its page number is read."""

    def __init__(self, settings: Settings, http: HttpFactory) -> None:
        self._origin = settings.base_url
        key = settings.auth.api_key

        def authorize() -> Mapping[str, str]:
            return {"Authorization": "Basic " + b64encode(f"{key.reveal()}:X".encode()).decode()}

        self._http: HttpClient = http(settings.base_url, authorize)

    def me(self) -> Row:
        return self._one("/agents/me") or {}

    def categories(self, language: str | None = None) -> list[Row]:
        return self._all("/solutions/categories" + _in(language))

    def folders(self, category: str) -> list[Row]:
        return self._all(f"/solutions/categories/{category}/folders")

    def subfolders(self, folder: str) -> list[Row]:
        return self._all(f"/solutions/folders/{folder}/subfolders")

    def articles(self, folder: str, language: str | None = None) -> list[Row]:
        return self._all(f"/solutions/folders/{folder}/articles{_in(language)}")

    def canned_folders(self) -> list[Row]:
        return self._all("/canned_response_folders")

    def canned_responses(self, folder: str) -> list[Row]:
        return self._all(f"/canned_response_folders/{folder}/responses")

    def tickets(self, params: Params, page: int = 1) -> Batch:
        """One page of a ticket list. Raises ConfigProblem for a list that is refused."""
        try:
            return self._batch("/tickets", params, page)
        except HttpError as refusal:
            raise ConfigProblem(f"Freshdesk refuses its list of tickets: {refusal}") from None

    def ticket(self, ticket_id: str) -> Row | None:
        return self._one(f"/tickets/{ticket_id}", {"include": "requester"}, urgent=True)

    def conversations(self, ticket_id: str) -> list[Row] | None:
        """Oldest first, without the ticket's own text; None when the ticket is gone."""
        try:
            return self._rows(f"/tickets/{ticket_id}/conversations", urgent=True)
        except HttpError as refusal:
            if refusal.status in (404, 410):
                return None
            raise ConfigProblem(f"Freshdesk refuses to show ticket {ticket_id}: {refusal}") from None

    def contact(self, identity: str) -> Row | None:
        return self._one(f"/contacts/{identity}", urgent=True)

    def agent(self, identity: str) -> Row | None:
        """None for nobody, and where only administrators may ask."""
        try:
            return self._one(f"/agents/{identity}", urgent=True)
        except Denied as refusal:
            if refusal.status == 403:
                return None
            raise

    def note(self, ticket_id: str, html: str) -> Row:
        """A private note. Sent once; HttpError, RateLimited (nothing done) or Transient (unknown) otherwise."""
        body: dict[str, JSON] = {"body": html, "private": True}
        return mapping(self._http.post(f"{API}/tickets/{ticket_id}/notes", body).json())

    def reply(self, ticket_id: str, html: str) -> Row:
        """A public reply, which the customer gets by mail. Sent once, as `note`."""
        return mapping(self._http.post(f"{API}/tickets/{ticket_id}/reply", {"body": html}).json())

    def set_tags(self, ticket_id: str, tags: list[str]) -> None:
        """Replaces them: there is no call that adds."""
        wanted: list[JSON] = list(tags)
        self._http.put(f"{API}/tickets/{ticket_id}", {"tags": wanted})

    def _one(self, path: str, params: Params | None = None, *, urgent: bool = False) -> Row | None:
        """None for what is not there: a 404 has no body."""
        try:
            answer = self._http.get(API + path, dict(params or {}), urgent=urgent)
        except HttpError as refusal:
            if refusal.status in (404, 410):
                return None
            raise ConfigProblem(f"Freshdesk refuses GET {API}{path}: {refusal}") from None
        found = answer.json()
        if not isinstance(found, dict):
            raise Transient(f"{API}{path} answers something else than an object; it is read anew at the next turn")
        return found

    def _all(self, path: str) -> list[Row]:
        """A list of the solutions or of canned responses, whole; one that is gone, or not there in this language, is empty."""
        try:
            return self._rows(path)
        except HttpError as refusal:
            if refusal.status in (404, 410):
                return []
            raise ConfigProblem(f"Freshdesk refuses GET {API}{path}: {refusal}") from None

    def _rows(self, path: str, *, urgent: bool = False) -> list[Row]:
        """Every row once, the pages together: rows move from page to page while a list is read. Raises HttpError."""
        found: dict[str, Row] = {}
        seen: set[int] = set()
        page: int | None = 1
        while page is not None:
            if page in seen or len(seen) > LAST_PAGE:
                raise Transient(f"{API}{path} sends the same page again and again; it is read anew at the next turn")
            seen.add(page)
            answer = self._http.get(API + path, {"per_page": PER_PAGE, "page": str(page)}, urgent=urgent)
            for at, row in enumerate(_array(answer, path)):
                found.setdefault(number(row.get("id")) or f"{page}/{at}", row)
            page = _following(answer, page)
        return list(found.values())

    def _batch(self, path: str, params: Params, page: int) -> Batch:
        answer = self._http.get(API + path, {**params, "per_page": PER_PAGE, "page": str(page)})
        return Batch(_array(answer, path), _following(answer, page) is not None)


def _array(answer: Answer, path: str) -> list[Row]:
    found = answer.json()
    if not isinstance(found, list):
        raise Transient(f"{API}{path} answers without its list; it is read anew at the next turn")
    return [row for row in found if isinstance(row, dict)]


def _following(answer: Answer, page: int) -> int | None:
    """The page that a next-link names; one that names none leads to the page after this one."""
    link = NEXT.search(answer.headers.get("link", ""))
    if link is None:
        return None
    named = parse_qs(urlsplit(link[1]).query).get("page", [""])[0]
    return int(named) if named.isdigit() and len(named) < 7 and int(named) != page else page + 1


def _in(language: str | None) -> str:
    return f"/{language}" if language else ""
