"""One side of `bench_rivals.py`: Haystack with its own splitter and in-memory store, hybrid by its own joiner of vectors and BM25.

Runs in an environment of its own (haystack-ai), with the same embedder as draftdesk.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from haystack import Document
from haystack.components.joiners import DocumentJoiner
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.components.writers import DocumentWriter
from haystack.document_stores.in_memory import InMemoryDocumentStore

from storage.embedding import local_embedder

EMBEDDER = local_embedder()
BATCH = 256


def load(rows: list[dict[str, str]]) -> InMemoryDocumentStore:
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    splitter, writer = DocumentSplitter(split_by="word", split_length=200), DocumentWriter(store)
    splitter.warm_up()
    pieces = splitter.run([Document(content=row["text"], meta={"title": row["title"], "doc": row["id"]}) for row in rows])["documents"]
    for start in range(0, len(pieces), BATCH):
        batch = pieces[start : start + BATCH]
        texts = [f"{piece.meta['title']}\n{piece.content}" for piece in batch]
        for piece, row in zip(batch, EMBEDDER.embed(texts).tolist(), strict=True):
            piece.embedding = row
        writer.run(batch)
    return store


def main(documents: Path, queries: Path) -> None:
    rows = [json.loads(line) for line in documents.read_text(encoding="utf-8").splitlines()]
    began, busy = time.perf_counter(), time.process_time()
    store = load(rows)
    told: dict[str, Any] = {"load_s": time.perf_counter() - began, "load_cpu_s": time.process_time() - busy, "documents": len(rows)}
    near, words = InMemoryEmbeddingRetriever(store, top_k=40), InMemoryBM25Retriever(store, top_k=40)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=40)
    found, walls, busies = {}, [], []
    for line in queries.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        began, busy = time.perf_counter(), time.process_time()
        by_meaning = near.run(query_embedding=EMBEDDER.embed([row["text"]])[0].tolist())["documents"]
        joined = joiner.run(documents=[by_meaning, words.run(query=row["text"])["documents"]])["documents"]
        walls.append((time.perf_counter() - began) * 1000)
        busies.append((time.process_time() - busy) * 1000)
        found[row["id"]] = list(dict.fromkeys(piece.meta["doc"] for piece in joined))[:10]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(told | {"found": found, "walls_ms": walls, "cpus_ms": busies, "peak_mb": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
