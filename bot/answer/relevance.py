"""Whether a passage answers a question: how near its best sentence comes, the question's words it holds, its lead over the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bot.answer.concepts import LANGUAGES, meanings
from bot.answer.links import plain
from bot.answer.retrieve import Passage
from bot.answer.units import Unit, units
from bot.answer.wanted import fit
from bot.answer.words import ASKING, content_words, sentences, stem
from storage.lexical import likeness

FUSED = {"passage": 0.3, "words": 0.25, "letters": 0.25, "joint": 0.2}  # fitted on public question sets
TWINS = 0.93  # cosine from which two texts say the same
SAME_MEANING = 0.8  # how near two words are that the lists of meanings hold for the same
HEADED = 0.8  # what a word of the heading counts for a unit under it
APART, ALIKE = 0.3, 0.8  # the nearness of two words below which they have nothing in common, above which they say the same

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
    aligned: float  # weighted nearness of each of the question's words to the nearest of the best unit's and its headings', 0..1
    close: float  # the best unit's `aligned` and its cosine under its title together, 0..2
    fit: float  # -1..1: whether the best unit holds the kind of piece that is asked for
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


@dataclass(frozen=True, slots=True)
class Page:
    """A passage taken apart; `near` are its units' words `heading_near` its headings', by their place in the pages' vocabulary."""

    passage: Passage
    units: tuple[Unit, ...]
    text: str
    held: frozenset[str]
    heading: frozenset[str]
    neighbours: frozenset[tuple[str, str]]  # content words that follow each other, by stem
    unit_stems: tuple[frozenset[str], ...]
    near: tuple[tuple[int, ...], ...]
    heading_near: tuple[int, ...]
    unit_rows: NDArray[np.float32]  # of the units under their heading
    titled_rows: NDArray[np.float32]  # of the units under title and heading


@dataclass(frozen=True, slots=True)
class Pages:
    """What was found, read once for all ways to understand the question. `rows`: one a page; `vectors`: one a word of theirs."""

    pages: tuple[Page, ...]
    rows: NDArray[np.float32]
    heads: NDArray[np.float32]
    alike: NDArray[np.float32]
    roots: tuple[str, ...]  # of the words, as a stemmer of the question's language cuts them
    known: tuple[frozenset[int], ...]  # the words' meanings
    vectors: NDArray[np.float32]


def question_of(text: str, language: str) -> Question:
    asking = ASKING.get(language, frozenset())
    heavy = [word for word in content_words(text, language) if word.casefold() not in asking] or content_words(text, language)
    return Question(text, {stem(word, language): word for word in heavy}, language)


def core(text: str) -> str:
    """The sentence that asks, without what leads up to it."""
    asked = [sentence for sentence in sentences(text) if sentence.rstrip("\"')» ").endswith("?")]
    return " ".join(asked) if asked else text


def read(passages: Sequence[Passage], language: str, embed: Embed) -> Pages:
    """The passages taken apart; those without a sentence are left out. `language` is the question's."""
    places: dict[tuple[str, str], int] = {}
    pages = [page for page in (_page(passage, language, embed, places) for passage in passages) if page.units]
    rows = embed([page.text for page in pages])
    heads = embed([_head(page.passage) for page in pages])
    roots = tuple(stem(word, language) for word, _ in places)
    known = tuple(meanings(word, spoken) for word, spoken in places)
    return Pages(tuple(pages), rows, heads, rows @ rows.T, roots, known, embed([word for word, _ in places]))


def _page(passage: Passage, language: str, embed: Embed, places: dict[tuple[str, str], int]) -> Page:
    parts = tuple(unit for unit in units(passage.text) if unit.kind != "heading")
    texts = [f"{part.under} {plain(part.text)}".strip() for part in parts]
    text, head = _whole(passage), _head(passage)
    spoken = passage.language if passage.language in LANGUAGES else language

    def near(said: str) -> tuple[int, ...]:
        known = dict.fromkeys(word.casefold() for word in content_words(said, spoken))
        return tuple(places.setdefault((word, spoken), len(places)) for word in known)

    return Page(
        passage,
        parts,
        text,
        held=_stems(text, language),
        heading=_stems(head, language),
        neighbours=_neighbours(text, language),
        unit_stems=tuple(_stems(said, language) for said in texts),
        near=tuple(near(said) for said in texts),
        heading_near=near(head),
        unit_rows=embed(texts),
        titled_rows=embed([f"{passage.title} {said}" for said in texts]),
    )


