"""An installation over the sandbox, its knowledge synced once per module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from connectors.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture(scope="module")
def deployment(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    opened = open_deployment(load(write_config(tmp_path_factory.mktemp("desk"), sandbox.url)))
    outcome = opened.sync(DESK)
    assert outcome.error is None
    yield opened
    opened.close()
