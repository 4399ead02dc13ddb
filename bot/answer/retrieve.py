"""What the knowledge holds about a question, for whoever may read it.

The index proposes (nearest by meaning, nearest by words), the ledger disposes: a hit whose version does
not hold any more is dropped here, whatever the index thinks. Then three scores, each stretched over the
candidates to 0..1, are added: cosine, BM25 over words, BM25 over letter sequences. Adding scores beats
adding ranks. A score therefore orders the finds of one question and says nothing across questions; the
raw cosine is kept for deciding whether anything here answers at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from statistics import fmean
from typing import Literal

import numpy as np
from sqlalchemy import Engine

from bot.answer.copies import is_copy
from bot.answer.fusion import Weights, fuse, weights_for
from connectors.base import Audience
from storage.database import reading
from storage.embedding import Embedder
from storage.ledger import current_versions
from storage.lexical import ask, opening
from storage.vectors import Dense, Filter, Hit, Vectors

CANDIDATES = 30  # per vector; 40 find no better (mean nDCG@10 .692 of either). A round that finds too few documents asks for 4 times more
ROUNDS = 3
TINY = 1e-9  # a length to divide by where a text has no word that the embedder knows
NEAREST = 5  # passages; whether the mean of their cosines, or the first alone, tells known from unknown was measured: .951 against .942
Shown = Literal["public", "segment", "internal"]
FOR_CUSTOMERS: tuple[Shown, ...] = ("public", "segment")  # what may stand in a text for the requester
PAGE_FOR_ANSWERS = 0.5  # on the sandbox's questions 7 are answered right with it, 5 without, 6 with as much as `search` has


@dataclass(frozen=True, slots=True)
class Index:
    """What a search needs; all three belong to one deployment."""

    engine: Engine
    vectors: Vectors
    embedder: Embedder


@dataclass(frozen=True, slots=True)
class Source:
    """Another document that says the same."""

    document: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One stretch of a document that was found; `cosine` is raw, `score` is fused and lies in 0..1.

    `nearness` is the same for all finds of a search: the mean cosine of the nearest passages. It compares across
    questions and is low when nothing here is about them. `audience` is "segment" where not everybody may read it, but this
    search was made for somebody in one of its `segments`.
    """

    document: str
    title: str
    url: str
    audience: Shown
    language: str | None
    updated_at: datetime | None
    heading: tuple[str, ...]
    text: str
    score: float
    cosine: float
    version: str
    nearness: float = 0.0
    also: tuple[Source, ...] = ()
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its vector: of a long one, which says first what it wants, half the whole's and half the beginning's.

    `agreement` of the two, 0..1: the less they mean the same, the less their common meaning counts against the words.
    """

    text: str
    dense: Dense
    agreement: float = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """`public` may be shown to a customer; `internal` is for the agent only and holds no public passage."""

    public: tuple[Passage, ...]
    internal: tuple[Passage, ...]


def search(query: str, index: Index, *, audience: Audience | None = None, k: int = 8, as_of: datetime | None = None) -> tuple[Passage, ...]:
    """The `k` documents that fit best, each by its best passage, best first. `audience` None: all that an agent may see."""
    if not query.strip() or k < 1:
        return ()
    asked = _asked([query], index.embedder)[0]
    where = Filter(audience=audience, as_of=as_of)
    for round_ in range(ROUNDS):
        limit = max(CANDIDATES, 2 * k) * 4**round_
        ranked, exhausted = _rank(asked, index, where, limit, weights_for(index.embedder.name))
        found = _fold(_best_of_documents(ranked), k, _elsewhere)
        if len(found) >= k or exhausted:
            break
    return found


def retrieve(
    questions: Sequence[str], index: Index, *, k: int = 8, as_of: datetime | None = None, segments: frozenset[str] = frozenset()
) -> Found:
    """Up to `k` passages of each kind for a ticket's questions: searched apart, then taken in turn, best first, none twice.

    The best passage lifts its page less here than in `search`, or the places would go to the page's other parts.
    """
    asked = _asked([question for question in questions if question.strip()], index.embedder)
    weights = replace(weights_for(index.embedder.name), page=PAGE_FOR_ANSWERS)

    def find(where: Filter) -> tuple[Passage, ...]:
        return _fold(_alternate([_rank(question, index, where, CANDIDATES, weights)[0] for question in asked]), k, _anywhere)

    internal = find(Filter(audience="internal", as_of=as_of))
    return Found(
        public=find(Filter(audience="public", as_of=as_of, segments=segments)),
        internal=tuple(passage for passage in internal if segments.isdisjoint(passage.segments)),
    )


def _asked(questions: Sequence[str], embedder: Embedder) -> list[Asked]:
    openings = [opening(question) for question in questions]
    rows = embedder.embed([*questions, *(begun for begun in openings if begun)]) if questions else ()
    begun_rows = iter(rows[len(questions) :])
    return [
        _with_opening(text, row, next(begun_rows)) if begun else Asked(text, row)
        for text, row, begun in zip(questions, rows, openings, strict=False)
    ]


def _with_opening(text: str, whole: Dense, begun: Dense) -> Asked:
    between: Dense = (_unit(whole) + _unit(begun)) * np.float32(0.5)
    return Asked(text, between, float(np.linalg.norm(between)))


def _unit(vector: Dense) -> Dense:
    unit: Dense = vector / max(float(np.linalg.norm(vector)), TINY)
    return unit


def _rank(asked: Asked, index: Index, where: Filter, limit: int, weights: Weights) -> tuple[Iterable[Passage], bool]:
    """Passages that hold, best first; and whether the index has no more to propose."""
    hits = index.vectors.search(asked.dense, ask(asked.text), where, limit)
    with reading(index.engine).connect() as connection:
        current = current_versions(connection, {hit.entry.version for hit in hits}, where.as_of)
    held = [hit for hit in hits if hit.entry.version in current]
    scores = fuse(asked.text, held, replace(weights, dense=weights.dense * asked.agreement)).tolist()
    nearest = sorted((hit.dense for hit in held), reverse=True)[:NEAREST]
    nearness = fmean(nearest) if nearest else 0.0
    order = sorted(range(len(held)), key=lambda at: (-scores[at], held[at].entry.document, held[at].entry.ordinal))
    return (_passage(held[at], scores[at], nearness, where.segments) for at in order), len(hits) < limit


def _best_of_documents(ranked: Iterable[Passage]) -> Iterable[Passage]:
    seen: set[str] = set()
    for passage in ranked:
        if passage.document not in seen:
            seen.add(passage.document)
            yield passage


def _fold(ranked: Iterable[Passage], k: int, same: Callable[[Passage, Passage], bool]) -> tuple[Passage, ...]:
    """The first `k`, without those that are the same as one before, which then counts them among its sources."""
    kept: list[Passage] = []
    for passage in ranked:
        at = next((at for at, one in enumerate(kept) if same(one, passage)), None)
        if at is not None:
            kept[at] = _with_source(kept[at], passage)
        elif len(kept) == k:
            break
        else:
            kept.append(passage)
    return tuple(kept)


def _with_source(passage: Passage, other: Passage) -> Passage:
    if other.document in {passage.document, *(source.document for source in passage.also)}:
        return passage
    return replace(passage, also=(*passage.also, Source(other.document, other.title, other.url)))


def _elsewhere(one: Passage, other: Passage) -> bool:
    """A copy in another system; within one system every document is a find of its own."""
    return _system(one) != _system(other) and is_copy(one.text, other.text)


def _anywhere(one: Passage, other: Passage) -> bool:
    return one.text.split() == other.text.split() or _elsewhere(one, other)


def _system(passage: Passage) -> list[str]:
    return passage.document.split(":")[:2]


def _alternate(ranked: Sequence[Iterable[Passage]]) -> Iterable[Passage]:
    for row in zip_longest(*ranked):
        yield from (passage for passage in row if passage is not None)


def _passage(hit: Hit, score: float, nearness: float, segments: frozenset[str]) -> Passage:
    entry = hit.entry
    return Passage(
        document=entry.document,
        title=entry.title,
        url=entry.url,
        audience=entry.audience if segments.isdisjoint(entry.segments) else "segment",
        language=entry.language,
        updated_at=entry.updated_at,
        heading=entry.heading,
        text=entry.text,
        score=score,
        cosine=hit.dense,
        version=entry.version,
        nearness=nearness,
        segments=entry.segments,
    )
