"""One bucket of tokens for the account that asks, and how each flavour tells of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.sandbox.wire import Problem, Response

INTERVAL = 60  # seconds in which Data Center adds `refill` tokens


@dataclass(frozen=True, slots=True)
class Limits:
    """`burst`: tokens of a full bucket; `refill`: tokens a minute. The default is never met. `burst` 0: no limit, no headers."""

    burst: int = 1_000_000
    refill: int = 1_000_000


class Bucket:
    def __init__(self, limits: Limits, now: Callable[[], datetime], *, cloud: bool) -> None:
        self.limits, self._now, self._cloud = limits, now, cloud
        self._left, self._at = float(limits.burst), now()

    def spend(self) -> dict[str, str]:
        """The headers of the answer. Raises Problem 429."""
        if not self.limits.burst:
            return {}
        now = self._now()
        grown = (now - self._at).total_seconds() * self.limits.refill / INTERVAL
        self._left, self._at = min(float(self.limits.burst), self._left + grown), now
        if self._left < 1:
            wait = max(1, math.ceil((1 - self._left) * INTERVAL / self.limits.refill))
            raise Problem(Response(429, {"statusCode": 429, "message": "Rate limit exceeded"}, self._headers(wait)))
        self._left -= 1
        return self._headers(0)

    def _headers(self, wait: int) -> dict[str, str]:
        burst, left = self.limits.burst, int(self._left)
        told = {"x-ratelimit-limit": str(burst), "x-ratelimit-remaining": str(left)}
        if not self._cloud:
            told |= {"x-ratelimit-interval-seconds": str(INTERVAL), "x-ratelimit-fillrate": str(self.limits.refill)}
            return {**told, "retry-after": str(wait)}
        full = self._now() + timedelta(seconds=(burst - self._left) * INTERVAL / self.limits.refill)
        told["x-ratelimit-reset"] = full.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        told["x-ratelimit-nearlimit"] = "true" if left < burst / 5 else "false"
        return {**told, "retry-after": str(wait), "ratelimit-reason": "confluence-burst-based"} if wait else told
