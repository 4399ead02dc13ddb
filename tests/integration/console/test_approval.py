"""A reply that a person approves: once, and a person who was faster wins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import Session

from bot.answer.approved import Letter, plan_approved, send_approved, unfinished
from bot.answer.flow import Flow, answer, recall
from bot.chores import DeskChores
from bot.demo import DESK
from bot.deployment import Deployment
from bot.metrics import Metrics
from connectors.base import Ticket, Transient
from connectors.sandbox import Sandbox
from storage import outbox, reviews
from storage.outbox import State
from storage.reviews import Review

pytestmark = pytest.mark.xdist_group("console")
QUESTION = "Which batteries do I need, can I use rechargeable ones?"
LETTER = Letter("Two AA cells.", "<p>Two AA cells.</p>", True)


def open_draft(flow: Flow, sandbox: Sandbox) -> tuple[Ticket, str]:
    """A ticket with the bot's note on it, and the draft's id."""
    ticket = flow.desk.ticket(str(sandbox.desk.create_ticket("Batteries", QUESTION).id))
    assert ticket is not None
    record = answer(flow, ticket)
    assert record["decision"] == "note"
    return ticket, record["draft_id"]


def approve(flow: Flow, draft_id: str, by: str = "ada", letter: Letter = LETTER) -> str | None:
    with Session(flow.engine) as session, session.begin():
        draft = outbox.draft(session, draft_id)
        assert draft is not None
        effect = plan_approved(session, draft, letter, by, flow.now())
    return effect.key if effect else None


def look(flow: Flow, draft_id: str) -> Review:
    with Session(flow.engine) as session:
        row = reviews.review(session, draft_id)
    assert row is not None
    return row


def public(sandbox: Sandbox, ticket: Ticket) -> list[str]:
    return [comment.html for comment in sandbox.desk.tickets[int(ticket.id)].comments if comment.public][1:]


def test_what_a_person_approves_reaches_the_customer_once(flow: Flow, sandbox: Sandbox) -> None:
    ticket, draft_id = open_draft(flow, sandbox)
    key = approve(flow, draft_id)
    assert key is not None
    for _ in range(2):
        settled = send_approved(flow, key)
        assert settled is not None
        assert settled.state is State.SENT
    assert public(sandbox, ticket) == ["<p>Two AA cells.</p>"]
    review = look(flow, draft_id)
    assert (review.state, review.decided_by) == ("approved", "ada")
    with Session(flow.engine) as session:
        kept = recall(session, str(review.reply_id))
    assert kept is not None
    assert kept["posted"]["public"] is True
    assert kept["approved"] == {"of": draft_id, "by": "ada", "edited": True}


def test_two_people_who_approve_the_same_draft_send_one_reply(flow: Flow, sandbox: Sandbox) -> None:
    ticket, draft_id = open_draft(flow, sandbox)
    keys = [approve(flow, draft_id, by) for by in ("ada", "ben")]
    assert keys[1] is None
    send_approved(flow, keys[0] or "")
    assert len(public(sandbox, ticket)) == 1


def test_an_agent_who_answered_in_the_helpdesk_meanwhile_wins_over_the_approval(flow: Flow, sandbox: Sandbox) -> None:
    ticket, draft_id = open_draft(flow, sandbox)
    key = approve(flow, draft_id)
    agent = next(user.id for user in sandbox.desk.users.values() if user.role == "agent" and user.id != sandbox.desk.bot_id)
    sandbox.desk.comment(int(ticket.id), "I am on it.", author_id=agent)
    settled = send_approved(flow, key or "")
    assert settled is not None
    assert (settled.state, settled.reason) == (State.CANCELLED, "an agent answered meanwhile")
    assert len(public(sandbox, ticket)) == 1
    assert (look(flow, draft_id).state, look(flow, draft_id).reason) == ("overtaken", "an agent answered meanwhile")


def test_an_approval_survives_a_lost_answer_and_a_restart_without_doubling(flow: Flow, sandbox: Sandbox) -> None:
    ticket, draft_id = open_draft(flow, sandbox)
    key = approve(flow, draft_id)
    sandbox.faults.add("lost_response", f"/api/v2/tickets/{ticket.id}*", method="PUT")
    with pytest.raises(Transient):
        send_approved(flow, key or "")
    with Session(flow.engine) as session:
        left = unfinished(session)
    assert [effect.key for effect in left] == [key]
    assert send_approved(flow, left[0].key)
    assert len(public(sandbox, ticket)) == 1


def test_what_was_answered_or_solved_in_the_helpdesk_leaves_the_inbox(flow: Flow, sandbox: Sandbox, deployment: Deployment) -> None:
    answered, first = open_draft(flow, sandbox)
    solved, second = open_draft(flow, sandbox)
    chores = DeskChores(deployment, {DESK: replace(flow)}, Metrics())
    agent = next(user.id for user in sandbox.desk.users.values() if user.role == "agent" and user.id != sandbox.desk.bot_id)
    sandbox.desk.comment(int(answered.id), "Done.", author_id=agent)
    sandbox.desk.set_status(int(solved.id), "solved")
    caught_up = False
    while not caught_up:
        page = chores.moved(DESK)
        for ticket in {answered.id, solved.id} & set(page.tickets):
            chores.attend(DESK, ticket, "look")
        if page.cursor is not None:
            chores.turn(DESK, page.cursor)
        caught_up = page.caught_up
    assert look(flow, first).state == "overtaken"
    assert look(flow, second).state == "overtaken"


def test_the_worker_sends_an_approved_reply_and_tries_again_when_the_helpdesk_is_away(
    flow: Flow, sandbox: Sandbox, deployment: Deployment
) -> None:
    ticket, draft_id = open_draft(flow, sandbox)
    key = approve(flow, draft_id) or ""
    chores = DeskChores(deployment, {DESK: flow}, Metrics())
    sandbox.faults.add("status", f"/api/v2/tickets/{ticket.id}*", method="PUT", status=503)
    assert chores.send(DESK, key) > 0
    assert chores.send(DESK, key) == 0.0
    assert len(public(sandbox, ticket)) == 1
    assert chores.send(DESK, "0" * 32) == 0.0, "what was erased meanwhile is nothing to be sent"
