"""What a sync asks of each vendor: the first load, a resync with nothing changed, and one after a hundredth changed.

    python tests/bench/bench_connectors.py [DOCUMENTS] [TYPE…]

Against the emulated systems, through the real sync into SQLite and the embedded index. One JSON line per connector: requests, and CPU
seconds of this process (the emulated system's share is in them).
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bot.sync import Outcome, sync
from connectors.conformance import Play, Stage
from storage.database import open_database
from storage.embedding import local_embedder
from storage.vectors import open_vectors

STAGES = {
    "folder": "connectors.sandbox.folder_stage:FolderStage",
    "zendesk": "connectors.sandbox.zendesk.stage:ZendeskStage",
    "freshdesk": "connectors.sandbox.freshdesk.stage:FreshdeskStage",
    "google_docs": "connectors.sandbox.google_docs.stage:GoogleStage",
    "confluence": "connectors.sandbox.confluence.stage:ConfluenceStage",
}
WORDS = ("pump", "valve", "sensor", "filter", "hose", "meter", "alarm", "battery", "bracket", "warranty", "refund", "order", "invoice")
QUARTER = 900.0  # seconds between two syncs
LAPSE = 3 * 24 * 3600.0  # seconds that a vendor's overlap has passed by


def text(number: int, edition: int) -> str:
    """One marker, and enough around it to make a document of it."""
    return f"marker{number}e{edition} " + " ".join(WORDS[(number * 7 + step * (3 + number % 5)) % len(WORDS)] for step in range(120))


def measure(kind: str, count: int) -> dict[str, object]:
    module, _, name = STAGES[kind].partition(":")
    make: Callable[[], Stage] = getattr(importlib.import_module(module), name)
    stage = make()
    play, told = Play(stage), {"connector": kind, "documents": count}
    with tempfile.TemporaryDirectory() as scratch:
        embedder = local_embedder()
        engine, vectors = open_database("sqlite", folder=Path(scratch)), open_vectors(Path(scratch) / "index", embedder.dimensions)

        def run() -> tuple[Outcome, int, float]:
            before, cpu = play.requests, time.process_time()
            outcome = sync("help", play.connect(), engine, vectors, embedder, now=stage.now)
            assert outcome.error is None, outcome.error
            return outcome, play.requests - before, time.process_time() - cpu

        ids = [stage.create(text(number, 0)) for number in range(count)]
        stage.advance(LAPSE)
        first, asked, spent = run()
        assert first.added >= count, first  # a stage may begin with documents of its own
        stage.advance(QUARTER)
        run()  # what the first load's overlap has to look at once more
        stage.advance(QUARTER)
        nothing, idle, idle_spent = run()
        assert (nothing.added, nothing.updated, nothing.removed) == (0, 0, 0), nothing
        hundredth = ids[:: max(1, count // max(1, count // 100))]
        for number, id in enumerate(hundredth):
            stage.edit(id, text(number, 1))
        stage.advance(QUARTER)
        some, few, few_spent = run()
        assert some.updated == len(hundredth), some
        vectors.close()
        engine.dispose()
    stage.close()
    return told | {
        "requests": {"first": asked, "nothing": idle, "hundredth": few, "share": round(few / asked, 3) if asked else None},
        "cpu_s": {
            "first": round(spent, 2),
            "nothing": round(idle_spent, 2),
            "hundredth": round(few_spent, 2),
            "share": round(few_spent / spent, 3),
        },
    }


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    for kind in [one for one in sys.argv[1:] if not one.isdigit()] or STAGES:
        print(json.dumps(measure(kind, numbers[0] if numbers else 1000)), flush=True)
