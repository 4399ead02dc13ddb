"""Webhook deliveries: only a genuine and fresh one is taken, and only a ticket's number out of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Rejected
from connectors.zendesk.webhook import receive

SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3RpbmdfcHVycG9zZXM="
STAMP = "2026-11-20T09:00:00Z"
NOW = datetime(2026, 11, 20, 9, 0, 30, tzinfo=UTC)
EVENT = {
    "type": "zen:event-type:ticket.created", "account_id": 22129848, "id": "cbe4028c-7239", "time": "2026-11-20T09:00:00.672717030Z",
    "zendesk_event_version": "2022-11-06", "subject": "zen:ticket:5158", "event": {"meta": {"sequence": {"id": "x", "position": 1}}},
    "detail": {"id": "5158", "status": "OPEN", "group_id": "0", "organization_id": None},
}  # fmt: skip


def signed(body: bytes, *, stamp: str = STAMP, secret: str = SECRET) -> dict[str, str]:
    signature = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()).decode()
    return {"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": stamp, "User-Agent": "Zendesk Webhook"}


def ticket_of(body: Any) -> str | None:
    raw = body if isinstance(body, bytes) else json.dumps(body, indent=2).encode()
    return receive([SECRET], signed(raw), raw, NOW).ticket_id


def test_the_signature_is_the_documented_one() -> None:
    # Computed apart from this code: echo -n '2026-11-20T09:00:00Z{}' | openssl dgst -sha256 -hmac "$SECRET" -binary | base64
    signature = "cN55aaSFFW/xIdBDRRkdVII0ecI/S4kr9TdSf/Nu8C8="
    headers = {"x-zendesk-webhook-signature": signature, "x-zendesk-webhook-signature-timestamp": STAMP}
    assert receive([SECRET], headers, b"{}", NOW).ticket_id is None


@pytest.mark.parametrize("name", [str.upper, str.lower, str.title])
def test_header_names_are_compared_without_case(name: Any) -> None:
    body = json.dumps(EVENT).encode()
    headers = {name(key): value for key, value in signed(body).items()}
    assert receive([SECRET], headers, body, NOW).ticket_id == "5158"


@pytest.mark.parametrize("missing", ["X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp"])
def test_a_missing_header_is_rejected(missing: str) -> None:
    headers = {key: value for key, value in signed(b"{}").items() if key != missing}
    with pytest.raises(Rejected):
        receive([SECRET], headers, b"{}", NOW)


def test_a_changed_body_a_changed_timestamp_and_a_wrong_secret_are_rejected() -> None:
    headers = signed(b'{"ticket_id": 1}')
    with pytest.raises(Rejected, match="signature"):
        receive([SECRET], headers, b'{"ticket_id": 2}', NOW)
    with pytest.raises(Rejected, match="signature"):
        receive([SECRET], {**headers, "X-Zendesk-Webhook-Signature-Timestamp": "2026-11-20T09:00:01Z"}, b'{"ticket_id": 1}', NOW)
    with pytest.raises(Rejected, match="signature"):
        receive(["another"], headers, b'{"ticket_id": 1}', NOW)
    with pytest.raises(Rejected, match="signature"):
        receive([], headers, b'{"ticket_id": 1}', NOW)
    with pytest.raises(Rejected, match="signature"):
        receive([""], signed(b"{}", secret=""), b"{}", NOW)


def test_both_secrets_are_taken_while_one_is_replaced() -> None:
    assert receive(["new", SECRET], signed(b'{"ticket_id": 1}'), b'{"ticket_id": 1}', NOW).ticket_id == "1"


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)])
def test_five_minutes_either_way_are_fresh(seconds: int, fresh: bool) -> None:
    now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC) + timedelta(seconds=seconds)
    if fresh:
        assert receive([SECRET], signed(b"{}"), b"{}", now)
    else:
        with pytest.raises(Rejected, match="five minutes"):
            receive([SECRET], signed(b"{}"), b"{}", now)


@pytest.mark.parametrize("stamp", ["2026-11-20T09:00:00.672717030Z", "2026-11-20T09:00:00.5Z", "2026-11-20T10:00:00+01:00"])
def test_timestamps_with_fractions_and_offsets_are_read(stamp: str) -> None:
    assert receive([SECRET], signed(b"{}", stamp=stamp), b"{}", NOW)


@pytest.mark.parametrize("stamp", ["yesterday", "1763629200", "2026-13-40T99:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_a_signed_timestamp_that_is_none_is_rejected(stamp: str) -> None:
    with pytest.raises(Rejected):
        receive([SECRET], signed(b"{}", stamp=stamp), b"{}", NOW)


def test_an_event_names_its_ticket_by_subject_or_by_detail() -> None:
    assert ticket_of(EVENT) == "5158"
    assert ticket_of({**EVENT, "subject": ""}) == "5158"
    assert ticket_of({**EVENT, "detail": None}) == "5158"
    assert ticket_of({**EVENT, "subject": "", "detail": {"id": "0"}}) is None


def test_an_event_about_somebody_else_names_no_ticket() -> None:
    assert ticket_of({"type": "zen:event-type:user.created", "id": "e", "subject": "zen:user:77", "detail": {"id": "77"}}) is None


@pytest.mark.parametrize(
    "body",
    [
        {"ticket_id": 5158}, {"ticket_id": "5158"}, {"id": 5158}, {"ticket": {"id": "5158", "title": "x"}}, {"ticket": 5158},
        {"ticketId": "5158", "id": "1"},
        b'{"ticket_id": 5158, "title": "He said "hi""}',
        b'{"title": "line\nbreak "x"", "ticket_id": "5158"}',
        b'{"id": 5158, "comment": "a "quoted" word"}',
        b"ticket_id=5158&title=x",
        b"https://acme.zendesk.com/agent/tickets/5158 was updated",
    ],
)  # fmt: skip
def test_a_triggers_template_yields_its_ticket_even_when_its_json_is_broken(body: Any) -> None:
    assert ticket_of(body) == "5158"


NAMELESS = [b"", b"null", b"[]", b"\xff\xfe", {"ticket_id": ""}, {"ticket_id": "0"}, {"ticket_id": True}, {"ticket_id": "1/../2"}, {}]


@pytest.mark.parametrize("body", NAMELESS)
def test_a_delivery_without_a_ticket_is_genuine_and_names_none(body: Any) -> None:
    assert ticket_of(body) is None


def test_a_delivery_keeps_its_id_when_it_is_repeated() -> None:
    body = json.dumps(EVENT).encode()
    first = {**signed(body), "X-Zendesk-Webhook-Invocation-Id": "01INV"}
    later = {**signed(body, stamp="2026-11-20T09:00:20Z"), "X-Zendesk-Webhook-Invocation-Id": "01INV"}
    assert receive([SECRET], first, body, NOW).delivery_id == receive([SECRET], later, body, NOW).delivery_id == "01INV"
    assert receive([SECRET], signed(body), body, NOW).delivery_id == "cbe4028c-7239"
    plain = b'{"id": 7}'
    assert receive([SECRET], signed(plain), plain, NOW).delivery_id == receive([SECRET], signed(plain), plain, NOW).delivery_id
    other = signed(plain, stamp="2026-11-20T09:00:20Z")
    assert receive([SECRET], signed(plain), plain, NOW).delivery_id != receive([SECRET], other, plain, NOW).delivery_id


@given(body=st.binary(max_size=200), signature=st.text(max_size=60), stamp=st.text(max_size=40))
def test_nothing_unsigned_is_ever_taken(body: bytes, signature: str, stamp: str) -> None:
    headers = {"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": stamp}
    with pytest.raises(Rejected):
        receive([SECRET], headers, body, NOW)


@given(body=st.binary(max_size=300))
def test_whatever_a_genuine_delivery_holds_yields_digits_or_nothing(body: bytes) -> None:
    found = receive([SECRET], signed(body), body, NOW).ticket_id
    assert found is None or found.isdigit()
