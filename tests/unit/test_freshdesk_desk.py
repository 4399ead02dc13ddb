"""Freshdesk's tickets: who said what, whether it was public, and whose effect keys are believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Comment, Ticket
from connectors.freshdesk import desk

BOT, AGENT, CUSTOMER, COLLEAGUE = 1, 2, 3, 4
KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OTHER = "ffeeddccbbaa99887766554433221100"
anything = st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.lists(st.integers(), max_size=2)


def said(by: int, text: str = "Hello", **more: Any) -> dict[str, Any]:
    row = {"id": 90, "user_id": by, "body": f"<div>{text}</div>", "body_text": text, "incoming": False, "private": False, "source": 0}
    return {**row, "created_at": "2026-03-01T10:00:00Z", "updated_at": "2026-03-01T10:00:00Z", "attachments": [], **more}


def ticket(*conversations: dict[str, Any], person: dict[str, Any] | None = None, **more: Any) -> Ticket:
    row = {"id": 7, "subject": "Valve", "status": 2, "source": 1, "requester_id": CUSTOMER, "description": "<p>How?</p>"}
    times = {"created_at": "2026-03-01T09:00:00Z", "updated_at": "2026-03-01T10:00:00Z"}
    known = {"name": "Anna", "email": "anna@mail.example", "language": "pt-BR"} if person is None else person
    return desk.ticket("https://acme.freshdesk.com", {**row, **times, **more}, conversations, str(BOT), known)


def last(*conversations: dict[str, Any]) -> Comment:
    return ticket(*conversations).comments[-1]


def test_the_first_message_is_the_description() -> None:
    found = ticket(said(AGENT, "Like this"))
    assert [(one.id, one.author, one.text) for one in found.comments] == [("description", "customer", "How?"), ("90", "agent", "Like this")]
    assert (found.requester_email, found.language, found.channel) == ("anna@mail.example", "pt", "email")


@pytest.mark.parametrize(
    ("row", "author", "public"),
    [
        (said(CUSTOMER, incoming=True), "customer", True),
        (said(COLLEAGUE, incoming=True), "customer", True),
        (said(CUSTOMER, incoming=True, private=True), "customer", False),
        (said(CUSTOMER), "customer", True),
        (said(CUSTOMER, private=True), "agent", False),
        (said(AGENT), "agent", True),
        (said(AGENT, private=True, source=2), "agent", False),
        (said(COLLEAGUE), "agent", True),
        (said(AGENT, source=8), "agent", False),
        (said(BOT), "agent", True),
        (said(BOT, f"Hi<p>Ref. {KEY}</p>"), "bot", True),
    ],
)
def test_who_wrote_it_and_who_may_see_it(row: dict[str, Any], author: str, public: bool) -> None:
    found = last(row)
    assert (found.author, found.public) == (author, public)


def test_a_message_that_tells_nothing_of_its_audience_is_private_when_it_may_be_a_note() -> None:
    for source in (2, None):
        bare = said(AGENT, source=source)
        del bare["private"]
        assert not last(bare).public
    assert last({key: value for key, value in said(AGENT).items() if key not in ("private", "incoming")}).public, "a reply"


@pytest.mark.parametrize(
    ("code", "status"),
    [(2, "open"), (3, "pending"), (4, "solved"), (5, "closed"), (6, "hold"), (77, "hold"), ("4", "solved"), (None, "open"), ("x", "open")],
)
def test_statuses(code: Any, status: str) -> None:
    assert ticket(status=code).status == status


def test_what_we_write_is_found_by_its_key_and_reads_without_it() -> None:
    row = said(BOT, desk.with_key("<p>It closes.</p>", KEY))
    row["body_text"] = f"It closes. Ref. {KEY}"
    found = last(row)
    assert (found.author, found.effect_key, found.text) == ("bot", KEY, "It closes.")
    assert desk.written([row], KEY, str(BOT)) == "90"
    assert desk.written([row], OTHER, str(BOT)) is None
    assert desk.written([row], KEY[:-1], str(BOT)) is None


@pytest.mark.parametrize(
    "row", [said(CUSTOMER, f"> Ref. {KEY}", incoming=True), said(AGENT, f"Ref. {KEY}"), said(BOT, f"Ref. {KEY}", incoming=True)]
)
def test_a_key_that_somebody_quotes_is_not_our_reply(row: dict[str, Any]) -> None:
    assert desk.written([row], KEY, str(BOT)) is None
    assert last(row).author != "bot"


def test_the_version_moves_with_every_message_within_the_same_second() -> None:
    quiet, spoken = ticket().version, ticket(said(AGENT)).version
    edited = ticket(said(AGENT, updated_at="2026-03-01T10:00:01Z")).version
    assert len({quiet, spoken, edited, ticket(updated_at="2026-03-01T10:00:02Z").version}) == 4
    assert ticket(said(AGENT)).version == spoken


def test_an_agent_who_wrote_first_is_no_customer() -> None:
    assert ticket(source=10).comments[0].author == "agent"


@pytest.mark.parametrize(
    ("more", "conversations"),
    [
        ({"subject": "Automatic reply: away"}, ()),
        ({"description": "<p>This is an automated reply</p>"}, ()),
        ({"person": {"email": "no-reply@shop.example"}}, ()),
        ({}, (said(CUSTOMER, "x", incoming=True, from_email="Post <mailer-daemon@mail.example>"),)),
        ({"description": "The same text once more"}, (said(AGENT), said(CUSTOMER, "The same text once more", incoming=True, id=91))),
    ],
)
def test_a_machine_is_told(more: dict[str, Any], conversations: tuple[dict[str, Any], ...]) -> None:
    assert ticket(*conversations, **more).automated


def test_a_person_is_no_machine() -> None:
    assert ticket(subject="How do I set an automatic reply?").automated is None


@pytest.mark.parametrize("mark", ["deleted", "spam"])
def test_deleted_and_spam_tickets_are_told_as_deleted(mark: str) -> None:
    ref = desk.ticket_ref({"id": 7, "status": 2, "updated_at": "2026-03-01T10:00:00Z", mark: True})
    assert ref is not None
    assert ref.status == "deleted"


@given(
    st.dictionaries(st.sampled_from(sorted(said(AGENT))), anything), st.dictionaries(st.sampled_from(["id", "status", "tags"]), anything)
)
def test_no_message_and_no_ticket_is_an_exception(strange: dict[str, Any], odd: dict[str, Any]) -> None:
    found = ticket({**said(AGENT), **strange}, **odd)
    assert all(one.public or one.author for one in found.comments)
    desk.ticket_ref({**odd, "updated_at": strange.get("created_at")})
