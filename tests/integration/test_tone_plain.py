"""The plain side by a model, in one batch at half the price: paid once, told apart from the rules', and never trusted with a fact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import Config, load
from bot.demo import write_config
from bot.tone.errands import make_dataset
from bot.tone.plain import facts
from bot.tone.plainer import faithful
from connectors.base import ConfigProblem, Transient
from connectors.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> Config:
    batches = sandbox.model.batches
    batches.absent, batches.lose, batches.ends = False, 0, "completed"
    batches.batches.clear()
    sandbox.model.calls.clear()
    sandbox.model.reply = lambda body: "Neutral. " + body["messages"][-1]["content"].replace("it's", "it is").replace("!", ".")
    path = write_config(tmp_path, sandbox.url)
    (tmp_path / "secrets" / "openai").write_text("sandbox-key")
    server = f'model: sandbox-chat, base_url: "{sandbox.url}/openai/v1", api_key: "file:{tmp_path}/secrets/openai"'
    text = "".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith("writer:"))
    path.write_text(text + f"writer: {{provider: openai, {server}, prices: {{input: 0.1, output: 0.5}}}}\n")
    return load(path)


def made(config: Config, told: list[str] | None = None) -> list[dict[str, str]]:
    heard = told if told is not None else []
    report = make_dataset(config, None, [], ask_model=True, told=heard.append, sleep=lambda _: None)
    lines = (Path(report["folder"]) / "train.jsonl").read_text().splitlines()
    return [{row["role"]: row["content"] for row in json.loads(line)["messages"]} for line in lines]


def test_plain_sides_come_from_one_batch_that_is_paid_once(config: Config, sandbox: Sandbox) -> None:
    rows = made(config)
    assert sum(row["user"].startswith("Neutral. ") for row in rows) > len(rows) / 2
    assert all(facts(row["user"]) <= facts(row["assistant"]) for row in rows)
    asked = len(sandbox.model.calls)
    assert made(config) == rows
    assert (len(sandbox.model.batches.batches), len(sandbox.model.calls)) == (1, asked)


def test_no_personal_data_is_handed_in(config: Config, sandbox: Sandbox) -> None:
    from bot.tone.redaction import personal

    made(config)
    [(_, content)] = [kept for kept in sandbox.model.fine_tuning.files.values() if kept[0]["filename"] == "requests.jsonl"][-1:]
    assert personal("\n".join(json.loads(line)["body"]["messages"][-1]["content"] for line in content.decode().splitlines())) == ()


def test_a_batch_whose_creation_got_no_answer_is_found_again(config: Config, sandbox: Sandbox) -> None:
    sandbox.model.batches.lose = 1
    with pytest.raises(Transient):
        made(config)
    made(config)
    assert len(sandbox.model.batches.batches) == 1


@pytest.mark.parametrize("end", ["failed", "expired", "cancelled"])
def test_a_batch_that_ends_badly_is_told_and_may_be_tried_again(config: Config, sandbox: Sandbox, end: str) -> None:
    sandbox.model.batches.ends = end
    with pytest.raises(Transient, match=f"ended as {end}"):
        made(config)
    sandbox.model.batches.ends = "completed"
    assert made(config)


def test_a_server_without_batches_is_asked_one_by_one(config: Config, sandbox: Sandbox) -> None:
    sandbox.model.batches.absent = True
    told: list[str] = []
    assert any(row["user"].startswith("Neutral. ") for row in made(config, told))
    assert "full price" in told[0]


def test_a_model_that_alters_facts_is_not_believed(config: Config, sandbox: Sandbox) -> None:
    sandbox.model.reply = lambda body: body["messages"][-1]["content"] + " It takes 99 days."
    told: list[str] = []
    assert not any("99 days" in row["user"] for row in made(config, told))
    assert told[-1].startswith("0 of ")


def test_what_could_overstep_the_day_is_not_handed_in(config: Config, sandbox: Sandbox) -> None:
    from bot.config.model import Budget

    poor = config.model_copy(update={"budget": Budget(usd_per_day=0.0001)})
    with pytest.raises(ConfigProblem, match="could cost"):
        made(poor)
    assert sandbox.model.batches.batches == {}


def test_faithful_means_the_same_facts_and_nothing_but_manner_gone() -> None:
    text = "Happy to help!\n\nHold it for 10 seconds, and don't open the lid.\n\nCheers for now"
    assert faithful(text, "Hold it for 10 seconds, and do not open the lid.")
    assert not faithful(text, "Hold it for 12 seconds, and do not open the lid.")
    assert not faithful(text, "Hold it for 10 seconds, and open the lid.")
    assert not faithful(text, "")
