"""A service account's key, and the access tokens had with it: an assertion signed with the key is exchanged for a token of one hour."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.base import ConfigProblem
from connectors.google_docs.parse import mapping, text
from connectors.google_docs.refusals import SCOPE, of_token
from connectors.google_docs.settings import Settings
from connectors.http import Denied, HttpClient, HttpError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600  # seconds: the longest that an assertion may live


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


def access_token(settings: Settings, http: HttpClient, now: Callable[[], datetime]) -> Mapping[str, object]:
    """An assertion's worth (RFC 7523). Raises ConfigProblem."""
    key, subject = read_key(settings), settings.auth.subject
    form = {"grant_type": GRANT, "assertion": assertion(key, subject, now())}
    try:
        return mapping(http.post(urlsplit(settings.endpoints.token).path or "/", form, form=True).json())
    except (HttpError, Denied) as refusal:
        said = text(mapping(refusal.json).get("error_description"))[:160] or str(refusal)
        raise ConfigProblem(
            f"{settings.name}: Google gives {key.address} no access token ({said}): {of_token(refusal.json, subject)}"
        ) from None
