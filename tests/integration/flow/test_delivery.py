"""A decision reaches the helpdesk once, and a person always wins; the real connector, the sandbox, real SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.flow import Flow, Postponed, answer, preview, recall
from bot.answer.model import ModelWriter
from bot.answer.triage import Triage
from bot.answer.write import Draft, ModelUnavailable
from bot.config.model import Writer
from bot.spending import Budget, Purse
from connectors.base import Reply, ReplyRef, Ticket, Transient
from connectors.sandbox import Sandbox
from storage.database import open_database
from storage.spending import spent

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
WriterWith = Callable[[Budget], ModelWriter]
QUESTION = "Which batteries do I need, can I use rechargeable ones?"


@pytest.fixture
def writer_with(flow: Flow, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriterWith]:
    """A real client of the sandbox's model that pays from a purse with these caps."""
    monkeypatch.setenv("MODEL_KEY", "sandbox-key")
    given = {"provider": "openai", "model": "sandbox-chat", "api_key": "env:MODEL_KEY", "base_url": f"{sandbox.url}/openai/v1"}
    settings = Writer.model_validate({**given, "prices": {"input": 1.0, "output": 8.0}})
    with ExitStack() as opened:
        yield lambda budget: opened.enter_context(closing(ModelWriter(settings, Purse(flow.engine, budget, flow.connector, flow.now))))


@pytest.fixture
def engine_of(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database("sqlite", folder=tmp_path)
    yield engine
    engine.dispose()


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


def test_a_model_that_somebody_must_put_right_is_not_asked_again_at_once(flow: Flow, sandbox: Sandbox) -> None:
    ticket = open_ticket(flow, sandbox)

    class Unpaid:
        def write(self, asked: Ticket, triage: Triage, found: object) -> Draft | None:
            raise ModelUnavailable("the account has no credit", retryable=False)

    with pytest.raises(Postponed) as postponed:
        answer(replace(flow, writer=Unpaid()), ticket)
    assert postponed.value.wait >= 600


def test_a_ticket_that_the_model_refuses_is_left_as_it_was_twice_and_then_goes_to_a_person(
    flow: Flow, sandbox: Sandbox, writer_with: WriterWith
) -> None:
    ticket = open_ticket(flow, sandbox)
    sandbox.model.mode = "refuse"
    refused = replace(flow, writer=writer_with(Budget()))
    try:
        for _ in range(2):
            with pytest.raises(Postponed, match="the model refused to answer this ticket") as postponed:
                answer(refused, ticket)
            assert postponed.value.wait >= 600
            assert not sandbox.desk.ledger.comments(int(ticket.id))
        record = answer(refused, ticket)
    finally:
        sandbox.model.mode = "compose"
    assert (record["decision"], record["posted"]["public"]) == ("handoff", False)
    assert record["reason"] == "model_unavailable: the model refused to answer this ticket"


def test_spending_stops_at_the_days_cap_and_the_ticket_waits(flow: Flow, sandbox: Sandbox, writer_with: WriterWith) -> None:
    ticket, asked = open_ticket(flow, sandbox), len(sandbox.model.calls)
    with pytest.raises(Postponed, match=r"budget: 0\.\d+ of the 0\.0000 USD of today are spent"):
        answer(replace(flow, writer=writer_with(Budget(usd_per_day=0.0))), ticket)
    assert len(sandbox.model.calls) == asked
    assert not sandbox.desk.ledger.comments(int(ticket.id))


def test_a_ticket_that_has_used_up_its_own_money_goes_to_a_person(flow: Flow, sandbox: Sandbox, writer_with: WriterWith) -> None:
    ticket, asked = open_ticket(flow, sandbox), len(sandbox.model.calls)
    poor = replace(flow, writer=writer_with(Budget(usd_per_ticket=0.03)))
    assert preview(poor, ticket)["usage"]["cost_usd"] > 0
    sandbox.model.reply = lambda _: "no JSON at all"
    for _ in range(40):
        try:
            record = answer(poor, ticket)
            break
        except Postponed:
            continue
    sandbox.model.reply = None
    assert record["reason"].startswith("budget: ")
    assert record["decision"] == "handoff"
    with Session(flow.engine) as session:
        assert spent(session, ticket=(flow.connector, ticket.id)) <= 0.03
    assert 1 < len(sandbox.model.calls) - asked < 40


def test_the_length_of_an_answer_shrinks_to_what_the_ticket_may_still_cost(flow: Flow, sandbox: Sandbox, writer_with: WriterWith) -> None:
    ticket = open_ticket(flow, sandbox)
    preview(replace(flow, writer=writer_with(Budget(usd_per_ticket=0.03))), ticket)
    assert 200 <= sandbox.model.calls[-1]["max_completion_tokens"] < 4000


def test_calls_on_their_way_count_so_that_many_tickets_at_once_stay_under_the_cap(engine_of: Engine) -> None:
    purse = Purse(engine_of, Budget(usd_per_day=1.0), "help", lambda: NOON)
    with ExitStack() as calls, ThreadPoolExecutor(16) as threads:
        granted = list(threads.map(lambda n: calls.enter_context(purse.open(str(n), 0.15)), range(16)))
        assert sum(purchase.usd for purchase in granted) <= 1.0 + 1e-9
        assert sum(purchase.usd > 0 for purchase in granted) == 7
        for purchase in granted:
            purchase.cost = 0.0
    with purse.open("later", 0.15) as purchase:
        assert purchase.usd == pytest.approx(0.15), "what was not spent is free again"
    with purse.open("last", 2.0) as purchase:
        assert purchase.usd == pytest.approx(0.85), "a call whose cost nobody knows counts in full"


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
