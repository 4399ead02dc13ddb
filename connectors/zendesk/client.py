"""The calls to one Zendesk account. Limits: 200 to 2,500 requests a minute by plan, the exports 10 a minute (rate-limits page)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from connectors.base import JSON, ConfigProblem, Transient
from connectors.fields import Row, mapping, number
from connectors.http import HttpError
from connectors.settings import text_of
from connectors.tokens import Tokens
from connectors.zendesk.parse import listed, rows
from connectors.zendesk.settings import Settings

if TYPE_CHECKING:
    from connectors.http import Answer, HttpClient, HttpFactory

Params = dict[str, str]
API = "/api/v2"
PAGE = {"page[size]": "100"}  # the most of cursor pagination
USERS_AT_ONCE = 100  # of users/show_many


def sign_in(settings: Settings, http: HttpFactory, now: Callable[[], datetime]) -> HttpClient:
    """A client that carries this account's credential, and renews it where it can be renewed."""
    auth = settings.auth
    if auth.client_id is not None and auth.client_secret is not None:
        door = http(settings.base_url)
        tokens = Tokens(f"{settings.base_url}/oauth/tokens", lambda: access_token(settings, door), now)
        return http(settings.base_url, tokens.headers, renew=tokens.renew)
    if auth.access_token is not None:
        bearer = auth.access_token
        return http(settings.base_url, lambda: {"Authorization": f"Bearer {bearer.reveal()}"})
    return http(settings.base_url, lambda: basic(settings))


def basic(settings: Settings) -> dict[str, str]:
    """An API token as Zendesk wants it: user {email}/token, the token as password."""
    secret = settings.auth.api_token.reveal() if settings.auth.api_token else ""
    pair = f"{text_of(settings.auth.email or '')}/token:{secret}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}


