"""The embedded index at two sizes: writing, asking, memory, and how much of the exact nearest ten the merged index finds.

    python tests/bench/bench_vectors.py [5000 100000]

Prints one JSON line per size. `open_mb` is of a process that only opens the index and asks.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from storage.entries import Entry  # noqa: E402
from storage.lexical import Sparse  # noqa: E402
from storage.vectors import Filter, Vectors, open_vectors  # noqa: E402

DIMENSIONS, GROUPS, TERMS, ASKED = 256, 500, 30_000, 100
DAY = datetime(2026, 5, 1, tzinfo=UTC)
STEP = 2000
SEED = 7
PUBLIC = Filter(audience="public")


def centres() -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=(GROUPS, DIMENSIONS))


def rows_of(count: int, rng: np.random.Generator) -> np.ndarray:
    """Passages in groups, as topics are; unit length."""
    rows = centres()[rng.integers(0, GROUPS, count)] + rng.normal(size=(count, DIMENSIONS)) * 0.7
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def sparse_of(rng: np.random.Generator, terms: int) -> Sparse:
    """Words as frequent as in a text whose small words are left out: the commonest are in a tenth of the passages."""
    ids = np.unique(np.minimum(rng.pareto(0.8, terms) * 200, TERMS).astype(np.int64))
    return Sparse(tuple(int(one) for one in ids), (1.0,) * len(ids))


def entry_of(number: int) -> Entry:
    audience = "public" if number % 4 else "internal"
    text = f"Passage {number}. " + "Some words of an answer. " * 16
    return Entry(f"v{number}", 0, 1, f"kb:{number}", "kb", audience, "en", DAY, None, DAY, "A title", "https://kb.example/a", (), text)


def write(vectors: Vectors, count: int) -> dict[str, float]:
    rng, spent = np.random.default_rng(SEED), 0.0
    for start in range(0, count, STEP):
        entries = [entry_of(number) for number in range(start, min(start + STEP, count))]
        rows, sparse = rows_of(len(entries), rng), [sparse_of(rng, 40) for _ in entries]
        begun = perf_counter()
        vectors.upsert(entries, rows, sparse)
        spent += perf_counter() - begun
    begun = perf_counter()
    vectors.flush()
    vectors.optimize()
    return {"upserts_per_s": round(count / spent), "merge_s": round(perf_counter() - begun, 1)}


def read(vectors: Vectors, count: int) -> dict[str, float]:
    """Times of hybrid queries with a filter, and the recall of the dense half against numpy's."""
    rng = np.random.default_rng(SEED)
    stored = np.concatenate([rows_and_skip(rng, min(STEP, count - start)) for start in range(0, count, STEP)])
    public = np.array([number % 4 != 0 for number in range(count)])
    walls, cpus, hits = [], [], 0
    for question in rows_of(ASKED, rng):
        words = sparse_of(rng, 8)
        begun, busy = perf_counter(), process_time()
        vectors.search(question, words, PUBLIC, 10)
        walls.append((perf_counter() - begun) * 1000)
        cpus.append((process_time() - busy) * 1000)
        near = {hit.entry.version for hit in vectors.search(question, Sparse((), ()), PUBLIC, 10)}
        exact = np.argsort(-np.where(public, stored @ question, -2.0))[:10]
        hits += len(near & {f"v{number}" for number in exact})
    middle, late = np.percentile(walls, [50, 95])
    times = {"p50_ms": round(float(middle), 2), "p95_ms": round(float(late), 2), "cpu_ms": round(float(np.mean(cpus)), 2)}
    return times | {"recall@10": hits / (10 * ASKED)}


def rows_and_skip(rng: np.random.Generator, count: int) -> np.ndarray:
    """The rows that `write` stored, drawn in its order."""
    rows = rows_of(count, rng)
    for _ in range(count):
        sparse_of(rng, 40)
    return rows


def open_only(folder: Path) -> int:
    """Megabytes of a process that opens the index and asks."""
    vectors, rng = open_vectors(folder, DIMENSIONS), np.random.default_rng(1)
    for question in rows_of(ASKED, rng):
        vectors.search(question, sparse_of(rng, 8), PUBLIC, 40)
    vectors.close()
    return peak()


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure(count: int) -> dict[str, float | str]:
    with tempfile.TemporaryDirectory() as home:
        vectors = open_vectors(Path(home), DIMENSIONS)
        told: dict[str, float | str] = {"bench": "vectors", "passages": count} | write(vectors, count) | {"peak_mb": peak()}
        told |= read(vectors, count)
        vectors.close()
        alone = subprocess.run([sys.executable, __file__, "--open", home], check=True, capture_output=True, text=True)
    return told | {"open_mb": int(alone.stdout)}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--open"]:
        print(open_only(Path(sys.argv[2])))
    else:
        for size in [int(one) for one in sys.argv[1:]] or [5_000, 100_000]:
            print(json.dumps(measure(size)), flush=True)
