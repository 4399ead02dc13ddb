"""The voice's way against the sandbox: its past tickets become training files, with nothing in them that must not leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import connectors.sandbox
from bot.answer.flow import preview
from bot.cli import app
from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import open_deployment
from bot.simulate.strict import close
from bot.tone.redaction import personal
from connectors.sandbox import Sandbox

EVER = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture(scope="module")
def config(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_config(tmp_path_factory.mktemp("desk"), sandbox.url)


@pytest.fixture(scope="module")
def told(config: Path) -> dict[str, object]:
    return run(config, "dataset")


def run(config: Path, *words: str, fails: bool = False) -> dict[str, object]:
    result = CliRunner().invoke(app, ["--config", str(config), "tone", *words, "--json"])
    assert (result.exit_code != 0) == fails, result.output
    return dict(json.loads(result.stdout)) if result.stdout else {}


def texts(told: dict[str, object]) -> str:
    folder = Path(str(told["folder"]))
    return "\n".join((folder / name).read_text() for name in ("train.jsonl", "validation.jsonl", "preference.jsonl"))


def test_solved_tickets_become_valid_files_and_what_was_dropped_is_counted(told: dict[str, object], config: Path) -> None:
    assert isinstance(told["train"], int)
    assert isinstance(told["dropped"], dict)
    assert told["train"] >= 30
    assert {"low satisfaction", "one-liner", "near-duplicate"} <= set(told["dropped"])
    folder = Path(str(told["folder"]))
    assert run(config, "validate", str(folder / "train.jsonl"))["ok"] is True


def test_nothing_private_and_no_personal_data_is_in_any_file(told: dict[str, object]) -> None:
    company = Path(str(connectors.sandbox.__file__)).parent / "company"
    tickets = yaml.safe_load((company / "past_tickets.yaml").read_text())["tickets"]
    private = [comment["body"] for ticket in tickets for comment in ticket["comments"] if comment.get("public") is False]
    written = texts(told)
    assert private
    assert not [note for note in private if json.dumps(note, ensure_ascii=False)[1:-1] in written]
    assert personal(written) == ()


def test_no_ticket_is_in_both_splits(told: dict[str, object]) -> None:
    folder = Path(str(told["folder"]))
    train, held_out = ((folder / name).read_text().splitlines() for name in ("train.jsonl", "validation.jsonl"))
    assert held_out
    assert not set(train) & set(held_out)


def test_the_same_tickets_give_the_same_data_set(told: dict[str, object], config: Path) -> None:
    assert run(config, "dataset")["dataset"] == told["dataset"]


def test_an_estimate_asks_nobody(told: dict[str, object], config: Path, sandbox: Sandbox) -> None:
    before = len(sandbox.requests)
    made = run(config, "estimate", "--model", "gpt-4.1-mini-2025-04-14", "--epochs", "2")
    assert len(sandbox.requests) == before
    row = made["models"][0]  # type: ignore[index]
    assert row["training_usd"] == pytest.approx(made["tokens"] * 2 * 5.00 / 1e6, abs=1e-6)  # type: ignore[operator]


def test_drafts_speak_with_the_teams_greeting_and_sign_off_once_they_are_learnt(told: dict[str, object], config: Path) -> None:
    assert told["style_sheet"] == "learnt"
    deployment = open_deployment(load(config))
    try:
        assert deployment.sync(DESK).error is None
        flow = deployment.flow(DESK)
        waiting = [preview(flow, ticket) for page in flow.desk.tickets(None, EVER) for ref in page.tickets if ref.status in ("new", "open")
                   for ticket in [flow.desk.ticket(ref.id)] if ticket]  # fmt: skip
    finally:
        deployment.close()
    drafted = [record for record in waiting if record["body_text"]]
    assert drafted
    assert {record["voice"] for record in drafted} == {"exemplars"}
    assert all(record["body_text"].endswith(("Dry floors", "À pied sec")) for record in drafted)
    assert all(sentence["supported"] for record in drafted for sentence in record["sentences"])


def test_a_writing_model_is_shown_how_the_team_writes_and_no_fact_that_it_named(
    told: dict[str, object], config: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    (config.parent / "secrets" / "openai").write_text("sandbox-key")
    text = "".join(line for line in config.read_text().splitlines(keepends=True) if not line.startswith("writer:"))
    key = f"file:{config.parent}/secrets/openai"
    server = f'model: sandbox-chat, base_url: "{sandbox.url}/openai/v1", api_key: "{key}", prices: {{input: 0.1, output: 0.5}}'
    asking = config.with_name("asking.yaml")
    asking.write_text(f"{text}writer: {{provider: openai, {server}}}\n")
    sandbox.model.calls.clear()
    deployment = open_deployment(load(asking))
    flow = deployment.flow(DESK)
    try:
        deployment.sync(DESK)
        refs = [ref for page in flow.desk.tickets(None, EVER) for ref in page.tickets if ref.status in ("new", "open")]
        for ticket in [one for ref in refs[:6] if (one := flow.desk.ticket(ref.id))]:
            preview(flow, ticket)
    finally:
        close(flow.writer)
        deployment.close()
    asked = ["\n".join(message["content"] for message in call["messages"]) for call in sandbox.model.calls]
    replies = [part.partition("</reply")[0] for text in asked for part in text.split("<reply ")[1:]]
    assert len(replies) >= len(asked) > 0
    assert all("take its manner" in text and "words" in text for text in asked)
    assert not [reply for reply in replies if "https://" in reply or personal(reply)]
