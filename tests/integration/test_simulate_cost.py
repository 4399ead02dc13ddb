"""A simulation with a paid model: it says what it costs, stops at its cap, and goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from bot.simulate.replay import Wish
from bot.simulate.run import simulate
from connectors.base import ConfigProblem
from connectors.sandbox import Sandbox
from storage.spending import spent

EVER = datetime(1970, 1, 1, tzinfo=UTC)
PAID = """
writer:
  provider: openai
  model: sandbox-chat
  base_url: {url}/openai/v1
  api_key: "file:{key}"
  prices: {{input: 100.0, cached: 10.0, output: 200.0}}
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture
def deployment(sandbox: Sandbox, tmp_path: Path) -> Iterator[Deployment]:
    path, key = write_config(tmp_path, sandbox.url), tmp_path / "key"
    key.write_text("sandbox-key")
    key.chmod(0o600)
    path.write_text(path.read_text() + PAID.format(url=sandbox.url, key=key))
    opened = open_deployment(load(path))
    assert opened.sync(DESK).error is None
    yield opened
    opened.close()


def test_it_stops_at_its_cap_and_goes_on_from_there(deployment: Deployment) -> None:
    heard: list[str] = []
    first = simulate(deployment, DESK, Wish(EVER, 12, 1, 0.05), told=heard.append)
    assert "not known yet" in heard[0]
    assert first.run.stopped is not None
    assert "--max-usd" in first.run.stopped
    with Session(deployment.engine) as session:
        paid = spent(session)
    assert paid == pytest.approx(first.run.usd)
    again = simulate(deployment, DESK, Wish(EVER, 12, 2, 50.0), told=heard.append)
    assert again.run.stopped is None
    assert again.run.again >= len(first.run.tickets)
    assert len(again.run.tickets) == 12
    assert "USD each" in heard[1]


def test_what_is_known_to_cost_too_much_does_not_begin(deployment: Deployment) -> None:
    simulate(deployment, DESK, Wish(EVER, 3, 1, None))
    with pytest.raises(ConfigProblem, match=r"more than the 0\.01 USD"):
        simulate(deployment, DESK, Wish(EVER, 100, 1, 0.01))


def test_while_the_model_is_down_a_run_stops_and_keeps_nothing_of_it(deployment: Deployment, sandbox: Sandbox) -> None:
    sandbox.model.models.pop("sandbox-chat")
    try:
        made = simulate(deployment, DESK, Wish(EVER, 5, 1, None))
    finally:
        sandbox.model.models["sandbox-chat"] = None
    assert made.run.stopped is not None
    assert "run the same command again" in made.run.stopped
