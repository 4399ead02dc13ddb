"""Writes docs/benchmarks.md and its plots from the JSON lines that the benches print.

    python tests/bench/report.py LINES.jsonl DOCS_FOLDER

What a bench did not print has no section. A line that comes again replaces the one before.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Row = dict[str, Any]

HEAD = """# Benchmarks

How well, how fast and in how much memory passages are found. Written by `make bench-retrieval`; the development sets it reads are not
part of the project. CPU is processor time of the whole process, which other work on the machine hardly changes; wall is the clock.
"""
BAR, LEFT, WIDE = 22, 230, 420  # pixels: a bar's height with its gap, the names' width, the longest bar


QUALITY = {
    "embedder": "embedder",
    "column": "set",
    "ndcg@10": "draftdesk",
    "cosine alone": "cosine alone",
    "words alone": "BM25 alone",
    "queries": "questions",
}
KINDS = {"column": "set", "top1": "right kind first", "nearness": "known from unknown (area under ROC)", "queries": "questions"}
TIMES = {"p50_ms": "question p50 ms", "p95_ms": "p95 ms", "cpu_p50_ms": "p50 ms of CPU", "cpu_p95_ms": "p95 ms of CPU"}
RIVALS = {
    "side": "pipeline",
    "documents": "documents",
    "docs_per_s": "documents/s",
    "docs_per_cpu_s": "documents/s of CPU",
    "peak_mb": "peak MB",
    **TIMES,
    "ndcg@10": "nDCG@10",
}
STORE = {
    "passages": "passages",
    "upserts_per_s": "writes/s",
    "merge_s": "merged in s",
    **TIMES,
    "cpu_ms": "ms of CPU",
    "recall@10": "recall of the exact ten",
    "peak_mb": "peak MB, writing",
    "open_mb": "MB, opened and asked",
}
RESYNC = {
    "documents": "documents",
    "overhead": "over bare parts",
    "documents_per_cpu_s": "documents/s of CPU",
    "changed_share": "1% changed, of the first load",
    "re-read_of_all_s": "nothing changed (CPU s, wall s)",
}


def rows_of(path: Path) -> list[Row]:
    rows: dict[tuple[Any, ...], Row] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            rows[row.get("bench"), row.get("embedder"), row.get("column"), row.get("side"), row.get("passages")] = row
    return list(rows.values())


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if line.startswith("model name")),
        platform.processor(),
    )
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%d %B %Y}, {model}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python"
        f" {platform.python_version()}. Load when this was written: {load:.1f}"
        + (" (others were using the machine: read CPU, and compare wall within a table only)." if load > os.cpu_count() else ".")
    )


def table(rows: Sequence[Row], columns: dict[str, str]) -> str:
    """A Markdown table of these fields under these names; fields that no row has are left out."""
    shown = {field: name for field, name in columns.items() if any(field in row for row in rows)}
    lines = ["| " + " | ".join(shown.values()) + " |", "|" + " --- |" * len(shown)]
    lines += ["| " + " | ".join(str(row.get(field, "")) for field in shown) + " |" for row in rows]
    return "\n".join(lines)


def bars(title: str, named: dict[str, float]) -> str:
    """A bar chart as SVG."""
    high = max(named.values()) or 1.0
    height = BAR * (len(named) + 2)
    drawn = [
        f'<text x="{LEFT - 8}" y="{BAR * (at + 1) + 15}" text-anchor="end">{name}</text>'
        f'<rect x="{LEFT}" y="{BAR * (at + 1) + 2}" width="{WIDE * value / high:.1f}" height="{BAR - 5}" fill="#3b6ea5"/>'
        f'<text x="{LEFT + WIDE * value / high + 6:.1f}" y="{BAR * (at + 1) + 15}">{value:g}</text>'
        for at, (name, value) in enumerate(named.items())
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDE + 80}" height="{height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/><text x="8" y="15" font-weight="bold">{title}</text>{"".join(drawn)}</svg>\n'
    )


def sections(rows: list[Row], plots: Path) -> Iterator[str]:
    def of(bench: str, *fields: str) -> list[Row]:
        return [row for row in rows if row.get("bench") == bench and any(field in row for field in fields or row)]

    if quality := of("retrieval", "ndcg@10"):
        yield "## Quality\n\nnDCG@10 of the first ten documents, and of the two scores that every search adds up, each alone.\n"
        yield table(quality, QUALITY)
        for embedder in dict.fromkeys(row["embedder"] for row in quality):
            told = [row["ndcg@10"] for row in quality if row["embedder"] == embedder]
            yield f"\nMean of {len(told)} with {embedder}: {sum(told) / len(told):.4f}."
        yield from plot(plots, "quality", "nDCG@10", {f"{row['column']} ({row['embedder'][:12]})": row["ndcg@10"] for row in quality})
    if kinds := of("retrieval", "top1", "nearness"):
        yield "## Kinds of tickets, and questions that nothing answers\n\n" + table(kinds, KINDS) + "\n"
    if rivals := of("rivals"):
        yield "## Beside LlamaIndex and Haystack\n\nThe same documents, questions and embedder, one process each, in turn.\n"
        yield table(rivals, RIVALS)
        yield from plot(plots, "load", "documents/s of CPU, first load", {row["side"]: row["docs_per_cpu_s"] for row in rivals})
    if speed := of("retrieval", "p95_ms"):
        yield "## A search with a filter, by passages\n\n" + table(speed, {"passages": "passages", **TIMES}) + "\n"
    if store := of("vectors"):
        yield "## The index alone\n\n" + table(store, STORE) + "\n"
    if resync := of("resync"):
        yield "## First load and what follows\n\n" + table(resync, RESYNC) + "\n"


def plot(folder: Path, name: str, title: str, named: dict[str, float]) -> Iterator[str]:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.svg").write_text(bars(title, named), encoding="utf-8")
    yield f"\n![{title}](benchmarks/{name}.svg)\n"


def write(lines: Path, docs: Path) -> None:
    body = "\n".join(sections(rows_of(lines), docs / "benchmarks"))
    (docs / "benchmarks.md").write_text(f"{HEAD}\n{machine()}\n\n{body}\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