def access_token(settings: Settings, http: HttpClient) -> Row:
    """OAuth client credentials. Raises ConfigProblem."""
    auth = settings.auth
    request: dict[str, JSON] = {
        "grant_type": "client_credentials",
        "client_id": text_of(auth.client_id or ""),
        "client_secret": auth.client_secret.reveal() if auth.client_secret else "",
        "scope": auth.scope,
    }
    try:
        return mapping(http.post("/oauth/tokens", request).json())
    except (HttpError, ConfigProblem) as problem:
        raise ConfigProblem(
            f"{settings.base_url}: Zendesk gives no access token ({problem}); correct auth.client_id and auth.client_secret of"
            f" {settings.name}, and see that the OAuth client is confidential and may use client credentials"
        ) from None


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of a list: its rows, the whole answer, the parameters that ask for the next one (None: this was the last)."""

    rows: list[Row]
    body: Row
    following: Params | None
    sent_at: datetime | None  # the server's clock


class Calls:
    """One method per call; paths are ours, of what the server says only parameters are taken, never an address."""

    def __init__(self, http: HttpClient) -> None:
        self.http = http

    def ask(self, path: str, params: Mapping[str, str] | None = None, *, urgent: bool = False) -> Answer:
        """A GET whose 4xx the caller interprets (HttpError); `urgent` where a customer waits."""
        return self.http.get(API + path, dict(params or {}), urgent=urgent)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Row:
        """A GET whose 4xx nobody expects: ConfigProblem."""
        try:
            return mapping(self.ask(path, params).json())
        except HttpError as refusal:
            raise ConfigProblem(f"Zendesk refuses GET {API}{path}: {refusal}") from None

    def batches(self, path: str, key: str, params: Params, *, resume: Params | None = None, urgent: bool = False) -> Iterator[Batch]:
        """A list page by page, whichever pagination the server answers with.

        Raises HttpError, and Transient for a list that turns in circles.
        """
        asked: Params | None = resume or params
        seen: list[Params] = []
        while asked is not None:
            if asked in seen:
                raise Transient(f"{API}{path} sends the same page again and again; it is read anew at the next turn")
            seen.append(asked)
            answer = self.ask(path, asked, urgent=urgent)
            body = mapping(answer.json())
            asked = next_request(body, params)
            yield Batch(listed(body, key, API + path), body, asked, server_time(answer.headers))

    def everything(self, path: str, key: str, params: Params) -> Iterator[Row]:
        for batch in self.batches(path, key, params):
            yield from batch.rows

    def me(self) -> Row:
        return mapping(self.get("/users/me.json").get("user"))

    def users(self, ids: Sequence[str]) -> list[Row]:
        """Users that no side-load named; never ask for -1, Zendesk itself."""
        found: list[Row] = []
        for start in range(0, len(ids), USERS_AT_ONCE):
            some = ",".join(ids[start : start + USERS_AT_ONCE])
            try:
                found += rows(self.ask("/users/show_many.json", {"ids": some}, urgent=True).json(), "users")
            except HttpError:
                continue  # nobody of these is left: their role stays unknown
        return found

    def user(self, user_id: str) -> Row | None:
        """As of now; None when nobody is found or may be seen."""
        try:
            return mapping(mapping(self.ask(f"/users/{user_id}.json", urgent=True).json()).get("user")) or None
        except HttpError:
            return None

    def segments_of(self, user_id: str) -> list[Row] | None:
        """The user segments that a user is in; of an agent who is no Help Center manager, only those it is in itself. None: not told."""
        path = f"/help_center/users/{user_id}/user_segments.json"
        try:
            return [row for batch in self.batches(path, "user_segments", dict(PAGE), urgent=True) for row in batch.rows]
        except HttpError:
            return None

    def locales(self) -> tuple[str, ...] | None:
        """The Help Center's enabled locales; None where the account does not tell. Ask it after a call that proved the credential."""
        try:
            found = mapping(self.ask("/help_center/locales.json").json()).get("locales")
        except (HttpError, ConfigProblem):
            return None
        return tuple(str(locale).lower() for locale in found) if isinstance(found, list) and found else None

    def translations(self, article_id: str) -> list[Row] | None:
        """Of one article; None where the account does not tell."""
        try:
            return list(self.everything(f"/help_center/articles/{article_id}/translations.json", "translations", dict(PAGE)))
        except HttpError:
            return None

    def ticket(self, ticket_id: str) -> tuple[Row, list[Row]] | None:
        """A ticket and its side-loaded users; None when it is gone."""
        try:
            body = self.ask(f"/tickets/{ticket_id}.json", {"include": "users"}, urgent=True).json()
        except HttpError as refusal:
            if refusal.status in (404, 410):
                return None
            raise ConfigProblem(f"Zendesk refuses to show ticket {ticket_id}: {refusal}") from None
        return mapping(mapping(body).get("ticket")), rows(body, "users")

    def comments(self, ticket_id: str) -> tuple[list[Row], list[Row]] | None:
        """All comments, oldest first, and their side-loaded users; None when the ticket went in the meantime."""
        return self._of_ticket(ticket_id, "comments", {**PAGE, "include": "users"})

    def audits(self, ticket_id: str) -> list[Row]:
        found = self._of_ticket(ticket_id, "audits", dict(PAGE))
        return found[0] if found else []

    def _of_ticket(self, ticket_id: str, what: str, params: Params) -> tuple[list[Row], list[Row]] | None:
        found: list[Row] = []
        users: list[Row] = []
        try:
            for batch in self.batches(f"/tickets/{ticket_id}/{what}.json", what, params, urgent=True):
                found += batch.rows
                users += rows(batch.body, "users")
        except HttpError as refusal:
            if refusal.status in (404, 410):
                return None
            raise ConfigProblem(f"Zendesk refuses to show the {what} of ticket {ticket_id}: {refusal}") from None
        return found, users

    def update_ticket(self, ticket_id: str, ticket: dict[str, JSON]) -> Row:
        """Sent once; HttpError, RateLimited (nothing done) or Transient (unknown) otherwise."""
        return mapping(self.http.put(f"{API}/tickets/{ticket_id}.json", {"ticket": ticket}).json())

    def add_tags(self, ticket_id: str, tags: Sequence[str]) -> None:
        """PUT adds; POST would replace an agent's tags."""
        self.http.put(f"{API}/tickets/{ticket_id}/tags.json", {"tags": list(tags)})


def next_request(body: Row, params: Params) -> Params | None:
    """The parameters of the next page, None at the end.

    Cursor pagination ends with has_more: Support answers keep a link on the last page, Help Center has none. Offset pagination
    and the Help Center's export end with next_page: null. Links may name another host (host mapping), so only their query is read.
    """
    meta, links = mapping(body.get("meta")), mapping(body.get("links"))
    if "has_more" in meta:
        if not meta["has_more"]:
            return None
        after = meta.get("after_cursor") or query(links.get("next")).get("page[after]")
        if not after:
            raise Transient("Zendesk says that there is more, and not where; the list is read anew at the next turn")
        return {**params, "page[after]": str(after)}
    onward = query(body.get("next_page")) or query(links.get("next"))
    if not onward:
        return None
    kept = {key: value for key, value in params.items() if not key.startswith("page[")} if "page" in onward else params
    return {**kept, **onward}


def query(url: Any) -> Params:
    """The parameters of a link; a link that cannot be read has none."""
    try:
        return dict(parse_qsl(urlsplit(url).query)) if isinstance(url, str) else {}
    except ValueError:
        return {}


def server_time(headers: Mapping[str, str]) -> datetime | None:
    try:
        found = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, IndexError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def by_id(users: Sequence[Row]) -> dict[str, Row]:
    return {identity: user for user in users if (identity := number(user.get("id")))}
