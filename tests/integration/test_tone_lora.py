"""Training on this machine: one process a job, which outlives the command, dies without losing what it did, and stops when told to.

The framework's part needs draftdesk[train]: `make tone-train` runs it; elsewhere those tests are skipped.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.config.model import LoraTraining
from bot.tone.backends.lora import LoraTrainer, model_name
from bot.tone.backends.workbench import Workbench
from bot.tone.trainer import Job
from connectors.base import ConfigProblem

KEY = "0123456789abcdef0123456789abcdef"
# Stands in for the framework: a step is a line in a file, which like a checkpoint survives.
WORKER = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
from bot.tone.backends.workbench import Standing, Workbench
from bot.tone.trainer import Point
bench = Workbench(Path(sys.argv[1]))
steps = bench.folder / "steps"
(bench.folder / "pid").write_text(str(os.getpid()))
done = len(steps.read_text().splitlines()) if steps.exists() else 0
bench.tell(f"from {done}")
while done < 40:
    if bench.asked_to_stop():
        bench.put(replace(bench.standing(), state="cancelled"))
        sys.exit()
    with steps.open("a") as file:
        file.write(f"{done}\\n")
    done += 1
    bench.put(Standing("started", done, 40, done * 10))
    bench.put_curve([Point(done, 1.0 / done, None)])
    time.sleep(0.02)
bench.put(replace(bench.standing(), state="succeeded", model=bench.request()["name"]))
"""
has_framework = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "peft"))
framework = pytest.mark.skipif(not has_framework, reason="needs draftdesk[train]; make tone-train runs it")


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[LoraTrainer]:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    (tmp_path / "train.jsonl").write_text("{}\n")
    yield LoraTrainer(LoraTraining(provider="lora", model=tmp_path / "base"), tmp_path / "voice", (sys.executable, str(script)))
    for file in tmp_path.glob("voice/jobs/*/pid"):
        kill(int(file.read_text()))


def kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def begin(trainer: LoraTrainer, folder: Path) -> Job:
    return trainer.start(KEY, folder / "train.jsonl", None, {"n_epochs": 1, "suffix": "Acme Desk"})


def until(seen: Callable[[], bool]) -> None:
    """Looks every 10 ms; whoever waits for a minute waits in vain."""
    end = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)


def step(trainer: LoraTrainer, folder: Path) -> int:
    return Workbench(folder / "voice" / "jobs" / KEY).standing().step


def test_a_job_outlives_its_command_and_is_found_by_its_key(trainer: LoraTrainer, tmp_path: Path) -> None:
    assert trainer.find(KEY) is None
    job = begin(trainer, tmp_path)
    assert job.state == "running"
    found = trainer.find(KEY)
    assert found is not None
    assert begin(trainer, tmp_path).id == job.id == found.id
    until(lambda: trainer.look(job.id).state == "succeeded")
    assert trainer.look(job.id).model == model_name(tmp_path / "base", "Acme Desk", KEY) == "base-acme-desk-01234567"
    assert trainer.events(job.id) == ["from 0"]
    assert trainer.curve(job.id)[-1].step == 40


def test_a_killed_training_says_so_and_goes_on_without_doing_a_step_again(trainer: LoraTrainer, tmp_path: Path) -> None:
    job = begin(trainer, tmp_path)
    until(lambda: step(trainer, tmp_path) >= 3)
    kill(int((tmp_path / "voice" / "jobs" / KEY / "pid").read_text()))
    until(lambda: trainer.look(job.id).state != "running")
    seen = trainer.look(job.id)
    assert (seen.state, seen.interrupted) == ("failed", True)
    assert "goes on from step" in str(seen.reason)
    begin(trainer, tmp_path)
    until(lambda: trainer.look(job.id).state == "succeeded")
    steps = (tmp_path / "voice" / "jobs" / KEY / "steps").read_text().splitlines()
    assert steps == [str(n) for n in range(40)]


def test_a_cancelled_training_stops_before_its_next_step(trainer: LoraTrainer, tmp_path: Path) -> None:
    job = begin(trainer, tmp_path)
    until(lambda: step(trainer, tmp_path) >= 2)
    trainer.cancel(job.id)
    until(lambda: trainer.look(job.id).state == "cancelled")
    assert step(trainer, tmp_path) < 40


