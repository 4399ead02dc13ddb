"""What a vendor's headers say about its limits, and the protocol through which processes share them.

Pure: headers and the time in, numbers out; nothing raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

LONGEST_WAIT = 86_400.0  # seconds: a longer delay is a broken header, not a limit anybody runs
_NUMBER = re.compile(r"\d{1,15}(\.\d{0,9})?", re.ASCII)
_EPOCH_FROM = 1e9  # a "reset" above this is a moment (Unix time), not a number of seconds
# One family per spelling: x-rate-limit, x-ratelimit-total, ratelimit-limit, rate-limit; each with -remaining and -reset.
# Confluence Data Center counts tokens that come back: x-ratelimit-fillrate of them every x-ratelimit-interval-seconds.
_ACCOUNT = re.compile(
    r"(?P<family>x-rate-limit|x-ratelimit|ratelimit|rate-limit)(?:-(?P<part>limit|total|remaining|reset|interval-seconds|fillrate))?"
)
# RateLimit-Policy: "name";q=65000;w=3600 and RateLimit: "name";r=64000;t=1800 (Confluence Cloud's points, at first as Beta-RateLimit)
_STRUCTURED = re.compile(r"(?:beta-)?ratelimit(?:-policy)?")
_MEMBER = re.compile(r'\s*"?([^";,\s]{1,80})"?((?:\s*;\s*[a-z]{1,4}\s*=\s*[^;,\s]{1,30}){1,8})', re.IGNORECASE)
_SETTING = re.compile(r";\s*([a-z]{1,4})\s*=\s*([^;,\s]+)", re.IGNORECASE)
_LETTER = {"q": "limit", "r": "remaining", "t": "resets", "w": "window"}
# zendesk-ratelimit-tickets-index: total=100; remaining=99; resets=30 (zendesk-rate-limit-… until 2023)
_ENDPOINT = re.compile(r"zendesk-rate-?limit-(?P<name>.+)")
_PAIR = re.compile(r"\b(total|limit|remaining|resets?)\s*=\s*([^;,\s]+)", re.IGNORECASE)
_CONFLUENCE = {"interval-seconds": "interval", "fillrate": "fill"}
_PART = {**_CONFLUENCE, "": "limit", "total": "limit", "limit": "limit", "remaining": "remaining", "reset": "resets", "resets": "resets"}


@dataclass(frozen=True, slots=True)
class Budget:
    """Calls allowed per window, calls left in it, and seconds until it begins anew (None: not said)."""

    limit: float
    remaining: float
    resets_in: float | None
    endpoint: str | None = None  # None: the whole account's
    window: float | None = None  # seconds; None: not said
    points: bool = False  # the unit is the vendor's own: a call may cost any number of them


class Allowance(Protocol):
    """One account's calls, shared by every process that makes some. Nothing here raises, and nothing waits for long."""

    def take(self, *, urgent: bool) -> float: ...  # 0.0: go, the call is counted; else seconds after which to ask again
    def spend(self, calls: float) -> None: ...  # what a call cost beyond one
    def hold(self, seconds: float) -> None: ...  # the vendor asks everybody to wait
    def learn(self, *, ours: float, reserve: float, remaining: float, window: float, resets_in: float | None) -> None: ...

    # ours: calls per window that may be ours; reserve: calls left in the window below which only urgent ones go


def budgets(headers: Mapping[str, str], now: datetime) -> tuple[Budget, ...]:
    """Every budget the headers tell of, the account's and the endpoint's; incomplete or unreadable ones are left out."""
    found: dict[str, dict[str, str]] = {}
    for key, value in headers.items():
        name = key.lower()
        if match := _ENDPOINT.fullmatch(name):
            found[match["name"]] = {_PART[part.lower()]: number for part, number in _PAIR.findall(value)}
        elif _STRUCTURED.fullmatch(name) and (members := _MEMBER.findall(value)):
            for member, settings in members:
                known = found.setdefault(f"*points {member}", {})
                known |= {_LETTER[k]: number for k, number in _SETTING.findall(settings.lower()) if k in _LETTER}
        elif (match := _ACCOUNT.fullmatch(name)) and (match["part"] or _number(value) is not None):
            account = found.setdefault(f"*{match['family']}", {})
            account.setdefault(_PART[match["part"] or ""], value)
            if match["part"] == "total":  # Freshdesk, whose plans count 50 to 700 a minute, and whose old accounts 3,000 and more an hour
                account["hourly_from"] = "1000"
    read = (_budget(name, parts, now) for name, parts in sorted(found.items()))
    return tuple(budget for budget in read if budget is not None)


def tightest(found: Iterable[Budget]) -> Budget | None:
    """Of the account's budgets the one with the least left; the one that tells its reset where two say the same."""
    account = [budget for budget in found if budget.endpoint is None]
    return min(account, key=lambda b: (b.remaining / b.limit, b.resets_in is None), default=None)


def cost(headers: Mapping[str, str]) -> float:
    """What this call cost, in calls: Freshdesk counts several for one with `include`; 1 where nothing is said."""
    said = next((value for key, value in headers.items() if key.lower() == "x-ratelimit-used-currentrequest"), "")
    return min(max(1.0, _number(said) or 1.0), 100.0)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait as the vendor asked, from Retry-After or an exhausted budget; None where nothing sensible is said."""
    text = next((value.strip() for key, value in headers.items() if key.lower() == "retry-after"), "")
    asked = _number(text)
    if asked is None and text:
        asked = _until(_http_date(text), now)
    if asked is None:
        asked = max((b.resets_in for b in budgets(headers, now) if b.remaining < 1 and b.resets_in), default=None)
    return asked if asked is not None and 0 < asked <= LONGEST_WAIT else None


def _budget(name: str, parts: Mapping[str, str], now: datetime) -> Budget | None:
    limit, remaining = _number(parts.get("limit", "")), _number(parts.get("remaining", ""))
    if limit is None or remaining is None or limit <= 0:
        return None
    return Budget(
        limit,
        remaining,
        _reset(parts.get("resets", ""), now),
        None if name.startswith("*") else name,
        _window(parts, limit),
        name.startswith("*points"),
    )


def _window(parts: Mapping[str, str], limit: float) -> float | None:
    interval, fill = _number(parts.get("interval", "")), _number(parts.get("fill", ""))
    seconds = limit / fill * interval if interval and fill else _number(parts.get("window", ""))
    if limit >= float(parts.get("hourly_from", "inf")):
        seconds = 3600.0
    return seconds if seconds is not None and 0 < seconds <= LONGEST_WAIT else None


def _reset(text: str, now: datetime) -> float | None:
    seconds = _number(text)
    if seconds is not None and seconds > _EPOCH_FROM:
        seconds -= now.timestamp()
    if seconds is None:
        seconds = _until(_iso(text), now)
    return seconds if seconds is not None and 0 <= seconds <= LONGEST_WAIT else None


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text.strip()) else None


def _until(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else (moment - now).total_seconds()


def _http_date(text: str) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text.strip()))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
