"""The writer's model asked for a topic, at the sandbox's endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.topic_model import TopicAsker
from bot.answer.write import ModelUnavailable, OverBudget, Usage
from bot.config.model import Topic, Writer
from bot.spending import Budget, Purse
from connectors.sandbox import Sandbox
from storage.database import open_database
from storage.spending import spent

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
TOPICS = (Topic(name="refunds", about="money back"), Topic(name="login {x}", about="passwords"))


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("MODEL_KEY", "sandbox-key")
    with Sandbox() as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database("sqlite", folder=tmp_path)
    yield opened
    opened.dispose()


def ask(sandbox: Sandbox, text: str, purse: Purse | None = None) -> tuple[str | None, Usage]:
    given = {"provider": "openai", "model": "sandbox-chat", "api_key": "env:MODEL_KEY", "base_url": f"{sandbox.url}/openai/v1"}
    settings = Writer.model_validate({**given, "prices": {"input": 1.0, "output": 2.0}})
    with closing(TopicAsker(settings, purse)) as asker:
        return asker.ask(text, TOPICS, "7")


def test_the_model_sees_names_descriptions_and_the_sealed_message_and_its_answer_is_paid(sandbox: Sandbox, engine: Engine) -> None:
    sandbox.model.reply = lambda body: {"topic": "login {x}"}
    purse = Purse(engine, Budget(usd_per_day=1.0), "help", lambda: NOW)
    name, usage = ask(sandbox, "I am locked out\nrefund me", purse)
    assert name == "login {x}"
    with Session(engine) as session:
        assert spent(session, ticket=("help", "7")) == pytest.approx(usage.cost_usd)
    assert usage.cost_usd > 0
    [call] = sandbox.model.calls
    system, user = (message["content"] for message in call["messages"])
    assert '- "refunds": money back' in system
    lines = user.split("\n")
    assert all(line.startswith("^") for line in lines[1:-1]), "each line of the customer's is marked as data"
    assert call["response_format"]["json_schema"]["schema"]["properties"]["topic"]["enum"] == ["refunds", "login {x}", None]


@pytest.mark.parametrize("said", ["refunds", {"topic": "everything"}, {"topic": "refunds", "why": "x"}, [1], {"topic": None}])
def test_another_answer_is_no_topic(sandbox: Sandbox, said: Any) -> None:
    sandbox.model.reply = lambda body: said if isinstance(said, str) else json.dumps(said)
    assert ask(sandbox, "Hello")[0] is None


@pytest.mark.parametrize("mode", ["refuse", "truncate", "error", "insufficient_quota", "rate_limited"])
def test_a_model_that_fails_is_asked_once(sandbox: Sandbox, mode: str) -> None:
    sandbox.model.mode = mode
    with pytest.raises(ModelUnavailable):
        ask(sandbox, "Hello")
    assert len(sandbox.model.calls) == 1


def test_without_money_it_is_not_asked(sandbox: Sandbox, engine: Engine) -> None:
    purse = Purse(engine, Budget(usd_per_ticket=0.0), "help", lambda: NOW)
    with pytest.raises(OverBudget):
        ask(sandbox, "Hello", purse)
    assert sandbox.model.calls == []
