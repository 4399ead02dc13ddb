"""How likely each document answers the question, by what it shares with it and by where it stands among all that was found.

A document is judged by the best that any of its passages found has: an article cut in three answers as one. Nearness counts by how far
it stands above that of the nearest five, for a passage that merely is of the same kind as many others stands no higher than they do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.answer.relevance import Question, Ranked, Signals
from bot.answer.words import ASKING, fold, sentences, stop_words, words

# Fitted by logistic regression on public question sets, with the answer present and with it taken away.
EVIDENCE_BIAS = -3.62
EVIDENCE = {
    "passage": 0.45,
    "fused": 1.21,
    "letters": 0.03,
    "missing": -0.32,
    "pairs": 1.42,
    "fused_lead": 0.91,
    "letters_lead": 0.03,
    "passage_lead": 2.28,
}
SOME = -1.5  # evidence below it is none

# Logistic regression on five sets of questions (three public ones and 356 to the sandbox's company in four languages), each once with its
# answer there and once with it taken away; judged by five-fold cross-validation (docs/decisions.md).
BIAS = -6.8
WEIGHTS = {
    "stands": 13.49,
    "close": 5.19,
    "joint": -2.36,
    "aligned": -2.08,
    "asked_before": 3.15,
    "ahead": 2.95,
    "fit": 0.69,
    "unnamed": -1.1,
    "passage_lead": -3.17,
    "nearness": 2.03,
    "evidence": 0.47,
}
LONGEST_ABBREVIATION = 4
FEWEST = 5  # passages found, among which to stand out says something
# A title that is a question, folded.
QUESTION = re.compile(r"\?|^(?:how|can|what|is|where|why|which|when|comment|wie|warum|como)\b")


@dataclass(frozen=True, slots=True)
class Standing:
    """One document among those found, by the best of its passages."""

    stands: float  # the score of the search above the cosine of the nearest five
    close: float
    joint: float
    aligned: float
    asked_before: float  # cosine with the headings, where the title is a question itself
    ahead: float  # how well a unit is aligned, times its lead in closeness over the other documents
    fit: float
    unnamed: float  # 1 where a name that the question speaks of is not said
    passage_lead: float
    nearness: float
    evidence: float  # above SOME


def evidence(signals: Signals) -> float:
    """What passage and question share, as log-odds."""
    return EVIDENCE_BIAS + sum(weight * float(getattr(signals, name)) for name, weight in EVIDENCE.items())


def likelihood(ranked: Sequence[Ranked], question: Question) -> dict[str, float]:
    """0..1, of each document of `ranked`; nothing where too little was found to compare, or the search told no scores."""
    if len(ranked) < FEWEST or not ranked[0].passage.nearness:
        return {}
    return {document: logistic(BIAS + weigh(standing)) for document, standing in standings(ranked, question).items()}


def weigh(standing: Standing) -> float:
    return sum(weight * float(getattr(standing, name)) for name, weight in WEIGHTS.items())


def standings(ranked: Sequence[Ranked], question: Question) -> dict[str, Standing]:
    rows: dict[str, list[Ranked]] = {}
    for row in ranked:
        rows.setdefault(row.passage.document, []).append(row)
    close = {document: max(row.signals.close for row in of) for document, of in rows.items()}
    named = names(question)
    return {document: _standing(of, close[document] - _others(close, document), named) for document, of in rows.items()}


def _others(close: dict[str, float], document: str) -> float:
    return max((value for other, value in close.items() if other != document), default=close[document] - 0.2)


def _standing(rows: Sequence[Ranked], lead: float, named: Sequence[str]) -> Standing:
    signals, passages = [row.signals for row in rows], [row.passage for row in rows]
    headed = max(one.headed for one in signals)
    return Standing(
        stands=max(passage.score for passage in passages) - passages[0].nearness,
        close=max(one.close for one in signals),
        joint=max(one.joint for one in signals),
        aligned=max(one.aligned for one in signals),
        asked_before=headed if is_question(passages[0].title) else 0.0,
        ahead=max(one.aligned for one in signals) * max(0.0, lead),
        fit=max(one.fit for one in signals),
        unnamed=float(bool(named) and min(_unsaid(named, row) for row in rows) > 0),
        passage_lead=max(one.passage_lead for one in signals),
        nearness=passages[0].nearness,
        evidence=max(0.0, max(evidence(one) for one in signals) - SOME),
    )


def is_question(title: str) -> bool:
    return bool(QUESTION.search(fold(title)))


def names(question: Question) -> tuple[str, ...]:
    """Words that a capital letter marks as names; in German, where every noun has one, nothing tells them."""
    if question.language == "de":
        return ()
    begins = {first[0].strip("\"'(¿¡") for first in (sentence.split() for sentence in sentences(question.text)) if first}
    common = stop_words(question.language) | ASKING.get(question.language, frozenset())
    return tuple(word for word in words(question.text) if _is_name(word) and word not in begins and word.casefold() not in common)


def _is_name(word: str) -> bool:
    """Not a word that is shouted, nor one letter."""
    return word[:1].isupper() and len(word) > 1 and not (word.isupper() and len(word) > LONGEST_ABBREVIATION)


def _unsaid(named: Sequence[str], row: Ranked) -> int:
    said = fold(" ".join((row.passage.title, *row.passage.heading, row.passage.text)))
    return sum(fold(name)[: max(4, len(name) - 1)] not in said for name in named)


def logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))
