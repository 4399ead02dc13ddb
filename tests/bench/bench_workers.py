"""How many tickets worker processes answer a second, with a model that takes two seconds, on PostgreSQL.

    python tests/bench/bench_workers.py [--workers 1 2 4] [--in-flight 1 8 32] [--seconds 40] [--database URL]

Real `draftdesk worker` processes, each with an index of its own; only the vendor and its model are the sandbox, in another
process. So many tickets wait all along that no worker is ever idle; what is counted begins when all are busy. One JSON line a
setting: tickets a second, that as a part of the ideal (places / model's seconds), and the milliseconds of processor time that a ticket
costs each side, which other work on the machine hardly changes. With --plot FOLDER the lines so far are drawn there too.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from servers import Postgres, cpu_seconds, curve

from bot.demo import write_config
from connectors.sandbox import Sandbox
from connectors.sandbox.model import API_KEY

QUESTION = "How do I replace the battery of a sensor? This is question {n}."
AHEAD = 3  # tickets that wait, for each place where one can be worked at
MODEL = """
writer: {{provider: openai, model: sandbox-chat, base_url: "{url}/openai/v1", api_key: "file:{key}", timeout: 20s,
         prices: {{input: 1.0, output: 2.0}}}}
budget: {{usd_per_day: 5000}}
database: "file:{database}"
"""


@dataclass(frozen=True)
class Vendor:
    """The helpdesk and the model, in a process of their own."""

    url: str
    line: Connection
    process: multiprocessing.process.BaseProcess

    def ask(self, *words: Any) -> Any:
        self.line.send(words)
        return self.line.recv()


def hold_vendor(line: Connection, latency: float) -> None:
    """Until told to stop: keep as many tickets waiting as was asked for, and say how many comments were written."""
    with Sandbox(export_delay=0) as sandbox:
        sandbox.model.latency = latency
        desk = sandbox.desk
        line.send(sandbox.url)
        waiting, made = 0, 0
        customers = [desk.add_user(f"Customer {n}", f"customer{n}@customers.example").id for n in range(200)]
        while True:
            if line.poll(0.25):
                match line.recv():
                    case ("open", number):
                        waiting = number
                        line.send(True)
                    case ("count",):
                        line.send((len(desk.ledger.comments()), time.monotonic()))
                    case _:
                        return
            for _ in range(waiting - made + len(desk.ledger.comments())):
                made += 1
                desk.create_ticket(f"Battery {made}", QUESTION.format(n=made), requester_id=customers[made % len(customers)])


@contextmanager
def vendor(latency: float) -> Iterator[Vendor]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=hold_vendor, args=(theirs, latency), daemon=True)
    process.start()
    try:
        yield Vendor(ours.recv(), ours, process)
    finally:
        ours.send(("stop",))
        process.join(10)


@contextmanager
def fleet(folder: Path, url: str, database: str, workers: int, in_flight: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Workers with data folders of their own, the knowledge in each."""
    running: list[subprocess.Popen[bytes]] = []
    configs = [configure(folder / f"w{number}", url, database, in_flight) for number in range(workers)]
    subprocess.run([sys.executable, "-m", "bot", "--config", str(configs[0]), "sync"], check=True, stdout=subprocess.DEVNULL)
    try:
        for config in configs:
            with (config.parent / "log").open("wb") as log:
                command = [sys.executable, "-m", "bot", "--config", str(config), "--log-format", "json", "worker"]
                running.append(subprocess.Popen(command, stdout=log, stderr=log))
        for config in configs:
            wait_until(lambda config=config: b'"working"' in (config.parent / "log").read_bytes(), 90)
        yield running
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(30)


def configure(home: Path, url: str, database: str, in_flight: int) -> Path:
    home.mkdir(parents=True)
    path = write_config(home, url)
    for name, told in (("model_key", API_KEY), ("database_url", database)):
        (home / "secrets" / name).touch(mode=0o600)
        (home / "secrets" / name).write_text(told)
    text = path.read_text().replace("every: 15s", "every: 5s").replace("backlog: 24h}", f"backlog: 24h, at_once: {in_flight}}}")
    path.write_text(text + MODEL.format(url=url, key=home / "secrets" / "model_key", database=home / "secrets" / "database_url"))
    return path


