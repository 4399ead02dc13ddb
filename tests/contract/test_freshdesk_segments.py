"""Folders for signed-in customers and for companies, against the emulated account of the trade desk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import Document, Ticket
from connectors.freshdesk import Settings
from connectors.freshdesk.connector import Freshdesk
from connectors.http import HttpClient
from connectors.sandbox.freshdesk.records import PersonRecord
from connectors.sandbox.tidewell import Tidewell

SIGNED_IN, OSTRUM = "freshdesk:fresh:segment:signed-in", "freshdesk:fresh:company:1060000300003"
AGNES, BRIDGET = 1060000200004, 1060000200002  # of Ostrum Housing, and of somebody else


@pytest.fixture
def company() -> Iterator[Tidewell]:
    with Tidewell(export_delay=0) as running:
        yield running


@pytest.fixture
def fresh(company: Tidewell, monkeypatch: pytest.MonkeyPatch) -> Freshdesk:
    monkeypatch.setenv("FD_KEY", "sandbox-freshdesk-key")
    settings = Settings.model_validate(
        {"name": "fresh", "type": "freshdesk", "base_url": company.fresh.url, "tickets": {}, "auth": {"api_key": "env:FD_KEY"}}
    )
    return Freshdesk(settings, lambda origin, authorize=None, renew=None: HttpClient(origin, authorize, renew=renew, sleep=lambda _: None))


def person(company: Tidewell, id: int) -> PersonRecord:
    return company.trade.desk.people[id]


def ticket_of(company: Tidewell, fresh: Freshdesk, requester: int, **more: Any) -> Ticket:
    made = company.trade.desk.create_ticket("Prices", "What do I pay?", requester_id=requester, source=1, **more)
    found = fresh.ticket(str(made.id))
    assert found is not None
    return found


def test_folders_name_the_customers_who_may_read_them(fresh: Freshdesk) -> None:
    found = [change for page in fresh.pull(None) for change in page.changes if isinstance(change, Document)]
    told = {one.id.split(":")[3]: one.segments for one in found if one.audience == "internal"}
    assert told["1060000600112"] == (SIGNED_IN,)
    assert told["1060000600114"] == (OSTRUM,)
    assert told["1060000600116"] == (), "for agents"
    assert not [one.id for one in found if one.audience == "public" and one.segments]


def test_a_requester_is_in_the_segments_that_freshdesk_tells_now(company: Tidewell, fresh: Freshdesk) -> None:
    ticket = ticket_of(company, fresh, AGNES)
    assert (ticket.sole_reader, ticket.organization_id) == (True, "1060000300003")
    assert fresh.membership(ticket).segments == {SIGNED_IN, OSTRUM}
    assert OSTRUM not in fresh.membership(ticket_of(company, fresh, BRIDGET)).segments
    person(company, AGNES).company_id = None
    assert fresh.membership(ticket).segments == {SIGNED_IN}, "she left the company"
    person(company, AGNES).verified = False
    assert not fresh.membership(ticket).segments


def test_an_agent_who_asks_is_in_no_segment(company: Tidewell, fresh: Freshdesk) -> None:
    assert not fresh.membership(ticket_of(company, fresh, company.trade.desk.any_agent())).segments


def test_a_copy_makes_the_ticket_nobodys_alone(company: Tidewell, fresh: Freshdesk) -> None:
    ticket = ticket_of(company, fresh, AGNES)
    company.trade.desk.copy_to(int(ticket.id), "boss@else.example")
    again = fresh.ticket(ticket.id)
    assert again is not None
    assert not again.sole_reader


def test_a_change_of_the_folder_is_told_at_the_next_turn(company: Tidewell, fresh: Freshdesk) -> None:
    pages = list(fresh.pull(None))
    company.trade.solutions.show_to(1060000500009, 3)
    changes = {change.id: change for page in fresh.pull(pages[-1].cursor) for change in page.changes}
    changed = changes["freshdesk:fresh:article:1060000600112"]
    assert isinstance(changed, Document)
    assert (changed.audience, changed.segments) == ("internal", ())
