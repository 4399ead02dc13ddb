"""The parts of a first load as durable jobs of the worker, which dies in the middle of one and is started again.

This file is also the worker: run as a program it works until everything is loaded, or dies where it is told to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import Session

from bot.answer.retrieve import Index
from bot.chores import DeskChores
from bot.config import load
from bot.deployment import Connection, Deployment
from bot.metrics import Metrics
from bot.service import readiness
from bot.worker import start_worker
from bot.workflows import workflow_url
from connectors.base import Cursor, Document, Page, Part
from storage.database import open_database, reading
from storage.embedding import local_embedder
from storage.ledger import last_syncs, present_ids
from storage.parts import parts_of
from storage.quota import Accounts
from storage.vectors import open_vectors

START = datetime(2026, 5, 1, tzinfo=UTC)
SIZES = {"KB": 6, "ENG": 2, "HR": 3}
CLAIMED = {"ENG": 5}  # more than there are
CONFIG = "data_dir: {folder}\nconnectors:\n  - {{name: wiki, type: folder, path: {folder}, every: 1d}}\n"


@dataclass
class Wiki:
    """Spaces of pages; every page that is read leaves a line in `log`. Reading `dies_at` ends the process as kill -9 would."""

    log: Path
    dies_at: str

    def check(self) -> None:
        return None

    def begin(self) -> Cursor:
        return {"v": 1}

    def parts(self) -> tuple[Part, ...]:
        return tuple(Part(key, f"space {key}", CLAIMED.get(key, size)) for key, size in SIZES.items())

    def pull_part(self, key: str, cursor: Cursor | None) -> Iterator[Page]:
        first = int(str(cursor["at"])) if cursor else 0
        for at in range(first, SIZES[key]):
            if f"{key}{at}" == self.dies_at:
                os._exit(9)
            with self.log.open("a") as log:
                log.write(f"{key}{at}\n")
            page = Document(f"confluence:wiki:page:{key}{at}", f"{key}{at}", f"Page {at} of {key}.", "https://kb.example/", START)
            yield Page((page,), {"v": 1, "at": at + 1}, at + 1 == SIZES[key])

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        yield Page((), {"v": 1}, True)


def work(folder: Path, dies_at: str) -> None:
    (folder / "config.yaml").write_text(CONFIG.format(folder=folder))
    config = load(folder / "config.yaml")
    engine, embedder = open_database("sqlite", folder=folder), local_embedder()
    index = Index(engine, open_vectors(folder / "index", embedder.dimensions), embedder)
    wiki = Connection(config.connectors[0], Wiki(folder / "log", dies_at), [], threading.Lock())
    deployment = Deployment(config, engine, index, {"wiki": wiki}, {}, Accounts(engine))
    metrics = Metrics()
    worker = start_worker(DeskChores(deployment, {}, metrics), {"wiki": 1}, workflow_url(config.database_url(), config.data_dir))
    worker.sync("wiki", f"start-{time.time()}")
    deadline, pause = time.monotonic() + 60, threading.Event()
    while time.monotonic() < deadline:
        with Session(reading(engine)) as s:
            last = last_syncs(s).get("wiki")
            parts = [(part.key, part.seen, part.missing) for part in parts_of(s, "wiki")]
            documents = len(present_ids(s, "wiki"))
        gap = metrics.registry.get_sample_value("draftdesk_missing_documents", {"connector": "wiki"})
        if last and last.caught_up and gap is not None:
            (folder / "told").write_text(json.dumps([parts, documents, gap, readiness(deployment)["connector wiki"]]))
            os._exit(0)
        pause.wait(0.1)
    os._exit(1)


def run(folder: Path, dies_at: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, __file__, str(folder), dies_at]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, timeout=90, check=False)


def test_a_worker_that_dies_in_a_part_goes_on_there_and_tells_what_is_missing(tmp_path: Path) -> None:
    assert run(tmp_path, "KB3").returncode == 9
    assert run(tmp_path, "HR1").returncode == 9
    done = run(tmp_path, "")
    assert done.returncode == 0, done.stderr[-2000:]
    parts, documents, gap, ready = json.loads((tmp_path / "told").read_text())
    assert parts == [["KB", 6, 0], ["ENG", 2, 3], ["HR", 3, 0]]
    assert (documents, gap) == (11, 3)
    assert ready == "ok; space ENG: 3 of 5 documents are missing"
    read = (tmp_path / "log").read_text().split()
    assert sorted(read) == sorted(f"{key}{at}" for key, size in SIZES.items() for at in range(size)), "nothing was read twice"


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2])
