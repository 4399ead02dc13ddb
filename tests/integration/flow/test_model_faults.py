"""Whatever ails the model: the ticket stays as it was, the reason is told after one call, and no cap is overstepped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import generate_latest
from sqlalchemy import select
from sqlmodel import Session
from structlog.testing import capture_logs

from bot.answer.flow import Flow
from bot.answer.model import ModelWriter
from bot.chores import DeskChores
from bot.config.model import Writer
from bot.demo import DESK
from bot.deployment import Deployment
from bot.metrics import Metrics
from bot.spending import Budget, Purse
from connectors.sandbox import Sandbox
from connectors.timing import seconds
from storage.spending import spent
from storage.tables import DraftRow, table

QUESTION = "Which batteries do I need, can I use rechargeable ones?"
CAP = 0.05  # USD of one ticket
SOON, SOMEBODY_ACTS = 1.0, 900.0  # seconds until the next try
Open = Callable[..., ModelWriter]
drafts = table(DraftRow)

FAULTS: dict[str, tuple[str, float, str]] = {  # what it is: the model's mode, the least wait, a word of the reason
    "down": ("down", SOON, "cannot be reached"),
    "slow": ("slow", SOON, "did not answer within 1s"),
    "refusing": ("refuse", SOMEBODY_ACTS, "refused to answer"),
    "filtered": ("content_filter", SOMEBODY_ACTS, "content filter"),
    "truncating": ("truncate", SOON, "cut off"),
    "over quota": ("insufficient_quota", SOMEBODY_ACTS, "no credit"),
    "rate limited": ("rate_limited", SOON, "slow down"),
    "wrong schema": ("wrong schema", SOON, "cannot be used"),
    "broken JSON": ("nonsense", SOON, "cannot be used"),
    "empty": ("empty", SOON, "empty"),
    "an error": ("error", SOON, "500"),
}


@pytest.fixture
def open_writer(flow: Flow, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    monkeypatch.setenv("MODEL_KEY", "sandbox-key")
    given = {"provider": "openai", "model": "sandbox-chat", "api_key": "env:MODEL_KEY", "prices": {"input": 1.0, "output": 8.0}}
    purse = Purse(flow.engine, Budget(usd_per_ticket=CAP), flow.connector, flow.now)
    with ExitStack() as opened:

        def make(base_url: str = f"{sandbox.url}/openai/v1", timeout: str = "20s") -> ModelWriter:
            settings = Writer.model_validate({**given, "base_url": base_url, "timeout": timeout})
            return opened.enter_context(closing(ModelWriter(settings, purse)))

        yield make
    sandbox.model.mode, sandbox.model.reply, sandbox.model.latency = "compose", None, 0.0


def ail(sandbox: Sandbox, mode: str, open_writer: Open) -> ModelWriter:
    """The model as this fault has it."""
    if mode == "down":
        return open_writer("http://127.0.0.1:9/v1")
    if mode == "slow":
        sandbox.model.latency = 2.5
        return open_writer(timeout="1s")
    if mode == "wrong schema":
        sandbox.model.reply = lambda body: {"sentences": [{"text": "Two.", "citations": "all", "kind": "statement"}], "action": "send"}
    else:
        sandbox.model.mode = mode
    return open_writer()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_that_ails_leaves_the_ticket_and_tells_why_after_one_call(
    deployment: Deployment, flow: Flow, sandbox: Sandbox, open_writer: Open, fault: str
) -> None:
    mode, least, word = FAULTS[fault]
    metrics, writer = Metrics(), ail(sandbox, mode, open_writer)
    chores: Any = DeskChores(deployment, {DESK: replace(flow, writer=writer)}, metrics)
    number, asked = sandbox.desk.create_ticket("Batteries", QUESTION).id, len(sandbox.model.calls)
    before = (sandbox.desk.tickets[number].status, list(sandbox.desk.tickets[number].tags))
    with capture_logs() as told:
        assert chores.attend(DESK, str(number), "look") >= least
    row = sandbox.desk.tickets[number]
    assert not sandbox.desk.ledger.comments(number)
    assert (row.status, list(row.tags)) == before
    assert len(sandbox.model.calls) - asked == (0 if mode == "down" else 1), "asked once, not again and again"
    assert [line for line in told if line["event"] == "ticket left as it was" and word in line["reason"]], told
    measured = generate_latest(metrics.registry).decode()
    assert 'draftdesk_decisions_total{connector="help",decision="handoff",reason="model_unavailable"} 1.0' in measured
    with Session(flow.engine) as session:
        [reason] = session.execute(select(drafts.c.reason).where(drafts.c.ticket_id == str(number))).scalars()
        assert word in reason, "kept for explain and the console"
        assert spent(session, ticket=(DESK, str(number))) <= CAP


def test_the_reason_is_there_within_two_minutes() -> None:
    assert seconds(Writer().timeout) + SOON <= 120, "one call, then the reason"


def test_a_model_that_ails_for_ever_cannot_cost_more_than_the_ticket_may(
    deployment: Deployment, flow: Flow, sandbox: Sandbox, open_writer: Open
) -> None:
    chores: Any = DeskChores(deployment, {DESK: replace(flow, writer=ail(sandbox, "truncate", open_writer))}, Metrics())
    number, asked = sandbox.desk.create_ticket("Batteries", QUESTION).id, len(sandbox.model.calls)
    tries = 1
    while chores.attend(DESK, str(number), "look") and tries < 60:
        tries += 1
    assert 1 < tries < 60, "then a person gets it"
    with Session(flow.engine) as session:
        assert spent(session, ticket=(DESK, str(number))) <= CAP
    assert len(sandbox.model.calls) - asked <= tries
    [note] = sandbox.desk.ledger.comments(number)
    assert note.public is False


def test_of_two_looks_at_one_comment_one_asks_the_model_and_retries_stay_its_own(
    deployment: Deployment, flow: Flow, sandbox: Sandbox, open_writer: Open
) -> None:
    chores: Any = DeskChores(deployment, {DESK: replace(flow, writer=ail(sandbox, "truncate", open_writer))}, Metrics())
    number, asked = sandbox.desk.create_ticket("Batteries", QUESTION).id, len(sandbox.model.calls)
    assert chores.attend(DESK, str(number), "first") > 0
    assert chores.attend(DESK, str(number), "second") == 0.0
    assert len(sandbox.model.calls) - asked == 1
    assert chores.attend(DESK, str(number), "first") > 0
    assert len(sandbox.model.calls) - asked == 2


def test_what_answers_need_is_loaded_before_one_is_written(deployment: Deployment, flow: Flow, sandbox: Sandbox) -> None:
    number = sandbox.desk.create_ticket("Batteries", QUESTION).id
    written: list[int] = []
    chores = DeskChores(deployment, {DESK: flow}, Metrics(), lambda: written.append(len(sandbox.desk.ledger.comments(number))))
    chores.attend(DESK, str(number), "look")
    assert written == [0]
    assert sandbox.desk.ledger.comments(number)
