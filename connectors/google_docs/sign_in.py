"""A service account's key, and the access tokens had with it: an assertion signed with the key is exchanged for a token of one hour."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.base import ConfigProblem
from connectors.google_docs.parse import mapping, text
from connectors.google_docs.refusals import SCOPE, of_token
from connectors.google_docs.settings import Settings
from connectors.http import Denied, HttpError, HttpFactory

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600  # seconds: the longest that an assertion may live
RENEW_BEFORE = timedelta(seconds=120)  # a token that ends sooner is renewed first


@dataclass(frozen=True, slots=True)
class Key:
    """What a key file says. `audience` is its token_uri: what the assertion is meant for."""

    address: str
    audience: str
    key_id: str | None
    signer: RSAPrivateKey = field(repr=False)


def read_key(settings: Settings) -> Key:
    """Raises ConfigProblem, saying what is wrong with the file and nothing that stands in it."""
    secret = settings.auth.service_account
    where = f"{settings.name}: {secret.reference}"
    try:
        told = json.loads(secret.reveal())
    except (ValueError, RecursionError):
        raise ConfigProblem(
            f"{where} is not JSON; it must be the whole key file as the Google Cloud console gives it (Service accounts > Keys > Add key)"
        ) from None
    told = mapping(told)
    if told.get("type") not in (None, "service_account"):
        raise ConfigProblem(f"{where} is not a service account's key: its type is {text(told.get('type'))[:40]!r}; make a JSON key of one")
    missing = [name for name in ("client_email", "private_key") if not text(told.get(name)).strip()]
    if missing:
        raise ConfigProblem(f"{where} lacks {' and '.join(missing)}; download the key file anew, and keep it as it is")
    return Key(
        address=text(told["client_email"]).strip(),
        audience=text(told.get("token_uri")).strip() or settings.endpoints.token,
        key_id=text(told.get("private_key_id")) or None,
        signer=_signer(text(told["private_key"]), where),
    )


def _signer(pem: str, where: str) -> RSAPrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigProblem(f"{where}: private_key is damaged; download the key file anew, and keep its line breaks as they are") from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigProblem(f"{where}: private_key is not an RSA key; download a JSON key file")
    return key


def assertion(key: Key, subject: str | None, now: datetime) -> str:
    """The signed JWT (RS256), good for an hour from now."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    begins = int(now.timestamp())
    header: dict[str, Any] = {"alg": "RS256", "typ": "JWT", **({"kid": key.key_id} if key.key_id else {})}
    claims: dict[str, Any] = {"iss": key.address, "scope": SCOPE, "aud": key.audience, "iat": begins, "exp": begins + LIFETIME}
    if subject:
        claims["sub"] = subject
    signed = ".".join(_part(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{signed}.{_part(key.signer.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Tokens:
    """One access token for all threads, kept in memory only, with a single refresher."""

    def __init__(self, settings: Settings, http: HttpFactory, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._http = http(settings.endpoints.token)
        self._now = now
        self._lock = threading.Lock()
        self._token: str | None = None
        self._ends: datetime | None = None
        self._sent = threading.local()  # the token that this thread last sent: the one that a 401 speaks of

    def headers(self) -> dict[str, str]:
        with self._lock:
            if self._token is None or (self._ends is not None and self._now() >= self._ends - RENEW_BEFORE):
                self._fetch()
            self._sent.token = self._token
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """After a 401: whether there is a new token to try. A thread that lost the race takes the winner's."""
        with self._lock:
            if self._token == getattr(self._sent, "token", None):
                self._fetch()
            return True

    def _fetch(self) -> None:
        key, subject, where = read_key(self._settings), self._settings.auth.subject, self._settings.endpoints.token
        self._token = None
        form = {"grant_type": GRANT, "assertion": assertion(key, subject, self._now())}
        try:
            answer = mapping(self._http.post(urlsplit(where).path or "/", form, form=True).json())
        except (HttpError, Denied) as refusal:
            said = text(mapping(refusal.json).get("error_description"))[:160] or str(refusal)
            raise ConfigProblem(
                f"{self._settings.name}: Google gives {key.address} no access token ({said}): {of_token(refusal.json, subject)}"
            ) from None
        token, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise ConfigProblem(f"{where} answered without an access_token; see that endpoints.token is right")
        self._token = token
        self._ends = self._now() + timedelta(seconds=min(lasts, 86_400)) if isinstance(lasts, int | float) and lasts > 0 else None
