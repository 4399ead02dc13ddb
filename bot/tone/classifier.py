"""Whether two kinds of text can be told apart: logistic regression on n-grams of letters and words, judged on texts it has not seen."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 10
MOST_FEATURES = 8_000
RIDGE = 1.0
STEPS = 25  # of Newton's method; it has settled long before
RESAMPLES = 500
SEED = 11

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Told:
    """`auc`: 0.5 where nobody can tell, 1.0 where everybody can; `low` to `high` holds it with 95% confidence over the pairs drawn.

    `scores` holds each pair's two scores, the first kind's and the second's: higher is more like the first.
    """

    auc: float
    low: float
    high: float
    n: int
    scores: tuple[tuple[float, float], ...]

    @property
    def distance(self) -> float:
        """How far from being indistinguishable; below 0.5 it is chance."""
        return max(self.auc - 0.5, 0.0)


def tell(pairs: Sequence[tuple[str, str]]) -> Told:
    """Of pairs that say the same in two ways. A pair is judged by a model that saw neither of its texts. At least 4 pairs."""
    if len(pairs) < 4:
        raise ValueError("fewer than 4 pairs tell nothing")
    likeness = _likeness([side for pair in pairs for side in pair])
    labels: Numbers = np.array([1.0, 0.0] * len(pairs))
    folds = np.random.default_rng(SEED).permutation(len(pairs)) % min(FOLDS, len(pairs))
    scores: Numbers = np.zeros(len(labels), np.float64)
    for fold in range(int(folds.max()) + 1):
        unseen = np.repeat(folds == fold, 2)
        scores[unseen] = likeness[np.ix_(unseen, ~unseen)] @ _fitted(likeness[np.ix_(~unseen, ~unseen)], labels[~unseen])
    both = scores.reshape(-1, 2)
    low, high = np.quantile(_resampled(both), (0.025, 0.975))
    return Told(auc(both[:, 0], both[:, 1]), float(low), float(high), len(pairs), tuple((float(a), float(b)) for a, b in both))


def nearer(one: Told, other: Told) -> float:
    """How sure it is that `one` is harder to tell than `other`, over draws of the pairs they share: 0 to 1. Equals count half."""
    if one.n != other.n:
        raise ValueError("only what was measured on the same pairs compares")
    first, second = (np.maximum(_resampled(np.array(told.scores)) - 0.5, 0.0) for told in (one, other))
    return float(np.mean((first < second) + 0.5 * (first == second)))


def auc(positive: Numbers, negative: Numbers) -> float:
    """How often one of the first kind scores above one of the second; ties count half."""
    gaps = positive[:, None] - negative[None, :]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean())


def _resampled(both: Numbers) -> Numbers:
    chance = np.random.default_rng(SEED)
    drawn = [both[chance.integers(0, len(both), len(both))] for _ in range(RESAMPLES)]
    return np.array([auc(rows[:, 0], rows[:, 1]) for rows in drawn])


def _grams(text: str) -> Counter[str]:
    """Two to four letters across a text with its case and signs, and whole words: habits of spelling as well as of phrasing."""
    flat = re.sub(r"\s*\n\s*", "¶", text.strip())
    found = Counter(f"w:{word}" for word in re.findall(r"\w+|[^\w\s]", flat.casefold()))
    for size in (2, 3, 4):
        found.update(flat[at : at + size] for at in range(len(flat) - size + 1))
    return found


def _likeness(texts: Sequence[str]) -> Numbers:
    """The cosine of each two texts, plus one for the constant. Which n-grams count is chosen by how many texts hold them, not by whose."""
    counted = [_grams(text) for text in texts]
    spread = Counter(gram for grams in counted for gram in grams)
    chosen = {gram: at for at, (gram, seen) in enumerate(spread.most_common(MOST_FEATURES)) if seen > 1}
    rows: Numbers = np.zeros((len(texts), len(chosen)), np.float64)
    for at, grams in enumerate(counted):
        held = [(chosen[gram], 1.0 + math.log(count)) for gram, count in grams.items() if gram in chosen]
        if held:
            places, weights = zip(*held, strict=True)
            rows[at, list(places)] = np.asarray(weights) / np.linalg.norm(weights)
    return rows @ rows.T + 1.0


def _fitted(likeness: Numbers, labels: Numbers) -> Numbers:
    """Ridge logistic regression by Newton's method in the dual: as many unknowns as texts, however many n-grams."""
    dual: Numbers = np.zeros(len(labels), np.float64)
    for _ in range(STEPS):
        said = likeness @ dual
        chance = 1.0 / (1.0 + np.exp(-np.clip(said, -30, 30)))
        weight = np.maximum(chance * (1.0 - chance), 1e-6)
        fresh = np.asarray(np.linalg.solve(likeness + np.diag(RIDGE / weight), said + (labels - chance) / weight), np.float64)
        if float(np.abs(fresh - dual).max()) < 1e-6:
            break
        dual = fresh
    return dual
