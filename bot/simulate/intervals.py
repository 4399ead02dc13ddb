"""How sure a figure is: exact intervals for shares, bootstrap intervals for means. Standard library and numpy only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 500
MOST_RESAMPLED = 5_000  # values; of more than these the bootstrap adds nothing to the normal interval
BISECTIONS = 60
TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Figure:
    """`low` to `high` holds the true value with 95% confidence; all three are None where there is nothing to count."""

    value: float | None
    low: float | None
    high: float | None
    n: int


NOTHING = Figure(None, None, None, 0)


def at_most(k: int, n: int, p: float) -> float:
    """P(X <= k) for X binomial(n, p), exact: the regularised incomplete beta function I(1-p; n-k, k+1), DLMF 8.17.5."""
    if k < 0:
        return 0.0
    if k >= n or p <= 0.0:
        return 1.0
    if p >= 1.0:
        return 0.0
    return _beta(1.0 - p, n - k, k + 1)


def upper(k: int, n: int, error: float) -> float:
    """The largest share that `k` of `n` still allows at this one-sided error (Clopper and Pearson 1934); 1 when n is 0."""
    return 1.0 if k >= n else _root(lambda p: at_most(k, n, p) > error)


def lower(k: int, n: int, error: float) -> float:
    return 0.0 if k <= 0 else _root(lambda p: 1.0 - at_most(k - 1, n, p) < error)


def share(k: int, n: int) -> Figure:
    """A proportion with its two-sided Clopper-Pearson interval."""
    if n == 0:
        return NOTHING
    error = (1.0 - CONFIDENCE) / 2
    return Figure(k / n, lower(k, n, error), upper(k, n, error), n)


def mean(values: Sequence[float], seed: int = 7) -> Figure:
    """A mean with its bootstrap percentile interval (Efron 1979); of very many values, the normal interval that it tends to."""
    n = len(values)
    if n == 0:
        return NOTHING
    numbers = np.asarray(values, np.float64)
    centre = float(numbers.mean())
    if n > MOST_RESAMPLED:
        margin = 1.959964 * float(numbers.std(ddof=1)) / math.sqrt(n)
        return Figure(centre, centre - margin, centre + margin, n)
    chance = np.random.default_rng(seed)
    means = [float(numbers[chance.integers(0, n, n)].mean()) for _ in range(RESAMPLES)]
    edges = np.quantile(means, [(1.0 - CONFIDENCE) / 2, (1.0 + CONFIDENCE) / 2])
    return Figure(centre, float(edges[0]), float(edges[1]), n)


def _root(is_below: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2


def _beta(x: float, a: float, b: float) -> float:
    """I(x; a, b) by its continued fraction (DLMF 8.17.22), evaluated after Lentz; it converges fast on the smaller side."""
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _nonzero(1.0 + term * d)
            c = _nonzero(1.0 + term / c)
            step = c * d
            value *= step
        if abs(step - 1.0) < 1e-14:
            break
    return value


def _nonzero(number: float) -> float:
    return number if abs(number) > TINY else TINY
