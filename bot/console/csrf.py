"""That a form was sent from our own page, by the person whom the session names."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.console.sessions import digest

FIELD = "csrf"


def token(session_id: str, key: bytes) -> str:
    """What every form of this session carries."""
    return digest(key, "csrf", session_id)


def is_own(given: str, session_id: str, key: bytes) -> bool:
    return hmac.compare_digest(given.encode(), token(session_id, key).encode())


def from_elsewhere(headers: Mapping[str, str], origin: str | None) -> bool:
    """Whether the browser says that another site sent this; browsers that say nothing are left to the token."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    sent = headers.get("origin")
    return sent is not None and sent != origin and urlsplit(sent).netloc != headers.get("host")
