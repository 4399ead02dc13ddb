"""The bound: above which confidence at most `max_wrong` of a topic's replies are wrong, with 95% confidence.

Learn then test (Angelopoulos, Bates, Candès, Jordan, Lei 2021, arXiv:2110.01052). For each threshold of a grid the hypothesis
is "of the drafts at or above it, more than `max_wrong` are wrong"; its exact p-value is P(X <= wrong) for X binomial(labelled,
max_wrong). The grid is walked from strict to loose and left at the first threshold that is not rejected (fixed-sequence
testing, section 4 there), so the many thresholds cost nothing. Where walks begin is settled by how many labelled drafts lie
above a threshold, never by what the labels say; several walks share the 5% between them (Bonferroni). What a draft marked
`unsure` is: wrong.

The promise assumes that the labelled drafts were drawn without looking at them, and that a higher threshold is not the worse one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.simulate.intervals import at_most, upper

ERROR = 0.05  # how often a bound may be claimed that does not hold
STEPS = 100  # of the grid, from 0.99 down to 0.00
WALKS = (0.5, 0.5)  # shares of ERROR: all drafts at once; from the strictest threshold with enough drafts
SPARE = 4  # wrong ones that the strict walk's first step can bear


@dataclass(frozen=True, slots=True)
class Judged:
    """One labelled draft of a topic."""

    confidence: float
    wrong: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """`threshold` None: no threshold holds. `upper`: of the drafts at or above it (else of all), at most this share is wrong.

    `missing`: how many more labels it takes if none of them is wrong; 0 when the bound holds.
    """

    max_wrong: float
    threshold: float | None
    upper: float
    labelled: int
    wrong: int
    missing: int

    @property
    def holds(self) -> bool:
        return self.threshold is not None


def find_bound(judged: Sequence[Judged], max_wrong: float) -> Bound:
    """The loosest threshold that holds."""
    total, wrong = len(judged), sum(one.wrong for one in judged)
    above = _above(judged)
    held = [found for found in (_walk(above, max_wrong, *walk) for walk in _walks(above, max_wrong)) if found is not None]
    if not held:
        return Bound(max_wrong, None, upper(wrong, total, ERROR), total, wrong, labels_missing(total, wrong, max_wrong))
    threshold, error = min(held)
    n, k = above[round(threshold * STEPS)]
    return Bound(max_wrong, threshold, upper(k, n, error), total, wrong, 0)


def labels_missing(n: int, wrong: int, max_wrong: float) -> int:
    """How many more right ones make the loosest walk hold."""
    return max(1, labels_needed(wrong, max_wrong, ERROR * WALKS[0]) - n)


@lru_cache(maxsize=256)
def labels_needed(wrong: int, max_wrong: float, error: float) -> int:
    """The least number of drafts among which `wrong` wrong ones still show the bound."""
    low, high = wrong, max(2, wrong + 1)
    while at_most(wrong, high, max_wrong) > error:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at_most(wrong, middle, max_wrong) <= error else (middle, high)
    return high


def _above(judged: Sequence[Judged]) -> list[tuple[int, int]]:
    """(labelled, wrong) at or above each threshold of the grid, loosest first."""
    counts, wrongs = [0] * STEPS, [0] * STEPS
    for one in judged:
        at = grid_step(one.confidence)
        counts[at] += 1
        wrongs[at] += one.wrong
    found, n, k = [], 0, 0
    for at in reversed(range(STEPS)):
        n, k = n + counts[at], k + wrongs[at]
        found.append((n, k))
    return found[::-1]


def grid_step(confidence: float) -> int:
    """The highest threshold that this confidence reaches, as its number on the grid."""
    return min(STEPS - 1, max(0, math.floor(confidence * STEPS + 1e-9)))


def _walks(above: Sequence[tuple[int, int]], max_wrong: float) -> list[tuple[int, float]]:
    """(first step, error) of each walk."""
    all_at_once, strict = (ERROR * weight for weight in WALKS)
    enough = labels_needed(SPARE, max_wrong, strict)
    starts = [at for at in range(STEPS) if above[at][0] >= enough]
    return [(0, all_at_once), *([(max(starts), strict)] if starts else [])]


def _walk(above: Sequence[tuple[int, int]], max_wrong: float, start: int, error: float) -> tuple[float, float] | None:
    reached = None
    for at in range(start, -1, -1):
        n, k = above[at]
        if at_most(k, n, max_wrong) > error:
            break
        reached = (at / STEPS, error)
    return reached
