"""Several processes on one PostgreSQL: who is dead, what is shared, and an index that follows what others wrote."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.retrieve import search
from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import open_deployment
from bot.heartbeats import Pulse
from bot.restoring import Follower, restore_index
from connectors.sandbox import Sandbox
from storage import heartbeats
from storage.heartbeats import SILENCE
from storage.slots import HELD_AT_MOST, Slots

pytestmark = pytest.mark.xdist_group("postgres")


class Server(Protocol):
    def create(self, name: str, template: str = ...) -> str: ...


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


def beat(engine: Engine, name: str) -> None:
    with Session(engine) as session, session.begin():
        heartbeats.beat(session, name)


def test_a_silent_process_is_taken_over_once_and_a_living_one_never(engine: Engine, tmp_path: Path) -> None:
    for name in ("dead", "alive", "me"):
        beat(engine, name)
    with Session(engine) as session, session.begin():
        heartbeats.age(session, "dead", SILENCE + timedelta(seconds=1))
    rescued: list[set[str]] = []
    pulse = Pulse(engine, "me", tmp_path)
    pulse.watch(lambda living: rescued.append(set(living)) or 3)  # type: ignore[func-returns-value]
    pulse.end()
    assert rescued == [{"alive", "me"}], "whoever is not among these is taken over"
    with Session(engine) as session:
        assert (heartbeats.living(session), heartbeats.silent(session)) == ({"alive"}, set())


def test_a_process_that_was_thought_dead_makes_itself_known_again(engine: Engine) -> None:
    beat(engine, "slow")
    with Session(engine) as session, session.begin():
        heartbeats.bury(session, ["slow"])
    beat(engine, "slow")
    with Session(engine) as session:
        assert heartbeats.living(session) == {"slow"}


def test_no_more_calls_at_once_than_allowed_over_all_processes(engine: Engine) -> None:
    first, second = Slots(engine, "model", 3), Slots(engine, "model", 3)
    held = [first.take(), second.take(), first.take()]
    assert None not in held
    assert (first.take(), second.take()) == (None, None)
    second.give(str(held[0]))
    assert second.take() is not None
    assert Slots(engine, "another", 1).take() is not None


def test_places_of_a_process_that_died_free_themselves(engine: Engine) -> None:
    from datetime import UTC, datetime

    Slots(engine, "model", 1).take()
    later = datetime.now(UTC) + timedelta(seconds=HELD_AT_MOST + 1)
    assert Slots(engine, "model", 1, lambda: later).take() is not None


def test_many_threads_never_exceed_the_places(engine: Engine) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        slots = Slots(engine, "model", 2)
        for _ in range(6):
            if (holder := slots.take()) is not None:
                with lock:
                    running += 1
                    most = max(most, running)
                with lock:
                    running -= 1
                slots.give(holder)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= 2


def test_an_index_of_its_own_follows_what_another_process_wrote_and_whom_it_erased(
    postgres: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    config = load(write_config(tmp_path, sandbox.url)).model_copy(update={"database": postgres.create("followed")})
    first = open_deployment(config)
    second = open_deployment(config.model_copy(update={"data_dir": tmp_path / "other"}))
    try:
        assert first.sync(DESK).error is None
        follower = Follower(second)
        assert restore_index(second) > 0
        sandbox.guide.create("Zebra crossing", "<p>The zebra crossing opens at nine; ask zora@zebra.example.</p>")
        first.sync(DESK)
        assert "Zebra crossing" not in [one.title for one in search("zebra crossing", second.index, audience=None, k=3)]
        follower.follow()
        assert search("zebra crossing", second.index, audience=None, k=1)[0].title == "Zebra crossing"
        from bot.forgetting import forget

        forget(first, "zora@zebra.example")
        follower.follow()
        assert [path for path in (tmp_path / "other").rglob("*") if path.is_file() and b"zora@zebra" in path.read_bytes()] == []
        assert search("zebra crossing", second.index, audience=None, k=1)[0].title == "Zebra crossing"
    finally:
        first.close()
        second.close()


