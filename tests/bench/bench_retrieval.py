"""How well and how fast the real path finds: `sync` of direct documents, then `search`, on the development sets.

    python tests/bench/bench_retrieval.py [SET ...]

Sets: folders of corpus.jsonl, queries.jsonl, qrels.tsv in $DRAFTDESK_DATA or ../shared/data beside the checkout.
Prints one JSON line per set. Under pytest the promises are asserted, and skipped where the data is absent.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.answer.retrieve import Index, search
from bot.sync import sync
from connectors.base import Cursor, Document, Page
from storage.database import open_database
from storage.embedding import local_embedder
from storage.vectors import open_vectors

DATA = Path(os.environ.get("DRAFTDESK_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
SETS = ("stackfaq", "mattermost", "doc2dial")
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


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def corpus(folder: Path, connector: str, *, titles: bool = True) -> list[Document]:
    return [
        Document(
            id=f"folder:{connector}:{row['id']}.md",
            title=row["title"] if titles else "",
            markdown=row["text"],
            url=f"https://kb.example/{row['id']}",
            updated_at=datetime(2026, 1, 1, tzinfo=UTC),
            audience="public",
        )
        for row in lines(folder / "corpus.jsonl")
    ]


def relevant(folder: Path) -> dict[str, set[str]]:
    found = folder / "qrels_twins.tsv"
    rows = (found if found.is_file() else folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    wanted: dict[str, set[str]] = defaultdict(set)
    for query, document, score in (row.split("\t") for row in rows):
        if float(score) > 0:
            wanted[query].add(document)
    return wanted


def gain(found: Sequence[str], wanted: set[str]) -> float:
    """nDCG@10."""
    got = sum(1 / math.log2(place + 2) for place, document in enumerate(found[:10]) if document in wanted)
    return got / sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted))))


def measure(name: str, *, titles: bool = True) -> dict[str, float]:
    """nDCG@10 of one set, documents synced per second, and the time of one search in milliseconds (`cpu_ms`: the mean)."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        embedder = local_embedder()
        index = Index(open_database("sqlite", folder=home), open_vectors(home / "index", embedder.dimensions), embedder)
        documents = corpus(DATA / name, name, titles=titles)
        began = time.perf_counter()
        outcome = sync(name, Direct(documents), index.engine, index.vectors, embedder)
        loaded = time.perf_counter() - began
        assert outcome.error is None
        wanted = relevant(DATA / name)
        gains, times = [], []
        busy = time.process_time()
        for query in lines(DATA / name / "queries.jsonl"):
            if wanted[query["id"]]:
                began = time.perf_counter()
                found = search(query["text"], index, audience="public", k=10)
                times.append((time.perf_counter() - began) * 1000)
                gains.append(gain([passage.document.split(":", 2)[2].removesuffix(".md") for passage in found], wanted[query["id"]]))
        busy = time.process_time() - busy
        passages = index.vectors.count()
        index.vectors.close()
        index.engine.dispose()
    return {
        "ndcg@10": round(statistics.fmean(gains), 4),
        "queries": len(gains),
        "documents_per_s": round(len(documents) / loaded),
        "passages": passages,
        "cpu_ms": round(busy / len(gains) * 1000, 2),
        "p50_ms": round(statistics.median(times), 2),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 2),
    }


@pytest.mark.parametrize("name", SETS)
def test_search_finds_as_well_as_measured_before(name: str) -> None:
    if not (DATA / name).is_dir():
        pytest.skip(f"no {DATA / name}: set DRAFTDESK_DATA to the folder of the development sets")
    floors = {"stackfaq": 0.84, "mattermost": 0.60, "doc2dial": 0.48}
    assert measure(name)["ndcg@10"] >= floors[name]


if __name__ == "__main__":
    for chosen in sys.argv[1:] or SETS:
        base, _, variant = chosen.partition("/")
        print(json.dumps({"set": chosen} | measure(base, titles=variant != "untitled")), flush=True)
