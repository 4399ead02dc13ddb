"""A script of what goes wrong on the way: per route, counted or by chance with a seed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from connectors.sandbox.wire import JsonObject, Request, Response

Kind = Literal[
    "status",  # answer `status` with `retry_after` and `body`; no effect
    "lost_request",  # close the connection before the effect
    "lost_response",  # take effect, then close without an answer
    "html",  # an HTML page where JSON belongs; no effect
    "truncated",  # take effect, send half of the answer
    "slow",  # wait `seconds`, then answer as usual
    "redirect",  # 302 to `host`; no effect
    "foreign_link",  # next links lead to `host`
    "empty_page",  # an empty page that is not the last
    "duplicate_page",  # the page comes again as the next one
]
TWISTS = ("empty_page", "duplicate_page", "foreign_link")  # shown by the vendor's own paging
BEFORE_EFFECT = ("status", "lost_request", "html", "redirect")
LINK_KEYS = ("next", "next_page", "after_url")
LOGIN_PAGE = "<!doctype html><html><head><title>Sign in</title></head><body><form action='/login'></form></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """`path` and `method` are globs; skips the first `skip` matches, then fires `times` times (None: for ever), each with `chance`.

    `retry_after`: the header's text ("3", "0.5", "soon"); "date:3" is an HTTP date three seconds ahead. `headers` are added as they are.
    """

    kind: Kind
    path: str = "*"
    method: str = "*"
    times: int | None = 1
    chance: float = 1.0
    seed: int = 0
    skip: int = 0
    status: int = 503
    retry_after: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    seconds: float = 1.0
    host: str = "elsewhere.tidewell.example"


@dataclass(slots=True)
class _Armed:
    fault: Fault
    dice: random.Random
    matches: int = 0
    fired: int = 0


class FaultScript:
    """Faults in the order they were added; the first one that fires wins. Safe from any thread."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now, self._lock = now, threading.Lock()
        self._armed: list[_Armed] = []
        self.fired: list[tuple[str, str, str]] = []  # kind, method, path

    def add(self, kind: Kind, path: str = "*", **details: Any) -> Fault:
        """Raises ValueError or TypeError for an unknown kind or detail."""
        if kind not in get_args(Kind):
            raise ValueError(f"unknown fault {kind}; known are {', '.join(get_args(Kind))}")
        fault = Fault(kind, path, **details)
        with self._lock:
            self._armed.append(_Armed(fault, random.Random(fault.seed)))  # noqa: S311 - repeatable, not secret
        return fault

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def draw(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request, if any."""
        with self._lock:
            for armed in self._armed:
                if self._strikes(armed, method, path):
                    armed.fired += 1
                    self.fired.append((armed.fault.kind, method, path))
                    return armed.fault
        return None

    def _strikes(self, armed: _Armed, method: str, path: str) -> bool:
        fault = armed.fault
        if not (fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path)):
            return False
        armed.matches += 1
        if armed.matches <= fault.skip or (fault.times is not None and armed.fired >= fault.times):
            return False
        return armed.dice.random() < fault.chance

    def instead(self, fault: Fault, request: Request) -> Response | None:
        """What is answered in place of the real thing; None for a closed connection. Only for kinds that come before the effect."""
        if fault.kind == "lost_request":
            return None
        if fault.kind == "redirect":
            return Response(302, None, {"location": f"http://{fault.host}{request.path}"})
        if fault.kind == "html":
            return Response(200 if fault.status == 503 else fault.status, LOGIN_PAGE, {"content-type": "text/html; charset=utf-8"})
        headers = dict(fault.headers)
        if fault.retry_after is not None:
            headers["retry-after"] = self._spelled(fault.retry_after)
        return Response(fault.status, fault.body if fault.body is not None else f"Simulated {fault.status}", headers)

    def _spelled(self, retry_after: str) -> str:
        kind, _, seconds = retry_after.partition(":")
        return format_datetime(self._now() + timedelta(seconds=float(seconds)), usegmt=True) if kind == "date" else retry_after


def afterwards(fault: Fault, response: Response) -> Response | None:
    """What is left of the real answer; None for a closed connection."""
    if fault.kind == "lost_response":
        return None
    if fault.kind == "truncated":
        return replace(response, cut=True)
    if fault.kind == "foreign_link" and isinstance(response.body, dict):
        return replace(response, body=_led_away(response.body, fault.host))
    return response


def _led_away(body: JsonObject, host: str) -> JsonObject:
    def away(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: away(k, v) for k, v in value.items()}
        if key in LINK_KEYS and isinstance(value, str) and value.startswith("http"):
            return f"http://{host}/{value.split('/', 3)[3]}"
        return value

    return {key: away(key, value) if key in ("links", *LINK_KEYS) else value for key, value in body.items()}
