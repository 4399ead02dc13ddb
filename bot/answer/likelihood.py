"""How likely the passage that stands first answers the question, by where it stands among all that was found.

`extractive.evidence` weighs what question and passage share. This looks at what it does not: the score of the search, which adds
nearness, words and letters as measured over the whole index, against how near the nearest five are on the average. A passage that
merely is of the same kind as many others stands no higher than they do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from bot.answer.relevance import Question, Ranked

# Logistic regression on four sets of questions (three public ones and 90 to the sandbox's company), each once with its answer there
# and once with it taken away; judged by five-fold cross-validation (docs/decisions.md).
BIAS = -9.75
HEADED, WORDS, FUSED, SCORE, LEAD, COSINE, NEARNESS, LENGTH = 2.59, 1.14, 1.22, 19.1, 0.71, -4.88, -10.0, 0.92
ALONE = 0.3  # the lead of a passage that has no rival


FEWEST = 5  # passages found, among which to stand out says something


def likelihood(ranked: Sequence[Ranked], question: Question) -> float:
    """0..1, of the first of `ranked`; 0 where too little was found to compare it with."""
    best = ranked[0]
    signals, passage = best.signals, best.passage
    if len(ranked) < FEWEST or not passage.nearness:
        return 0.0
    rivals = [row.passage.score for row in ranked if row.passage.document != passage.document]
    lead = passage.score - max(rivals) if rivals else ALONE
    said = HEADED * signals.headed + WORDS * signals.words + FUSED * signals.fused
    stands = SCORE * passage.score + LEAD * lead + COSINE * passage.cosine + NEARNESS * passage.nearness
    return 1 / (1 + math.exp(-(BIAS + said + stands + LENGTH * math.log1p(len(question.words)))))
