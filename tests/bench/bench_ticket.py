"""What one ticket costs without a model, and how long the command takes to start.

    python tests/bench/bench_ticket.py [ROUNDS]

The sandbox's waiting tickets through triage, retrieve, write and check, ROUNDS times; reading them from the desk is not counted.
Prints one JSON line: milliseconds, and the command's start as a multiple of the bare interpreter's, taken in turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from bot.answer.flow import preview
from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import open_deployment
from connectors.sandbox import Sandbox

STARTS = 7


def measure(rounds: int) -> dict[str, object]:
    with TemporaryDirectory() as folder, Sandbox(export_delay=0) as sandbox:
        deployment = open_deployment(load(write_config(Path(folder), sandbox.url)))
        deployment.sync(DESK)
        flow = deployment.flow(DESK)
        tickets = [flow.desk.ticket(str(ticket)) for ticket in sandbox.desk.keys.values()]
        drafted = [ticket for ticket in tickets if ticket is not None]
        preview(flow, drafted[0])  # the language models are loaded once per process
        spent = [preview(flow, ticket)["timings_ms"]["total"] for _ in range(rounds) for ticket in drafted]
        deployment.close()
    return {"tickets": len(spent), "p50_ms": round(median(spent), 1), "p95_ms": round(quantiles(spent, n=20)[18], 1)}


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
    print(json.dumps({"ticket": measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5), "start": starts()}))
