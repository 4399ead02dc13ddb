"""What a sync costs over its bare parts, and what it costs when nothing, or one per cent, has changed.

    python tests/bench/bench_resync.py [DOCUMENTS]

Made-up documents of some 150 words, no vendor. Prints one JSON line; times are CPU seconds of this process, wall in brackets.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.sync import Outcome, sync
from connectors.base import Cursor, Document, Page
from storage.database import open_database
from storage.embedding import Embedder, local_embedder
from storage.entries import Entry, entries_of, searchable
from storage.ledger import plan_version
from storage.lexical import weigh
from storage.vectors import Vectors, open_vectors

START = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = 100


class Direct:
    """A source that yields these documents."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents

    def check(self) -> None:
        return None

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        for start in range(0, len(self.documents), PAGE):
            yield Page(tuple(self.documents[start : start + PAGE]), {"v": 1, "at": start}, start + PAGE >= len(self.documents))


def invent(count: int) -> list[Document]:
    """Documents in a made-up vocabulary of 5,000 words, common ones common; the same each time."""
    chance = random.Random(7)
    vocabulary = ["".join(chance.choice("abcdefghilmnoprstuv") for _ in range(chance.randint(3, 9))) for _ in range(5000)]
    weights = [1 / (rank + 1) for rank in range(5000)]
    texts = [" ".join(chance.choices(vocabulary, weights, k=150)) for _ in range(count)]
    return [Document(f"folder:kb:{number}", f"Document {number}", text, "https://kb.example", START) for number, text in enumerate(texts)]


def timed(work: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return round(time.process_time() - cpu, 2), round(time.perf_counter() - wall, 2)


def bare(entries: Sequence[Entry], vectors: Vectors, embedder: Embedder) -> None:
    """Embedding and vector writes only: no splitting, no ledger."""
    for start in range(0, len(entries), PAGE):
        batch = entries[start : start + PAGE]
        texts = [searchable(entry) for entry in batch]
        vectors.upsert(batch, embedder.embed(texts), [weigh(text) for text in texts])
    vectors.flush()


def measure(count: int) -> dict[str, object]:
    documents = invent(count)
    with tempfile.TemporaryDirectory() as scratch:
        home, embedder = Path(scratch), local_embedder()
        floor = open_vectors(home / "bare", embedder.dimensions)
        for document in documents:
            weigh(document.markdown)  # stems are cached: both runs then find them there
        entries = [entry for document in documents for entry in entries_of(plan_version(None, document, START))]
        parts = timed(lambda: bare(entries, floor, embedder))
        floor.close()
        engine, vectors = open_database("sqlite", folder=home), open_vectors(home / "index", embedder.dimensions)
        outcomes: list[Outcome] = []

        def run(read: Sequence[Document], days: int) -> tuple[float, float]:
            moment = START + timedelta(days=days)
            return timed(lambda: outcomes.append(sync("kb", Direct(read), engine, vectors, embedder, now=lambda: moment, full=True)))

        first = run(documents, 1)
        nothing = run(documents, 2)
        changed = [replace(one, markdown=one.markdown + " changed") if number % 100 == 0 else one for number, one in enumerate(documents)]
        some = run([one for one in changed if one.markdown.endswith(" changed")], 3)
        vectors.close()
        engine.dispose()
    assert [(outcome.added, outcome.updated, outcome.error) for outcome in outcomes] == [
        (count, 0, None),
        (0, 0, None),
        (0, len(range(0, count, 100)), None),
    ]
    return {
        "bench": "resync",
        "documents": count,
        "bare_s": parts,
        "first_s": first,
        "overhead": round(first[0] / parts[0] - 1, 2),
        "documents_per_cpu_s": round(count / first[0]),
        "re-read_of_all_s": nothing,
        "changed_1%_s": some,
        "changed_share": round(some[0] / first[0], 3),
    }


def test_one_per_cent_changed_costs_at_most_three_per_cent_of_the_first_load() -> None:
    assert measure(2000)["changed_share"] <= 0.03  # type: ignore[operator]


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)))
