"""When a client's next call is in order: a vendor's limits, the team's half of them, and what other processes took."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from connectors.base import RateLimited
from connectors.origin import Origin
from connectors.quota import Allowance, Budget, budgets, cost, tightest

LONGEST_PACE = 5.0  # seconds before one read, whatever the headers claim
LONGEST_TURN = 90.0  # seconds that a read waits for the shared allowance: a little more than the usual window
WINDOW = 60.0  # seconds: the vendors' usual window, where a header names none
HOLD = 4.0  # seconds: after "too many calls" without a time; doubling


class Pace:
    """One client's view. What its own answers say slows it at once; the allowance, where given, holds all processes together."""

    def __init__(
        self,
        origin: Origin,
        share: float,
        allowance: Allowance | None,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._origin = origin
        self._share = share
        self._allowance = allowance
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._budgets: dict[str, tuple[Budget, float]] = {}

    def admit(self, path: str, *, urgent: bool) -> float:
        """Waits until one more call is in order; the seconds slept. Raises RateLimited when that would take too long."""
        if urgent:
            if self._allowance is not None:
                self._allowance.take(urgent=True)
            return 0.0
        slept = self._slow(path)
        while self._allowance is not None and (wait := self._allowance.take(urgent=False)) > 0:
            if slept + wait > LONGEST_TURN:
                raise RateLimited(f"{self._origin}: our share of this account's calls is used up for now", wait)
            self._sleep(wait)
            slept += wait
        return slept

    def hold(self, seconds: float) -> None:
        """The vendor has had too many calls: everybody's background calls wait."""
        if self._allowance is not None:
            self._allowance.hold(seconds)

    def remember(self, path: str, headers: Mapping[str, str]) -> None:
        """Keeps the account's and this endpoint's budget until its window ends: old news slows nobody."""
        if len(self._budgets) > 200:
            self._budgets.clear()
        found = budgets(headers, self._now())
        account = tightest(found)
        for budget in (*(one for one in found if one.endpoint), *([account] if account else [])):
            ends = self._clock() + ((budget.window or WINDOW) if budget.resets_in is None else budget.resets_in)
            self._budgets[_endpoint(path) if budget.endpoint else "*"] = (budget, ends)
        if self._allowance is not None:
            self._allowance.spend(cost(headers) - 1)
            if account is not None:
                self._teach(self._allowance, account)

    def _teach(self, allowance: Allowance, budget: Budget) -> None:
        """Half of the team's calls stay untouched even when it uses many; all of them where our own cannot be counted."""
        teams = (1 - self._share) * budget.limit
        allowance.learn(
            ours=self._share * budget.limit,
            reserve=teams if budget.points else teams / 2,
            remaining=budget.remaining,
            window=budget.window or WINDOW,
            resets_in=budget.resets_in,
        )

    def _slow(self, path: str) -> float:
        """Sleeps a little when what is left of a budget belongs to the team; returns the seconds slept."""
        pause = 0.0
        for key in ("*", _endpoint(path)):
            budget, ends = self._budgets.get(key, (None, 0.0))
            left = ends - self._clock()
            if budget is None or left <= 0 or budget.remaining > (1 - self._share) * budget.limit:
                continue
            pause = max(pause, left if budget.remaining < 1 else (budget.window or WINDOW) / max(1.0, self._share * budget.limit))
        pause = min(pause, LONGEST_PACE)
        if pause:
            self._sleep(pause)
        return pause


def _endpoint(path: str) -> str:
    """The path with its ids taken out: what a vendor counts as one endpoint."""
    return re.sub(r"\d+", "#", urlsplit(path).path)
