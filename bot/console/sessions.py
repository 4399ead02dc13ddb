"""Sessions as signed cookies: who it is and since when; nothing of it can be changed outside without breaking the signature."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast, get_args

from bot.config.model import Role
from bot.console.roles import Person
from connectors.base import ConfigProblem

LIFETIME = timedelta(hours=12)
KEY_FILE = "console.key"  # in data_dir
LEAST_KEY = 32  # characters


@dataclass(frozen=True, slots=True)
class Session:
    """`proof` ties it to the password, or the proxy, that opened it: when that changes, the session ends."""

    id: str
    person: Person
    since: datetime
    proof: str


def begin(person: Person, proof: str, now: datetime) -> Session:
    return Session(secrets.token_urlsafe(18), person, now, proof)


def seal(session: Session, key: bytes) -> str:
    """The cookie's value."""
    told = {
        "id": session.id,
        "name": session.person.name,
        "role": session.person.role,
        "since": int(session.since.timestamp()),
        "proof": session.proof,
    }
    payload = base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()
    return f"{payload}.{digest(key, 'session', payload)}"


def unseal(cookie: str, key: bytes, now: datetime) -> Session | None:
    """None: not ours, changed, or too old."""
    payload, _, signature = cookie.partition(".")
    if not hmac.compare_digest(signature.encode(), digest(key, "session", payload).encode()):
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(payload))
        since = datetime.fromtimestamp(told["since"], UTC)
        session = Session(told["id"], Person(told["name"], cast("Role", told["role"])), since, told["proof"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
    fresh = timedelta() <= now - since + timedelta(seconds=1) <= LIFETIME
    return session if fresh and session.person.role in get_args(Role) else None


def digest(key: bytes, purpose: str, text: str) -> str:
    """A signature that is good for one purpose."""
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def read_key(folder: Path) -> bytes:
    """The installation's signing key, made at the first start, for its owner's eyes. Raises ConfigProblem."""
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as problem:
        raise ConfigProblem(f"{path}: the console's key cannot be kept ({problem.strerror}); correct data_dir or its permissions") from None
    if len(key) < LEAST_KEY:
        raise ConfigProblem(f"{path}: is no key of the console; remove the file, and another one is made")
    return key


def _make_key(path: Path) -> None:
    """Two processes that start together end with one key."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
