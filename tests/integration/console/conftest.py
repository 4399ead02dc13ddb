"""An installation over the sandbox, its knowledge synced once per module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.answer.flow import Flow
from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from connectors.sandbox import Sandbox


class Clock:
    """The time of the vendor and of ours; sleeping moves it and takes none."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def sleep(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(export_delay=0, now=clock.now) as running:
        yield running


@pytest.fixture(scope="module")
def deployment(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    opened = open_deployment(load(write_config(tmp_path_factory.mktemp("desk"), sandbox.url)))
    outcome = opened.sync(DESK)
    assert outcome.error is None
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def flow(deployment: Deployment, clock: Clock) -> Flow:
    return replace(deployment.flow(DESK), now=clock.now, sleep=clock.sleep)
