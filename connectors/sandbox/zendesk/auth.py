"""Credentials of the emulated helpdesk: API token over Basic, and OAuth with scopes, expiry and rotating refresh tokens."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from connectors.sandbox.wire import Caller, Problem, Request, Response, fault
from connectors.sandbox.zendesk.records import JsonObject
from connectors.sandbox.zendesk.state import Desk

CLIENT_ID = "draftdesk"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - public on purpose: it opens an invented account on loopback
API_TOKEN = "sandbox-token"  # noqa: S105
REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105 - a first refresh token, as an authorisation-code login would have left
RESOURCES = ("tickets", "users", "hc", "webhooks", "macros", "satisfaction_ratings", "organizations")
KNOWN_SCOPES = {"read", "write", *(f"{name}:{right}" for name in RESOURCES for right in ("read", "write"))}
SHORTEST_EXPIRY, LONGEST_EXPIRY = 300, 172_800  # seconds, both exclusive: Zendesk's OAuth token page


@dataclass(frozen=True, slots=True)
class Grant:
    scopes: tuple[str, ...]
    expires_at: datetime | None
    user_id: int


class Access:
    """Issues tokens and tells who a request comes from."""

    def __init__(self, desk: Desk, now: Callable[[], datetime]) -> None:
        self._desk, self._now = desk, now
        self._grants: dict[str, Grant] = {}
        self._refreshers: dict[str, str] = {REFRESH_TOKEN: ""}  # refresh token -> access token of the same pair
        self.tokens_switched_off = False
        self.issued = 0

    def expire_all(self) -> None:
        """Every access token issued so far stops working; refresh tokens stay."""
        self._grants.clear()

    def identify(self, request: Request) -> Caller | None:
        """None for no or wrong credentials; Problem 401 for a wrong API token or bearer token."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._bearer(value.strip())
        if kind.lower() == "basic":
            return self._basic(value.strip())
        return None

    def _bearer(self, token: str) -> Caller:
        grant = self._grants.get(token)
        if grant is None or (grant.expires_at and grant.expires_at <= self._now()):
            raise Problem(oauth_fault(401, "invalid_token", "The access token provided is expired, revoked, malformed or invalid"))
        return Caller(grant.user_id, self._desk.users[grant.user_id].role, grant.scopes)

    def _basic(self, value: str) -> Caller | None:
        try:
            name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Problem(unauthenticated()) from None
        email, slash, mark = name.rpartition("/")
        if not slash or mark != "token":
            return None  # a password: this account has none, and `users/me` answers that with "Anonymous user"
        user = self._desk.user_by_email(email)
        if self.tokens_switched_off or user is None or not hmac.compare_digest(secret.encode(), API_TOKEN.encode()):
            raise Problem(unauthenticated())
        return Caller(user.id, user.role)

    def token(self, request: Request) -> Response:
        """POST /oauth/tokens, JSON or form. A refresh voids the pair that it replaces."""
        form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        asked: JsonObject = dict(parse_qsl(request.body.decode())) if form else request.json()
        if asked.get("client_id") != CLIENT_ID or asked.get("client_secret") != CLIENT_SECRET:
            return oauth_fault(401, "invalid_client", "Client authentication failed due to unknown client, or the secret is wrong")
        expires_in = asked.get("expires_in")
        if expires_in is not None and not SHORTEST_EXPIRY < int(expires_in) < LONGEST_EXPIRY:
            return oauth_fault(400, "invalid_request", f"expires_in must lie between {SHORTEST_EXPIRY} and {LONGEST_EXPIRY} seconds")
        match asked.get("grant_type"):
            case "client_credentials":
                return Response(200, self._issue(str(asked.get("scope", "read")), expires_in, refreshable=False))
            case "refresh_token":
                return self._refresh(str(asked.get("refresh_token")), str(asked.get("scope", "read write")), expires_in)
        return oauth_fault(400, "unsupported_grant_type", "The grant type is not supported")

    def _refresh(self, token: str, scope: str, expires_in: int | None) -> Response:
        if token not in self._refreshers:
            return oauth_fault(400, "invalid_grant", "The refresh token is invalid, expired or was used before")
        self._grants.pop(self._refreshers.pop(token), None)
        return Response(200, self._issue(scope, expires_in, refreshable=True))

    def _issue(self, scope: str, expires_in: int | None, *, refreshable: bool) -> JsonObject:
        token = secrets.token_hex(32)
        expires_at = None if expires_in is None else self._now() + timedelta(seconds=int(expires_in))
        self._grants[token] = Grant(tuple(scope.split()), expires_at, self._desk.bot_id)
        self.issued += 1
        answer: JsonObject = {"access_token": token, "token_type": "bearer", "scope": scope}
        if expires_in is not None:
            answer["expires_in"] = int(expires_in)
        if refreshable:
            answer["refresh_token"] = secrets.token_hex(32)
            self._refreshers[answer["refresh_token"]] = token
        return answer


def allow(caller: Caller, request: Request) -> None:
    """Raises Problem 403 when the token's scopes do not cover the call. An unknown scope name covers nothing, not even the others' work."""
    if caller.scopes is None:
        return
    right = "read" if request.method == "GET" else "write"
    enough = {right, f"{resource(request.path)}:{right}"}
    if not set(caller.scopes) <= KNOWN_SCOPES or not enough & set(caller.scopes):
        raise Problem(fault(403, "Forbidden", f"You are missing the following required scopes: {right}"))


def resource(path: str) -> str:
    """The name that granular scopes give to what a path is about."""
    parts = path.removeprefix("/api/v2/").replace(".json", "").split("/")
    first = parts[1] if parts[0] == "incremental" and len(parts) > 1 else parts[0]
    return {"help_center": "hc", "deleted_tickets": "tickets"}.get(first, first)


def unauthenticated() -> Response:
    return Response(401, {"error": "Couldn't authenticate you"})


def oauth_fault(status: int, error: str, description: str) -> Response:
    return Response(status, {"error": error, "error_description": description})
