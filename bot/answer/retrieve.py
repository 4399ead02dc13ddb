"""What the knowledge holds about a question, for whoever may read it.

The index proposes (nearest by meaning, nearest by words), the ledger disposes: a hit whose version does
not hold any more is dropped here, whatever the index thinks. Then three scores, each stretched over the
candidates to 0..1, are added: cosine, BM25 over words, BM25 over letter sequences. Adding scores beats
adding ranks. A score therefore orders the finds of one question and says nothing across questions; the
raw cosine is kept for deciding whether anything here answers at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, zip_longest

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlmodel import Session

from connectors.base import Audience
from storage.embedding import Embedder
from storage.ledger import current_versions
from storage.lexical import ask, likeness
from storage.vectors import Filter, Hit, Vectors

DENSE, LEXICAL, LETTERS = 0.4, 0.3, 0.3  # weights of the three scores; measured by tests/bench/bench_retrieval.py
CANDIDATES = 50  # per vector; each round that finds too few documents asks for four times as many
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Index:
    """What a search needs; all three belong to one deployment."""

    engine: Engine
    vectors: Vectors
    embedder: Embedder


@dataclass(frozen=True, slots=True)
class Passage:
    """One stretch of a document that was found; `cosine` is raw, `score` is fused and lies in 0..1."""

    document: str
    title: str
    url: str
    audience: Audience
    language: str | None
    updated_at: datetime | None
    heading: tuple[str, ...]
    text: str
    score: float
    cosine: float
    version: str


@dataclass(frozen=True, slots=True)
class Found:
    """`public` may be shown to a customer; `internal` is for the agent only and holds no public passage."""

    public: tuple[Passage, ...]
    internal: tuple[Passage, ...]


def search(query: str, index: Index, *, audience: Audience | None = None, k: int = 8, as_of: datetime | None = None) -> tuple[Passage, ...]:
    """The `k` documents that fit best, each by its best passage, best first. `audience` None: all that an agent may see."""
    if not query.strip() or k < 1:
        return ()
    dense = index.embedder.embed([query])[0]
    where = Filter(audience=audience, as_of=as_of)
    for round_ in range(ROUNDS):
        limit = max(CANDIDATES, 2 * k) * 4**round_
        ranked, exhausted = _rank(query, dense, index, where, limit)
        best: dict[str, Passage] = {}
        for passage in ranked:
            best.setdefault(passage.document, passage)
        if len(best) >= k or exhausted:
            break
    return tuple(islice(best.values(), k))


def retrieve(questions: Sequence[str], index: Index, *, k: int = 8, as_of: datetime | None = None) -> Found:
    """Up to `k` passages of each kind for a ticket's questions: searched apart, then taken in turn, best first, none twice."""
    asked = [question for question in questions if question.strip()]
    rows = index.embedder.embed(asked) if asked else ()

    def find(audience: Audience) -> tuple[Passage, ...]:
        where = Filter(audience=audience, as_of=as_of)
        return _take_turns([_rank(question, row, index, where, CANDIDATES)[0] for question, row in zip(asked, rows, strict=True)], k)

    return Found(public=find("public"), internal=find("internal"))


def _rank(question: str, dense: NDArray[np.float32], index: Index, where: Filter, limit: int) -> tuple[list[Passage], bool]:
    """Passages that hold, best first; and whether the index has no more to propose."""
    hits = index.vectors.search(dense, ask(question), where, limit)
    with Session(index.engine) as s:
        current = current_versions(s, {hit.entry.version for hit in hits}, where.as_of)
    held = [hit for hit in hits if hit.entry.version in current]
    scores = _fuse(question, held)
    order = sorted(range(len(held)), key=lambda at: (-scores[at], held[at].entry.document, held[at].entry.ordinal))
    return [_passage(held[at], float(scores[at])) for at in order], len(hits) < limit


def _fuse(question: str, hits: Sequence[Hit]) -> NDArray[np.float32]:
    letters = likeness(question, [f"{hit.entry.title} {' '.join(hit.entry.heading)} {hit.entry.text}" for hit in hits])
    dense = np.array([hit.dense for hit in hits], np.float32)
    lexical = np.array([hit.lexical for hit in hits], np.float32)
    fused: NDArray[np.float32] = DENSE * _stretch(dense) + LEXICAL * _stretch(lexical) + LETTERS * _stretch(letters)
    return fused


def _stretch(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """From the lowest at 0 to the highest at 1; all alike count fully, or not at all when there is nothing in them."""
    if not len(scores):
        return scores
    low, high = float(scores.min()), float(scores.max())
    if high > low:
        stretched: NDArray[np.float32] = (scores - low) / (high - low)
        return stretched
    return np.full_like(scores, 1.0 if high > 0 else 0.0)


def _take_turns(ranked: Sequence[Sequence[Passage]], k: int) -> tuple[Passage, ...]:
    """Round-robin over the questions; the same words found again, or in another document, are one find."""
    seen: dict[str, Passage] = {}
    for passage in _alternate(ranked):
        seen.setdefault(" ".join(passage.text.split()), passage)
        if len(seen) == k:
            break
    return tuple(seen.values())


def _alternate(ranked: Sequence[Sequence[Passage]]) -> Iterable[Passage]:
    for row in zip_longest(*ranked):
        yield from (passage for passage in row if passage is not None)


def _passage(hit: Hit, score: float) -> Passage:
    entry = hit.entry
    return Passage(
        document=entry.document,
        title=entry.title,
        url=entry.url,
        audience=entry.audience,
        language=entry.language,
        updated_at=entry.updated_at,
        heading=entry.heading,
        text=entry.text,
        score=min(1.0, max(0.0, score)),
        cosine=hit.dense,
        version=entry.version,
    )
