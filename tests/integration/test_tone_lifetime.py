"""A voice that ends is announced long before, and a voice that fails is replaced at once, visibly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from bot.checkup import examine
from bot.config import Config, load
from bot.demo import write_config
from bot.metrics import Metrics
from bot.tone.lifetime import Lifetime, lifetimes, warnings, watch
from connectors.sandbox import Sandbox
from storage import voices
from storage.database import open_database
from storage.tables import VoiceRow

MODEL, BASE = "ft:gpt-4.1-mini-2025-04-14:sandbox::abc", "gpt-4.1-mini-2025-04-14"
END = date(2027, 1, 14)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> Config:
    sandbox.model.models[MODEL] = None
    path = write_config(tmp_path, sandbox.url)
    (tmp_path / "secrets" / "openai").write_text("sandbox-key")
    voice = f'voice: {{provider: model, base_url: "{sandbox.url}/openai/v1", api_key: "file:{tmp_path}/secrets/openai"}}\n'
    path.write_text(path.read_text() + voice)
    return load(path)


@pytest.fixture
def engine(config: Config) -> Iterator[Engine]:
    opened = open_database(config.database_url(), folder=config.data_dir)
    now = datetime(2026, 11, 1, tzinfo=UTC)
    row = VoiceRow(
        key="k", dataset="d", provider="openai", base=BASE, state="succeeded", created_at=now, parameters={}, model=MODEL, promoted_at=now
    )
    with Session(opened) as session, session.begin():
        voices.plan(session, row)
    yield opened
    opened.dispose()


@pytest.mark.parametrize(
    ("today", "stage"), [(date(2026, 9, 1), None), (date(2026, 10, 16), 90), (date(2026, 12, 20), 30), (date(2027, 1, 10), 7)]
)
def test_the_end_of_the_base_is_announced_90_30_and_7_days_before(config: Config, engine: Engine, today: date, stage: int | None) -> None:
    [found] = lifetimes(config, engine, today)
    assert (found.model, found.ends, found.stage) == (MODEL, END, stage)
    assert bool(warnings(config, engine, today)) == (stage is not None)


def test_every_stage_says_how_long_and_what_to_do() -> None:
    one = Lifetime("m", "tone", END, 90)
    for days in (90, 30, 7, 1):
        assert f"stops in {days} day" in str(replace(one, days=days).warning)
    assert "was shut down" in str(replace(one, days=0).warning)
    assert "exemplars speak instead" in str(replace(one, gone=True).warning)
    assert replace(one, days=91).warning is None


def test_a_model_that_its_server_does_not_have_any_more_is_told_by_check(config: Config, engine: Engine, sandbox: Sandbox) -> None:
    del sandbox.model.models[MODEL]
    found = [line for line in examine(config, offline=False) if line.part == "voice"]
    assert [line.state for line in found] == ["ok", "WARN"]
    assert "does not have it any more" in found[1].says


def test_the_daily_look_sets_the_metric_and_outlives_a_server_that_is_away(config: Config, engine: Engine, sandbox: Sandbox) -> None:
    metrics = Metrics()
    watch(config, engine, metrics.voice_left, lambda: date(2027, 1, 10))
    assert metrics.registry.get_sample_value("draftdesk_model_days_left", {"task": "tone", "model": MODEL}) == 4
    gone = config.model_copy(update={"voice": config.voice.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})})
    watch(gone, engine, metrics.voice_left, lambda: date(2027, 1, 10))


def test_nothing_is_asked_where_no_model_speaks(config: Config, engine: Engine, sandbox: Sandbox) -> None:
    before = len(sandbox.requests)
    quiet = config.model_copy(update={"voice": config.voice.model_copy(update={"provider": "exemplars"})})
    assert lifetimes(quiet, engine, END) == []
    assert len(sandbox.requests) == before
