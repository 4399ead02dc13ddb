"""A decision reaches the helpdesk once, and a person always wins; the real connector, the sandbox, real SQLite."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import Session

from bot.answer.flow import Flow, Postponed, answer, recall
from bot.answer.triage import Triage
from bot.answer.write import Draft, ModelUnavailable
from bot.spending import Budget
from connectors.base import Reply, ReplyRef, Ticket, Transient
from connectors.sandbox import Sandbox

QUESTION = "Which batteries do I need, can I use rechargeable ones?"


def open_ticket(flow: Flow, sandbox: Sandbox, text: str = QUESTION, **details: object) -> Ticket:
    ticket = flow.desk.ticket(str(sandbox.desk.create_ticket("Batteries", text, **details).id))  # type: ignore[arg-type]
    assert ticket is not None
    return ticket


def test_a_note_is_internal_and_says_where_each_sentence_comes_from(flow: Flow, sandbox: Sandbox) -> None:
    ticket = open_ticket(flow, sandbox)
    record = answer(flow, ticket)
    assert record["decision"] == "note"
    [entry] = sandbox.desk.ledger.comments(int(ticket.id))
    assert entry.public is False
    note = sandbox.desk.tickets[int(ticket.id)].comments[-1]
    assert record["citations"][0]["title"] in note.html
    assert record["draft_id"] in note.html
    assert "draftdesk-note" in sandbox.desk.tickets[int(ticket.id)].tags


def test_an_agents_tags_are_kept(flow: Flow, sandbox: Sandbox) -> None:
    ticket = open_ticket(flow, sandbox, tags=("vip",))
    answer(flow, ticket)
    assert {"vip", "draftdesk-note"} <= set(sandbox.desk.tickets[int(ticket.id)].tags)


def test_a_lost_response_is_found_again_and_not_repeated(flow: Flow, sandbox: Sandbox) -> None:
    ticket = open_ticket(flow, sandbox)
    sandbox.faults.add("lost_response", f"/api/v2/tickets/{ticket.id}*", method="PUT")
    with pytest.raises(Transient):
        answer(flow, ticket)
    assert answer(flow, ticket)["posted"]
    assert len(sandbox.desk.ledger.comments(int(ticket.id))) == 1


def test_a_request_that_landed_between_lookup_and_repeat_is_not_doubled(flow: Flow, sandbox: Sandbox) -> None:
    """The first attempt's request arrives only when the second attempt is about to write: its version is outdated then."""
    ticket = open_ticket(flow, sandbox)
    sandbox.faults.add("lost_request", f"/api/v2/tickets/{ticket.id}*", method="PUT")
    with pytest.raises(Transient):
        answer(flow, ticket)
    late = LateDesk(flow.desk)
    assert answer(replace(flow, desk=late), ticket)["posted"]
    assert late.landed
    assert len(sandbox.desk.ledger.comments(int(ticket.id))) == 1


def test_an_agent_who_answers_meanwhile_wins(flow: Flow, sandbox: Sandbox) -> None:
    ticket = open_ticket(flow, sandbox)
    agent = next(user.id for user in sandbox.desk.users.values() if user.role == "agent" and user.id != sandbox.desk.bot_id)

    class Interrupted:
        """A writer during whose work an agent replies."""

        def write(self, asked: Ticket, triage: Triage, found: object) -> Draft | None:
            sandbox.desk.comment(int(ticket.id), "I am on it.", author_id=agent)
            return flow.writer.write(asked, triage, found)  # type: ignore[arg-type]

    record = answer(replace(flow, writer=Interrupted()), ticket)
    assert record["decision"] == "skip"
    assert record["reason"] == "an agent answered meanwhile"
    assert record["posted"] is None
    assert not sandbox.desk.ledger.comments(int(ticket.id))
    with Session(flow.engine) as session:
        assert (recall(session, record["draft_id"]) or {})["decision"] == "skip"


