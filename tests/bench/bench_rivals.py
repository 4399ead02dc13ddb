"""A first load of 5,000 documents, memory, quality and time of questions: draftdesk, LlamaIndex, Haystack, and the bare parts.

    RIVALS=VENV python tests/bench/bench_rivals.py [DOCUMENTS]

VENV is an environment that the bench does not make: python -m venv VENV && VENV/bin/pip install llama-index-core
llama-index-retrievers-bm25 haystack-ai numpy safetensors tokenizers wordllama. Without RIVALS the rivals are left out, which is said.
Each side is a process of its own with the same documents, questions and embedder, in turn; the best of ROUNDS counts. Prints JSON lines.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("DRAFTDESK_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
SIDES = Path(__file__).resolve().parent / "sides"
ROUNDS = 2


def commands() -> dict[str, list[str]]:
    ours = [sys.executable, str(SIDES / "ours.py")]
    found = {"draftdesk": ours, "bare embedding and vector write": [*ours, "bare"]}
    if venv := os.environ.get("RIVALS"):
        python = str(Path(venv) / "bin" / "python")
        found |= {"LlamaIndex": [python, str(SIDES / "with_llama_index.py")], "Haystack": [python, str(SIDES / "with_haystack.py")]}
    else:
        print("RIVALS is not set: LlamaIndex and Haystack are left out", file=sys.stderr)
    return found


def corpus(count: int, scratch: Path) -> tuple[Path, Path]:
    """One set's documents, filled up with those of others, and its questions."""
    documents, queries = scratch / "documents.jsonl", scratch / "queries.jsonl"
    asked, *others = ((DATA / name / "corpus.jsonl").read_text("utf-8").splitlines() for name in ("mattermost", "doc2dial", "stackfaq"))
    filling = [line for lines in others for line in lines]
    rows = [*asked, *filling]
    rows += [json.dumps(json.loads(filling[at % len(filling)]) | {"id": f"again-{at}"}) for at in range(max(0, count - len(rows)))]
    documents.write_text("\n".join(rows[:count]), encoding="utf-8")
    queries.write_text((DATA / "mattermost" / "queries.jsonl").read_text("utf-8"), encoding="utf-8")
    return documents, queries


def gain(found: dict[str, list[str]]) -> float:
    """Mean nDCG@10 on the set's questions."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for row in (DATA / "mattermost" / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        query, name, score = row.split("\t")
        if float(score) > 0:
            wanted[query].add(name)
    gains = []
    for query, names in wanted.items():
        got = sum(1 / math.log2(place + 2) for place, name in enumerate(found[query][:10]) if name in names)
        gains.append(got / sum(1 / math.log2(place + 2) for place in range(min(10, len(names)))))
    return statistics.fmean(gains)


def told(name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    load = min(runs, key=lambda run: run["load_s"])
    row: dict[str, Any] = {
        "bench": "rivals",
        "side": name,
        "documents": load["documents"],
        "docs_per_s": round(load["documents"] / load["load_s"]),
        "docs_per_cpu_s": round(load["documents"] / min(run["load_cpu_s"] for run in runs)),
        "peak_mb": min(run["peak_mb"] for run in runs),
    }
    if "found" in load:
        best = [[min(times) for times in zip(*(run[kind] for run in runs), strict=True)] for kind in ("walls_ms", "cpus_ms")]
        for kind, times in zip(("", "cpu_"), best, strict=True):
            row |= {f"{kind}p50_ms": round(statistics.median(times), 2), f"{kind}p95_ms": round(statistics.quantiles(times, n=20)[-1], 2)}
        row["ndcg@10"] = round(gain(load["found"]), 4)
    return row


def main(count: int) -> None:
    if not (DATA / "mattermost").is_dir():
        print(f"no {DATA / 'mattermost'}: set DRAFTDESK_DATA to the folder of the development sets", file=sys.stderr)
        return
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        documents, queries = corpus(count, Path(scratch))
        for _ in range(ROUNDS):
            for name, command in commands().items():
                done = subprocess.run([*command, str(documents), str(queries)], check=False, capture_output=True, text=True)
                if done.returncode:
                    sys.exit(f"{name} failed: {done.stderr.strip()[-600:]}")
                runs[name].append(json.loads(done.stdout.splitlines()[-1]))
                print(name, {key: value for key, value in runs[name][-1].items() if not isinstance(value, list | dict)}, file=sys.stderr)
    for name, made in runs.items():
        print(json.dumps(told(name, made)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
