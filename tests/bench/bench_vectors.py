"""The embedded index at two sizes: writing, asking, memory, and how much of the exact nearest ten the merged index finds.

    python tests/bench/bench_vectors.py [5000 100000]
"""

from __future__ import annotations

import resource
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from storage.entries import Entry  # noqa: E402
from storage.lexical import Sparse  # noqa: E402
from storage.vectors import Filter, open_vectors  # noqa: E402

DIMENSIONS, GROUPS, TERMS, ASKED = 256, 500, 30_000, 100
DAY = datetime(2026, 5, 1, tzinfo=UTC)
STEP = 2000


def rows_of(count: int, rng: np.random.Generator, centres: np.ndarray) -> np.ndarray:
    """Passages in groups, as topics are; unit length."""
    rows = centres[rng.integers(0, GROUPS, count)] + rng.normal(size=(count, DIMENSIONS)) * 0.7
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def sparse_of(rng: np.random.Generator, terms: int) -> Sparse:
    """Words as frequent as in a text whose small words are left out: the commonest are in a tenth of the passages."""
    ids = np.unique(np.minimum(rng.pareto(0.8, terms) * 200, TERMS).astype(np.int64))
    return Sparse(tuple(int(one) for one in ids), (1.0,) * len(ids))


def entry_of(number: int) -> Entry:
    audience = "public" if number % 4 else "internal"
    text = f"Passage {number}. " + "Some words of an answer. " * 16
    return Entry(f"v{number}", 0, 1, f"kb:{number}", "kb", audience, "en", DAY, None, DAY, "A title", "https://kb.example/a", (), text)


def measure(count: int) -> None:
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(GROUPS, DIMENSIONS))
    stored = rows_of(count, rng, centres)
    public = np.array([number % 4 != 0 for number in range(count)])
    with tempfile.TemporaryDirectory() as home:
        vectors = open_vectors(Path(home), DIMENSIONS)
        spent = 0.0
        for start in range(0, count, STEP):
            entries = [entry_of(number) for number in range(start, min(start + STEP, count))]
            sparse = [sparse_of(rng, 40) for _ in entries]
            begun = perf_counter()
            vectors.upsert(entries, stored[start : start + STEP], sparse)
            spent += perf_counter() - begun
        begun = perf_counter()
        vectors.flush()
        vectors.optimize()
        merged = perf_counter() - begun
        times, hits = [], 0
        for question in rows_of(ASKED, rng, centres):
            words = sparse_of(rng, 8)
            begun = perf_counter()
            vectors.search(question, words, Filter(audience="public"), 10)
            times.append((perf_counter() - begun) * 1000)
            near = {hit.entry.version for hit in vectors.search(question, Sparse((), ()), Filter(audience="public"), 10)}
            exact = np.argsort(-np.where(public, stored @ question, -2.0))[:10]
            hits += len(near & {f"v{number}" for number in exact})
        vectors.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    middle, late = np.percentile(times, [50, 95])
    print(
        f"{count} passages: {count / spent:.0f} upserts/s, merged in {merged:.1f} s, hybrid query with filter p50 {middle:.2f} ms"
        f" p95 {late:.2f} ms, recall at 10 {hits / (10 * ASKED):.4f}, peak memory {memory:.0f} MB",
        flush=True,
    )


if __name__ == "__main__":
    for size in [int(one) for one in sys.argv[1:]] or [5_000, 100_000]:
        measure(size)
