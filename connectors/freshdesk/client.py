"""The calls to one Freshdesk account. Limits: 50 to 700 calls a minute by plan, shared with every app and webhook of the account."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from connectors.base import JSON, ConfigProblem, Transient
from connectors.fields import Row, mapping, number
from connectors.freshdesk.parse import listed
from connectors.freshdesk.settings import LANGUAGE, Settings
from connectors.http import Denied, HttpError

if TYPE_CHECKING:
    from connectors.http import Answer, HttpClient, HttpFactory

API = "/api/v2"
PER_PAGE = "100"  # the most
FRUITLESS = 5  # pages in a row without a new row, after which a list turns in circles
NEXT = re.compile(r"<([^<>]*)>\s*;[^,<]*\brel\s*=\s*\"?next\b", re.IGNORECASE)


def sign_in(settings: Settings, http: HttpFactory) -> HttpClient:
    """The key is the user name of Basic; the password is any text that is not empty."""

    def headers() -> dict[str, str]:
        pair = f"{settings.auth.api_key.reveal()}:X"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    return http(settings.base_url, headers)


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of a list; `following` is the number of the next one, None at the end; `sent_at` the server's clock."""

    rows: list[Row]
    following: int | None
    sent_at: datetime | None


class Calls:
    """One method per call; of what the server says only page numbers are taken, never an address."""

    def __init__(self, http: HttpClient) -> None:
        self.http = http
        self._unpaged = False  # the lists of solutions take no paging parameters here

    def ask(self, path: str, params: Mapping[str, str] | None = None, *, urgent: bool = False) -> Answer:
        """A GET whose 4xx the caller interprets (HttpError); `urgent` where a customer waits."""
        return self.http.get(API + path, dict(params or {}), urgent=urgent)

    def page(self, path: str, params: Mapping[str, str], at: int = 1, *, urgent: bool = False) -> Batch:
        asked = {**params, "per_page": PER_PAGE, **({"page": str(at)} if at > 1 else {})}
        return _batch(path, self.ask(path, asked, urgent=urgent), at)

    def everything(self, path: str, *, urgent: bool = False) -> Iterator[Batch]:
        """A list page by page. Raises HttpError, and Transient for a list that turns in circles."""
        found, seen, fruitless = self._first(path, urgent), set[str](), 0
        while True:
            fresh = {identity for row in found.rows if (identity := number(row.get("id")))} - seen
            seen |= fresh
            fruitless = 0 if fresh else fruitless + 1
            yield found
            if found.following is None:
                return
            if fruitless >= FRUITLESS:
                raise Transient(f"{API}{path} sends the same rows again and again; it is read anew at the next turn")
            found = self.page(path, {}, found.following, urgent=urgent)

    def _first(self, path: str, urgent: bool) -> Batch:
        """Whether the lists of solutions are paged differs between accounts, and so may whether they take the parameters for it."""
        solutions = path.startswith("/solutions/")
        if not (solutions and self._unpaged):
            try:
                return self.page(path, {}, urgent=urgent)
            except HttpError as refusal:
                if not solutions or refusal.status != 400:
                    raise
        found = _batch(path, self.ask(path, urgent=urgent), 1)
        self._unpaged = True
        return found

    def rows(self, path: str, *, urgent: bool = False) -> list[Row]:
        return [row for found in self.everything(path, urgent=urgent) for row in found.rows]

    def one(self, path: str, *, urgent: bool = False) -> Row | None:
        """One object; None when it is gone. Raises Transient for an answer that is none, ConfigProblem for a refusal."""
        try:
            found = self.ask(path, urgent=urgent).json()
        except HttpError as refusal:
            if refusal.status in (404, 410):
                return None
            raise ConfigProblem(f"Freshdesk refuses GET {API}{path}: {refusal}") from None
        if not isinstance(found, dict):
            raise Transient(f"{API}{path} answers something else than an object; it is read anew at the next turn")
        return found

    def me(self) -> Row:
        found = self.one("/agents/me")
        if found is None:
            raise ConfigProblem(f"{self.http.origin}{API}/agents/me is not there: see that base_url is the address of a Freshdesk account")
        return found

    def languages(self) -> tuple[str | None, tuple[str, ...]]:
        """The account's primary language and its other ones; (None, ()) where it does not tell.

        An agent may lack the right to see these settings, and older accounts do not have them.
        """
        try:
            found = mapping(self.ask("/settings/helpdesk").json())
        except HttpError:
            return None, ()
        except Denied as denial:
            if denial.status != 403:
                raise
            return None, ()
        told, others = found.get("primary_language"), found.get("supported_languages")
        primary = told if isinstance(told, str) and told else None
        codes = [code for code in others if isinstance(code, str) and LANGUAGE.fullmatch(code)] if isinstance(others, list) else []
        return primary, tuple(code for code in dict.fromkeys(codes) if code != primary)

    # --- tickets ---

    def ticket(self, ticket_id: str) -> Row | None:
        return self.one(f"/tickets/{ticket_id}", urgent=True)

    def conversations(self, ticket_id: str) -> list[Row] | None:
        """All of them, oldest first; None when the ticket went in the meantime."""
        try:
            return self.rows(f"/tickets/{ticket_id}/conversations", urgent=True)
        except HttpError as refusal:
            if refusal.status in (404, 410):
                return None
            raise ConfigProblem(f"Freshdesk refuses to show the conversations of ticket {ticket_id}: {refusal}") from None

    def person(self, person_id: str) -> Row:
        """A contact, else an agent's contact details; empty where nobody is found or may be seen."""
        for path in (f"/contacts/{person_id}", f"/agents/{person_id}"):
            try:
                found = self.one(path, urgent=True)
            except Denied as denial:
                if denial.status != 403:
                    raise
                continue
            if found is not None:
                return mapping(found.get("contact")) or found
        return {}

    def contact(self, contact_id: str) -> Row | None:
        return self.one(f"/contacts/{contact_id}", urgent=True)

    def write(self, ticket_id: str, html: str, *, public: bool) -> Row:
        """Sent once: a note among agents, or a reply that is mailed to the customer. HttpError, RateLimited or Transient otherwise."""
        if public:
            return mapping(self.http.post(f"{API}/tickets/{ticket_id}/reply", {"body": html}).json())
        note: dict[str, JSON] = {"body": html, "private": True}
        return mapping(self.http.post(f"{API}/tickets/{ticket_id}/notes", note).json())

    def set_tags(self, ticket_id: str, tags: list[JSON]) -> None:
        """Replaces the list: there is no call that adds."""
        self.update(ticket_id, {"tags": tags})

    def update(self, ticket_id: str, changes: dict[str, JSON]) -> None:
        """Sent once; HttpError, RateLimited or Transient otherwise."""
        self.http.put(f"{API}/tickets/{ticket_id}", changes)


def _batch(path: str, answer: Answer, at: int) -> Batch:
    return Batch(listed(answer.json(), API + path), next_page(answer.headers, at), server_time(answer.headers))


def next_page(headers: Mapping[str, str], at: int) -> int | None:
    """The number of the next page as the Link header tells it: the only sign that there is one. Raises Transient when it leads back."""
    match = NEXT.search(headers.get("link", ""))
    if not match:
        return None
    try:
        told = parse_qs(urlsplit(match[1]).query).get("page", [""])[-1]
    except ValueError:
        told = ""
    found = int(told) if re.fullmatch(r"[0-9]{1,9}", told) else at + 1
    if found <= at:
        raise Transient(f"Freshdesk names page {found} as the one after page {at}; the list is read anew at the next turn")
    return found


def server_time(headers: Mapping[str, str]) -> datetime | None:
    try:
        found = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
