"""A vendor that is away for an hour, and comes back: how long the backlog takes, and what the memory does.

    python tests/bench/bench_outage.py [--minutes 60] [--tickets 120] [--quota 200] [--workers 2]

Real workers on PostgreSQL, real time: nothing is scaled unless --minutes says so. First the workers answer some tickets, so that
caches are filled; then every call of the helpdesk fails (an error, or no answer at all) while customers go on writing; then it is
back, with so many calls a minute as the vendor's plan allows. The quota time is what the calls that the backlog takes need at that rate.
Ends with 1 unless the backlog is drained within twice that, each ticket answered once, and memory is within 10%.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from bench_workers import QUESTION, fleet, wait_until
from servers import Postgres, memory_mb

from connectors.sandbox import Sandbox
from connectors.sandbox.zendesk.limits import Limits

WARM, LATENCY = 80, 0.5  # tickets before; seconds that the model takes
PLENTY = 100_000  # calls a minute while the workers warm up


def play(given: argparse.Namespace, stack: ExitStack) -> dict[str, object]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="draftdesk-outage-")))
    (folder / "pg").mkdir()
    folder.chmod(0o755)
    server = stack.enter_context(Postgres(folder / "pg"))
    sandbox = stack.enter_context(Sandbox(export_delay=0, limits=Limits(PLENTY, PLENTY)))
    sandbox.model.latency = LATENCY
    running = stack.enter_context(fleet(folder, sandbox.url, server.create("outage"), given.workers, 16))
    mine = ask(sandbox, WARM)
    wait_until(lambda: mine <= written(sandbox), 900)
    time.sleep(20)
    before = sum(memory_mb(process.pid) for process in running)
    tell(f"warm, {before:.0f} MB; the vendor goes away for {given.minutes:g} minutes")
    most = away(sandbox, given, mine, [process.pid for process in running])
    asked, back = len(sandbox.requests), time.monotonic()
    sandbox.world.buckets.limits = Limits(given.quota, given.quota)
    sandbox.faults.clear()
    tell("back")
    wait_until(lambda: mine <= written(sandbox), 60 * given.minutes + 3600)
    drained = time.monotonic() - back
    calls = sum(seen.path.startswith("/api/") and seen.status != 429 for seen in sandbox.requests[asked:])
    time.sleep(20)
    after = sum(memory_mb(process.pid) for process in running)
    counted = Counter(entry.ticket_id for entry in sandbox.desk.ledger.comments())
    quota_time = calls / given.quota * 60
    return {
        "bench": "outage",
        "minutes": given.minutes,
        "workers": given.workers,
        "tickets": given.tickets,
        "quota_per_minute": given.quota,
        "calls": calls,
        "calls_refused": sum(seen.status == 429 for seen in sandbox.requests[asked:]),
        "quota_time_s": round(quota_time),
        "drained_s": round(drained),
        "times_quota_time": round(drained / quota_time, 2),
        "doubled": sum(count - 1 for count in counted.values()),
        "memory_mb": {"before": round(before), "most": round(max(most, after)), "after": round(after)},
        "memory_ratio": round(max(most, after) / before, 3),
        "load": round(os.getloadavg()[0], 1),
    }


def away(sandbox: Sandbox, given: argparse.Namespace, mine: set[int], pids: list[int]) -> float:
    """The vendor is away while customers write, whose tickets are added to `mine`; the most memory meanwhile, in MB."""
    sandbox.faults.add("lost_request", "/api/v2/*", times=None, chance=0.5, seed=7)
    sandbox.faults.add("status", "/api/v2/*", status=503, times=None)
    end, most, asked = time.monotonic() + given.minutes * 60, 0.0, 0
    while (left := end - time.monotonic()) > 0:
        due = round(given.tickets * (1 - left / (given.minutes * 60)))
        mine |= ask(sandbox, due - asked)
        asked = due
        most = max(most, sum(map(memory_mb, pids)))
        time.sleep(min(5.0, left))
    mine |= ask(sandbox, given.tickets - asked)
    return most


def ask(sandbox: Sandbox, tickets: int) -> set[int]:
    """So many customers write."""
    made = set()
    for number in range(len(sandbox.desk.tickets), len(sandbox.desk.tickets) + tickets):
        customer = sandbox.desk.add_user(f"Customer {number}", f"customer{number}@customers.example").id
        made.add(sandbox.desk.create_ticket(f"Battery {number}", QUESTION.format(n=number), requester_id=customer).id)
    return made


def written(sandbox: Sandbox) -> set[int]:
    return {entry.ticket_id for entry in sandbox.desk.ledger.comments()}


def tell(words: str) -> None:
    print(time.strftime("%H:%M:%S"), words, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--tickets", type=int, default=120, help="written while the vendor is away")
    parser.add_argument("--quota", type=int, default=200, help="calls a minute, when it is back")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with ExitStack() as stack:
        told = play(given, stack)
    print(json.dumps(told))
    fine = told["times_quota_time"] <= 2 and told["doubled"] == 0 and told["memory_ratio"] <= 1.1
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
