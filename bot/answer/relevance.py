"""Whether a passage answers a question: cosine of its best unit, the question's words it holds, and its lead over the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.answer.links import plain
from bot.answer.retrieve import Passage
from bot.answer.units import Unit, units
from bot.answer.words import ASKING, content_words, sentences, stem
from storage.lexical import likeness

FUSED = {"passage": 0.3, "words": 0.25, "letters": 0.25, "joint": 0.2}  # fitted on public question sets
TWINS = 0.93  # cosine from which two texts say the same

Embed = Callable[[Sequence[str]], NDArray[np.float32]]  # one L2-normalised row per text


@dataclass(frozen=True, slots=True)
class Question:
    """`text` as asked; `words` its content words by stem, as written; `language` of the ticket."""

    text: str
    words: dict[str, str]
    language: str


@dataclass(frozen=True, slots=True)
class Signals:
    """What `evidence` weighs. The leads are over the best other passage's; texts that say the same are no rivals."""

    passage: float  # cosine of the question and the passage with its title and headings
    headed: float  # cosine of the question and the title and headings alone
    joint: float  # the best unit's cosine and word share together, 0..2
    words: float  # weighted share of the question's words in passage, title and headings
    titled: float  # the same of title and headings alone
    letters: float  # shared letter sequences, BM25 over the passages found
    fused: float  # the above stretched to 0..1 over the passages found, and weighted
    missing: float  # weight of the heaviest question word that the passage does not hold
    pairs: float  # share of the question's neighbouring words that are neighbours in the passage too
    fused_lead: float = 0.0
    letters_lead: float = 0.0
    passage_lead: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its units, each unit's worth for the question, and the signals that decide."""

    passage: Passage
    units: tuple[Unit, ...]
    worth: tuple[float, ...]
    signals: Signals


def question_of(text: str, language: str) -> Question:
    asking = ASKING.get(language, frozenset())
    heavy = [word for word in content_words(text, language) if word.casefold() not in asking] or content_words(text, language)
    return Question(text, {stem(word, language): word for word in heavy}, language)


def core(text: str) -> str:
    """The sentence that asks, without what leads up to it."""
    asked = [sentence for sentence in sentences(text) if sentence.rstrip("\"')» ").endswith("?")]
    return " ".join(asked) if asked else text


def rank(question: Question, passages: Sequence[Passage], embed: Embed) -> tuple[Ranked, ...]:
    """Best first. The signals compare the passages with one another: hand over all that were found."""
    cut = [(passage, tuple(unit for unit in units(passage.text) if unit.kind != "heading")) for passage in passages]
    cut = [(passage, parts) for passage, parts in cut if parts]
    if not cut or not question.words:
        return ()
    texts = [_whole(passage) for passage, _ in cut]
    held = [_stems(text, question.language) for text in texts]
    weights = _weights(question, held)
    asked = embed([question.text])[0]
    rows = embed(texts)
    heads = embed([" ".join((passage.title, *passage.heading)) for passage, _ in cut])
    letters = likeness(question.text, texts)
    measured = []
    for at, (passage, parts) in enumerate(cut):
        worth = _worth(parts, embed, asked, weights, question.language)
        signals = _signals(question, texts[at], passage, weights, held[at])
        near = {"passage": float(rows[at] @ asked), "headed": float(heads[at] @ asked), "letters": float(letters[at]), "joint": max(worth)}
        measured.append(Ranked(passage, parts, worth, replace(signals, **near)))
    return tuple(sorted(_compared(measured, rows @ rows.T), key=lambda row: -row.signals.fused))


def shared(question: Question, text: str) -> float:
    """The share of the question's content words that the text holds."""
    held = _stems(text, question.language)
    return sum(word in held for word in question.words) / len(question.words) if question.words else 0.0


def _whole(passage: Passage) -> str:
    return "\n".join((passage.title, *passage.heading, plain(passage.text)))


def _stems(text: str, language: str) -> frozenset[str]:
    return frozenset(stem(word, language) for word in content_words(text, language))


def _weights(question: Question, held: Sequence[frozenset[str]]) -> dict[str, float]:
    """A word that everything found holds tells little; one that nothing holds tells most. The weights sum to 1."""
    rare = {word: math.log(1 + (len(held) + 1) / (1 + sum(word in stems for stems in held))) for word in question.words}
    total = sum(rare.values())
    return {word: weight / total for word, weight in rare.items()}


def _worth(parts: Sequence[Unit], embed: Embed, asked: NDArray[np.float32], weights: dict[str, float], language: str) -> tuple[float, ...]:
    texts = [f"{part.under} {plain(part.text)}".strip() for part in parts]
    cosines = embed(texts) @ asked
    held = (_stems(text, language) for text in texts)
    shares = [sum(weight for word, weight in weights.items() if word in stems) for stems in held]
    return tuple(float(cosine) + share for cosine, share in zip(cosines, shares, strict=True))


def _signals(question: Question, text: str, passage: Passage, weights: dict[str, float], held: frozenset[str]) -> Signals:
    heading = _stems(" ".join((passage.title, *passage.heading)), question.language)
    return Signals(
        passage=0.0,
        headed=0.0,
        joint=0.0,
        letters=0.0,
        fused=0.0,
        words=sum(weight for word, weight in weights.items() if word in held),
        titled=sum(weight for word, weight in weights.items() if word in heading),
        missing=max((weight for word, weight in weights.items() if word not in held), default=0.0),
        pairs=_pairs(question, text),
    )


def _pairs(question: Question, text: str) -> float:
    asked = [stem(word, question.language) for word in content_words(question.text, question.language)]
    said = [stem(word, question.language) for word in content_words(text, question.language)]
    wanted = set(pairwise(asked))
    return len(wanted & set(pairwise(said))) / len(wanted) if wanted else 0.0


def _compared(rows: Sequence[Ranked], alike: NDArray[np.float32]) -> list[Ranked]:
    """The rows with their fused score and their leads over the rivals."""
    fused = np.sum([share * _stretch([getattr(row.signals, name) for row in rows]) for name, share in FUSED.items()], axis=0)
    rows = [replace(row, signals=replace(row.signals, fused=float(score))) for row, score in zip(rows, fused, strict=True)]
    return [replace(row, signals=replace(row.signals, **_leads(at, rows, alike[at]))) for at, row in enumerate(rows)]


def _leads(at: int, rows: Sequence[Ranked], alike: NDArray[np.float32]) -> dict[str, float]:
    mine = rows[at].signals
    rivals = [row.signals for index, row in enumerate(rows) if index != at and alike[index] < TWINS]
    return {
        f"{name}_lead": getattr(mine, name) - max((getattr(rival, name) for rival in rivals), default=0.0)
        for name in ("fused", "letters", "passage")
    }


def _stretch(values: Sequence[float]) -> NDArray[np.float64]:
    low, high = min(values), max(values)
    return (np.array(values, np.float64) - low) / ((high - low) or 1.0)
