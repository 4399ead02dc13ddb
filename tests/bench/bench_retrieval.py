"""How well and how fast the real path finds: `sync` of direct documents, then `search`, on the development sets.

    python tests/bench/bench_retrieval.py [COLUMN ...]

Columns: the five of COLUMNS, `banking77`, `clinc150`, and `speed/N` (time of a search among N passages).
EMBEDDING_URL and EMBEDDING_MODEL: another embedder, by OpenAI's protocol (`sides/minilm.py` serves one); default is the local one.
Sets are folders of corpus.jsonl, queries.jsonl, qrels.tsv in $DRAFTDESK_DATA or ../shared/data beside the checkout.
Prints one JSON line per column. Under pytest the promises are asserted, and skipped where the data is absent.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.answer.retrieve import Index, Passage, search
from bot.sync import sync
from connectors.base import Cursor, Document, Page
from storage.database import open_database
from storage.embedding import Embedder, local_embedder
from storage.embedding_openai import OpenAIEmbedder
from storage.lexical import ask
from storage.vectors import Filter, Hit, open_vectors

DATA = Path(os.environ.get("DRAFTDESK_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
COLUMNS = {  # column: nDCG@10 that must not be lost, a little under what was measured
    "stackfaq": 0.90,
    "stackfaq/untitled": 0.63,
    "mattermost": 0.65,
    "doc2dial": 0.51,
    "doc2dial/history": 0.70,
}
PAGE = 100

Row = dict[str, Any]


class Direct:
    """A source that yields these documents."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents

    def check(self) -> None:
        return None

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        for start in range(0, len(self.documents), PAGE):
            yield Page(tuple(self.documents[start : start + PAGE]), {"v": 1, "at": start}, start + PAGE >= len(self.documents))


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def document(name: str, title: str, text: str) -> Document:
    return Document(
        id=f"folder:bench:{name}.md",
        title=title,
        markdown=text,
        url=f"https://kb.example/{name}",
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        audience="public",
    )


def corpus(folder: Path, *, titles: bool = True) -> list[Document]:
    return [document(row["id"], row["title"] if titles else "", row["text"]) for row in lines(folder / "corpus.jsonl")]


def name_of(passage: Passage) -> str:
    return passage.document.split(":", 2)[2].removesuffix(".md")


def relevant(folder: Path) -> dict[str, set[str]]:
    found = folder / "qrels_twins.tsv"
    rows = (found if found.is_file() else folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]
    wanted: dict[str, set[str]] = defaultdict(set)
    for query, name, score in (row.split("\t") for row in rows):
        if float(score) > 0:
            wanted[query].add(name)
    return wanted


def gain(found: Sequence[str], wanted: set[str]) -> float:
    """nDCG@10."""
    got = sum(1 / math.log2(place + 2) for place, name in enumerate(found[:10]) if name in wanted)
    return got / sum(1 / math.log2(place + 2) for place in range(min(10, len(wanted))))


@contextmanager
def loaded(documents: Sequence[Document], embedder: Embedder) -> Iterator[Index]:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        vectors = open_vectors(home / "index", embedder.dimensions, embedder=embedder.name)
        index = Index(open_database("sqlite", folder=home), vectors, embedder)
        outcome = sync("bench", Direct(documents), index.engine, vectors, embedder)
        assert outcome.error is None, outcome.error
        yield index
        vectors.close()
        index.engine.dispose()


def chosen_embedder() -> Embedder:
    url = os.environ.get("EMBEDDING_URL")
    return OpenAIEmbedder(os.environ.get("EMBEDDING_MODEL", "all-MiniLM-L6-v2"), url, None) if url else local_embedder()


def measure(column: str, embedder: Embedder | None = None) -> dict[str, Any]:
    """nDCG@10 of one column, of the search and of its two parts alone: cosine, and BM25."""
    name, _, variant = column.partition("/")
    wanted = relevant(DATA / name)
    gains: dict[str, list[float]] = defaultdict(list)
    with loaded(corpus(DATA / name, titles=variant != "untitled"), embedder or chosen_embedder()) as index:
        for query in lines(DATA / name / "queries.jsonl"):
            if wanted[query["id"]]:
                text = "\n".join([query["text"], *query["history"]]) if variant == "history" else query["text"]
                found = [name_of(one) for one in search(text, index, audience="public", k=10)]
                for part, names in (("ndcg@10", found), *alone(text, index).items()):
                    gains[part].append(gain(names, wanted[query["id"]]))
    return {part: round(statistics.fmean(all_), 4) for part, all_ in gains.items()} | {"queries": len(gains["ndcg@10"])}


