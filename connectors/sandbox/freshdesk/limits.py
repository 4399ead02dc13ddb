"""One budget of credits a minute for the whole account, and narrower ones for some endpoints. What is refused or invalid counts too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from connectors.sandbox.wire import Problem, Response

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Credits a minute; the default is too generous to be met. `endpoints`: create, update, list_tickets, list_contacts."""

    total: int = 1_000_000
    endpoints: dict[str, int] = field(default_factory=dict)


TRIAL = Limits(50)
GROWTH = Limits(200, {"create": 80, "update": 80, "list_tickets": 20, "list_contacts": 20})
PRO = Limits(400, {"create": 160, "update": 160, "list_tickets": 100, "list_contacts": 100})
ENTERPRISE = Limits(700, {"create": 280, "update": 280, "list_tickets": 200, "list_contacts": 200})


class Budget:
    """Fixed windows that begin with their first call. `spent_elsewhere` lets other apps and people's webhooks use it up too."""

    def __init__(self, limits: Limits, now: Callable[[], datetime]) -> None:
        self.limits, self._now = limits, now
        self._windows: dict[str, tuple[float, int]] = {}
        self.spent = 0  # credits, ever

    def spend(self, credits: int, bucket: str | None) -> dict[str, str]:
        """The headers of the answer; numbers are decimals as text. Raises Problem 429."""
        self.spent += credits
        left, wait = self._take("total", self.limits.total, credits)
        headers = {"x-ratelimit-total": f"{self.limits.total:.1f}", "x-ratelimit-remaining": f"{max(left, 0):.1f}"}
        headers["x-ratelimit-used-currentrequest"] = str(credits)
        if left < 0:
            raise Problem(_too_many(headers, wait))
        if bucket is not None and (limit := self.limits.endpoints.get(bucket)) is not None:
            of_endpoint, wait = self._take(bucket, limit, 1)
            if of_endpoint < 0:
                raise Problem(_too_many(headers, wait))
        return headers

    def spent_elsewhere(self, credits: int) -> None:
        self._take("total", self.limits.total, credits)

    def _take(self, name: str, limit: int, credits: int) -> tuple[int, int]:
        now = self._now().timestamp()
        begun, used = self._windows.get(name, (now, 0))
        if now - begun >= MINUTE:
            begun, used = now, 0
        used = min(used + credits, limit + 1)
        self._windows[name] = (begun, used)
        return limit - used, max(1, int(begun + MINUTE - now + 0.999))


def _too_many(headers: dict[str, str], wait: int) -> Response:
    message = "You have exceeded the limit of requests per minute"
    return Response(429, {"message": message}, {**headers, "retry-after": str(wait)})
