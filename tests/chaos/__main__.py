"""Everything that can go wrong, at random, while tickets come in: ``python tests/chaos --seed N`` plays the same faults again.

The faults and the load are drawn from the seed; what the machine does between them is not, so a seed finds the same faults in the
same order rather than the same microsecond.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from faults import FAULTS, mount_small_disk, unmount_small_disk
from invariants import always, at_rest, journal, late, takeovers, unanswered, unsettled
from rig import NotHere, Postgres, Rig, pause

from connectors.sandbox import Sandbox

CAP = 50.0  # USD
QUESTIONS = (
    "How do I replace the battery of a sensor? This is question {n}.",
    "At what pressure is a new valve tested, and for how long? Question {n}.",
    "Can I get a refund for my order {n}?",
    "Where is the moon, and who is {n}?",
)
ADDRESS = "chaos.customer@customers.example"


def play(given: argparse.Namespace) -> int:
    dice = random.Random(given.seed)
    print(f"seed {given.seed}: {given.tickets} tickets, {given.faults} faults, {given.workers} workers on {given.database}", flush=True)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="draftdesk-chaos-"))
        folder.chmod(0o755)
        if not given.keep:
            stack.callback(shutil.rmtree, folder, True)
        sandbox = stack.enter_context(Sandbox(export_delay=0))
        sandbox.model.latency = given.latency
        postgres = None
        if given.database == "postgresql":
            (folder / "pg").mkdir()
            postgres = Postgres(folder / "pg")
            stack.callback(postgres.stop)
        rig = Rig(folder, sandbox, postgres)
        for _ in range(given.workers if postgres else 1):
            rig.add_worker(CAP)
        chosen = list(given.only or FAULTS)
        if "disk full" in chosen:
            try:
                mount_small_disk(rig)
                stack.callback(unmount_small_disk, rig)
            except NotHere as reason:
                print(f"without the full disk: {reason}")
                chosen.remove("disk full")
        rig.first_sync()
        for worker in rig.workers:
            worker.start()
        stack.callback(lambda: [worker.kill() for worker in rig.workers])
        began = time.monotonic()
        troubles, counted = strike_and_load(rig, dice, given, chosen)
        troubles += calm(rig, given, began)
        seconds = time.monotonic() - began
    print(f"seed {given.seed}: {dict(counted)} in {seconds:.0f} s; starts {[worker.starts for worker in rig.workers]}", flush=True)
    for trouble in dict.fromkeys(troubles):
        print(f"BROKEN {trouble}")
    print("all invariants held" if not troubles else f"replay with: python tests/chaos --seed {given.seed}")
    return 1 if troubles else 0


def strike_and_load(rig: Rig, dice: random.Random, given: argparse.Namespace, chosen: list[str]) -> tuple[list[str], Counter[str]]:
    """One fault after the other, while tickets come in and people act on them; the invariants are looked at all along."""
    stop, troubles, counted = threading.Event(), list[str](), Counter[str]()
    asked = (rig, random.Random(given.seed + 1), given.tickets, given.faults * given.gap, not given.alone, stop)
    load = threading.Thread(target=ask, args=asked)
    watch = threading.Thread(target=look, args=(rig, troubles, stop))
    load.start()
    watch.start()
    try:
        for number in range(given.faults):
            # Each kind once before chance has it: a short run meets all of them.
            name = chosen[number] if number < len(chosen) and given.faults >= len(chosen) else dice.choice(chosen)
            pause(dice.uniform(0, 2 * given.gap))
            counted[name] += 1
            try:
                FAULTS[name](rig, dice)
            except OSError as problem:
                print(f"fault {name}: {problem}")
            revive(rig)
    finally:
        load.join()
        stop.set()
        watch.join()
    return troubles, counted


def ask(rig: Rig, dice: random.Random, tickets: int, seconds: float, people: bool, stop: threading.Event) -> None:
    """Customers write; with `people` some write again, and agents answer some tickets and solve others."""
    desk = rig.sandbox.desk
    customer, agent = desk.add_user("Chaos", ADDRESS).id, next(user.id for user in desk.users.values() if user.role in ("agent", "admin"))
    for number in range(tickets):
        ticket = desk.create_ticket(f"Question {number}", dice.choice(QUESTIONS).format(n=number), requester_id=customer).id
        rig.asked.add(ticket)
        chance = dice.random() if people else 1.0
        if chance < 0.05:
            desk.comment(ticket, "Let me look at this.", author_id=agent)
        elif chance < 0.08:
            desk.set_status(ticket, "solved", author_id=agent)
        elif chance < 0.15 and rig.asked:
            desk.comment(dice.choice(sorted(rig.asked)), f"And one more thing about {number}: how do I reset a valve?", author_id=customer)
        if stop.wait(seconds / tickets):
            return


def look(rig: Rig, troubles: list[str], stop: threading.Event) -> None:
    while not stop.wait(2.0):
        troubles += always(rig)


def revive(rig: Rig) -> None:
    """What an operator's service does: start again whatever ended by itself."""
    for worker in rig.workers:
        if not worker.alive():
            worker.start()


def calm(rig: Rig, given: argparse.Namespace, began: float) -> list[str]:
    """No more faults: everything that waits is answered, what was begun is settled, and what is left agrees."""
    before, since = left(rig), time.monotonic()
    while any(before) and time.monotonic() - since < given.calm:
        pause(1)
        revive(rig)
        if (now := left(rig)) != before:
            before, since = now, time.monotonic()
    waiting, open_ = before
    written = len(rig.sandbox.desk.ledger.comments())
    print(f"calm after {time.monotonic() - began:.0f} s, {written} comments, {waiting} unanswered, {open_} unsettled", flush=True)
    pause(5)
    codes = [worker.stop() for worker in rig.workers]
    taken = sorted(takeovers(rig))
    if taken:
        print(f"{len(taken)} take-overs of killed workers, {taken[len(taken) // 2]:.0f} s after the kill, {taken[-1]:.0f} s at most")
    troubles = [f"a worker ended with {code}" for code in codes if code not in (0, -signal.SIGTERM)]
    troubles += [*late(taken), *at_rest(rig, CAP)]
    mine = sum(entry.ticket_id in rig.asked for entry in rig.sandbox.desk.ledger.comments())
    print(f"{len(rig.asked)} tickets of the load, {mine} comments on them")
    if given.alone and mine != given.tickets:
        troubles.append(f"{given.tickets} tickets, {mine} effects")
    return troubles + list(journal(rig, [ADDRESS, "chaos-7281", "sandbox-secret", "sandbox-key"]))


def left(rig: Rig) -> tuple[int, int]:
    """Tickets that wait, and effects whose end is open."""
    return len(unanswered(rig)), len(unsettled(rig))


def read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--workers", type=int, default=3, help="on PostgreSQL")
    parser.add_argument("--tickets", type=int, default=200)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--gap", type=float, default=3.0, help="seconds between two faults, on average")
    parser.add_argument("--latency", type=float, default=0.2, help="of the model, in seconds")
    parser.add_argument("--calm", type=float, default=300, help="seconds at the end without any answer, after which tickets count as lost")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--alone", action="store_true", help="nobody else writes: as many effects as tickets")
    parser.add_argument("--keep", action="store_true", help="leave the workers' logs in the temporary folder")
    parser.add_argument("--only", nargs="+", choices=sorted(FAULTS), help="these kinds of faults")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(play(read()))
    except NotHere as reason:
        print(reason)
        sys.exit(77)
