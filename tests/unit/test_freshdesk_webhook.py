"""Freshdesk's webhooks: the secret opens, the ticket's number is all that is taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Rejected
from connectors.freshdesk.webhook import receive, ticket_id

NOW = datetime(2026, 3, 1, 10, 0, 30, tzinfo=UTC)
GENUINE = {"X-Draftdesk-Secret": "swordfish", "Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "ticket"),
    [
        (b'{"ticket_id": "11"}', "11"),
        (b'{"ticket_id": 11}', "11"),
        (b'{"freshdesk_webhook": {"ticket_id": 11, "triggered_event": "{status:{from:4,to:6}}"}}', "11"),
        (b'{"freshdesk_webhook": {"ticket_url": "https://acme.freshdesk.com/helpdesk/tickets/11"}}', "11"),
        (b'{"ticket": {"id": 11}}', "11"),
        (b'{"id": 11}', "11"),
        (b'{"ticket_id": "11", "subject": "The "valve"\nleaks", "text": "see ticket_id 99"}', "11"),
        (b"<ticket_id>11</ticket_id>", "11"),
        (b"freshdesk_webhook%5Bticket_id%5D=11&x=1", "11"),
        (b"ticket_id=11&x=1", "11"),
        (b'{"subject": "hello \xe2\x98\x83"}', None),
        (b'{"ticket_id": ""}', None),
        (b'{"ticket_id": "0"}', None),
        (b"[]", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_ticket_is_named(body: bytes, ticket: str | None) -> None:
    assert receive(["swordfish"], GENUINE, body, NOW).ticket_id == ticket


def test_the_header_may_be_spelled_any_way_and_the_secret_be_one_of_two() -> None:
    receive(["old", "swordfish"], {"x-DRAFTDESK-secret": " swordfish "}, b"{}", NOW)


@pytest.mark.parametrize("given_secret", [None, "", "swordfis", "schwert ☃"])
def test_no_secret_or_a_wrong_one_is_rejected(given_secret: str | None) -> None:
    headers = {} if given_secret is None else {"X-Draftdesk-Secret": given_secret}
    with pytest.raises(Rejected):
        receive(["swordfish", ""], headers, b'{"ticket_id": 1}', NOW)


def test_no_secret_at_all_opens_to_nobody() -> None:
    with pytest.raises(Rejected):
        receive([], GENUINE, b'{"ticket_id": 1}', NOW)


def test_a_repeat_is_the_same_delivery_and_a_later_change_is_another() -> None:
    first = receive(["swordfish"], GENUINE, b'{"ticket_id": 1}', NOW).delivery_id
    assert receive(["swordfish"], GENUINE, b'{"ticket_id": 1}', NOW + timedelta(seconds=20)).delivery_id == first
    assert receive(["swordfish"], GENUINE, b'{"ticket_id": 2}', NOW).delivery_id != first
    assert receive(["swordfish"], GENUINE, b'{"ticket_id": 1}', NOW + timedelta(hours=1)).delivery_id != first


@given(st.binary(max_size=200))
def test_no_body_is_an_exception(body: bytes) -> None:
    found = ticket_id(body)
    assert found is None or found.isdigit()
