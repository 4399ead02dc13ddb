"""Backups, an index that was lost, and the move to PostgreSQL: everything works afterwards, and no vendor is asked for it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest
from qdrant_client import QdrantClient
from sqlmodel import Session, select

from bot.answer.flow import answer
from bot.answer.retrieve import Index, search
from bot.backup import backup, examine, restore
from bot.config import Config, load
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from bot.moving import migrate
from bot.restoring import restore_index
from bot.workflows import client, workflow_url
from connectors.base import ConfigProblem
from connectors.sandbox import Sandbox
from storage.database import open_database
from storage.embedding import local_embedder
from storage.moving import counts
from storage.place import ServerPlace, Sheet
from storage.tables import DraftRow, EffectRow, SyncRow

pytestmark = pytest.mark.xdist_group("postgres")

QUESTION = "replace the battery of a sensor"


class Server(Protocol):
    def create(self, name: str, template: str = ...) -> str: ...


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture(scope="module")
def config(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """An installation that has worked and was stopped."""
    config = load(write_config(tmp_path_factory.mktemp("desk"), sandbox.url))
    opened = open_deployment(config)
    assert opened.sync(DESK).error is None
    ticket = sandbox.desk.create_ticket("Battery", f"How do I {QUESTION}?").id
    flow = opened.flow(DESK)
    read = flow.desk.ticket(str(ticket))
    assert read
    answer(flow, read)
    opened.close()
    return config


def elsewhere(config: Config, folder: Path, **more: object) -> Config:
    return config.model_copy(update={"data_dir": folder, **more})


def found(deployment: Deployment) -> list[str]:
    return [one.document for one in search(QUESTION, deployment.index, audience=None, k=5)]


def test_a_restored_backup_works_and_asks_no_vendor_for_it(sandbox: Sandbox, config: Config, tmp_path: Path) -> None:
    opened = open_deployment(config)
    before, kept = found(opened), backup(config, tmp_path / "backup")  # while it is open
    opened.close()
    assert set(kept.files) >= {"draftdesk.sqlite"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "backup").rglob("*") if path.is_file())
    asked = len(sandbox.requests)
    home = elsewhere(config, tmp_path / "home")
    restore(home, tmp_path / "backup")
    again = open_deployment(home)
    assert restore_index(again) > 0
    assert found(again) == before != []
    assert len(sandbox.requests) == asked
    assert again.sync(DESK).added == 0
    ticket = sandbox.desk.create_ticket("Battery", f"How do I {QUESTION}, please?").id
    flow = again.flow(DESK)
    read = flow.desk.ticket(str(ticket))
    assert read
    assert answer(flow, read)["posted"]
    again.close()


def test_a_backup_is_of_one_moment_while_others_write(config: Config, tmp_path: Path) -> None:
    engine, stop = open_database("sqlite", folder=config.data_dir), threading.Event()

    def write() -> None:
        while not stop.is_set():
            with Session(engine) as session, session.begin():  # always two at once
                for name in ("pair-a", "pair-b"):
                    session.add(SyncRow(connector=name, started_at=opened_at, seconds=0.0))



    opened_at = datetime.now(UTC)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            backup(config, tmp_path / str(number))
    finally:
        stop.set()
        writer.join()
        engine.dispose()
    for number in range(3):
        with closing(sqlite3.connect(tmp_path / str(number) / "draftdesk.sqlite")) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            counted = dict(copy.execute("SELECT connector, count(*) FROM syncs WHERE connector LIKE 'pair-%' GROUP BY 1").fetchall())
            assert counted.get("pair-a") == counted.get("pair-b")


def test_a_damaged_backup_and_a_folder_in_use_are_refused(config: Config, tmp_path: Path) -> None:
    backup(config, tmp_path / "backup")
    with pytest.raises(ConfigProblem, match="is not empty"):
        backup(config, tmp_path / "backup")
    with pytest.raises(ConfigProblem, match="holds an installation already"):
        restore(config, tmp_path / "backup")
    with (tmp_path / "backup" / "draftdesk.sqlite").open("r+b") as file:
        file.seek(5000)
        file.write(b"\x00\x01")
    with pytest.raises(ConfigProblem, match=r"damaged: draftdesk\.sqlite"):
        restore(elsewhere(config, tmp_path / "home"), tmp_path / "backup")
    assert not (tmp_path / "home").exists()
    with pytest.raises(ConfigProblem, match="no finished backup"):
        examine(tmp_path)


def test_a_deleted_index_is_made_anew_from_the_database_alone(sandbox: Sandbox, config: Config, tmp_path: Path) -> None:
    shutil.copytree(config.data_dir, tmp_path / "home")
    home = elsewhere(config, tmp_path / "home")
    opened = open_deployment(home)
    before = found(opened)
    opened.close()
    shutil.rmtree(tmp_path / "home" / "index")
    asked = len(sandbox.requests)
    opened = open_deployment(home)
    assert found(opened) == []
    assert restore_index(opened) > 0
    assert (found(opened), restore_index(opened)) == (before, 0)
    assert len(sandbox.requests) == asked
    opened.close()


def test_nothing_secret_is_in_the_database_or_in_a_backup(config: Config, tmp_path: Path) -> None:
    """Tokens live in memory; what the file refers to stays where it is. So there is none to encrypt."""
    secrets = [path.read_text() for path in (config.data_dir.parent / "secrets").iterdir() if path.name != "client_id"]
    assert len(secrets) >= 2
    backup(config, tmp_path / "backup")
    for folder in (config.data_dir, tmp_path / "backup"):
        for path in folder.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert [secret for secret in secrets if secret.encode() in content] == [], path


def test_an_embedded_installation_moves_to_postgresql_and_a_server_without_embedding(
    postgres: Server, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(config.data_dir, tmp_path / "home")
    home, url, server = elsewhere(config, tmp_path / "home"), postgres.create("moved"), QdrantClient(":memory:")
    opened = open_deployment(home)
    before = found(opened)
    with pytest.raises(ConfigProblem, match="index open"):
        migrate(home, url, None)
    opened.close()
    embedder = local_embedder()
    moved = migrate(home, url, "http://127.0.0.1:1", server=server)
    assert moved.passages
    assert moved.passages > 20
    source, target = open_database("sqlite", folder=home.data_dir), open_database(url, folder=tmp_path)
    assert counts(source) == {**counts(target), "index_marks": counts(source)["index_marks"]}
    place = ServerPlace(server, home.index.collection, target, tmp_path)
    sheet = place.serving()
    assert sheet == Sheet(embedder.name, embedder.dimensions)
    assert [one.document for one in search(QUESTION, Index(target, place.open(sheet), embedder), audience=None, k=5)] == before
    assert place.open(sheet).whole(DESK)
    with Session(target) as session, session.begin():
        assert session.exec(select(EffectRow)).one().state == "sent"
        session.add(SyncRow(connector=DESK, started_at=session.exec(select(DraftRow)).one().created_at, seconds=0.0))  # ids go on
    with pytest.raises(ConfigProblem, match="holds rows already"):
        migrate(home, url, None)
    source.dispose()
    target.dispose()


def test_work_that_waits_goes_on_where_it_was_carried_to(postgres: Server, config: Config, tmp_path: Path) -> None:
    from dbos import DBOS, DBOSClient

    shutil.copytree(config.data_dir, tmp_path / "home")
    home, url = elsewhere(config, tmp_path / "home"), postgres.create("moved_work")
    DBOS.migrate(workflow_url("sqlite", home.data_dir))
    former = DBOSClient(system_database_url=workflow_url("sqlite", home.data_dir))
    former.enqueue({"queue_name": "tickets-help", "workflow_name": "answer", "workflow_id": "answer:help:7:1"}, "help", "7", "1")
    former.destroy()
    assert migrate(home, url, None).open_work == 1
    with client(url) as desk:
        assert desk
        [one] = desk.list_workflows()
        assert (one.workflow_id, one.queue_name, one.status, json.dumps(one.input and one.input["args"])) == (
            "answer:help:7:1",
            "tickets-help",
            "ENQUEUED",
            '["help", "7", "1"]',
        )


def test_a_postgresql_installation_is_dumped_and_restored(postgres: Server, config: Config, tmp_path: Path) -> None:
    shutil.copytree(config.data_dir, tmp_path / "home")
    url, empty = postgres.create("dumped"), postgres.create("empty")
    migrate(elsewhere(config, tmp_path / "home"), url, None)
    backup(elsewhere(config, tmp_path / "home", database=url), tmp_path / "backup")
    assert "open-sesame" not in (tmp_path / "backup" / "backup.json").read_text()
    restore(elsewhere(config, tmp_path / "new", database=empty), tmp_path / "backup")
    first, second = open_database(url, folder=tmp_path), open_database(empty, folder=tmp_path)
    assert counts(first) == counts(second)
    first.dispose()
    second.dispose()
