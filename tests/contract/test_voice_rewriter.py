"""The voice's model over HTTP: asked once, as it was trained to be asked, paid from the ticket's purse, and silent when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.answer.voice import Voice
from bot.answer.write import ModelUnavailable, OverBudget
from bot.config.model import Prices, Writer
from bot.spending import Budget, Purse
from bot.tone.dataset import prompt
from bot.tone.heldout import Reply, speak
from bot.tone.rewriter import ModelRewriter
from bot.tone.style import Style
from connectors.sandbox import Sandbox
from connectors.settings import Secret
from storage.database import open_database

TEXT = "The lamp is not ready. It is sent within 3 days."


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database("sqlite", folder=tmp_path)
    yield opened
    opened.dispose()


@pytest.fixture
def rewriter(sandbox: Sandbox, engine: Engine, tmp_path: Path) -> Iterator[ModelRewriter]:
    sandbox.model.mode, sandbox.model.reply = "compose", None
    sandbox.model.calls.clear()
    made = ModelRewriter(settings(sandbox, tmp_path), Purse(engine, Budget(1.0, 0.05), "help", lambda: datetime.now(UTC)))
    yield made
    made.close()


def settings(sandbox: Sandbox, folder: Path, *, timeout: str = "30s") -> Writer:
    (folder / "key").write_text("sandbox-key")
    key = Secret(f"file:{folder}/key")
    prices = Prices(input=0.8, output=3.2)
    return Writer(provider="openai", model="sandbox-chat", base_url=f"{sandbox.url}/openai/v1", api_key=key, prices=prices, timeout=timeout)


def test_it_is_asked_once_and_as_it_was_trained_to_be_asked(rewriter: ModelRewriter, sandbox: Sandbox) -> None:
    sandbox.model.reply = lambda body: "The lamp isn't ready."
    said, usage = rewriter.rewrite(TEXT, "en", "7")
    [call] = sandbox.model.calls
    assert (said, call["messages"]) == ("The lamp isn't ready.", prompt(TEXT, "en"))
    assert usage.cost_usd == pytest.approx((usage.prompt_tokens * 0.8 + usage.completion_tokens * 3.2) / 1e6)


@pytest.mark.parametrize("mode", ["refuse", "truncate", "content_filter", "empty", "rate_limited", "insufficient_quota", "error"])
def test_whatever_fails_is_told_after_one_call_and_exemplars_speak(rewriter: ModelRewriter, sandbox: Sandbox, mode: str) -> None:
    sandbox.model.mode = mode
    with pytest.raises(ModelUnavailable):
        rewriter.rewrite(TEXT, "en", "7")
    assert len(sandbox.model.calls) == 1
    spoken = speak(Reply("en", TEXT, "team"), Voice(Style({"en": "Hi {name},"}, {"en": "Dry floors"}), rewriter))
    assert spoken is not None
    assert (spoken.voice, str(spoken.why).startswith("the voice's model failed")) == ("exemplars", True)
    assert TEXT in spoken.text


def test_a_ticket_whose_money_is_spent_asks_nobody(sandbox: Sandbox, engine: Engine, tmp_path: Path) -> None:
    sandbox.model.calls.clear()
    poor = ModelRewriter(settings(sandbox, tmp_path), Purse(engine, Budget(1.0, 0.000001), "help", lambda: datetime.now(UTC)))
    with pytest.raises(OverBudget):
        poor.rewrite(TEXT, "en", "7")
    assert sandbox.model.calls == []


def test_a_model_without_a_price_is_asked_and_costs_nothing_known(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.model.mode, sandbox.model.reply = "compose", lambda body: TEXT
    free = ModelRewriter(settings(sandbox, tmp_path).model_copy(update={"prices": None}), None)
    said, usage = free.rewrite(TEXT, "en", "7")
    free.close()
    assert (said, usage.cost_usd) == (TEXT, 0.0)
