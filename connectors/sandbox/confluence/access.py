"""Credentials, and what each deployment says to those that it does not take."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from connectors.sandbox.confluence.problems import HTML, LOGIN, REJECTED, html, v1, v2
from connectors.sandbox.confluence.records import ANONYMOUS, Account
from connectors.sandbox.confluence.world import World
from connectors.sandbox.wire import Problem, Request, Response

EMAIL = "bot@tidewell.example"
API_TOKEN = "sandbox-confluence-token"  # noqa: S105 - classic: for the site's own address
SCOPED_TOKEN = "sandbox-confluence-scoped"  # noqa: S105 - a service account's: for the gateway only
OAUTH_TOKEN = "sandbox-confluence-oauth"  # noqa: S105 - a bearer for the gateway
PERSONAL_TOKEN = "sandbox-confluence-pat"  # noqa: S105 - Data Center
USERNAME, PASSWORD = "draftdesk", "sandbox-password"  # Data Center, where Basic is allowed
CLOUD_ID = "5f0c2a7e-3d41-4b8e-9a16-7c2d90e4b1aa"
SCOPES = (
    *("read:page:confluence", "read:space:confluence", "read:attachment:confluence", "read:label:confluence", "read:comment:confluence"),
    *("read:content.metadata:confluence", "read:content.restriction:confluence", "read:content-details:confluence"),
    *("read:user:confluence", "search:confluence"),
)
NOT_PERMITTED = "Current user not permitted to use Confluence"


@dataclass(slots=True)
class Access:
    """`scopes`: of the scoped token and of the OAuth token. `revoked`: tokens that died. `permitted`: the account may use the wiki."""

    world: World
    bot: str
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    revoked: set[str] = field(default_factory=set)
    permitted: bool = True
    basic_allowed: bool = False

    def identify(self, request: Request, *, gateway: bool, newer: bool) -> Account:
        """`newer`: a v2 path. Raises Problem."""
        account = self._cloud(request, gateway, newer) if self.world.cloud else self._datacenter(request)
        if account is not ANONYMOUS and not self.permitted:
            raise v1(403, NOT_PERMITTED, cloud=True)
        return account

    def needs(self, scopes: str, *, gateway: bool) -> None:
        """`scopes`: alternatives with | between them. Raises Problem 401 where the gateway's token has none of them."""
        if gateway and scopes and not set(scopes.split("|")) & self.scopes:
            raise Problem(Response(401, {"code": 401, "message": "Unauthorized; scope does not match"}))

    def _cloud(self, request: Request, gateway: bool, newer: bool) -> Account:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        email, token = _pair(value) if scheme.lower() == "basic" else ("", value)
        if gateway:
            known = (scheme.lower() == "bearer" and token == OAUTH_TOKEN) or (email == EMAIL and token == SCOPED_TOKEN)
            if known and token not in self.revoked:
                return self.world.wiki.accounts[self.bot]
            raise Problem(Response(401, {"code": 401, "message": "Unauthorized"}))
        if scheme.lower() == "bearer":
            raise Problem(Response(403, {"error": "Failed to parse Connect Session Auth Token"}))
        if email == EMAIL and token == API_TOKEN and token not in self.revoked:
            return self.world.wiki.accounts[self.bot]
        if token == SCOPED_TOKEN:
            raise Problem(Response(401, {"code": 401, "message": "Unauthorized"}))
        return self._rejected(newer)

    def _rejected(self, newer: bool) -> Account:
        if self.world.quirks.shared_anonymously:
            return ANONYMOUS
        raise v2(401, "UNAUTHORIZED", "Unauthorized") if newer else v1(403, REJECTED, cloud=True)

    def _datacenter(self, request: Request) -> Account:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and value == PERSONAL_TOKEN and value not in self.revoked:
            return self.world.wiki.accounts[self.bot]
        if scheme.lower() == "basic" and self.basic_allowed and _pair(value) == (USERNAME, PASSWORD):
            return self.world.wiki.accounts[self.bot]
        if self.world.quirks.login_page == "redirect":
            raise Problem(Response(302, None, {"location": f"{request.origin}{self.world.context}/login.action?permissionViolation=true"}))
        if self.world.quirks.login_page == "page":
            raise Problem(Response(200, LOGIN, HTML))
        if self.world.quirks.shared_anonymously and not scheme:
            return ANONYMOUS
        raise html(401) if scheme else v1(403, NOT_PERMITTED, cloud=False)


def _pair(value: str) -> tuple[str, str]:
    """Raises Problem 401 for what cannot be read at all."""
    try:
        name, colon, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise html(401) from None
    if not colon:
        raise html(401)
    return name, secret
