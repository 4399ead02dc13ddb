"""Training against the sandbox: one paid job per wish, whatever goes wrong, and one voice in use."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.config import Config, load
from bot.demo import write_config
from bot.tone.again import again
from bot.tone.errands import find_dataset, make_dataset
from bot.tone.heldout import read_held_out
from bot.tone.measuring import evaluate
from bot.tone.sweep import sweep
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
    tuning.encoded = True
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


def sweeping(config: Config, cap: float | None, **grid: list[float]) -> dict[str, Any]:
    return sweep(config, None, grid, cap_usd=cap, fixed={"seed": 1}, told=lambda _: None, sleep=lambda _: None)


def test_a_sweep_names_the_lowest_held_out_loss_and_pays_no_job_twice(config: Config, sandbox: Sandbox) -> None:
    tuning = sandbox.model.fine_tuning
    tuning.gain = lambda job: {1: 0.5, 2: 1.0, 3: 0.7}[job["hyperparameters"]["n_epochs"]]
    try:
        told = sweeping(config, 10.0, n_epochs=[3, 1, 2], learning_rate_multiplier=[1.0])
        assert sweeping(config, 10.0, n_epochs=[3, 1, 2], learning_rate_multiplier=[1.0]) == told
    finally:
        tuning.gain = lambda _: 1.0
    assert [job["numbers"]["n_epochs"] for job in told["jobs"]] == [1, 2, 3]
    assert told["best"] == told["jobs"][1]["model"]
    assert len(tuning.jobs) == 3


def test_a_sweep_starts_no_job_that_could_overstep_its_cap(config: Config, sandbox: Sandbox) -> None:
    with pytest.raises(ConfigProblem, match="--cap-usd"):
        sweeping(config, None, n_epochs=[1])
    told = sweeping(config, 0.08, n_epochs=[1, 50])
    assert [job["state"] for job in told["jobs"]] == ["succeeded", "not started"]
    assert told["usd"] <= 0.08
    assert len(sandbox.model.fine_tuning.jobs) == 1


@pytest.mark.parametrize("encoded", [True, False])
def test_a_result_file_is_read_in_base64_and_as_it_is(config: Config, sandbox: Sandbox, encoded: bool) -> None:
    sandbox.model.fine_tuning.encoded = encoded
    curve = run(config)["curve"]
    assert [point["step"] for point in curve] == [1, 2, 3, 4, 5, 6]  # type: ignore[attr-defined]
    assert curve[-1] == {"step": 6, "train_loss": 0.3333, "valid_loss": 0.5}  # type: ignore[index]


def test_dpo_learns_from_the_agents_edits(config: Config, sandbox: Sandbox, voice: Path) -> None:
    with pytest.raises(ConfigProblem, match="at least 10 are needed"):
        run(config, method="dpo")
    file = find_dataset(config, None)[1] / "preference.jsonl"
    file.write_text("".join(json.dumps(pair(n)) + "\n" for n in range(12)))
    done = run(config, method="dpo", beta=0.1)
    assert done["state"] == "succeeded"
    job = next(iter(sandbox.model.fine_tuning.jobs.values()))
    assert job["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}}
    assert job["validation_file"] is None


def pair(n: int) -> dict[str, object]:
    said = [[{"role": "assistant", "content": f"{word} {n}"}] for word in ("It's there in", "It is there in")]
    asked = {"messages": [{"role": "user", "content": f"When is it there? {n}"}]}
    return {"input": asked, "preferred_output": said[0], "non_preferred_output": said[1]}


def test_a_retired_base_is_replaced_by_one_command_that_compares_old_and_new(config: Config, sandbox: Sandbox) -> None:
    teach(sandbox, config)
    old = str(run(config, n_epochs=2, seed=7)["model"])
    with pytest.raises(ConfigProblem, match="write the new base there"):
        again(config, old, {}, told=lambda _: None)
    path = config.data_dir.parent / "config.yaml"
    path.write_text(path.read_text().replace(f"model: {BASE}", "model: gpt-4o-mini-2024-07-18"))
    new = again(load(path), old, {}, told=lambda _: None, sleep=lambda _: None)
    assert new["parameters"] == {"n_epochs": 2, "seed": 7}
    assert new["base"] == "gpt-4o-mini-2024-07-18"
    assert new["compared"]["old"]["name"] == new["compared"]["new"]["name"] == "model"
    assert "nearer to the team" in new["compared"]["says"]


@pytest.mark.parametrize(("method", "path"), [("POST", "/files"), ("POST", "/fine_tuning/jobs"), ("GET", "/fine_tuning/jobs/ftjob")])
def test_a_command_that_is_killed_is_never_paid_twice(config: Config, sandbox: Sandbox, method: str, path: str) -> None:
    """The real command, killed by -9 at the first request of a kind, then run again to its end."""
    seen = len(sandbox.requests)
    words = ["--config", str(config.data_dir.parent / "config.yaml"), "tone", "train", "--epochs", "2"]
    with subprocess.Popen([sys.executable, "-m", "bot", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not any(one.method == method and f"/openai/v1{path}" in one.path for one in sandbox.requests[seen:]):
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    assert run(config, n_epochs=2)["state"] == "succeeded"
    assert len(sandbox.model.fine_tuning.jobs) == 1


def test_a_triage_goes_the_same_way_and_is_promoted_only_where_it_beats_the_built_in_one(config: Config, sandbox: Sandbox) -> None:
    made = make_dataset(config, None, [], "triage")
    assert made["task"] == "triage"
    model = str(run_on(config, str(made["dataset"]))["model"])
    rows = [json.loads(line)["messages"] for line in (Path(made["folder"]) / "validation.jsonl").read_text().splitlines()]
    known = {messages[1]["content"]: messages[2]["content"] for messages in rows}
    sandbox.model.reply = lambda body: "I do not know"
    assert evaluate(config, model, out=None)["fields"]["topic"]["adopted"] is False
    with pytest.raises(ConfigProblem, match="only in fields where it was measured to be better"):
        promote(config, model, anyway=True)
    sandbox.model.reply = lambda body: known.get(body["messages"][1]["content"], "{}")
    told = evaluate(config, model, out=None)
    assert told["fields"]["topic"]["tuned"] == 1.0
    assert told["fields"]["topic"]["adopted"] is True
    assert promote(config, model, anyway=False)["in_use"] is True
    assert [row["task"] for row in listed(config) if row["in_use"]] == ["triage"]
    assert roll_back(config, "triage") is None


def run_on(config: Config, dataset: str) -> dict[str, Any]:
    return train(config, dataset, {}, wait=True, told=lambda _: None, sleep=lambda _: None)
