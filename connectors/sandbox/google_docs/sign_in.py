"""The token endpoint: an assertion signed with the service account's key is exchanged for a token of one hour; and who a token is."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connectors.sandbox.google_docs.problems import oauth_problem
from connectors.sandbox.wire import JsonObject, Request, Response

ACCOUNT = "draftdesk-bot@tidewell-knowledge.iam.gserviceaccount.com"
CLIENT_ID = "104417700001166000001"
SCOPE = "https://www.googleapis.com/auth/"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME, LONGEST, SKEW = 3599, 3600, 300  # seconds: of a token, of an assertion, that clocks may differ
SCOPES = {
    "drive",
    "drive.readonly",
    "drive.metadata",
    "drive.metadata.readonly",
    "drive.file",
    "documents",
    "documents.readonly",
    "cloud-platform",
    "spreadsheets.readonly",
}
BAD_TIMES = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)
NO_DELEGATION = (
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."
)


@cache
def _own_key() -> rsa.RSAPrivateKey:
    """Made once in a process: it takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _another_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True, slots=True)
class Token:
    address: str
    scopes: frozenset[str]  # without their common beginning
    ends: float  # seconds since 1970

    def allows(self, scopes: Collection[str]) -> bool:
        return not self.scopes.isdisjoint(scopes)


class SignIn:
    """`delegated`: the scopes for which an administrator lets the account act for the company's people (none: not at all)."""

    def __init__(self, now: Callable[[], datetime], people: Collection[str], delegated: Collection[str] = ()) -> None:
        self._now, self.people = now, set(people)
        self.delegated = {scope.removeprefix(SCOPE) for scope in delegated}
        self.key_id = f"{secrets.randbits(160):040x}"
        self.revoked = self.disabled = False
        self._tokens: dict[str, Token] = {}

    def key_file(self, token_uri: str, *, wrong: bool = False) -> str:
        """The JSON text of a service account's key file; `wrong`: signed by a key that is not the account's."""
        key = _another_key() if wrong else _own_key()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        told = {
            "type": "service_account",
            "project_id": "tidewell-knowledge",
            "private_key_id": self.key_id,
            "private_key": pem.decode(),
            "client_email": ACCOUNT,
            "client_id": CLIENT_ID,
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }
        return json.dumps(told, indent=2)

    def expire_tokens(self) -> None:
        self._tokens.clear()

    def bearer(self, request: Request) -> Token | None:
        """Whose token the request carries; None for one that is unknown or ended."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        token = self._tokens.get(text.strip()) if scheme.lower() == "bearer" else None
        return token if token and token.ends > self._now().timestamp() else None

    def token(self, request: Request) -> Response:
        """Raises Problem."""
        form = {name: texts[0] for name, texts in parse_qs(request.body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != GRANT:
            raise oauth_problem(400, "unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        claims = self._verified(form.get("assertion", ""), f"{request.origin}/token")
        asked = str(claims.get("scope") or "").split()
        if not asked:
            raise oauth_problem(400, "invalid_scope", "Empty or missing scope not allowed.")
        if wrong := [scope for scope in asked if scope.removeprefix(SCOPE) not in SCOPES or not scope.startswith(SCOPE)]:
            raise oauth_problem(400, "invalid_scope", f"Some requested scopes were invalid. {{invalid={json.dumps(wrong)}}}")
        scopes = frozenset(scope.removeprefix(SCOPE) for scope in asked)
        text = f"ya29.c.{secrets.token_urlsafe(48)}"
        self._tokens[text] = Token(self._acts_for(claims, scopes), scopes, self._now().timestamp() + LIFETIME)
        return Response(200, {"access_token": text, "expires_in": LIFETIME, "token_type": "Bearer"})

    def _acts_for(self, claims: JsonObject, scopes: frozenset[str]) -> str:
        subject = claims.get("sub")
        if subject in (None, "", ACCOUNT):
            return ACCOUNT
        if subject not in self.people:
            raise oauth_problem(400, "invalid_grant", "Invalid email or User ID")
        if not scopes <= self.delegated:
            raise oauth_problem(401, "unauthorized_client", NO_DELEGATION)
        return str(subject)

    def _verified(self, assertion: str, audience: str) -> JsonObject:
        parts = assertion.split(".")
        header, claims = (_decoded(part) for part in parts[:2]) if len(parts) == 3 else ({}, {})
        if not header or not claims:
            raise oauth_problem(400, "invalid_grant", "Invalid JWT: Failed to parse the assertion.")
        if claims.get("iss") != ACCOUNT:
            raise oauth_problem(400, "invalid_grant", "Invalid grant: account not found")
        if self.disabled:
            raise oauth_problem(401, "disabled_client", "The OAuth client was disabled.")
        if self.revoked or header.get("alg") != "RS256" or header.get("kid", self.key_id) != self.key_id or not _signed(*parts):
            raise oauth_problem(400, "invalid_grant", "Invalid JWT Signature.")
        if claims.get("aud") != audience:
            raise oauth_problem(400, "invalid_grant", f"Invalid JWT: Failed audience check. The right audience is {audience}")
        self._check_times(claims)
        return claims

    def _check_times(self, claims: JsonObject) -> None:
        now, begins, ends = self._now().timestamp(), claims.get("iat"), claims.get("exp")
        if not isinstance(begins, int | float) or not isinstance(ends, int | float):
            raise oauth_problem(400, "invalid_grant", BAD_TIMES)
        if begins > now + SKEW or ends < now - SKEW or not 0 < ends - begins <= LONGEST:
            raise oauth_problem(400, "invalid_grant", BAD_TIMES)


def _decoded(part: str) -> JsonObject:
    try:
        content: Any = json.loads(_bytes(part))
    except (ValueError, binascii.Error):
        return {}
    return content if isinstance(content, dict) else {}


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _signed(header: str, claims: str, signature: str) -> bool:
    try:
        _own_key().public_key().verify(_bytes(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True