@pytest.mark.parametrize("happening", ["closed", "tagged", "deleted", "newer"])
def test_what_happens_meanwhile_cancels_the_note(flow: Flow, sandbox: Sandbox, happening: str) -> None:
    ticket = open_ticket(flow, sandbox)
    number, desk = int(ticket.id), sandbox.desk
    if happening == "closed":
        desk.set_status(number, "closed")
    elif happening == "tagged":
        desk.tickets[number].tags.append("no-bot")
    elif happening == "deleted":
        desk.delete_ticket(number)
    else:
        desk.comment(number, "And which brand?", author_id=desk.tickets[number].requester_id)
    assert answer(flow, ticket)["decision"] == "skip"
    assert not desk.ledger.comments(number)


def test_a_model_that_is_away_leaves_the_ticket_untouched_with_the_reason_kept(flow: Flow, sandbox: Sandbox) -> None:
    ticket = open_ticket(flow, sandbox)

    class Away:
        def write(self, asked: Ticket, triage: Triage, found: object) -> Draft | None:
            raise ModelUnavailable("the model's server does not answer", retryable=True, retry_after=30)

    with pytest.raises(Postponed) as postponed:
        answer(replace(flow, writer=Away()), ticket)
    assert postponed.value.wait == 30
    assert not sandbox.desk.ledger.comments(int(ticket.id))
    with Session(flow.engine) as session:
        kept = recall(session, postponed.value.record["draft_id"])
    assert kept is not None
    assert kept["reason"] == "model_unavailable: the model's server does not answer"
    assert answer(flow, ticket)["posted"], "when the model is back the ticket is answered"


def test_spending_stops_at_the_cap(flow: Flow, sandbox: Sandbox) -> None:
    ticket = open_ticket(flow, sandbox)
    with pytest.raises(Postponed, match="budget"):
        answer(replace(flow, budget=Budget(usd_per_day=0.0)), ticket)
    assert not sandbox.desk.ledger.comments(int(ticket.id))


def test_a_ticket_gets_no_more_answers_than_the_policy_allows(flow: Flow, sandbox: Sandbox) -> None:
    ticket = open_ticket(flow, sandbox)
    strict = replace(flow, rules=replace(flow.rules, max_replies_per_ticket=1))
    assert answer(strict, ticket)["posted"]
    sandbox.desk.comment(int(ticket.id), QUESTION, author_id=sandbox.desk.tickets[int(ticket.id)].requester_id)
    again = flow.desk.ticket(ticket.id)
    assert again is not None
    assert answer(strict, again)["decision"] == "skip"
    assert len(sandbox.desk.ledger.comments(int(ticket.id))) == 1


def test_a_public_reply_is_sent_only_under_a_waived_bound(flow: Flow, sandbox: Sandbox) -> None:
    from bot.config.model import Topic

    topic = Topic(name="batteries", about="batteries, sensor", deliver="reply", max_wrong="off")
    ticket = open_ticket(flow, sandbox)
    loose = replace(
        flow, triage=lambda t: replace(flow.triage(t), topic="batteries"), rules=replace(flow.rules, topics=(topic,), ceiling="reply")
    )
    record = answer(loose, ticket)
    assert record["decision"] == "reply", (record["reason"], record["body_text"])
    [entry] = sandbox.desk.ledger.comments(int(ticket.id))
    assert entry.public is True
    sent = sandbox.desk.tickets[int(ticket.id)].comments[-1]
    assert "Sources" not in sent.html
    assert record["draft_id"] not in sent.html


class LateDesk:
    """The desk, but the request of an earlier attempt reaches the vendor after the lookup and before the next write."""

    def __init__(self, desk: object) -> None:
        self._desk, self.landed = desk, False

    def __getattr__(self, name: str) -> object:
        return getattr(self._desk, name)

    def post_reply(self, ticket_id: str, reply: Reply, effect_key: str, seen_version: str) -> ReplyRef:
        if not self.landed:
            self.landed = True
            self._desk.post_reply(ticket_id, reply, effect_key, seen_version)  # type: ignore[attr-defined]
        posted: ReplyRef = self._desk.post_reply(ticket_id, reply, effect_key, seen_version)  # type: ignore[attr-defined]
        return posted
