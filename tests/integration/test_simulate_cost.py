"""A simulation with a paid model: it says what it costs, stops at its cap, and goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from bot.config import load
from bot.config.model import Budget, Writer
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from bot.simulate.replay import Wish
from bot.simulate.run import simulate
from connectors.base import ConfigProblem
from connectors.sandbox import Sandbox
from connectors.sandbox.company import load_company
from storage.spending import spent

ANSWERED = (2, 11, 18, 22, 23, 34, 41, 3)  # past tickets that articles answer, by the end of their ids
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
    """With eight past tickets, and nobody waiting."""
    company = load_company()
    few = tuple(case for case in company.past if case.id % 1000 in ANSWERED)
    with Sandbox(export_delay=0, company=replace(company, past=few, waiting=())) as running:
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


def test_it_stops_at_its_cap_and_goes_on_from_there_out_of_a_purse_of_its_own(deployment: Deployment) -> None:
    heard: list[str] = []
    first = simulate(deployment, DESK, Wish(EVER, 8, 1, 0.5), told=heard.append)
    assert "guessed from the model's prices" in heard[0]
    assert first.run.stopped is not None
    with Session(deployment.engine) as session:
        today, apart = spent(session), spent(session, payer=f"apart: simulation {DESK} {first.fingerprint}")
    assert today == 0.0
    assert apart == pytest.approx(first.run.usd)
    assert apart <= 0.5
    again = simulate(deployment, DESK, Wish(EVER, 8, 2, 50.0), told=heard.append)
    assert again.run.stopped is None
    assert again.run.again >= len(first.run.tickets)
    assert len(again.run.tickets) == 8
    assert "USD each" in heard[1]


def test_without_a_cap_of_its_own_it_lives_on_what_the_day_leaves(deployment: Deployment) -> None:
    capped = replace(deployment, config=deployment.config.model_copy(update={"budget": Budget(usd_per_day=0.5)}))
    made = simulate(capped, DESK, Wish(EVER, 8, 1, None))
    assert made.run.stopped is not None
    assert "of today" in made.run.stopped
    with Session(deployment.engine) as session:
        assert 0.0 < spent(session) <= 0.5


def test_a_paid_run_that_nothing_caps_does_not_begin(deployment: Deployment) -> None:
    with pytest.raises(ConfigProblem, match="--max-usd"):
        simulate(deployment, DESK, Wish(EVER, 3, 1, None))


def test_while_the_model_is_down_a_run_stops_and_keeps_nothing_of_it(deployment: Deployment, sandbox: Sandbox) -> None:
    sandbox.model.models.pop("sandbox-chat")
    try:
        made = simulate(deployment, DESK, Wish(EVER, 5, 1, 9.0))
    finally:
        sandbox.model.models["sandbox-chat"] = None
    assert made.run.stopped is not None
    assert "run the same command again" in made.run.stopped


def test_the_voice_pays_from_the_same_purse_and_stops_a_run_when_it_is_away(deployment: Deployment, sandbox: Sandbox) -> None:
    voice = deployment.config.voice.model_copy(
        update={
            "provider": "model",
            "model": "sandbox-chat",
            "base_url": deployment.config.writer.base_url,
            "api_key": deployment.config.writer.api_key,
        }
    )
    writer = Writer(prices=deployment.config.writer.prices)
    speaking = replace(deployment, config=deployment.config.model_copy(update={"voice": voice, "writer": writer}))
    made = simulate(speaking, DESK, Wish(EVER, 3, 1, 9.0))
    with Session(deployment.engine) as session:
        assert spent(session) == 0.0
        assert spent(session, payer=f"apart: simulation {DESK} {made.fingerprint}") > 0.0
    sandbox.model.models.pop("sandbox-chat")
    try:
        stopped = simulate(speaking, DESK, Wish(EVER, 8, 1, 9.0)).run.stopped
    finally:
        sandbox.model.models["sandbox-chat"] = None
    assert stopped is not None
