"""The commands as scripts use them: exit status, stdout, stderr; real subprocesses, the vendor on loopback."""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bot.demo import write_config
from connectors.sandbox import Sandbox

pytestmark = pytest.mark.acceptance


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> Path:
    return write_config(tmp_path, sandbox.url)


def draftdesk(*arguments: object, config: Path | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    file = ["--config", str(config)] if config else []
    command = [sys.executable, "-m", "bot", *file, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)


def test_a_sync_adds_then_has_nothing_to_do(sandbox: Sandbox, config: Path) -> None:
    first = draftdesk("sync", "--json", config=config)
    assert first.returncode == 0, first.stderr
    [row] = json.loads(first.stdout)["connectors"]
    assert row["name"] == "help"
    assert row["added"] >= 40
    assert row["error"] is None
    assert row["caught_up"] is True
    before = len(sandbox.requests)
    [again] = json.loads(draftdesk("sync", "--json", config=config).stdout)["connectors"]
    assert (again["added"], again["updated"], again["removed"]) == (0, 0, 0)
    assert len(sandbox.requests) - before == again["requests"]
    assert again["requests"] <= 10  # a few per stream and locale, whatever the number of articles


def test_search_draft_and_explain_speak_json(sandbox: Sandbox, config: Path) -> None:
    draftdesk("sync", config=config)
    found = json.loads(
        draftdesk("search", "What does a purple light mean?", "-k", 3, "--audience", "public", "--json", config=config).stdout
    )
    assert [result["rank"] for result in found["results"]] == [1, 2, 3]
    assert {result["audience"] for result in found["results"]} == {"public"}
    ticket = sandbox.desk.keys["answerable"]
    writes = len(sandbox.desk.ledger.entries)
    draft = json.loads(draftdesk("draft", "help", ticket, "--json", config=config).stdout)
    assert draft["decision"] == "note"
    assert draft["posted"] is None
    assert len(sandbox.desk.ledger.entries) == writes, "without --post nothing is written"
    explained = json.loads(draftdesk("explain", draft["draft_id"], "--json", config=config).stdout)
    assert explained["passages"]
    assert explained["sentences"] == draft["sentences"]


def test_a_draft_is_posted_once_however_often_it_is_asked_for(sandbox: Sandbox, config: Path) -> None:
    draftdesk("sync", config=config)
    ticket = sandbox.desk.keys["answerable"]
    posted = [json.loads(draftdesk("draft", "help", ticket, "--post", "--json", config=config).stdout) for _ in range(2)]
    assert posted[0]["posted"] == posted[1]["posted"] is not None
    [entry] = sandbox.desk.ledger.comments(ticket)
    assert entry.public is False


def test_a_post_that_the_helpdesk_refuses_is_told_and_fails(sandbox: Sandbox, config: Path) -> None:
    draftdesk("sync", config=config)
    ticket = sandbox.desk.keys["answerable"]
    sandbox.faults.add("status", f"/api/v2/tickets/{ticket}*", method="PUT", status=422, body='{"error": "RecordInvalid"}')
    refused = draftdesk("draft", "help", ticket, "--post", "--json", config=config)
    assert refused.returncode == 1
    assert f"ticket {ticket} was left as it was" in refused.stderr
    assert json.loads(refused.stdout)["posted"] is None


def test_batch_search_answers_line_by_line(config: Path, tmp_path: Path) -> None:
    draftdesk("sync", config=config)
    batch = tmp_path / "asked.jsonl"
    batch.write_text('{"id": "a", "text": "refund"}\n{"id": 2, "text": "battery"}\n', encoding="utf-8")
    lines = [json.loads(line) for line in draftdesk("search", "--batch", batch, config=config).stdout.splitlines()]
    assert [line["id"] for line in lines] == ["a", 2]
    assert all(line["results"] for line in lines)
    batch.write_text('{"id": "a"}\nnonsense\n', encoding="utf-8")
    wrong = draftdesk("search", "--batch", batch, config=config)
    assert wrong.returncode == 2
    assert [line.rsplit(":", 1)[0] for line in wrong.stderr.strip().splitlines()] == [f"{batch}:1:1", f"{batch}:2:1"]


def test_a_batch_line_may_hold_any_unicode_line_separator(config: Path, tmp_path: Path) -> None:
    batch = tmp_path / "asked.jsonl"
    batch.write_text('{"id": "a", "text": "refund\u2028window"}\n', encoding="utf-8")
    [line] = draftdesk("search", "--batch", batch, config=config).stdout.split("\n")[:-1]
    assert json.loads(line)["id"] == "a"


@pytest.mark.parametrize("command", [("sync", "halp"), ("draft", "halp", "1")])
def test_a_misspelt_connector_is_wrong_input(sandbox: Sandbox, config: Path, command: tuple[str, ...]) -> None:
    wrong = draftdesk(*command, config=config)
    assert wrong.returncode == 2
    assert wrong.stderr.strip() == "no connector is named halp; the file has help"
    assert not sandbox.requests


@pytest.mark.parametrize("command", ["check", "sync"])
def test_a_wrong_password_costs_one_request_and_one_sentence(sandbox: Sandbox, config: Path, command: str) -> None:
    (config.parent / "secrets" / "client_secret").write_text("wrong", encoding="utf-8")
    refused = draftdesk(command, config=config)
    assert refused.returncode == 1
    assert len(sandbox.requests) == 1
    said = [line for line in refused.stderr.splitlines() if "auth" in line]
    assert len(said) == 1, refused.stderr
    assert said[0].startswith("help: ")
    assert "help: help:" not in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
    assert "wrong" not in said[0].replace("or the secret is wrong", "")


def test_a_wrong_file_is_told_with_line_and_column_and_exit_2(config: Path) -> None:
    config.write_text(config.read_text(encoding="utf-8").replace("languages:", "langauges:"), encoding="utf-8")
    for command in ("check", "sync", "run", "worker"):
        wrong = draftdesk(command, config=config)
        assert wrong.returncode == 2
        assert wrong.stdout == ""
        assert wrong.stderr.startswith(f"{config}:3:1: langauges:")
        assert "languages" in wrong.stderr
        assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize("command", [("sync",), ("search", "refund"), ("worker",)])
def test_a_data_dir_that_cannot_be_made_is_told_in_one_sentence(config: Path, command: tuple[str, ...]) -> None:
    lines = config.read_text(encoding="utf-8").splitlines()
    taken = config.parent / "taken"
    taken.write_text("a file, not a folder", encoding="utf-8")
    config.write_text("\n".join("data_dir: ./taken" if line.startswith("data_dir:") else line for line in lines) + "\n", encoding="utf-8")
    refused = draftdesk(*command, config=config)
    assert refused.returncode == 1
    assert f"data_dir {taken}: cannot be created" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_commands_go_through_the_running_process_that_has_the_index(sandbox: Sandbox, config: Path) -> None:
    worker = start(config, "worker")
    try:
        await_output(config, '"event": "synced"')
        door = config.parent / "data" / "draftdesk.sock"
        assert door.stat().st_mode & 0o777 == 0o600
        found = json.loads(draftdesk("search", "refund", "--json", config=config).stdout)["results"]
        drafted = json.loads(draftdesk("draft", "help", sandbox.desk.keys["answerable"], "--json", config=config).stdout)
        synced = draftdesk("sync", "--json", config=config)
        missing = draftdesk("draft", "help", "1", config=config)
    finally:
        stopped = stop(worker)
    assert found
    assert drafted["decision"] == "note"
    assert json.loads(synced.stdout)["connectors"][0]["caught_up"] is True
    assert missing.returncode == 1
    assert "no ticket 1" in missing.stderr
    assert stopped == 0


def test_a_second_process_that_finds_the_index_taken_is_told_so(config: Path) -> None:
    worker = start(config, "worker")
    try:
        await_output(config, '"event": "working"')
        (config.parent / "data" / "draftdesk.sock").unlink()
        refused = draftdesk("search", "refund", config=config)
    finally:
        stopped = stop(worker)
    assert refused.returncode == 1
    assert "another draftdesk process" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert stopped == 0


def test_the_service_takes_webhooks_and_stops_within_ten_seconds(sandbox: Sandbox, config: Path) -> None:
    port = free_port()
    rare = config.read_text(encoding="utf-8").replace("every: 15s", "every: 1d")
    config.write_text(rare + f"console: {{bind: '127.0.0.1:{port}'}}\n", encoding="utf-8")
    service, url = start(config, "run"), f"http://127.0.0.1:{port}"
    try:
        await_output(config, '"event": "working"')
        assert requests.get(f"{url}/healthz", timeout=5).status_code == 200
        assert requests.get(f"{url}/readyz", timeout=5).json()["database"] == "ok"
        ticket = sandbox.desk.create_ticket("Batteries", "Which batteries do I need for a sensor?")
        for _ in range(3):
            assert sandbox.deliver(ticket.id, to=f"{url}/webhooks/help", delivery_id="one") == 202
        assert sandbox.deliver(ticket.id, to=f"{url}/webhooks/help", secret="another") == 401
        oversized = requests.post(f"{url}/webhooks/help", data=b"x" * (1 << 20) + b"x", timeout=5)
        assert oversized.status_code == 413
        wait_for(lambda: sandbox.desk.ledger.comments(ticket.id))
        assert "draftdesk_decisions_total" in requests.get(f"{url}/metrics", timeout=5).text
    finally:
        begun = time.monotonic()
        stopped = stop(service)
    assert stopped == 0
    assert time.monotonic() - begun < 10
    assert len(sandbox.desk.ledger.comments(ticket.id)) == 1


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's list of a process's threads")
def test_a_stop_is_heard_whichever_thread_it_wakes(config: Path) -> None:
    """A process that was frozen when it was told to stop may be woken in any of its threads."""
    worker = start(config, "worker")
    try:
        await_output(config, '"event": "working"')
        others = [int(task.name) for task in Path(f"/proc/{worker.pid}/task").iterdir() if int(task.name) != worker.pid]
        assert ctypes.CDLL(None).tgkill(worker.pid, others[-1], int(signal.SIGTERM)) == 0
        assert worker.wait(timeout=15) == 0
    finally:
        worker.kill()


def test_the_demo_needs_nothing_and_ends_well() -> None:
    shown = draftdesk("demo")
    assert shown.returncode == 0, shown.stderr
    for word in ("NOTE", "HANDOFF", "SKIP", "zendesk:help:article:"):
        assert word in shown.stdout
    assert "Traceback" not in shown.stderr


def start(config: Path, command: str) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-m", "bot", "--config", str(config), "--log-format", "json", command]
    with (config.parent / "journal").open("ab") as journal:
        return subprocess.Popen(arguments, stdout=journal, stderr=journal)


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(timeout=15)
    finally:
        process.kill()


def await_output(config: Path, text: str) -> None:
    wait_for(lambda: text in (config.parent / "journal").read_text(encoding="utf-8"))


def wait_for(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