def measure(server: Postgres, workers: int, in_flight: int, given: argparse.Namespace) -> dict[str, Any]:
    """One setting, on an empty database."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="draftdesk-workers-")))
        at = stack.enter_context(vendor(given.latency))
        running = stack.enter_context(fleet(folder, at.url, server.create(f"bench_{workers}_{in_flight}"), workers, in_flight))
        places = workers * in_flight
        at.ask("open", places * AHEAD)
        wait_until(lambda: at.ask("count")[0] >= places, 120 + given.latency * 10)
        pids = [process.pid for process in running]
        before, cpu_before = at.ask("count"), spent(pids, at, server)
        time.sleep(given.seconds)
        after, cpu_after = at.ask("count"), spent(pids, at, server)
    written, seconds = after[0] - before[0], after[1] - before[1]
    rate, ideal = written / seconds, places / given.latency
    told = {side: round(1000 * (cpu_after[side] - cpu_before[side]) / max(written, 1), 1) for side in cpu_after}
    cores = sum(cpu_after.values()) - sum(cpu_before.values())
    return {
        "bench": "workers",
        "workers": workers,
        "in_flight": in_flight,
        "latency_s": given.latency,
        "tickets": written,
        "tickets_per_s": round(rate, 2),
        "of_ideal": round(rate / ideal, 3),
        "cpu_ms_per_ticket": told,
        "cores_used": round(cores / seconds, 2),
        "load": round(os.getloadavg()[0], 1),
    }


def spent(pids: list[int], at: Vendor, server: Postgres) -> dict[str, float]:
    """Seconds of processor time so far."""
    sides = {"draftdesk": sum(map(cpu_seconds, pids)), "postgresql": server.cpu_seconds()}
    return sides | {"sandbox": cpu_seconds(at.process.pid or 0)}


def wait_until(condition: Any, seconds: float) -> None:
    """Processes are watched from outside, on the real clock."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit("the workers did not come so far in time")
        time.sleep(0.2)


def draw(rows: list[dict[str, Any]], folder: Path) -> None:
    """What one process does with more places, and what more processes do with as many each."""
    alone = {row["in_flight"]: row["tickets_per_s"] for row in rows if row["workers"] == 1}
    folder.mkdir(exist_ok=True)
    latency = rows[0]["latency_s"]
    ideal = {places: places / latency for places in alone}
    (folder / "in-flight.svg").write_text(curve("tickets a second, one process", "tickets at once", {"measured": alone, "ideal": ideal}))
    shared = min(row["in_flight"] for row in rows if row["workers"] > 1) if any(row["workers"] > 1 for row in rows) else None
    if shared is not None:
        many = {row["workers"]: row["tickets_per_s"] for row in rows if row["in_flight"] == shared}
        ideal = {workers: workers * shared / latency for workers in many}
        title = f"tickets a second, {shared} at once in each process"
        (folder / "workers.svg").write_text(curve(title, "processes", {"measured": many, "ideal": ideal}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="processes, with --each tickets at once")
    parser.add_argument("--each", type=int, default=8)
    parser.add_argument("--in-flight", type=int, nargs="*", default=[1, 2, 4, 8, 16, 32], help="tickets at once, in one process")
    parser.add_argument("--latency", type=float, default=2.0, help="of the model, in seconds")
    parser.add_argument("--seconds", type=float, default=40.0, help="of measuring, for each setting")
    parser.add_argument("--plot", type=Path, help="a folder for the plots")
    given = parser.parse_args()
    settings = dict.fromkeys([*((1, places) for places in given.in_flight), *((workers, given.each) for workers in given.workers)])
    rows = []
    with tempfile.TemporaryDirectory(prefix="draftdesk-pg-") as folder, Postgres(Path(folder)) as server:
        for workers, in_flight in settings:
            rows.append(measure(server, workers, in_flight, given))
            print(json.dumps(rows[-1]), flush=True)
    if given.plot:
        draw(rows, given.plot)


if __name__ == "__main__":
    main()
