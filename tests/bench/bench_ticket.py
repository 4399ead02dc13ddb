"""What one ticket costs without a model, and how long the command takes to start.

    python tests/bench/bench_ticket.py [ROUNDS] [PASSAGES]

The sandbox's waiting tickets through triage, retrieve, write and check, ROUNDS times, among PASSAGES more from the development sets;
reading them from the desk is not counted. Prints one JSON line: milliseconds by the clock and of the processor, and the command's start
as a multiple of the bare interpreter's, taken in turn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from bot.answer.flow import preview
from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from bot.sync import sync
from connectors.base import Cursor, Document, Page
from connectors.sandbox import Sandbox

DATA = Path(os.environ.get("DRAFTDESK_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
STARTS = 7
PAGE = 200
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filling:
    """Other passages, to look among."""

    passages: int

    def check(self) -> None:
        return None

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        lines = [line for name in ("mattermost", "doc2dial") for line in (DATA / name / "corpus.jsonl").read_text("utf-8").splitlines()]
        texts = [str(json.loads(line)["text"]) for line in lines]
        for start in range(0, self.passages, PAGE):
            rows = range(start, min(start + PAGE, self.passages))
            page = tuple(self._document(at, texts[at % len(texts)]) for at in rows)
            yield Page(page, {"v": 1, "at": start}, caught_up=start + PAGE >= self.passages)

    def _document(self, at: int, text: str) -> Document:
        name = f"folder:filling:{at}.md"
        words = f"{text}\nCase {at}."
        return Document(name, f"Page {at // 4}", words, f"https://kb.example/{at}", LONG_AGO, created_at=LONG_AGO, audience="public")


def fill(deployment: Deployment, passages: int) -> None:
    index = deployment.index
    outcome = sync("filling", Filling(passages), deployment.engine, index.vectors, index.embedder)
    assert outcome.error is None, outcome.error
    index.vectors.optimize()


def measure(rounds: int, passages: int) -> dict[str, object]:
    with TemporaryDirectory() as folder, Sandbox(export_delay=0) as sandbox:
        deployment = open_deployment(load(write_config(Path(folder), sandbox.url)))
        deployment.sync(DESK)
        if passages:
            fill(deployment, passages)
        flow = deployment.flow(DESK)
        tickets = [flow.desk.ticket(str(ticket)) for ticket in sandbox.desk.keys.values()]
        drafted = [ticket for ticket in tickets if ticket is not None]
        preview(flow, drafted[0])  # the language models are loaded once per process
        spent, busy = [], []
        for ticket in drafted * rounds:
            begun = time.process_time()
            spent.append(preview(flow, ticket)["timings_ms"]["total"])
            busy.append((time.process_time() - begun) * 1000)
        held = deployment.index.vectors.count()
        deployment.close()
    kinds, shares = (("", spent), ("cpu_", busy)), ((50, 9), (95, 18))
    told = {f"{name}p{share}_ms": round(quantiles(all_, n=20)[at], 1) for name, all_ in kinds for share, at in shares}
    return {"tickets": len(spent), "passages": held} | told


def starts() -> dict[str, float]:
    ours, bare = [], []
    for _ in range(STARTS):
        bare.append(took([sys.executable, "-c", "pass"]))
        ours.append(took([sys.executable, "-m", "bot", "--help"]))
    return {"help_s": round(min(ours), 2), "interpreter_s": round(min(bare), 2), "ratio": round(min(ours) / min(bare), 1)}


def took(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    rounds, passages = [int(word) for word in (*sys.argv[1:], *("5", "0")[len(sys.argv) - 1 :])]
    print(json.dumps({"ticket": measure(rounds, passages), "start": starts()}))
