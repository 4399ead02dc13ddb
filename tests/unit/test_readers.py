"""Whom an answer reaches: a helpdesk that cannot be asked, or says too much, opens nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.readers import WITHHELD, Readers, readers, withheld
from connectors.base import ConfigProblem, Document, Membership, RateLimited, Ticket, Transient
from storage.database import open_database
from storage.ledger import plan_version, record_page

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MINE = "zendesk:help:segment:1"
TICKET = Ticket("1", "s", "new", "v1", "u1", "a@b.example", "A", (), (), "https://d.example/1", NOW, NOW, sole_reader=True)


class Desk:
    """A helpdesk that says, or raises, this of whoever asks."""

    def __init__(self, told: Membership | Exception) -> None:
        self.told = told
        self.asked = 0

    def membership(self, ticket: Ticket) -> Membership:
        self.asked += 1
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Holds one document of `help` for one segment."""
    opened = open_database("sqlite", folder=tmp_path)
    document = Document("zendesk:help:article:1", "t", "m", "https://h.example/1", NOW, segments=(MINE,))
    with Session(opened) as s, s.begin():
        plan = [plan_version(None, document, NOW)]
        record_page(s, "help", "knowledge", versions=plan, gone=[], unreadable=[], unchanged=[], cursor=None, now=NOW)
    yield opened
    opened.dispose()


def of(desk: Any, engine: Engine, connector: str = "help", ticket: Ticket = TICKET) -> Readers:
    return readers(desk, engine, connector, ticket)


@pytest.mark.parametrize("trouble", [Transient("slow"), RateLimited("later", 9.0), ConfigProblem("no right")])
def test_a_helpdesk_that_cannot_be_asked_opens_nothing(engine: Engine, trouble: Exception) -> None:
    found = of(Desk(trouble), engine)
    assert found.segments == frozenset()
    assert str(trouble) in found.step


def test_a_segment_of_another_system_is_not_this_helpdesks_to_open(engine: Engine) -> None:
    told = Membership(frozenset({MINE, "zendesk:other:segment:1", "freshdesk:wiki:company:help", "help", ""}))
    assert of(Desk(told), engine).segments == {MINE}


def test_nobody_is_asked_where_others_read_too_or_nothing_is_for_a_segment(engine: Engine) -> None:
    desk = Desk(Membership(frozenset({MINE})))
    assert of(desk, engine, ticket=replace(TICKET, sole_reader=False)).segments == frozenset()
    assert of(desk, engine, "wiki") == Readers()
    assert desk.asked == 0
    assert of(object(), engine).segments == frozenset(), "a helpdesk without segments"


def test_a_reply_is_withheld_unless_each_of_its_sources_may_still_be_read() -> None:
    def cited(*segments: str) -> dict[str, Any]:
        return {"audience": "segment", "segments": list(segments)}

    public: dict[str, Any] = {"audience": "public"}
    desk: Any = Desk(Membership(frozenset({MINE})))
    assert withheld({"citations": [public]}, desk, replace(TICKET, sole_reader=False)) is None
    assert withheld({"citations": [public, cited(MINE, "zendesk:help:segment:2")]}, desk, TICKET) is None
    assert withheld({"citations": [cited(MINE), cited("zendesk:help:segment:2")]}, desk, TICKET) == WITHHELD
    assert withheld({"citations": [cited(MINE)]}, desk, replace(TICKET, sole_reader=False)) == WITHHELD
    nobody: Any = object()
    assert withheld({"citations": [cited(MINE)]}, nobody, TICKET) == WITHHELD
    desk.told = Transient("slow")
    with pytest.raises(Transient):
        withheld({"citations": [cited(MINE)]}, desk, TICKET)
