"""Vectors of passages kept by content and model: of an edited document only what changed is embedded again.

Passages only, never questions: what customers write stays out. A row says nothing of the text but its digest and its vector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Engine, delete, func, select, update
from sqlmodel import Session

from storage.database import insert, reading
from storage.embedding import Embedder, Rows
from storage.tables import EmbeddingRow, table

KEEP = 30  # days after the last use
MOST = 200_000  # rows; of 1,536 numbers each they take 1.2 GB
AT_ONCE = 500  # keys per statement: SQLite takes 999 parameters where it is old

embeddings = table(EmbeddingRow)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class RecallingEmbedder:
    """An embedder that asks the database first. Each new vector is stored before the next batch is asked for."""

    def __init__(self, embedder: Embedder, engine: Engine, *, now: Callable[[], datetime] = _utc_now, most: int = MOST) -> None:
        self._embedder = embedder
        self._engine = engine
        self._now = now
        self._most = most

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def embed(self, texts: Sequence[str]) -> Rows:
        keys = [content_key(self.name, text) for text in texts]
        found = self._read(sorted(set(keys)))
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if new:
            made = dict(zip(new, self._embedder.embed(list(new.values())), strict=True))
            self._keep(made)
            found |= made
        return np.stack([found[key] for key in keys]) if keys else np.zeros((0, self.dimensions), np.float32)

    def _read(self, keys: Sequence[str]) -> dict[str, Rows]:
        today, found, stale = self._today(), {}, []
        for start in range(0, len(keys), AT_ONCE):
            query = select(embeddings).where(embeddings.c.key.in_(keys[start : start + AT_ONCE]))
            with Session(reading(self._engine)) as s:
                for row in s.execute(query):
                    vector = np.frombuffer(row.vector, "<f4").astype(np.float32)
                    if vector.shape == (self.dimensions,):
                        found[row.key] = vector
                        if row.used_on < today:
                            stale.append(row.key)
        for start in range(0, len(stale), AT_ONCE):
            with Session(self._engine) as s, s.begin():
                s.execute(update(embeddings).where(embeddings.c.key.in_(stale[start : start + AT_ONCE])).values(used_on=today))
        return found

    def _keep(self, made: dict[str, Rows]) -> None:
        today = self._today()
        rows = [{"key": key, "used_on": today, "vector": row.astype("<f4").tobytes()} for key, row in sorted(made.items())]
        with Session(self._engine) as s, s.begin():
            for row in rows:
                adding = insert(s, EmbeddingRow).values(row)
                s.execute(adding.on_conflict_do_update(index_elements=["key"], set_={"used_on": today, "vector": adding.excluded.vector}))

    def prune(self) -> int:
        """Forget what was not used for long, and the longest unused above the bound; how many."""
        with Session(self._engine) as s, s.begin():
            kept = s.execute(select(func.count()).select_from(embeddings)).scalar_one()
            s.execute(delete(embeddings).where(embeddings.c.used_on < self._today() - KEEP))
            left = s.execute(select(func.count()).select_from(embeddings)).scalar_one()
            if left > self._most:
                oldest = select(embeddings.c.key).order_by(embeddings.c.used_on, embeddings.c.key).limit(left - self._most)
                s.execute(delete(embeddings).where(embeddings.c.key.in_(oldest)))
            return int(kept - min(left, self._most))

    def _today(self) -> int:
        return int(self._now().timestamp() // 86400)


def content_key(embedder: str, text: str) -> str:
    return hashlib.sha256(f"{embedder}\0{text}".encode("utf-8", "replace")).hexdigest()
