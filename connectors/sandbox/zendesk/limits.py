"""Rate limits as the helpdesk counts them: one per product and minute, and narrower ones per endpoint, at the same time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from connectors.sandbox.wire import Problem, Response

MINUTE = 60
PER_TICKET_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls per window; the default is too generous to be met. `endpoints`: bucket -> calls a minute (per-ticket-updates: per ten)."""

    support: int = 1_000_000
    help_center: int = 1_000_000
    endpoints: dict[str, int] = field(default_factory=dict)


REAL_TRIAL = Limits(
    200,
    200,
    {
        "tickets-index": 100,
        "incremental-exports": 10,
        "incremental-exports-cursor": 20,
        "tickets-update": 20,
        "per-ticket-updates": 30,
        "deleted-tickets": 10,
    },
)


class Buckets:
    """Counts calls in fixed windows; `spend` says what is left in headers, or refuses."""

    def __init__(self, limits: Limits, now: Callable[[], datetime]) -> None:
        self.limits = limits
        self._now = now
        self._windows: dict[tuple[str, int], tuple[float, int]] = {}

    def spend(self, *, help_center: bool, bucket: str | None, ticket_id: int = 0) -> dict[str, str]:
        """The headers for the answer. Raises Problem 429 (plain text, Retry-After in seconds), with no effect."""
        total = self.limits.help_center if help_center else self.limits.support
        left, resets = self._take("help_center" if help_center else "support", 0, total, MINUTE)
        headers = {"x-rate-limit": str(total), "x-rate-limit-remaining": str(max(left, 0))}
        if not help_center:
            headers |= {"ratelimit-limit": str(total), "ratelimit-remaining": str(max(left, 0)), "ratelimit-reset": str(resets)}
        if left < 0:
            raise Problem(too_many(headers, resets))
        names = [(bucket, 0, MINUTE)] if bucket else []
        if bucket == "tickets-update":
            names.append(("per-ticket-updates", ticket_id, PER_TICKET_SECONDS))
        for name, of, seconds in names:
            if (limit := self.limits.endpoints.get(name)) is not None:
                left, resets = self._take(name, of, limit, seconds)
                headers[f"zendesk-ratelimit-{name}"] = f"total={limit}; remaining={max(left, 0)}; resets={resets}"
                if left < 0:
                    raise Problem(too_many(headers, resets))
        return headers

    def _take(self, name: str, of: int, limit: int, seconds: int) -> tuple[int, int]:
        """Calls left after this one (-1: refused) and whole seconds until the window ends."""
        now = self._now().timestamp()
        begun, used = self._windows.get((name, of), (now, 0))
        if now - begun >= seconds:
            begun, used = now, 0
        used = min(used + 1, limit + 1)
        self._windows[name, of] = (begun, used)
        return limit - used, max(1, int(begun + seconds - now))


def too_many(headers: dict[str, str], seconds: int) -> Response:
    return Response(429, "Number of allowed API requests per minute exceeded", {**headers, "retry-after": str(seconds)})
