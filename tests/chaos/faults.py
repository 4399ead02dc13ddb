"""What goes wrong: each fault strikes for a while and is over afterwards. All chance comes from the dice that are handed in."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing

from rig import NotHere, Rig, pause

AT_WORK = 0.85  # share of the kills that strike a worker which has begun to work
DISK = "160m"  # of the small file system that a worker's data may lie on; the index lays out its log of 32 MB beforehand


def kill(rig: Rig, dice: random.Random) -> None:
    """The worker, and the scheduler in it, as kill -9 would: mostly while it works, sometimes while it starts."""
    worker = dice.choice(rig.workers)
    if dice.random() < AT_WORK:
        worker.await_work()
        pause(dice.uniform(0, 3))
    worker.kill()
    pause(dice.uniform(0, 2))
    worker.start()


def freeze(rig: Rig, dice: random.Random) -> None:
    """A worker that is away long enough to be thought dead, and then goes on where it was."""
    worker = dice.choice(rig.workers)
    worker.signal(signal.SIGSTOP)
    pause(dice.uniform(22, 30) if rig.postgres and dice.random() < 0.5 else dice.uniform(0.5, 3))
    worker.signal(signal.SIGCONT)


def cut_database(rig: Rig, dice: random.Random) -> None:
    """PostgreSQL: every connection is cut, or the server dies and comes back. SQLite: somebody holds the write lock."""
    if rig.postgres is None:
        with closing(sqlite3.connect(rig.workers[0].home / "draftdesk.sqlite", timeout=30, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            pause(dice.choice([dice.uniform(0.5, 3), 17]))  # the longer one outlasts the patience
            other.execute("ROLLBACK")
    elif dice.random() < 0.6:
        rig.postgres.cut()
    else:
        rig.postgres.stop()
        pause(dice.uniform(0, 2))
        rig.postgres.start()


def lose_index(rig: Rig, dice: random.Random) -> None:
    """The index is gone when the worker comes back: it is made anew from the database."""
    worker = dice.choice(rig.workers)
    worker.kill()
    shutil.rmtree(worker.home / "index", ignore_errors=True)
    worker.start()


def trouble_vendor(rig: Rig, dice: random.Random) -> None:
    """A burst of what vendors do, lost requests and lost answers among it."""
    for _ in range(dice.randint(2, 6)):
        kind = dice.choice(["status", "status", "lost_request", "lost_response", "html", "truncated"])
        more = {"status": dice.choice([429, 500, 502, 503]), "retry_after": dice.choice([None, "1", "2"])} if kind == "status" else {}
        method = dice.choice(["GET", "PUT"])
        rig.sandbox.faults.add(kind, "/api/v2/*", method=method, times=dice.randint(1, 4), chance=0.7, seed=dice.randrange(10**6), **more)
    pause(dice.uniform(0, 2))


def trouble_model(rig: Rig, dice: random.Random) -> None:
    rig.sandbox.model.mode = dice.choice(["error", "rate_limited", "empty", "nonsense", "truncate", "invent", "obey"])
    pause(dice.uniform(1, 5))
    rig.sandbox.model.mode = "compose"


def fill_disk(rig: Rig, dice: random.Random) -> None:
    """The file system under a worker's data runs full, and is cleared again."""
    worker = rig.workers[0]
    ballast = worker.home / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass
        pause(dice.uniform(1, 4))
    ballast.unlink()


def mount_small_disk(rig: Rig) -> None:
    """Under the first worker's data. Raises NotHere without the right to mount."""
    home = rig.workers[0].home
    home.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(home)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(f"no right to mount a small disk ({done.stderr.strip()})")


def unmount_small_disk(rig: Rig) -> None:
    subprocess.run(["umount", "-l", str(rig.workers[0].home)], capture_output=True, check=False)


Fault = Callable[[Rig, random.Random], None]
FAULTS: dict[str, Fault] = {
    "kill": kill,
    "freeze": freeze,
    "database": cut_database,
    "index": lose_index,
    "vendor": trouble_vendor,
    "model": trouble_model,
    "disk full": fill_disk,
}
