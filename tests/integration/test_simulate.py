"""Past tickets of the sandbox answered again: nothing is written, nothing is done twice, and labels let a topic reply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session
from typer.testing import CliRunner

from bot.answer.flow import answer
from bot.cli import app
from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from bot.simulate.commands import gaps_of, read_labels, record_label, refresh_bounds, run_simulation, to_label
from bot.simulate.cost import Price, forecast
from bot.simulate.index import FOLDER, discard, open_index
from bot.simulate.replay import Progress, Wish, replay
from bot.simulate.run import open_stage, simulate
from bot.sync import sync
from connectors.base import ConfigProblem, Cursor, Document, Page
from connectors.sandbox import Sandbox
from connectors.sandbox.company import Company, load_company
from storage import samples
from storage.embedding import local_embedder

pytestmark = pytest.mark.xdist_group("simulate")  # one run and its labels, looked at from several sides, in the order of this file
EVER = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = 5_158_000_000_000  # of the ids of past tickets
DEVICES, REFUNDS, OTHERS = (2, 11, 18, 22, 23, 34, 41), (3, 36), (4, 7, 9, 13)
UNKNOWN = (120, 121, 122, 123, 127, 128)  # no article answers them
TICKETS = len((*DEVICES, *REFUNDS, *OTHERS, *UNKNOWN))
POLICY = """
policy:
  topics:
    - {name: devices, about: "hub, sensor, valve, firmware, wifi, offline, battery, app, leak", deliver: reply, max_wrong: 0.6}
    - {name: refunds, about: "refund, return, cancel, subscription, invoice, billing", deliver: reply, max_wrong: 0.01}
