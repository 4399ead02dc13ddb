"""A simulation over many past tickets: seconds, processor seconds, memory at the start and at the end, and what a kill costs.

    python tests/bench/bench_simulate.py [TICKETS] [--kill]

The sandbox and `draftdesk simulate` are processes of their own; what is printed is of the second one. With --kill it is killed (-9)
half way and begun again; a ticket that is read twice was repeated, and only those under way at the kill may be.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count, islice
from pathlib import Path

from bot.demo import DESK, write_config
from connectors.sandbox import Sandbox
from connectors.sandbox.company import Case, load_company

UNDER_WAY = 8  # tickets at a kill, with four workers
PROGRAM = "from bot.cli import app; app()"


def many(cases: tuple[Case, ...], number: int) -> Iterator[Case]:
    """The company's past tickets again and again, each a minute older and with another number in its text."""
    for turn in count():
        for case in cases:
            older = timedelta(minutes=turn)
            said = [replace(one, at=one.at + older if one.at is not None else None) for one in case.comments]
            said[0] = replace(said[0], body=f"{said[0].body}\n\nOur reference is {turn + 1000}.", html=None)
            yield replace(case, id=case.id + turn * 10_000, created=case.created + older, comments=tuple(said), satisfaction=None)


def hold(number: int) -> None:
    """The sandbox's side: prints where it listens, serves until its input ends, then prints how often each ticket was read."""
    company = load_company()
    answered = tuple(case for case in company.past if len(case.comments) > 1)
    with Sandbox(export_delay=0, company=replace(company, past=tuple(islice(many(answered, number), number)), waiting=())) as running:
        print(running.url, flush=True)
        sys.stdin.read()
        read = Counter(request.path.split("/")[-2] for request in running.requests if request.path.endswith("/comments.json"))
        writes = [request.method for request in running.requests if request.method != "GET" and "/oauth/" not in request.path]
        print(json.dumps({"requests": len(running.requests), "writes": len(writes), "read": dict(read)}), flush=True)


def run(config: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, "--config", str(config), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)


def memory(process: subprocess.Popen[str]) -> float:
    """MiB that it has resident; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def kept(data: Path) -> int:
    import sqlite3

    try:
        with sqlite3.connect(f"file:{data / 'draftdesk.sqlite'}?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM samples").fetchone()[0])
    except sqlite3.Error:
        return 0


def watched(process: subprocess.Popen[str], data: Path, number: int, *, kill_at: int | None) -> list[tuple[int, float]]:
    """(tickets kept, MiB) once a second until it ends, or is killed."""
    seen = []
    while process.poll() is None:
        done = kept(data)
        if done and (mib := memory(process)):
            seen.append((done, mib))
        if kill_at is not None and done >= kill_at:
            process.kill()
            process.wait()
            break
        time.sleep(1.0)
    return seen


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("tickets", type=int, nargs="?", default=1000)
    asked.add_argument("--kill", action="store_true")
    asked.add_argument("--hold", action="store_true")
    said = asked.parse_args()
    if said.hold:
        hold(said.tickets)
        return
    command = [sys.executable, __file__, str(said.tickets), "--hold"]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        sandbox = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert sandbox.stdout is not None
        config = write_config(Path(folder), sandbox.stdout.readline().strip())
        run(config, "sync", "--json").communicate()
        data = Path(folder) / "data"
        if said.kill:
            watched(run(config, "simulate", DESK, "--json"), data, said.tickets, kill_at=said.tickets // 2)
            print(f"killed with {kept(data)} tickets kept")
        begun, before = time.monotonic(), os.times()
        process = run(config, "simulate", DESK, "--out", f"{folder}/out")
        seen = watched(process, data, said.tickets, kill_at=None)
        seconds, after = time.monotonic() - begun, os.times()
        made = kept(data)
        print(f"{made} samples; exit {process.returncode}; {seconds:.0f} s, {after.children_user - before.children_user:.0f} s of processor"
              f" and {after.children_system - before.children_system:.0f} s of system; load {os.getloadavg()[0]:.1f}")  # fmt: skip
        for place in (0, len(seen) // 4, len(seen) // 2, 3 * len(seen) // 4, len(seen) - 1) if seen else ():
            print(f"  at {seen[place][0]:>6} tickets {seen[place][1]:.0f} MiB")
        size = {name: (Path(folder) / "out" / name).stat().st_size // 1024 for name in ("report.html", "report.json")}
        told, _ = sandbox.communicate()
        counted = json.loads(told)
        twice = sum(times > 1 for times in counted["read"].values())
        print(f"{counted['requests']} requests, {counted['writes']} writes; {twice} tickets read twice ({UNDER_WAY} may be); KiB {size}")
        if counted["writes"] or twice > UNDER_WAY or process.returncode:
            sys.exit(1)


if __name__ == "__main__":
    main()
