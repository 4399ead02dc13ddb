"""The bound keeps its promise whatever the world is like, and does not keep it by refusing everything."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot.simulate.bound import ERROR, Judged, find_bound, labels_needed
from bot.simulate.intervals import at_most, lower, mean, share, upper

Numbers = NDArray[np.float64]


def drawn(chance: np.random.Generator, n: int, wrong_at: Numbers) -> list[Judged]:
    """`n` drafts; `wrong_at[i]` is how often those are wrong whose confidence lies in the i-th of 100 stretches."""
    confidences = chance.beta(5, 2, n)
    rates = wrong_at[np.minimum((confidences * 100).astype(int), 99)]
    return [Judged(float(c), bool(w)) for c, w in zip(confidences, chance.random(n) < rates, strict=True)]


def truth(wrong_at: Numbers) -> tuple[Numbers, Numbers]:
    """(share wrong, share of drafts) at or above each threshold, from a very large draw."""
    large = np.random.default_rng(99).beta(5, 2, 400_000)
    at = np.minimum((large * 100).astype(int), 99)
    n, wrong = np.bincount(at, minlength=100), np.bincount(at, weights=wrong_at[at], minlength=100)
    above, wrong_above = n[::-1].cumsum()[::-1], wrong[::-1].cumsum()[::-1]
    return wrong_above / np.maximum(above, 1), above / len(large)


FLAT = np.full(100, 0.0501)  # just not acceptable, whatever the threshold
STEP = np.where(np.arange(100) < 60, 0.35, 0.01)  # bad below 0.6, good above
SLOPE = np.linspace(0.5, 0.0, 100) ** 2


@pytest.mark.parametrize(
    ("world", "labels", "trials"), [(FLAT, 400, 1000), (STEP, 600, 400), (SLOPE, 500, 300)], ids=["flat", "step", "slope"]
)
def test_a_bound_that_does_not_hold_is_claimed_in_at_most_one_case_in_twenty(world: Numbers, labels: int, trials: int) -> None:
    chance = np.random.default_rng(20261126)
    wrong, _ = truth(world)
    broken = 0
    for _ in range(trials):
        bound = find_bound(drawn(chance, labels, world), 0.05)
        broken += bound.threshold is not None and wrong[round(bound.threshold * 100)] > 0.05
    assert broken / trials <= ERROR


@pytest.mark.parametrize("world", [STEP, SLOPE, np.full(100, 0.01)], ids=["step", "slope", "good"])
def test_the_bound_lets_nearly_all_through_that_could_go(world: Numbers) -> None:
    chance = np.random.default_rng(7)
    wrong, coverage = truth(world)
    best = coverage[int(np.argmax(wrong <= 0.05))]
    reached = []
    for _ in range(40):
        bound = find_bound(drawn(chance, 1_500, world), 0.05)
        reached.append(0.0 if bound.threshold is None else coverage[round(bound.threshold * 100)])
    assert np.median(reached) >= best / 1.5


@given(st.integers(0, 400), st.integers(0, 400), st.fractions(Fraction(1, 1000), Fraction(999, 1000), max_denominator=1000))
@settings(max_examples=150, deadline=None)
def test_the_binomial_tail_is_exact(k: int, n: int, p: Fraction) -> None:
    exact = sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(min(k, n) + 1))
    assert at_most(k, n, float(p)) == pytest.approx(float(exact), rel=1e-8, abs=1e-12)


def test_published_clopper_pearson_limits_are_met() -> None:
    figure = share(4, 20)
    assert (figure.low, figure.high) == (pytest.approx(0.0573, abs=1e-4), pytest.approx(0.4366, abs=1e-4))
    assert upper(0, 10, 0.05) == pytest.approx(1 - 0.05**0.1)
    assert lower(0, 10, 0.05) == 0.0
    assert share(0, 0).value is None


@given(st.integers(0, 6), st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.3]))
def test_the_labels_asked_for_are_enough_and_one_less_is_not(wrong: int, max_wrong: float) -> None:
    n = labels_needed(wrong, max_wrong, 0.025)
    assert at_most(wrong, n, max_wrong) <= 0.025
    assert at_most(wrong, n - 1, max_wrong) > 0.025


def test_with_the_missing_labels_all_right_the_bound_holds() -> None:
    few = [Judged(0.7, False)] * 20 + [Judged(0.4, True)]
    bound = find_bound(few, 0.1)
    assert not bound.holds
    more = find_bound([*few, *[Judged(0.7, False)] * bound.missing], 0.1)
    assert more.holds
    assert more.upper <= 0.1


def test_nothing_labelled_shows_nothing() -> None:
    bound = find_bound([], 0.05)
    assert (bound.holds, bound.upper, bound.labelled) == (False, 1.0, 0)
    assert bound.missing > 0


def test_of_a_mean_the_interval_holds_the_mean() -> None:
    figure = mean([0.0, 1.0, 1.0, 0.5])
    assert figure.value is not None
    assert figure.low is not None
    assert figure.high is not None
    assert figure.low <= figure.value <= figure.high
