"""Erasing a person: proved by looking for the address and for what was said in every table and in every file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import inspect, text, update
from sqlmodel import Session, select

from bot.answer.flow import answer
from bot.answer.retrieve import search
from bot.backup import backup
from bot.chores import open_chores
from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from bot.forgetting import export, forget
from bot.gauges import Gauges
from bot.metrics import Metrics
from bot.retention import retain
from bot.worker import start_worker
from bot.workflows import client, workflow_url
from connectors.sandbox import Sandbox
from storage import outbox, samples
from storage.forgetting import drafts
from storage.forgetting import forget as mark_forgotten
from storage.requesters import requester_key
from storage.tables import DraftRow, LabelRow, SampleRow, VersionRow

pytestmark = pytest.mark.xdist_group("forgetting")

ADDRESS, OTHER = "zoe.quagga@customers.example", "uma@customers.example"
SAID = "How do I replace the battery of my sensor? It hangs beside the periwinkle gazebo."
WORDS = ("quagga", "periwinkle", "gazebo")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture(scope="module")
def deployment(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    opened = open_deployment(load(write_config(tmp_path_factory.mktemp("desk"), sandbox.url)))
    assert opened.sync(DESK).error is None
    yield opened
    opened.close()


def ask(sandbox: Sandbox, address: str, body: str) -> str:
    person = sandbox.desk.user_by_email(address) or sandbox.desk.add_user("Zoe", address)
    return str(sandbox.desk.create_ticket("Battery", body, requester_id=person.id).id)


def respond(deployment: Deployment, *tickets: str) -> None:
    flow = deployment.flow(DESK)
    for ticket in tickets:
        read = flow.desk.ticket(ticket)
        assert read
        answer(flow, read)


def kept(deployment: Deployment, *tickets: str) -> list[DraftRow]:
    with Session(deployment.engine) as session:
        return [row for row in session.exec(select(DraftRow)).all() if row.ticket_id in tickets]


def places(deployment: Deployment, words: tuple[str, ...]) -> list[str]:
    """Every table and every file in which one of the words stands, in any letter case."""
    found = []
    with deployment.engine.connect() as connection:
        for name in inspect(deployment.engine).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{name}"')):
                found += [f"table {name}" for word in words if word in str(tuple(row)).lower()]
    for path in deployment.config.data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes().lower()
            found += [f"file {path.name}" for word in words if word.encode() in content]
    return sorted(set(found))


def leave_traces(deployment: Deployment, ticket: str) -> None:
    """What simulations, labels and training leave of a ticket."""
    now = deployment.now()
    with Session(deployment.engine) as session, session.begin():
        row = SampleRow(id="s1", connector=DESK, fingerprint="f", ticket_id=ticket, decision="note", confidence=0.5, eligible=True)
        row.words, row.made_at, row.record, row.requester = "w1", now, {"asked": SAID}, requester_key(ADDRESS)
        samples.keep(session, row)
        samples.label(session, LabelRow(words="w1", connector=DESK, ticket_id=ticket, live=False, verdict="right", at=now))
    folder = deployment.config.data_dir / "simulate" / DESK
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps({"connector": DESK, "tickets": [{"ticket_id": ticket}]}))
    (folder / "report.html").write_text(f"<p>{SAID}</p>")
    voice = deployment.config.data_dir / "voice" / "d1"
    voice.mkdir(parents=True, exist_ok=True)
    (voice / "train.jsonl").write_text(json.dumps({"text": f"Write to {ADDRESS}"}) + "\n" + json.dumps({"text": "Gladly."}) + "\n")


def backed_up(deployment: Deployment, folder: Path, words: tuple[str, ...]) -> list[str]:
    """The files of a backup made now in which one of the words stands, in any letter case."""
    backup(deployment.config, folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path.name for path in files if any(word.encode() in path.read_bytes().lower() for word in words)]


def test_a_forgotten_person_is_in_no_row_no_file_and_no_backup_made_afterwards(
    sandbox: Sandbox, deployment: Deployment, tmp_path: Path
) -> None:
    ticket = ask(sandbox, ADDRESS, SAID)
    theirs = ask(sandbox, OTHER, f"How do I replace the battery of a sensor? My neighbour is {ADDRESS.upper()}.")
    sandbox.guide.create("Neighbours", f"<p>Of gardens and fences: ask {ADDRESS} for the key of the shed.</p>")
    deployment.sync(DESK)
    respond(deployment, ticket, theirs)
    leave_traces(deployment, ticket)
    before = places(deployment, WORDS)
    assert {"table drafts", "table versions", "table samples", "file report.html"} <= set(before)
    assert [place for place in before if place.startswith("file page_")], "the index has it"
    assert [place for place in before if place.startswith("file draftdesk.sqlite")]
    assert backed_up(deployment, tmp_path / "before", WORDS), "a backup made before has it"
    written = len(sandbox.desk.ledger.comments())

    done = forget(deployment, ADDRESS)

    assert places(deployment, WORDS) == []
    assert backed_up(deployment, tmp_path / "after", WORDS) == []
    assert (done.tickets, done.left, done.unsure, len(done.documents)) == (1, (), 0, 1)
    assert set(done.files) == {f"simulate/{DESK}/report.json", f"simulate/{DESK}/report.html", "voice/d1/train.jsonl"}
    assert (deployment.config.data_dir / "voice/d1/train.jsonl").read_text() == '{"text": "Gladly."}\n'
    respond(deployment, ticket, theirs)
    assert len(sandbox.desk.ledger.comments()) == written, "what is forgotten is not answered again"
    [other] = kept(deployment, theirs)
    assert "battery" in str(other.record), "another's draft lost the address only"
    assert search("gardens and fences: the key of the shed", deployment.index, audience=None, k=1)[0].title == "Neighbours"


def test_what_was_kept_before_it_was_known_whose_it_is_is_found_at_the_helpdesk(sandbox: Sandbox, deployment: Deployment) -> None:
    mine, theirs = ask(sandbox, "old@customers.example", SAID), ask(sandbox, OTHER, SAID)
    respond(deployment, mine, theirs)
    with deployment.engine.begin() as connection:
        connection.execute(update(drafts).values(requester=None))
    assert export(deployment, "old@customers.example")["tickets"] == [{"connector": DESK, "id": mine}]
    forget(deployment, "old@customers.example")
    assert {row.reason == "erased": row.requester for row in kept(deployment, mine, theirs)} == {True: None, False: requester_key(OTHER)}


def test_an_export_holds_every_row_of_a_requester_and_nobody_elses(sandbox: Sandbox, deployment: Deployment) -> None:
    mine, theirs = ask(sandbox, "mine@customers.example", "How do I reset a valve?"), ask(sandbox, OTHER, SAID)
    respond(deployment, mine, theirs)
    found = export(deployment, " Mine@customers.example ")
    assert found["tickets"] == [{"connector": DESK, "id": mine}]
    assert {row["ticket_id"] for row in found["rows"]["drafts"]} == {mine}
    assert theirs not in json.dumps(found)


def test_durable_work_of_the_forgotten_is_deleted_and_what_is_being_answered_is_erased_again(
    sandbox: Sandbox, deployment: Deployment
) -> None:
    ticket, chores = ask(sandbox, "late@customers.example", SAID), open_chores(deployment, Metrics())
    url = workflow_url("sqlite", deployment.config.data_dir)
    worker = start_worker(chores, {DESK: 4}, url)
    try:
        worker.look(DESK, ticket, "first")
        patience = threading.Event()
        while not any(str(entry.ticket_id) == ticket for entry in sandbox.desk.ledger.comments()):
            patience.wait(0.1)
    finally:
        worker.stop()
    with client(url) as desk:
        assert desk
        assert {one.name for one in desk.list_workflows(load_output=False)} == {"look"}
    assert forget(deployment, "late@customers.example").workflows == 1
    with client(url) as desk:
        assert desk
        assert desk.list_workflows() == []

    again = ask(sandbox, "late@customers.example", SAID)
    with Session(deployment.engine) as session, session.begin():  # as if it was asked for after the answer had begun
        mark_forgotten(session, str(requester_key("late@customers.example")), deployment.now() + timedelta(minutes=1))
    assert chores.attend(DESK, again, "look") == 0.0
    assert [row.reason for row in kept(deployment, again)] == ["erased"]


def test_what_stands_in_the_database_is_told_to_prometheus(sandbox: Sandbox, deployment: Deployment) -> None:
    registry = CollectorRegistry()
    registry.register(Gauges(deployment, lambda: 1.5))
    told = generate_latest(registry).decode()
    for line in ('draftdesk_backlog_tickets{connector="help"} 0.0', "draftdesk_heartbeat_age_seconds 1.5", "draftdesk_spent_today_usd 0.0"):
        assert line in told.splitlines()
    assert (registry.get_sample_value("draftdesk_sync_age_seconds", {"connector": DESK}) or -1) >= 0
    assert (registry.get_sample_value("draftdesk_index_passages") or 0) > 20
    assert (registry.get_sample_value("draftdesk_vendor_calls_left", {"connector": DESK}) or 0) > 0
    assert "@" not in told


def test_what_is_past_its_time_loses_its_words_and_keeps_its_key(sandbox: Sandbox, deployment: Deployment) -> None:
    ticket = ask(sandbox, OTHER, SAID)
    respond(deployment, ticket)
    leave_traces(deployment, ticket)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    with Session(deployment.engine) as session, session.begin():
        session.execute(update(drafts).values(created_at=long_ago))
        document = session.exec(select(VersionRow.document)).first()
        times = {"valid_from": long_ago, "valid_to": long_ago + timedelta(days=1), "assumed": False}
        words = {"audience": "public", "url": "https://x.example", "title": "Old", "markdown": SAID}
        session.add(VersionRow(key="v0", document=document, connector=DESK, fingerprint="f", **times, **words))
    spans = deployment.config.retention.model_copy(update={"versions": "30d", "samples": "1s"})
    config = deployment.config.model_copy(update={"retention": spans})
    later = replace(deployment, config=config, now=lambda: datetime.now(UTC) + timedelta(minutes=1))
    gone = retain(later)
    assert (gone["drafts"] > 0, gone["samples"], gone["versions"]) == (True, 1, 1)
    assert not list((deployment.config.data_dir / "simulate").rglob("*.html"))
    [row] = kept(deployment, ticket)
    with Session(deployment.engine) as session:
        effect = outbox.effect_of(session, row.id)
    assert effect
    assert (effect.state, effect.html, row.subject) == (outbox.State.SENT, "", None)
    assert "gazebo" not in str(row.record)
    assert retain(later)["drafts"] == 0
