"""One account's quota, shared by processes through a real database."""

from __future__ import annotations

import os
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select

from storage.database import open_database
from storage.quota import LEASE, REST, Accounts, SharedAllowance
from storage.tables import QuotaRow, table

START = datetime(2026, 5, 1, tzinfo=UTC)
WINDOW = 60.0


@dataclass
class Clock:
    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def hear(allowance: SharedAllowance, *, limit: float = 100, remaining: float = 100, resets_in: float | None = None) -> None:
    allowance.learn(ours=limit / 2, reserve=limit / 4, remaining=remaining, window=WINDOW, resets_in=resets_in)


def pair(engines: Callable[[], Engine], clock: Clock) -> tuple[SharedAllowance, SharedAllowance]:
    return SharedAllowance(engines(), "desk", clock), SharedAllowance(engines(), "desk", clock)


def drain(allowance: SharedAllowance, most: int = 1000) -> int:
    """Background calls made until one has to wait."""
    return next((made for made in range(most) if allowance.take(urgent=False) > 0), most)


def test_two_processes_together_take_half_and_no_more_in_any_window(open_again: Callable[[], Engine]) -> None:
    clock = Clock()
    one, two = pair(open_again, clock)
    hear(one)
    made: list[datetime] = []
    for _ in range(400):
        for allowance in (one, two):
            for _ in range(3):
                if allowance.take(urgent=False) == 0:
                    made.append(clock.at)
        clock.forward(0.7)
    most = max(sum(start <= at < start + timedelta(seconds=WINDOW) for at in made) for start in made)
    assert most <= 50
    assert len(made) >= 0.8 * 50 * (280 / WINDOW), "and not much less"


def test_the_wait_that_is_told_is_enough_and_not_too_long(open_again: Callable[[], Engine]) -> None:
    clock = Clock()
    one, two = pair(open_again, clock)
    hear(one)
    assert drain(one) == 50
    wait = two.take(urgent=False)
    assert 0 < wait <= WINDOW + LEASE
    clock.forward(wait)
    assert two.take(urgent=False) == 0


def test_an_urgent_call_never_waits_and_leaves_less_for_the_others(open_again: Callable[[], Engine]) -> None:
    clock = Clock()
    one, two = pair(open_again, clock)
    hear(one)
    assert drain(one, 40) == 40
    assert [one.take(urgent=True) for _ in range(30)] == [0.0] * 30
    clock.forward(LEASE + 1)
    hear(one, remaining=30)
    clock.forward(1)
    assert two.take(urgent=False) > 0


def test_a_limit_learned_by_one_process_binds_the_other_at_its_first_call(open_again: Callable[[], Engine]) -> None:
    clock = Clock()
    one, two = pair(open_again, clock)
    for _ in range(7):
        assert one.take(urgent=False) == 0, "no limit is known yet"
    hear(one, limit=20)
    assert drain(one) + drain(two) == 3, "the calls made before the limit was known count, too"


def test_what_one_process_was_told_to_wait_holds_back_the_others_background_calls(open_again: Callable[[], Engine]) -> None:
    clock = Clock()
    one, two = pair(open_again, clock)
    assert two.take(urgent=False) == 0
    one.hold(30)
    clock.forward(1.5)
    assert two.take(urgent=False) == pytest.approx(28.5)
    assert two.take(urgent=True) == 0
    clock.forward(28.6)
    assert two.take(urgent=False) == 0


def test_where_the_team_uses_the_account_up_the_background_asks_now_and_then(open_again: Callable[[], Engine]) -> None:
    clock = Clock()
    one, two = pair(open_again, clock)
    hear(one, remaining=20)
    assert two.take(urgent=False) == pytest.approx(REST)
    clock.forward(REST)
    assert two.take(urgent=False) == 0
    hear(two, remaining=20)
    assert one.take(urgent=False) > 0
    assert two.take(urgent=False) > 0
    clock.forward(REST + 1)
    assert two.take(urgent=False) == 0
    hear(two, remaining=90)
    clock.forward(1)
    assert drain(one) > 10


def test_many_calls_of_a_generous_account_cost_few_writes(engine: Engine) -> None:
    clock = Clock()
    allowance = SharedAllowance(engine, "desk", clock)
    hear(allowance, limit=2500, remaining=2500)
    commits: list[object] = []
    event.listen(engine, "commit", commits.append)
    for _ in range(1000):
        assert allowance.take(urgent=False) == 0
        hear(allowance, limit=2500, remaining=2000)
    assert len(commits) <= 12


def test_what_a_lease_did_not_use_is_given_back(open_again: Callable[[], Engine]) -> None:
    clock = Clock()
    one, two = pair(open_again, clock)
    hear(one)
    assert one.take(urgent=False) == 0
    clock.forward(LEASE + 1)
    assert one.take(urgent=False) == 0
    clock.forward(LEASE + 1)
    assert drain(one) + drain(two) == 48


