"""One score out of several: nearness of meaning, words in common, letters in common, and the company a passage keeps.

Scores are added, not ranks. The cosine is added as it is: stretched over the candidates it would say as
much when nothing is near as when one passage alone is. Word and letter scores know no scale of their own
and are taken in parts of the best candidate's. Passages of one title belong together (a page, a thread,
a document in parts), so the best of them lends its score to the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from storage.embedding import LOCAL
from storage.lexical import echo
from storage.vectors import Hit

Scores = NDArray[np.float64]

PASSAGE = 240  # characters; texts that are this long on the average are passages
SHORT_COUNTS = 0.5  # of what the words of passages count; measured on 4,000 tickets of 60 characters: .862 against .854


@dataclass(frozen=True, slots=True)
class Weights:
    """What each score counts; `page`: what the best passage of the same title counts, against the passage's own 1."""

    dense: float
    lexical: float
    letters: float
    page: float


# Fitted on five public question sets and one of short tickets, cross-validated by thread and page (docs/decisions.md): the
# local table of words, and all-MiniLM-L6-v2 for what a model of sentences deserves (.723 alone on four sets, .773 so).
STATIC = Weights(dense=1.0, lexical=0.28, letters=0.2, page=1.25)
STRONG = Weights(dense=1.0, lexical=0.1, letters=0.1, page=1.25)


def weights_for(embedder: str) -> Weights:
    """A model that reads sentences deserves more trust than the local table of words."""
    return STATIC if embedder == LOCAL else STRONG


def fuse(question: str, hits: Sequence[Hit], weights: Weights) -> Scores:
    """A score for each hit, 0..1; it orders the finds of one question."""
    if not hits:
        return np.zeros(0)
    dense = np.array([hit.dense for hit in hits])
    lexical = _parts(np.array([hit.lexical for hit in hits]))
    letters = _parts(echo(question, [hit.letters for hit in hits]).astype(np.float64))
    said = _said(hits)
    total = weights.dense + said * (weights.lexical + weights.letters)
    own: Scores = (weights.dense * dense + said * (weights.lexical * lexical + weights.letters * letters)) / total
    fused: Scores = (own + weights.page * _best_of_page(own, hits)) / (1 + weights.page)
    return np.clip(fused, 0.0, 1.0)


def _said(hits: Sequence[Hit]) -> float:
    """How far words and letters count: among texts of a line or two, such as tickets, one shared word says less."""
    return min(1.0, max(SHORT_COUNTS, fmean(len(hit.letters) for hit in hits) / PASSAGE))


def _parts(scores: Scores) -> Scores:
    """In parts of the highest."""
    high = float(scores.max())
    return scores / high if high > 0 else np.zeros(len(scores))


def _best_of_page(own: Scores, hits: Sequence[Hit]) -> Scores:
    pages = [hit.entry.title or hit.entry.document for hit in hits]
    best: dict[str, float] = {}
    for page, score in zip(pages, own.tolist(), strict=True):
        best[page] = max(score, best.get(page, score))
    return np.array([best[page] for page in pages])