def alone(text: str, index: Index) -> dict[str, list[str]]:
    """Documents by their best passage, as one score alone orders them."""
    hits = index.vectors.search(index.embedder.embed([text])[0], ask(text), Filter(audience="public"), 40)

    def ordered(score: Callable[[Hit], float]) -> list[str]:
        names = (hit.entry.document.split(":", 2)[2].removesuffix(".md") for hit in sorted(hits, key=score, reverse=True))
        return list(dict.fromkeys(names))

    return {"cosine alone": ordered(lambda hit: hit.dense), "words alone": ordered(lambda hit: hit.lexical)}


def same_kind(embedder: Embedder | None = None) -> dict[str, float]:
    """banking77: how often the past ticket found first is of the new one's kind."""
    folder = DATA / "banking77"
    kinds = {row["id"]: row["label"] for row in lines(folder / "corpus.jsonl")}
    with loaded(corpus(folder), embedder or chosen_embedder()) as index:
        hits = [kinds[name_of(search(row["text"], index, k=1)[0])] == row["label"] for row in lines(folder / "queries.jsonl")]
    return {"top1": round(statistics.fmean(hits), 4), "queries": len(hits)}


def known(embedder: Embedder | None = None) -> dict[str, float]:
    """clinc150: how well a search's numbers tell questions that the corpus knows from those that it does not (area under ROC)."""
    folder = DATA / "clinc150"
    with loaded(corpus(folder), embedder or chosen_embedder()) as index:
        found = [(search(row["text"], index, k=1)[0], row["label"] != "oos") for row in lines(folder / "queries.jsonl")]

    def area(number: Callable[[Passage], float]) -> float:
        inside = [number(passage) for passage, inside in found if inside]
        outside = [number(passage) for passage, inside in found if not inside]
        above = sum((a > b) + (a == b) / 2 for a in inside for b in outside)
        return round(above / len(inside) / len(outside), 4)

    return {"nearness": area(lambda one: one.nearness), "cosine": area(lambda one: one.cosine), "queries": len(found)}


def speed(passages: int) -> dict[str, float]:
    """Milliseconds of a search with a filter among so many passages, made of the sets' texts."""
    texts = [row["text"] for name in ("mattermost", "doc2dial") for row in lines(DATA / name / "corpus.jsonl")]
    documents = [document(str(at), f"Page {at // 4}", f"{texts[at % len(texts)]}\nCase {at}.") for at in range(passages)]
    queries = [row["text"] for name in ("doc2dial", "mattermost") for row in lines(DATA / name / "queries.jsonl")][:: max(1, 1458 // 300)]
    with loaded(documents, local_embedder()) as index:
        index.vectors.optimize()
        times = []
        for query in queries[:20] + queries:
            began, busy = time.perf_counter(), time.process_time()
            search(query, index, audience="public", k=10)
            times.append((time.perf_counter() - began, time.process_time() - busy))
        walls, cpus = zip(*times[20:], strict=True)
        count = index.vectors.count()
    return {
        "passages": count,
        "p50_ms": round(statistics.median(walls) * 1000, 2),
        "p95_ms": round(statistics.quantiles(walls, n=20)[-1] * 1000, 2),
        "cpu_p50_ms": round(statistics.median(cpus) * 1000, 2),
        "cpu_p95_ms": round(statistics.quantiles(cpus, n=20)[-1] * 1000, 2),
    }


def need(*names: str) -> None:
    for name in names:
        if not (DATA / name).is_dir():
            pytest.skip(f"no {DATA / name}: set DRAFTDESK_DATA to the folder of the development sets")


@pytest.mark.parametrize("column", COLUMNS)
def test_search_finds_as_well_as_measured_before(column: str) -> None:
    need(column.partition("/")[0])
    found = measure(column)
    assert found["ndcg@10"] >= COLUMNS[column]
    assert found["ndcg@10"] >= max(found["cosine alone"], found["words alone"]) - 0.01


def test_the_past_ticket_found_first_is_of_the_same_kind() -> None:
    need("banking77")
    assert same_kind()["top1"] >= 0.86


def test_what_is_near_tells_known_questions_from_unknown_ones() -> None:
    need("clinc150")
    assert known()["nearness"] >= 0.95


def run(column: str) -> dict[str, Any]:
    if column.startswith("speed/"):
        return speed(int(column.partition("/")[2]))
    return {"banking77": same_kind, "clinc150": known}.get(column, lambda: measure(column))()


if __name__ == "__main__":
    if not DATA.is_dir():
        print(f"no {DATA}: set DRAFTDESK_DATA to the folder of the development sets", file=sys.stderr)
        sys.exit(0)
    for chosen in sys.argv[1:] or (*COLUMNS, "banking77", "clinc150", "speed/5000", "speed/100000"):
        print(json.dumps({"bench": "retrieval", "embedder": chosen_embedder().name, "column": chosen} | run(chosen)), flush=True)