def test_a_process_that_ends_gives_its_lease_back_and_counts_what_it_owes(open_again: Callable[[], Engine]) -> None:
    clock = Clock()
    one = Accounts(open_again(), clock)
    hear(one("desk"))
    assert one("desk").take(urgent=False) == 0
    assert [one("desk").take(urgent=True) for _ in range(9)] == [0] * 9
    one.close()
    assert drain(SharedAllowance(open_again(), "desk", clock)) == 40


def test_accounts_do_not_meet(engine: Engine) -> None:
    clock = Clock()
    one, other = SharedAllowance(engine, "desk", clock), SharedAllowance(engine, "wiki", clock)
    hear(one)
    hear(other)
    assert (drain(one), drain(other)) == (50, 50)


def test_a_locked_database_slows_the_background_and_fails_nothing(tmp_path: Path) -> None:
    clock = Clock()
    engine, other = open_database("sqlite", folder=tmp_path, patience=0.05), open_database("sqlite", folder=tmp_path)
    allowance = SharedAllowance(engine, "desk", clock)
    with other.connect() as locking, locking.begin():
        hear(allowance)
        waits = [allowance.take(urgent=False) for _ in range(3)]
        assert waits[0] > 0
        clock.forward(1)
        assert (allowance.take(urgent=False), allowance.take(urgent=True)) == (0, 0)
        assert allowance.take(urgent=False) > 0
        clock.forward(1)
        assert allowance.take(urgent=False) == 0
        allowance.hold(5)
        assert allowance.take(urgent=False) == pytest.approx(5)
    clock.forward(6)
    assert allowance.take(urgent=False) == 0
    with other.connect() as connection:
        row = connection.execute(select(table(QuotaRow))).one()
    assert sum(calls for _, calls, _ in row.taken) >= 3, "calls made meanwhile are counted afterwards"
    engine.dispose()
    other.dispose()


# --- two real processes against a server that counts

CALLER = """
import sys
from pathlib import Path
from connectors.http import HttpClient
from storage.database import open_database
from storage.quota import SharedAllowance

url, database, folder, name = sys.argv[1:5]
http = HttpClient(url, allowance=SharedAllowance(open_database(database, folder=Path(folder)), "desk"))
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "urgent":
        http.get("/urgent/" + name, urgent=True)
        print("done", flush=True)
    else:
        for _ in range(40):
            http.get("/background/" + name)
"""


@dataclass
class Strict:
    """Counts what it is asked; allows `limit` calls a minute and says so."""

    limit: int = 40
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def count(self, kind: str) -> int:
        return sum(kind in target for target in self.asked)


@pytest.fixture
def strict() -> Iterator[Strict]:
    state, lock = Strict(), threading.Lock()

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                with lock:
                    state.asked.append(line.decode().split()[1])
                    left = state.limit - len(state.asked)
                status = "200 OK" if left >= 0 else "429 Too Many Requests\r\nRetry-After: 60"
                told = f"X-Rate-Limit: {state.limit}\r\nX-Rate-Limit-Remaining: {max(0, left)}"
                self.wfile.write(f"HTTP/1.1 {status}\r\n{told}\r\nContent-Length: 2\r\n\r\n{{}}".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A process that is killed hangs up."""

    with Server(("127.0.0.1", 0), Conversation) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def test_two_real_processes_stay_within_half_and_an_urgent_call_passes_them(
    strict: Strict, open_again: Callable[[], Engine], tmp_path: Path
) -> None:
    engine = open_again()
    database = "sqlite" if engine.dialect.name == "sqlite" else engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    command = [sys.executable, "-c", CALLER, strict.url, database, str(tmp_path)]
    root = str(Path(__file__).parents[2])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    callers = [subprocess.Popen([*command, name], env={**os.environ, "PYTHONPATH": root}, **pipes) for name in ("a", "b", "c")]  # type: ignore[call-overload]
    try:
        for caller in callers:
            assert caller.stdout.readline() == "ready\n"
        for caller in callers[:2]:
            print("background", file=caller.stdin, flush=True)
        settled(strict)
        before = strict.count("background")
        asked_at = time.monotonic()
        print("urgent", file=callers[2].stdin, flush=True)
        assert callers[2].stdout.readline() == "done\n"
        assert time.monotonic() - asked_at < 1
        settled(strict)
        assert 15 <= before <= strict.limit / 2
        assert strict.count("background") <= strict.limit / 2
        assert {target[-1] for target in strict.asked if "background" in target} == {"a", "b"}
    finally:
        for caller in callers:
            caller.kill()
            caller.communicate()


def settled(strict: Strict, quiet: float = 1.5) -> None:
    """Waits until nobody has asked for a while."""
    seen, since, pause = -1, time.monotonic(), threading.Event()
    while time.monotonic() - since < quiet:
        if len(strict.asked) != seen:
            seen, since = len(strict.asked), time.monotonic()
        pause.wait(0.05)