def rank(question: Question, found: Pages, embed: Embed) -> tuple[Ranked, ...]:
    """Best first. The signals compare the passages with one another: hand over all that were found."""
    pages = found.pages
    if not pages or not question.words:
        return ()
    weights = _weights(question, [page.held for page in pages])
    asked = embed([question.text])[0]
    letters = likeness(question.text, [page.text for page in pages])
    cosines, heads = found.rows @ asked, found.heads @ asked
    near = _nearness(question, found, embed)
    aligned = _aligned(found, near)
    measured = []
    for at, page in enumerate(pages):
        worth = _worth(page, asked, weights)
        closeness = aligned[at] + page.titled_rows @ asked
        signals = Signals(
            passage=float(cosines[at]),
            headed=float(heads[at]),
            joint=max(worth),
            letters=float(letters[at]),
            fused=0.0,
            words=sum(weight for word, weight in weights.items() if word in page.held),
            titled=sum(weight for word, weight in weights.items() if word in page.heading),
            missing=max((weight for word, weight in weights.items() if word not in page.held), default=0.0),
            pairs=_pairs(question, page),
            aligned=float(aligned[at].max()),
            close=float(closeness.max()),
            fit=fit(question.text, page.units, worth),
        )
        measured.append(Ranked(page.passage, page.units, worth, signals))
    return tuple(sorted(_compared(measured, found.alike), key=lambda row: -row.signals.fused))


def shared(question: Question, text: str) -> float:
    """The share of the question's content words that the text holds."""
    held = _stems(text, question.language)
    return sum(word in held for word in question.words) / len(question.words) if question.words else 0.0


def _head(passage: Passage) -> str:
    return " ".join((passage.title, *passage.heading))


def _whole(passage: Passage) -> str:
    return "\n".join((passage.title, *passage.heading, plain(passage.text)))


def _stems(text: str, language: str) -> frozenset[str]:
    return frozenset(stem(word, language) for word in content_words(text, language))


def _weights(question: Question, held: Sequence[frozenset[str]]) -> dict[str, float]:
    """A word that everything found holds tells little; one that nothing holds tells most. The weights sum to 1."""
    rare = {word: math.log(1 + (len(held) + 1) / (1 + sum(word in stems for stems in held))) for word in question.words}
    total = sum(rare.values())
    return {word: weight / total for word, weight in rare.items()}


def _worth(page: Page, asked: NDArray[np.float32], weights: dict[str, float]) -> tuple[float, ...]:
    cosines = page.unit_rows @ asked
    shares = [sum(weight for word, weight in weights.items() if word in stems) for stems in page.unit_stems]
    return tuple(float(cosine) + share for cosine, share in zip(cosines, shares, strict=True))


def _aligned(found: Pages, near: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """For each page the `aligned` of its units. A word that comes near to few units weighs most."""
    nothing = np.zeros(len(near), np.float32)

    def best(places: tuple[int, ...]) -> NDArray[np.float32]:
        nearest: NDArray[np.float32] = near[:, list(places)].max(axis=1) if places else nothing
        return nearest

    own = [np.stack([best(places) for places in page.near]) for page in found.pages]
    every = np.concatenate(own)
    rare = np.log1p(len(every) / (1 + np.clip((every - APART) / (ALIKE - APART), 0, 1).sum(axis=0)))
    rare /= rare.sum()
    return [np.maximum(said, HEADED * best(page.heading_near)) @ rare for said, page in zip(own, found.pages, strict=True)]


def _nearness(question: Question, found: Pages, embed: Embed) -> NDArray[np.float32]:
    """Of each of the question's words (rows) to each of the pages' (columns), 0..1, across languages too."""
    asked = [word.casefold() for word in question.words.values()]
    near: NDArray[np.float32] = np.maximum(embed(asked) @ found.vectors.T, 0.0)
    for at, (root, word) in enumerate(zip(question.words, asked, strict=True)):
        same = meanings(word, question.language)
        for place, (other, meant) in enumerate(zip(found.roots, found.known, strict=True)):
            if other == root:
                near[at, place] = 1.0
            elif not same.isdisjoint(meant):
                near[at, place] = max(near[at, place], SAME_MEANING)
    return near


def _pairs(question: Question, page: Page) -> float:
    wanted = _neighbours(question.text, question.language)
    return len(wanted & page.neighbours) / len(wanted) if wanted else 0.0


def _neighbours(text: str, language: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(stem(word, language) for word in content_words(text, language)))


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