"""
LOCAL = local_embedder()


def few(*last: int) -> Company:
    """The company with these of its past tickets, and nobody waiting."""
    company = load_company()
    return replace(company, past=tuple(case for case in company.past if case.id - FIRST in last), waiting=())


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0, company=few(*DEVICES, *REFUNDS, *OTHERS, *UNKNOWN)) as running:
        yield running


@pytest.fixture(scope="module")
def deployment(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    path = write_config(tmp_path_factory.mktemp("desk"), sandbox.url)
    path.write_text(path.read_text().replace("deliver: note", "deliver: reply") + POLICY)
    opened = open_deployment(load(path))
    assert opened.sync(DESK).error is None
    yield opened
    opened.close()


def wish(limit: int | None = TICKETS) -> Wish:
    return Wish(EVER, limit, 4, None)


class Once:
    def __init__(self, *changes: Document) -> None:
        self.changes = changes

    def check(self) -> None:
        return None

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        yield Page(self.changes, {"v": 1}, caught_up=True)


@pytest.fixture(scope="module")
def report(deployment: Deployment, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("report")
    return run_simulation(deployment, DESK, wish(), folder), folder


def test_nothing_is_written_to_the_helpdesk(deployment: Deployment, sandbox: Sandbox, report: tuple[dict[str, Any], Path]) -> None:
    assert sandbox.desk.ledger.entries == []
    assert {request.method for request in sandbox.requests if "/oauth/" not in request.path} == {"GET"}


def test_the_newest_tickets_are_answered_with_all_that_a_machine_wants_to_know(report: tuple[dict[str, Any], Path]) -> None:
    document, folder = report
    assert json.loads((folder / "report.json").read_text()) == document
    assert len(document["tickets"]) == TICKETS
    moments = [ticket["as_of"] for ticket in document["tickets"]]
    assert max(moments) > min(moments)
    assert set(document["measures"]) >= {"coverage", "proven", "agreement", "retrieval_hit", "cost_usd", "seconds", "durable"}
    assert all({"value", "low", "high", "n", "formula"} <= set(figure) for figure in document["measures"].values())
    assert {topic["name"] for topic in document["topics"]} >= {"devices", "refunds"}
    assert document["measures"]["coverage"]["n"] == TICKETS
    assert document["measures"]["proven"]["value"] == 1.0


def test_the_page_asks_for_nothing_from_elsewhere(report: tuple[dict[str, Any], Path]) -> None:
    page = (report[1] / "report.html").read_text()
    assert "default-src 'none'" in page
    assert not any(part in page for part in ("<img", "<link rel=\"style", "src=", "@import", "url("))
    assert page.count("<svg") >= 4


def test_files_with_customers_words_are_for_their_owner_only(report: tuple[dict[str, Any], Path]) -> None:
    assert all((report[1] / name).stat().st_mode & 0o077 == 0 for name in ("report.json", "report.html"))


def test_run_again_it_goes_on_and_repeats_nothing(deployment: Deployment, sandbox: Sandbox, report: tuple[dict[str, Any], Path]) -> None:
    stage, window = open_stage(deployment, DESK)
    before = len(sandbox.requests)
    heard: list[int] = []
    run = replay(stage, window, wish(), begin=heard.append)
    read = [request.path for request in sandbox.requests[before:] if "/comments" in request.path]
    assert run.again >= TICKETS
    assert read == []
    assert run.tickets == [ticket["ticket_id"] for ticket in report[0]["tickets"]]


def test_a_run_that_dies_half_way_keeps_what_it_has_done(deployment: Deployment, report: tuple[dict[str, Any], Path]) -> None:
    stage, window = open_stage(deployment, DESK)
    stage = replace(stage, fingerprint="another")

    class Killed(Exception):
        pass

    def die(progress: Progress) -> None:
        if progress.answered == 3:
            raise Killed

    with pytest.raises(Killed):
        replay(stage, window, wish(6), progress=die)
    run = replay(stage, window, wish(6))
    assert run.again >= 3
    assert len(run.tickets) == 6


def test_a_run_that_would_cost_too_much_does_not_begin() -> None:
    with pytest.raises(ConfigProblem, match="--max-usd"):
        forecast(1000, Price(0.02), 5.0)
    assert "20.00 USD" in forecast(1000, Price(0.02), 25.0)
    assert "guessed" in forecast(1000, Price(0.02, guessed=True), 5.0)
    assert "costs nothing" in forecast(1000, Price(0.0), None)


def test_what_is_asked_about_is_the_newest_run_and_no_samples_that_came_after_it(
    deployment: Deployment, report: tuple[dict[str, Any], Path]
) -> None:
    """The run that died above was made with another fingerprint and is younger."""
    with Session(deployment.engine) as session:
        assert len(samples.made(session, DESK, "another")) >= 3
        assert samples.newest_run(session, DESK) == report[0]["fingerprint"]
    assert {sample.fingerprint for sample in to_label(deployment.engine, DESK)} == {report[0]["fingerprint"]}


def test_labels_let_a_topic_reply_until_the_knowledge_changes(deployment: Deployment, report: tuple[dict[str, Any], Path]) -> None:
    config, engine, now = deployment.config, deployment.engine, deployment.now()
    bounds = deployment.flow(DESK).rules.bounds
    before = bounds("devices")
    assert before is not None
    assert "more right labels" in (before.obstacle or "")
    for sample in to_label(engine, DESK):
        if sample.topic == "devices":
            record_label(config, engine, sample.id, "right", now)
    held = bounds("devices")
    assert held is not None
    assert held.obstacle is None
    refunds = bounds("refunds")
    assert refunds is not None
    assert refunds.obstacle
    changed = Document("zendesk:help:article:1", "New", "Something else altogether.", "https://kb.example/new", now, now, "public")
    assert sync("wiki", Once(changed), engine, deployment.index.vectors, LOCAL, now=deployment.now).error is None
    expired = bounds("devices")
    assert expired is not None
    assert "expired" in (expired.obstacle or "")


def test_another_look_at_the_same_run_forgets_no_live_label(deployment: Deployment, report: tuple[dict[str, Any], Path]) -> None:
    engine = deployment.engine
    with Session(engine) as session:
        first = samples.bound(session, DESK, "devices")
    assert first is not None
    refresh_bounds(deployment.config, engine, DESK, first.made_at + timedelta(days=1))
    with Session(engine) as session:
        again = samples.bound(session, DESK, "devices")
    assert again is not None
    assert again.made_at == first.made_at


def test_labels_are_used_again_where_the_bot_writes_the_same(deployment: Deployment, report: tuple[dict[str, Any], Path]) -> None:
    """The knowledge changed, so every ticket is answered anew; whoever was labelled and reads the same needs no second label."""
    asked = [ticket["ticket_id"] for ticket in report[0]["tickets"] if ticket["topic"] == "devices" and ticket["eligible"]][:5]
    made = simulate(deployment, DESK, replace(wish(), only=tuple(asked)), newest=False)
    assert made.fingerprint != report[0]["fingerprint"]
    with Session(deployment.engine) as session:
        labels = samples.labels(session, DESK)
        before, after = (
            {row.ticket_id: row.words for row in samples.samples(session, DESK, mark, asked)}
            for mark in (report[0]["fingerprint"], made.fingerprint)
        )
    same = [ticket for ticket in asked if before[ticket] == after[ticket]]
    assert len(same) >= 3
    assert {labels[after[ticket] or ""] for ticket in same} == {"right"}


def test_a_label_needs_a_draft(deployment: Deployment) -> None:
    with pytest.raises(ConfigProblem, match="no draft nothing"):
        record_label(deployment.config, deployment.engine, "nothing", "right", deployment.now())


def test_a_file_of_labels_is_read_whole_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('{"abc": "right", "def": "perhaps"}')
    with pytest.raises(ConfigProblem, match="def: perhaps"):
        read_labels(path)
    path.write_text('{"abc": "right"}')
    assert read_labels(path) == {"abc": "right"}


def test_gaps_name_tickets_that_nothing_answered(deployment: Deployment, report: tuple[dict[str, Any], Path]) -> None:
    gaps = gaps_of(deployment.engine, LOCAL, [DESK])
    with Session(deployment.engine) as session:
        made = samples.made(session, DESK, samples.newest_run(session, DESK) or "")
    assert gaps[0]["tickets"] >= gaps[-1]["tickets"]
    assert all(made[ticket].decision == "handoff" for gap in gaps for ticket in gap["examples"] if ticket in made)
    assert all(gap["nearest"] for gap in gaps)


def test_the_commands_do_what_they_say(sandbox: Sandbox, tmp_path: Path) -> None:
    path = write_config(tmp_path, sandbox.url)
    path.write_text(path.read_text() + POLICY)
    before = len(sandbox.desk.ledger.entries)

    def spoken(*words: str, typed: str = "", status: int = 0) -> str:
        result = CliRunner().invoke(app, ["--config", str(path), *words], input=typed)
        assert result.exit_code == status, result.output
        return result.stdout

    spoken("sync", "--json")
    document = json.loads(spoken("simulate", DESK, "--limit", "12", "--out", str(tmp_path / "out"), "--json"))
    assert (tmp_path / "out" / "report.html").is_file()
    assert (tmp_path / "data" / FOLDER).is_dir()
    sample = next(ticket["sample"] for ticket in document["tickets"] if ticket["eligible"] and ticket["topic"])
    assert "more right ones are needed" in spoken("label", sample, "right")
    spoken("label", sample, "perhaps", status=2)
    assert json.loads(spoken("gaps", "--out", str(tmp_path / "gaps"), "--json"))["gaps"]
    assert list((tmp_path / "gaps").glob("001-*.md"))
    spoken("label", "--desk", DESK, typed="r\nq\n")
    told = json.loads(spoken("simulate", DESK, "--limit", "12", "--compare", str(tmp_path / "out" / "report.json"), "--json"))
    assert told["compared"]["broken"] == []
    assert sum(ticket["label"] == "right" for ticket in told["tickets"]) == 2
    spoken("simulate", DESK, "--compare", str(tmp_path / "absent.yaml"), status=2)
    spoken("simulate", DESK, "--compare", str(tmp_path / "absent.json"), status=1)
    assert len(sandbox.desk.ledger.entries) == before


def test_another_file_is_compared_over_the_same_tickets_and_counts_for_nothing(deployment: Deployment, tmp_path: Path) -> None:
    """The file lets fewer be wrong: the bound of the labelled topic breaks, and the command says so with exit 1."""
    here, engine = tmp_path / "config.yaml", deployment.engine
    text = (deployment.config.data_dir.parent / "config.yaml").read_text()
    was, now = tmp_path / "before.yaml", here
    was.write_text(text)
    now.write_text(text.replace("max_wrong: 0.6", "max_wrong: 0.001"))
    words = ["simulate", DESK, "--limit", "12", "--compare", str(was), "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(app, ["--config", str(now), *words])
    assert result.exit_code == 1, result.output
    told = json.loads(result.stdout)
    assert told["compared"]["broken"] == ["devices"]
    assert "the bound of devices held and holds no more" in result.stderr
    assert told["compared"]["in_both"] == len(told["tickets"])
    with Session(engine) as session:
        bound = samples.bound(session, DESK, "devices")
        assert samples.newest_run(session, DESK) == told["fingerprint"]
    assert bound is not None
    assert bound.max_wrong == 0.001
    assert (tmp_path / "out" / "before" / "report.json").is_file()


def test_a_simulation_searches_an_index_of_its_own_which_the_next_one_goes_on_with(deployment: Deployment) -> None:
    discard(deployment.config.data_dir)
    told: list[str] = []
    for _ in range(2):
        index = open_index(deployment.config, deployment.engine, told.append)
        held = index.vectors.count()
        index.vectors.close()
    assert held == deployment.index.vectors.count()
    assert len(told) == 1


def test_no_write_reaches_the_vendor_where_every_decision_is_a_reply_and_the_same_flow_live_writes(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The bound is waived, so nothing but the cut keeps the replies from the customers."""
    path = write_config(tmp_path, sandbox.url)
    waived = POLICY.replace("max_wrong: 0.6", "max_wrong: off").replace("max_wrong: 0.01", "max_wrong: off")
    path.write_text(path.read_text().replace("deliver: note", "deliver: reply") + waived)
    opened = open_deployment(load(path))
    try:
        assert opened.sync(DESK).error is None
        before = len(sandbox.requests)
        made = simulate(opened, DESK, wish(12))
        with Session(opened.engine) as session:
            decided = [row.decision for row in samples.samples(session, DESK, made.fingerprint, made.run.tickets)]
        assert decided.count("reply") >= 2
        assert [request.method for request in sandbox.requests[before:] if request.method != "GET" and "/oauth/" not in request.path] == []
        assert sandbox.desk.ledger.entries == []
        waiting = sandbox.desk.create_ticket("Warranty", "Hello, how long is the warranty of the hub?")
        live = opened.flow(DESK)
        read = live.desk.ticket(str(waiting.id))
        assert read is not None
        answer(live, read)
        assert {entry.ticket_id for entry in sandbox.desk.ledger.entries} == {waiting.id}
    finally:
        opened.close()