def test_what_is_missing_is_said_before_anything_is_started(tmp_path: Path) -> None:
    wanting = LoraTrainer(LoraTraining(provider="lora", model=tmp_path / "nowhere"), tmp_path / "voice")
    with pytest.raises(ConfigProblem, match=r"draftdesk\[train\]|no such folder"):
        wanting.start(KEY, tmp_path / "train.jsonl", None, {})
    with pytest.raises(ConfigProblem, match="is gone"):
        wanting.look("lora-none")


def tiny(folder: Path) -> Path:
    """A language model of some 50,000 numbers, made here, with a tokenizer of single letters."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = pre_tokenizers.ByteLevel.alphabet()
    words = {sign: at for at, sign in enumerate(["<pad>", "<eos>", *sorted(letters)])}
    raw = Tokenizer(models.BPE(vocab=words, merges=[]))
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<eos>", pad_token="<pad>").save_pretrained(folder)
    shape = LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=512
    )
    LlamaForCausalLM(shape).save_pretrained(folder)
    return folder


def chat(path: Path, count: int) -> Path:
    rows = [[("system", "Say it."), ("user", f"It is {n}."), ("assistant", f"Hi! It's {n}.")] for n in range(count)]
    lines = [json.dumps({"messages": [{"role": role, "content": text} for role, text in row]}) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def requested(folder: Path, base: Path, name: str) -> Workbench:
    bench = Workbench(folder / name)
    parameters = {"n_epochs": 6, "batch_size": 4, "learning_rate_multiplier": 20, "seed": 3}
    files = {"train": str(chat(folder / "train.jsonl", 16)), "held_out": str(chat(folder / "held_out.jsonl", 6))}
    bench.put_request(
        {"model": str(base), "device": "cpu", "parameters": parameters, "name": name, "models": str(folder / "models"), **files}
    )
    return bench


@framework
@pytest.mark.filterwarnings("ignore::FutureWarning")  # the frameworks' own
def test_a_real_training_killed_in_the_middle_ends_where_an_uninterrupted_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.tone.backends import tuning

    base = tiny(tmp_path / "base")
    whole, halved = requested(tmp_path, base, "whole"), requested(tmp_path, base, "halved")
    tuning.run(whole)
    original: Any = tuning.Course._step
    met: list[int] = []

    def dying(course: Any, done: Any, train: Any) -> float:
        if done.step == 14 and len(met) == 14:
            raise KeyboardInterrupt
        met.append(done.step)
        return float(original(course, done, train))

    monkeypatch.setattr(tuning.Course, "_step", dying)
    with pytest.raises(KeyboardInterrupt):
        tuning.run(halved)
    tuning.run(halved)
    assert met[:14] == list(range(14))
    assert met[14] == 10, "it goes on from its last checkpoint"
    curves = [[(one.step, one.valid_loss) for one in bench.curve()] for bench in (whole, halved)]
    assert [step for step, _ in curves[0]] == [step for step, _ in curves[1]]
    assert curves[0] == [(step, pytest.approx(loss, rel=1e-3)) for step, loss in curves[1]]
    assert curves[0][-1][1] < curves[0][0][1]  # type: ignore[operator]
    assert whole.standing().model == "whole"


@framework
@pytest.mark.filterwarnings("ignore::FutureWarning")  # the frameworks' own
def test_the_result_is_read_again_as_a_merged_model_and_answers(tmp_path: Path) -> None:
    from bot.tone.backends import tuning
    from bot.tone.backends.local import LocalRewriter

    bench = requested(tmp_path, tiny(tmp_path / "base"), "voice")
    tuning.run(bench)
    assert (tmp_path / "models" / "voice" / "adapter" / "adapter_config.json").exists()
    said, usage = LocalRewriter(tmp_path / "models" / "voice", longest=20).rewrite("It is 3.", "en", "7")
    assert isinstance(said, str)
    assert 0 < usage.completion_tokens <= 20
