"""Training against the sandbox: one paid job per wish, whatever goes wrong, and one voice in use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import Config, load
from bot.demo import write_config
from bot.tone.errands import make_dataset
from bot.tone.training import cancel, listed, look, promote, roll_back, train
from connectors.base import ConfigProblem, Transient
from connectors.sandbox import Sandbox

BASE = "gpt-4.1-mini-2025-04-14"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> Config:
    tuning = sandbox.model.fine_tuning
    tuning.jobs.clear()
    tuning.closed = tuning.fails = False
    tuning.lose, tuning.looks = 0, 1
    path = write_config(tmp_path, sandbox.url)
    (tmp_path / "secrets" / "openai").write_text("sandbox-key")
    key = f"file:{tmp_path}/secrets/openai"
    training = f'training: {{provider: openai, model: {BASE}, base_url: "{sandbox.url}/openai/v1", api_key: "{key}"}}\n'
    path.write_text(path.read_text() + training)
    loaded = load(path)
    make_dataset(loaded, None, [])
    return loaded


def run(config: Config, *, wait: bool = True, heard: list[str] | None = None, **parameters: object) -> dict[str, object]:
    return train(config, None, parameters, wait=wait, told=(heard if heard is not None else []).append, sleep=lambda _: None)


def test_a_job_is_followed_to_its_model_and_each_event_is_told_once(config: Config) -> None:
    heard: list[str] = []
    done = run(config, heard=heard, n_epochs=2, suffix="tidewell")
    assert done["state"] == "succeeded"
    assert str(done["model"]).startswith("ft:gpt-4.1-mini-2025-04-14:sandbox:tidewell:")
    assert len(heard) == len(set(heard))
    assert heard[-1] == "The job has successfully completed"
    assert done["usd"] == pytest.approx(int(str(done["tokens"])) * 5.00 / 1e6)


def test_the_same_command_twice_is_one_paid_job_and_other_options_another(config: Config, sandbox: Sandbox) -> None:
    first, second = run(config), run(config)
    assert first["job"] == second["job"]
    assert len(sandbox.model.fine_tuning.jobs) == 1
    run(config, n_epochs=4)
    assert len(sandbox.model.fine_tuning.jobs) == 2


def test_a_job_whose_creation_got_no_answer_is_found_again_not_made_again(config: Config, sandbox: Sandbox) -> None:
    sandbox.model.fine_tuning.lose = 1
    with pytest.raises(Transient, match="no second job is made"):
        run(config)
    assert run(config)["state"] == "succeeded"
    assert len(sandbox.model.fine_tuning.jobs) == 1


def test_a_closed_service_is_explained_with_what_remains(config: Config, sandbox: Sandbox) -> None:
    sandbox.model.fine_tuning.closed = True
    with pytest.raises(ConfigProblem, match="exemplars"):
        run(config)
    assert [row["state"] for row in listed(config)] == ["planned"]


def test_a_failed_job_says_why_and_may_be_tried_again(config: Config, sandbox: Sandbox) -> None:
    sandbox.model.fine_tuning.fails = True
    failed = run(config)
    assert (failed["state"], failed["reason"]) == ("failed", "The job failed due to an internal error")
    sandbox.model.fine_tuning.fails = False
    assert run(config)["state"] == "succeeded"


def test_a_slow_job_can_be_left_looked_at_and_cancelled(config: Config, sandbox: Sandbox) -> None:
    sandbox.model.fine_tuning.looks = 5
    left = run(config, wait=False)
    assert (left["state"], look(config, None)["state"]) == ("running", "running")
    assert cancel(config, str(left["job"]))["state"] == "cancelled"


def test_a_voice_is_used_only_when_asked_for_and_rolled_back_in_one_step(config: Config) -> None:
    first, second = run(config), run(config, n_epochs=4)
    with pytest.raises(ConfigProblem, match="--anyway"):
        promote(config, str(first["model"]), anyway=False)
    promote(config, str(first["model"]), anyway=True)
    promote(config, str(second["model"]), anyway=True)
    assert [row["model"] for row in listed(config) if row["in_use"]] == [second["model"]]
    assert roll_back(config) == first["model"]
    assert roll_back(config) is None
