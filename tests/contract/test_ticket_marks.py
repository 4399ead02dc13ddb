"""A status after a reply and fields that triage fills: what a person set stays, and a repeat changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.base import Fields, Helpdesk, Refused, Reply, Statuses
from connectors.http import HttpClient
from connectors.sandbox.freshdesk.stage import FreshdeskStage
from connectors.sandbox.zendesk.shapes import MOOD_FIELD, TOPIC_FIELD
from connectors.sandbox.zendesk.stage import ZendeskStage

KEY = "fedcba9876543210fedcba9876543210"


class Case:
    """One helpdesk on its stage, with the names of its fields and how a ticket of it is looked at."""

    def __init__(self, stage: Any, topic: str, mood: str) -> None:
        self.stage, self.topic, self.mood = stage, topic, mood
        self.desk: Any = stage.connect(self._http)
        self.ticket = stage.open_ticket("How long is the warranty?")
        stage.advance(30)

    def _http(self, origin: str, authorize: Any = None, **more: Any) -> HttpClient:
        return HttpClient(origin, authorize, sleep=self.stage.advance, **more)

    def row(self) -> Any:
        site = self.stage.site if hasattr(self.stage.site, "desk") else self.stage.api
        return site.desk.tickets[int(self.ticket)]

    def field(self, name: str) -> Any:
        standing = self.row().custom_fields
        return standing.get(name) if isinstance(standing, dict) else {str(one["id"]): one["value"] for one in standing}.get(name)

    def reply(self, status: Any = "pending") -> None:
        read = self.desk.ticket(self.ticket)
        reply = Reply("<p>Three years.</p>", True, status=status)
        self.desk.post_reply(self.ticket, reply, KEY, read.version)
        if isinstance(self.desk, Statuses) and status:
            self.desk.set_status(self.ticket, status)


@pytest.fixture(params=["zendesk", "freshdesk"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    stage: Any = ZendeskStage() if request.param == "zendesk" else FreshdeskStage()
    names = (str(TOPIC_FIELD), str(MOOD_FIELD)) if request.param == "zendesk" else ("cf_topic", "cf_mood")
    yield Case(stage, *names)
    stage.close()


@pytest.mark.parametrize("status", ["pending", "solved"])
def test_a_ticket_has_the_configured_status_after_a_reply(case: Case, status: str) -> None:
    case.reply(status)
    assert case.desk.ticket(case.ticket).status == status


def test_without_a_status_a_reply_leaves_it(case: Case) -> None:
    before = case.desk.ticket(case.ticket).status
    case.reply(None)
    assert case.desk.ticket(case.ticket).status == before


def test_empty_fields_are_filled_and_what_a_person_chose_stays(case: Case) -> None:
    desk = case.desk
    assert isinstance(desk, Helpdesk)
    assert isinstance(desk, Fields)
    desk.fill_fields(case.ticket, {case.topic: "refunds"})
    case.stage.advance(30)
    desk.fill_fields(case.ticket, {case.topic: "legal", case.mood: "negative"})
    assert (case.field(case.topic), case.field(case.mood)) == ("refunds", "negative")


def test_filling_again_sends_nothing(case: Case) -> None:
    case.desk.fill_fields(case.ticket, {case.topic: "refunds"})
    before = case.desk.ticket(case.ticket).updated_at
    case.stage.advance(30)
    case.desk.fill_fields(case.ticket, {case.topic: "refunds"})
    assert case.desk.ticket(case.ticket).updated_at == before


def test_a_field_that_the_ticket_does_not_have_is_told_and_the_others_are_filled(case: Case) -> None:
    with pytest.raises(Refused, match=r"has no field (99|cf_nowhere); correct triage\.fields"):
        case.desk.fill_fields(case.ticket, {case.topic: "refunds", "99" if case.topic.isdigit() else "cf_nowhere": "x"})
    assert case.field(case.topic) == "refunds"


def test_a_status_that_a_person_set_meanwhile_stays() -> None:
    case = Case(FreshdeskStage(), "cf_topic", "cf_mood")
    try:
        case.desk.set_status(case.ticket, "solved")
        case.desk.set_status(case.ticket, "pending")
        assert case.desk.ticket(case.ticket).status == "solved"
    finally:
        case.stage.close()
