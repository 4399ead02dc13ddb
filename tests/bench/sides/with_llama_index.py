"""One side of `bench_rivals.py`: LlamaIndex with its default splitter and store, hybrid by its own fusion of vectors and BM25.

Runs in an environment of its own (llama-index-core, llama-index-retrievers-bm25), with the same embedder as draftdesk.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.retrievers.bm25 import BM25Retriever

from storage.embedding import local_embedder

EMBEDDER = local_embedder()


class Local(BaseEmbedding):
    """draftdesk's own local embedder, whole batches at once."""

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows: list[list[float]] = EMBEDDER.embed(texts).tolist()
        return rows

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


def hybrid(index: Any) -> Any:
    words = BM25Retriever.from_defaults(docstore=index.docstore, similarity_top_k=40)
    near = index.as_retriever(similarity_top_k=40)
    return QueryFusionRetriever([near, words], similarity_top_k=40, num_queries=1, mode="relative_score", use_async=False)


def distinct(nodes: Any) -> list[str]:
    return list(dict.fromkeys(node.node.ref_doc_id for node in nodes))[:10]


def main(documents: Path, queries: Path) -> None:
    Settings.embed_model, Settings.llm = Local(embed_batch_size=256), MockLLM()
    rows = [json.loads(line) for line in documents.read_text(encoding="utf-8").splitlines()]
    made = [Document(text=row["text"], doc_id=row["id"], metadata={"title": row["title"]}) for row in rows]
    began, busy = time.perf_counter(), time.process_time()
    index = VectorStoreIndex.from_documents(made)
    told: dict[str, Any] = {"load_s": time.perf_counter() - began, "load_cpu_s": time.process_time() - busy, "documents": len(rows)}
    retriever = hybrid(index)
    found, walls, busies = {}, [], []
    for line in queries.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        began, busy = time.perf_counter(), time.process_time()
        nodes = retriever.retrieve(row["text"])
        walls.append((time.perf_counter() - began) * 1000)
        busies.append((time.process_time() - busy) * 1000)
        found[row["id"]] = distinct(nodes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(told | {"found": found, "walls_ms": walls, "cpus_ms": busies, "peak_mb": peak}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
