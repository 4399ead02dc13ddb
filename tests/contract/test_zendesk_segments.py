"""A Help Center's user segments against the sandbox: what is restricted names its readers, and a ticket's readers are asked for anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import ConfigProblem, Document, Ticket
from connectors.http import HttpClient
from connectors.sandbox import Sandbox
from connectors.sandbox.company import Segment
from connectors.sandbox.zendesk.records import UserRecord
from connectors.zendesk import Settings
from connectors.zendesk.connector import Zendesk

PRO = Segment(36_000_000_000_021, "Pro", "signed_in_users", tags=("pro",))
ACME = Segment(36_000_000_000_022, "Acme", "signed_in_users", organizations=(70,))
NAMES = {segment.name: f"zendesk:help:segment:{segment.id}" for segment in (PRO, ACME)}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as started:
        started.guide.segments |= {segment.id: segment for segment in (PRO, ACME)}
        yield started


@pytest.fixture
def desk(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Zendesk:
    monkeypatch.setenv("ZD_TOKEN", "sandbox-token")
    settings = Settings.model_validate({
        "name": "help", "type": "zendesk", "base_url": box.url, "tickets": {},
        "auth": {"email": "bot@tidewell.example", "api_token": "env:ZD_TOKEN"},
    })  # fmt: skip
    return Zendesk(settings, lambda origin, authorize=None, renew=None: HttpClient(origin, authorize, renew=renew, sleep=lambda _: None))


@pytest.fixture
def customer(box: Sandbox) -> UserRecord:
    user = box.desk.add_user("Ida Pro", "ida@pro.example")
    user.tags = ["pro"]
    return user


def ticket_of(box: Sandbox, desk: Zendesk, customer: UserRecord, **more: Any) -> Ticket:
    made = box.desk.create_ticket("Prices", "What do I pay?", requester_id=customer.id, channel="email", **more)
    found = desk.ticket(str(made.id))
    assert found is not None
    return found


def test_a_restricted_article_is_internal_and_names_its_segments(box: Sandbox, desk: Zendesk) -> None:
    made = box.guide.create("Pro prices", "<p>€3.</p>", segment_id=PRO.id)
    found = {change.id: change for page in desk.pull(None) for change in page.changes if isinstance(change, Document)}
    document = found[f"zendesk:help:article:{made.id}"]
    assert (document.audience, document.segments) == ("internal", (NAMES["Pro"],))
    assert all(not one.segments for one in found.values() if one.audience == "public")


def test_a_requester_is_in_the_segments_that_zendesk_tells_now(box: Sandbox, desk: Zendesk, customer: UserRecord) -> None:
    ticket = ticket_of(box, desk, customer)
    assert ticket.sole_reader
    assert desk.membership(ticket).segments == {NAMES["Pro"]}
    customer.tags = []
    assert desk.membership(ticket).segments == set(), "it left the segment"
    customer.organization_id = 70
    assert desk.membership(ticket).segments == {NAMES["Acme"]}


def test_an_address_that_nobody_confirmed_is_in_no_segment(box: Sandbox, desk: Zendesk, customer: UserRecord) -> None:
    customer.verified = False
    found = desk.membership(ticket_of(box, desk, customer))
    assert (found.segments, found.why) == (frozenset(), "nobody has confirmed the requester's address")
    assert not [line for line in box.requests if "user_segments" in str(line)], "nothing more is asked"


def test_a_ticket_of_an_organisation_counts_only_what_all_of_it_may_read(box: Sandbox, desk: Zendesk, customer: UserRecord) -> None:
    customer.organization_id = 70
    found = desk.membership(ticket_of(box, desk, customer))
    assert found.segments == {NAMES["Acme"]}
    assert "organisation" in found.why


def test_a_copy_makes_the_ticket_nobodys_alone(box: Sandbox, desk: Zendesk, customer: UserRecord) -> None:
    ticket = ticket_of(box, desk, customer)
    box.desk.copy_to(int(ticket.id), box.desk.any_customer())
    again = desk.ticket(ticket.id)
    assert again is not None
    assert not again.sole_reader
    assert again.version >= ticket.version


def test_an_account_that_does_not_tell_segments_has_none(box: Sandbox, desk: Zendesk, customer: UserRecord) -> None:
    ticket = ticket_of(box, desk, customer)
    box.faults.add("status", "/api/v2/help_center/users/*", status=404)
    assert desk.membership(ticket).segments == set()
    box.faults.add("status", "/api/v2/help_center/users/*", status=403)
    with pytest.raises(ConfigProblem):
        desk.membership(ticket)


def test_an_agents_credential_hears_only_of_the_agents_own_segments(
    box: Sandbox, customer: UserRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZD_TOKEN", "sandbox-token")
    settings = Settings.model_validate({
        "name": "help", "type": "zendesk", "base_url": box.url, "tickets": {},
        "auth": {"email": "tom@tidewell.example", "api_token": "env:ZD_TOKEN"},
    })  # fmt: skip
    desk = Zendesk(settings, lambda origin, authorize=None, renew=None: HttpClient(origin, authorize, renew=renew, sleep=lambda _: None))
    assert desk.membership(ticket_of(box, desk, customer)).segments == set()
