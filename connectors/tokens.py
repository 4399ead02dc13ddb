"""Access tokens that run out: one for all threads, kept in memory only, with a single refresher."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from connectors.base import ConfigProblem

RENEW_BEFORE = timedelta(seconds=120)  # a token that ends sooner is renewed first; clocks differ, and a call takes its time
LONGEST = 86_400.0  # seconds that a server's word on a lifetime is believed


class Tokens:
    """`fetch` asks for a token and gives the server's answer (RFC 6749, 5.1); `source` is where, for the operator's eyes."""

    def __init__(self, source: str, fetch: Callable[[], Mapping[str, object]], now: Callable[[], datetime]) -> None:
        self._source = source
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._token: str | None = None
        self._ends: datetime | None = None
        self._sent = threading.local()  # the token that this thread last sent: the one that a 401 speaks of

    def headers(self) -> dict[str, str]:
        """Raises ConfigProblem, and whatever `fetch` does."""
        with self._lock:
            if self._token is None or (self._ends is not None and self._now() >= self._ends - RENEW_BEFORE):
                self._renew()
            self._sent.token = self._token
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """After a 401: whether there is a new token to try. A thread that lost the race takes the winner's."""
        with self._lock:
            if self._token == getattr(self._sent, "token", None):
                self._renew()
            return True

    def _renew(self) -> None:
        self._token = None
        answer = self._fetch()
        token, lasts = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise ConfigProblem(f"{self._source} answered without an access_token; see that this address is right")
        self._token = token
        sound = isinstance(lasts, int | float) and lasts > 0
        self._ends = self._now() + timedelta(seconds=min(float(lasts), LONGEST)) if sound else None  # type: ignore[arg-type]
