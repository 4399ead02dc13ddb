"""One side of `bench_rivals.py`: draftdesk's sync and search, or with `bare` embedding and vector writes alone.

    python tests/bench/sides/ours.py [bare] DOCUMENTS.jsonl QUERIES.jsonl

Prints one JSON line: seconds, peak memory, times of the questions, and what they found.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from bot.answer.retrieve import Index, search  # noqa: E402
from bot.sync import sync  # noqa: E402
from connectors.base import Cursor, Document, Page  # noqa: E402
from storage.database import open_database  # noqa: E402
from storage.embedding import local_embedder  # noqa: E402
from storage.entries import entries_of, searchable  # noqa: E402
from storage.ledger import plan_version  # noqa: E402
from storage.lexical import weigh  # noqa: E402
from storage.vectors import open_vectors  # noqa: E402

DAY = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = 100


class Lines:
    """A source that reads its documents from a file, a page at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        return None

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        batch: list[Document] = []
        with self.path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                batch.append(document(json.loads(line)))
                if len(batch) == PAGE:
                    yield Page(tuple(batch), {"v": 1, "at": number}, caught_up=False)
                    batch = []
        yield Page(tuple(batch), {"v": 1}, caught_up=True)


def document(row: dict[str, str]) -> Document:
    return Document(f"folder:kb:{row['id']}", row["title"], row["text"], "https://kb.example", DAY, audience="public")


def bare(path: Path, home: Path) -> int:
    """The floor: no ledger, and the passages are cut before the clock starts."""
    embedder, vectors = local_embedder(), open_vectors(home / "index", 256)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    entries = [entry for row in rows for entry in entries_of(plan_version(None, document(row), DAY))]
    began, busy = time.perf_counter(), time.process_time()
    for start in range(0, len(entries), PAGE):
        batch = entries[start : start + PAGE]
        texts = [searchable(entry) for entry in batch]
        vectors.upsert(batch, embedder.embed(texts), [weigh(text) for text in texts])
    vectors.flush()
    told = {"load_s": time.perf_counter() - began, "load_cpu_s": time.process_time() - busy, "documents": len(rows)}
    vectors.close()
    return emit(told)


def whole(path: Path, questions: Path, home: Path) -> int:
    embedder = local_embedder()
    vectors = open_vectors(home / "index", embedder.dimensions)
    index = Index(open_database("sqlite", folder=home), vectors, embedder)
    began, busy = time.perf_counter(), time.process_time()
    outcome = sync("kb", Lines(path), index.engine, vectors, embedder)
    told: dict[str, object] = {"load_s": time.perf_counter() - began, "load_cpu_s": time.process_time() - busy, "documents": outcome.added}
    asked = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
    found, walls, busies = {}, [], []
    for row in asked:
        began, busy = time.perf_counter(), time.process_time()
        passages = search(row["text"], index, audience="public", k=10)
        walls.append((time.perf_counter() - began) * 1000)
        busies.append((time.process_time() - busy) * 1000)
        found[row["id"]] = [passage.document.split(":", 2)[2] for passage in passages]
    vectors.close()
    return emit(told | {"found": found, "walls_ms": walls, "cpus_ms": busies})


def emit(told: dict[str, object]) -> int:
    print(json.dumps(told | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
    return 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        *way, documents, queries = sys.argv[1:]
        sys.exit(bare(Path(documents), Path(scratch)) if way else whole(Path(documents), Path(queries), Path(scratch)))
