"""An answer whose end is open when a person, or a newer message, overtakes it: it is settled, and nothing is written twice or late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from sqlmodel import Session

from bot.answer.deliver import last_from_customer
from bot.answer.flow import EFFECT, Flow
from bot.chores import DeskChores
from bot.demo import DESK
from bot.deployment import Deployment
from bot.metrics import Metrics
from connectors.sandbox import Sandbox
from storage import outbox

QUESTION = "Which batteries do I need, can I use rechargeable ones?"
Overtaking = Callable[[Sandbox, int], None]


def an_agent_answers(sandbox: Sandbox, ticket: int) -> None:
    agent = next(user.id for user in sandbox.desk.users.values() if user.role == "agent" and user.id != sandbox.desk.bot_id)
    sandbox.desk.comment(ticket, "Two AAA lithium batteries.", author_id=agent)


def the_customer_writes_again(sandbox: Sandbox, ticket: int) -> None:
    sandbox.desk.comment(ticket, "And how do I change them?", author_id=sandbox.desk.tickets[ticket].requester_id)


@pytest.mark.parametrize("overtake", [an_agent_answers, the_customer_writes_again])
@pytest.mark.parametrize(("fault", "state"), [("lost_response", "sent"), ("lost_request", "cancelled")])
def test_what_was_begun_is_settled_though_it_is_wanted_no_more(
    deployment: Deployment, flow: Flow, sandbox: Sandbox, fault: Literal["lost_response", "lost_request"], state: str, overtake: Overtaking
) -> None:
    chores = DeskChores(deployment, {DESK: flow}, Metrics())
    number = sandbox.desk.create_ticket("Batteries", QUESTION).id
    ticket = flow.desk.ticket(str(number))
    assert ticket is not None
    asked = last_from_customer(ticket)
    assert asked is not None
    key = outbox.effect_key(DESK, str(number), asked.id, EFFECT)
    sandbox.faults.add(fault, f"/api/v2/tickets/{number}*", method="PUT")
    assert chores.attend(DESK, str(number), "first") > 0
    overtake(sandbox, number)
    assert chores.attend(DESK, str(number), "first") == 0.0
    with Session(flow.engine) as session:
        begun = outbox.effect(session, key)
        assert begun is not None
        assert begun.state == state
        assert outbox.begun(session, DESK, str(number)) == []
    written = [entry.metadata for entry in sandbox.desk.ledger.comments(number)]
    assert sum(key in str(entry) for entry in written) == (state == "sent")
