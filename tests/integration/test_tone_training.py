"""Training against the sandbox: one paid job per wish, whatever goes wrong, and one voice in use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import Config, load
from bot.demo import write_config
from bot.tone.errands import find_dataset, make_dataset
from bot.tone.heldout import read_held_out
from bot.tone.measuring import evaluate
from bot.tone.training import cancel, listed, look, promote, roll_back, train
from connectors.base import ConfigProblem, Transient
from connectors.sandbox import Sandbox

BASE = "gpt-4.1-mini-2025-04-14"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


def configured(folder: Path, url: str) -> Config:
    path = write_config(folder, url)
    (folder / "secrets" / "openai").write_text("sandbox-key")
    key = f"file:{folder}/secrets/openai"
    path.write_text(path.read_text() + f'training: {{provider: openai, model: {BASE}, base_url: "{url}/openai/v1", api_key: "{key}"}}\n')
    return load(path)


@pytest.fixture(scope="module")
def voice(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DATA_DIR/voice with a data set, made once."""
    made = configured(tmp_path_factory.mktemp("desk"), sandbox.url)
    make_dataset(made, None, [])
    return made.data_dir / "voice"


@pytest.fixture
def config(sandbox: Sandbox, voice: Path, tmp_path: Path) -> Config:
    tuning = sandbox.model.fine_tuning
    tuning.jobs.clear()
    tuning.closed = tuning.fails = False
    tuning.lose, tuning.looks = 0, 1
    sandbox.model.reply = None
    made = configured(tmp_path, sandbox.url)
    shutil.copytree(voice, made.data_dir / "voice")
    return made


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


def teach(sandbox: Sandbox, config: Config) -> None:
    """The sandbox's model says what the team said, where the facts allow it."""
    told = {one.plain: one.team.split("\n\n") for one in read_held_out(find_dataset(config, None)[1] / "validation.jsonl")}

    def say(body: dict[str, object]) -> str:
        asked = str(body["messages"][-1]["content"])  # type: ignore[index]
        team = next((parts for plain, parts in told.items() if plain.split() == asked.split()), None)
        return "\n\n".join(team[1:-1]) if team else asked

    sandbox.model.reply = say


def test_a_voice_is_measured_and_promoted_without_a_word_only_when_it_beats_exemplars(
    config: Config, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = str(run(config)["model"])
    with pytest.raises(ConfigProblem, match="nobody has measured it"):
        promote(config, model, anyway=False)
    teach(sandbox, config)
    made = evaluate(config, None, out=None)
    assert [row["name"] for row in made["voices"]] == ["none", "exemplars", "model"]
    assert {row["facts_kept"] for row in made["voices"]} == {1.0}
    assert Path(made["page"]).read_text().count("<svg") == 1
    assert made["curve"]
    assert made["voices"][2]["cost_usd"] > 0
    row = listed(config)[0]
    assert row["measured"]["better"] == made["better_than_exemplars"]
    if not made["better_than_exemplars"]:
        with pytest.raises(ConfigProblem, match="not shown to sound more like the team"):
            promote(config, model, anyway=False)


def test_a_model_that_answers_nothing_is_not_measured(config: Config, sandbox: Sandbox) -> None:
    run(config)
    sandbox.model.mode = "error"
    try:
        with pytest.raises(Transient, match="nothing was measured"):
            evaluate(config, None, out=None)
    finally:
        sandbox.model.mode = "compose"
