"""A database of the first release, made by its own migrations and filled as it filled them, under today's code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlmodel import Session, select

from bot.answer.flow import recall
from storage import expenses, outbox
from storage.database import open_database, upgrade
from storage.forgetting import unattributed
from storage.ledger import known, versions
from storage.outbox import State
from storage.spending import pay, spent_on
from storage.tables import DraftRow

FIRST_RELEASE = "0006"
NUMBERS = count(1)  # of databases on the server that the tests share
MOMENT = "2026-11-20 09:00:00.000000"
RECORD = {
    "draft_id": "d1", "ticket": {"connector": "help", "id": "7", "subject": "Battery", "language": "en"}, "decision": "note", "reason": "",
    "confidence": 0.9, "body_text": "Open the lid.", "body_html": "<p>Open the lid.</p>", "sentences": [], "citations": [],
    "internal_hints": [], "triage": {"topic": None, "questions": ["How?"]}, "usage": {"cost_usd": 0.0}, "posted": None, "passages": [],
}  # fmt: skip
ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("documents", {"id": "folder:kb:a.md", "connector": "kb", "state": "live", "seen_at": MOMENT, "fails": 0}),
    (
        "versions",
        {
            "key": "v1", "document": "folder:kb:a.md", "connector": "kb", "fingerprint": "f", "audience": "public", "valid_from": MOMENT,
            "assumed": False, "url": "https://kb.example/a", "title": "Battery", "markdown": "Open the lid.",
        },
    ),
    (
        "drafts",
        {
            "id": "d1", "connector": "help", "ticket_id": "7", "customer_comment_id": "1", "decision": "note", "created_at": MOMENT,
            "subject": "Battery", "reason": "", "record": json.dumps(RECORD),
        },
    ),
    (
        "effects",
        {
            "key": "k1", "draft_id": "d1", "connector": "help", "ticket_id": "7", "kind": "note", "state": "unknown", "public": False,
            "attempts": 1, "seen_version": "1", "created_at": MOMENT, "updated_at": MOMENT, "tags": "[]", "html": "<p>Open the lid.</p>",
        },
    ),
    ("cursors", {"connector": "help", "stream": "tickets", "cursor": '{"v": 1}', "updated_at": MOMENT}),
    ("spending", {"id": "s1", "connector": "help", "ticket_id": "7", "at": MOMENT, "usd": 0.01, "settled": True}),
)  # fmt: skip


class Server(Protocol):
    def create(self, name: str, template: str = ...) -> str: ...


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Opens the first release's database with today's code."""
    if request.param == "sqlite":
        url, old = "sqlite", create_engine(f"sqlite:///{tmp_path / 'draftdesk.sqlite'}")
    else:
        server: Server = request.getfixturevalue("postgres")
        url = server.create(f"first_release_{next(NUMBERS)}")
        old = create_engine(url.replace("://", "+psycopg://"))
    with old.begin() as connection:
        upgrade(connection, FIRST_RELEASE)
        for table, row in ROWS:
            names = ", ".join(f'"{name}"' for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)
    old.dispose()
    opened: list[Engine] = []

    def open_today() -> Engine:
        opened.append(open_database(url, folder=tmp_path))
        return opened[-1]

    yield open_today
    for engine in opened:
        engine.dispose()


def test_an_upgrade_loses_nothing_and_what_was_under_way_goes_on(reopen: Callable[[], Engine]) -> None:
    engine = reopen()
    with Session(engine) as session, session.begin():
        assert set(known(session, ["folder:kb:a.md"])) == {"folder:kb:a.md"}
        assert [version.markdown for version in versions(session)] == ["Open the lid."]
        record = recall(session, "d1")
        assert record
        assert (record["body_text"], record["delivery"]["state"]) == ("Open the lid.", "unknown")
        [effect] = outbox.unsettled(session)
        assert (effect.key, effect.state, effect.attempts) == ("k1", State.UNKNOWN, 1)
        assert unattributed(session) == {("help", "7")}, "whose it is was not kept then: it is asked for when somebody is to be forgotten"
        assert session.exec(select(DraftRow.requester)).one() is None
    reopen().dispose()  # a second start finds nothing to do


def test_payments_of_an_older_release_count_for_their_day_after_an_upgrade(reopen: Callable[[], Engine]) -> None:
    engine = reopen()
    day = datetime.fromisoformat(MOMENT).replace(tzinfo=UTC)
    with Session(engine) as session:
        assert [(one.day, one.model, one.calls, one.usd) for one in expenses.by_day(session, day)] == [("2026-11-20", None, 1, 0.01)]
    pay(engine, "s1", 0.004)  # the older release reserved it
    with Session(engine) as session:
        assert spent_on(session, day) == pytest.approx(0.004)
