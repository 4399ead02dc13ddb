"""No person in a log line or a metric, and none at a model behind the mask: canaries through the whole flow, its faults included."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import structlog
from prometheus_client import generate_latest

from bot.answer.flow import Flow, Postponed, answer
from bot.answer.model import ModelWriter
from bot.answer.pseudonyms import Mask, PseudonymousWriter
from bot.chores import DeskChores
from bot.config.model import Writer
from bot.demo import DESK
from bot.deployment import Deployment
from bot.journal import keep_journal
from bot.metrics import Metrics
from connectors.base import Refused, Transient
from connectors.sandbox import Sandbox

CANARIES = ("Zephyrine", "Quillfeather", "zephyrine.q@canary.example", "+44 20 7946 0958", "CNRY-4471902", "teapot-of-amber")
TEXT = (
    "Which batteries do I need, can I use rechargeable ones? I am Zephyrine Quillfeather (zephyrine.q@canary.example, +44 20 7946 0958), "
    "my order is CNRY-4471902, and my teapot-of-amber is broken."
)


class Kept(io.StringIO):
    """Stands for the terminal, and is read after whoever writes to it is done."""

    def close(self) -> None:
        pass


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """The journal as `run` keeps it."""
    root = logging.getLogger()
    before, level, shown = list(root.handlers), root.level, Kept()
    monkeypatch.setattr(sys, "stderr", shown)
    keep_journal("json")
    yield shown
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def number(sandbox: Sandbox) -> int:
    person = sandbox.desk.add_user("Zephyrine Quillfeather", "zephyrine.q@canary.example")
    return sandbox.desk.create_ticket("Batteries for Zephyrine", TEXT, requester_id=person.id).id


def writer_at(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> ModelWriter:
    monkeypatch.setenv("MODEL_KEY", "sandbox-key")
    given = {"provider": "openai", "model": "sandbox-chat", "api_key": "env:MODEL_KEY", "base_url": f"{sandbox.url}/openai/v1"}
    return ModelWriter(Writer.model_validate({**given, "timeout": "5s"}))


def absent(text: str) -> None:
    assert [canary for canary in CANARIES if canary.casefold() in text.casefold()] == []


@pytest.mark.parametrize("fault", ["none", "model", "lost", "refused", "bug"])
def test_no_log_line_and_no_metric_names_a_person(
    deployment: Deployment, flow: Flow, sandbox: Sandbox, number: int, fault: str, journal: Kept,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    metrics, writer = Metrics(), writer_at(sandbox, monkeypatch)
    if fault == "model":
        sandbox.model.mode = "nonsense"
    if fault == "lost":
        sandbox.faults.add("lost_response", f"/api/v2/tickets/{number}*", method="PUT")

    class Talkative:
        """The desk, whose refusals quote the customer."""

        def __getattr__(self, name: str) -> Any:
            return getattr(flow.desk, name)

        def add_tags(self, ticket_id: str, tags: tuple[str, ...]) -> None:
            raise Refused("422: requester zephyrine.q@canary.example (+44 20 7946 0958) cannot be tagged")

    desk: Any = Talkative() if fault == "refused" else flow.desk
    chores = DeskChores(deployment, {DESK: replace(flow, writer=writer, desk=desk)}, metrics)
    try:
        with suppress(Transient, Postponed):
            chores.attend(DESK, str(number), "look")
        if fault == "bug":
            try:
                raise ValueError(f"cannot parse {CANARIES[2]} or {CANARIES[3]}")
            except ValueError:
                structlog.get_logger().exception("bug", ticket=str(number))
                logging.getLogger("library").error("cannot mail %s", CANARIES[2], exc_info=True)
    finally:
        sandbox.model.mode = "compose"
        writer.close()
    assert str(number) in journal.getvalue(), "the ticket is told by its number"
    absent(journal.getvalue())
    absent(generate_latest(metrics.registry).decode())


def test_a_model_behind_the_mask_is_sent_no_person(
    flow: Flow, sandbox: Sandbox, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, writer, mask = flow.desk.ticket(str(number)), writer_at(sandbox, monkeypatch), Mask()
    assert ticket is not None
    before = len(sandbox.model.calls)
    try:
        record = answer(replace(flow, writer=PseudonymousWriter(writer, mask), mask=mask), ticket)
    finally:
        writer.close()
    assert len(sandbox.model.calls) == before + 1
    sent = str(sandbox.model.calls[-1])
    assert [canary for canary in CANARIES[:5] if canary in sent] == []
    assert "[NAME-1]" in sent
    assert "[NAME" not in str(record)
