"""Whose work the answer to a customer comment is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from storage.assignments import assign, prune

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TICKET = ("help", "7")


def test_of_several_that_look_at_one_comment_the_first_has_it_at_every_try(engine: Engine) -> None:
    with Session(engine) as one, one.begin():
        assert assign(one, "k1", "look:a", ticket=TICKET, now=NOW)
    with Session(engine) as one, one.begin():
        assert not assign(one, "k1", "look:b", ticket=TICKET, now=NOW)
        assert assign(one, "k1", "look:a", ticket=TICKET, now=NOW + timedelta(minutes=1)), "after a crash, or a pause, it goes on"
        assert assign(one, "k2", "look:b", ticket=TICKET, now=NOW), "another comment is another work"


def test_what_nobody_was_at_since_is_let_go(engine: Engine) -> None:
    with Session(engine) as one, one.begin():
        assign(one, "k1", "look:a", ticket=TICKET, now=NOW)
        assign(one, "k2", "look:b", ticket=TICKET, now=NOW + timedelta(days=2))
        assert prune(one, NOW + timedelta(days=1)) == 1
        assert assign(one, "k1", "look:c", ticket=TICKET, now=NOW)
        assert not assign(one, "k2", "look:c", ticket=TICKET, now=NOW)
