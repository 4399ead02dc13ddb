"""A voice model asked at run time: one request a draft, never repeated, paid from the ticket's purse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bot.answer.model import content_of, open_client, unavailable, usage_of
from bot.answer.write import OverBudget, Usage
from bot.spending import Purse
from bot.tone.dataset import prompt
from bot.tone.prices import count_chat

if TYPE_CHECKING:
    from openai import OpenAI

    from bot.config.model import Prices, Writer

MOST_TOKENS = 2_000  # of one rewriting
CAUTION = 2.0  # times the counted tokens are reserved: the count is an estimate


class ModelRewriter:
    """`settings` are the voice's, in a writer's shape. `prices`: None where none is known, and nothing is then reserved."""

    def __init__(self, settings: Writer, purse: Purse | None) -> None:
        self._settings = settings
        self._purse = purse

    @cached_property
    def _client(self) -> OpenAI:
        return open_client(self._settings)

    def close(self) -> None:
        self._client.close()

    def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
        """Raises ModelUnavailable, also for an answer that is cut off, filtered or empty."""
        return self.ask(prompt(text, language), ticket_id)

    def ask(self, messages: Sequence[Mapping[str, Any]], ticket_id: str) -> tuple[str, Usage]:
        """The model's content. Raises ModelUnavailable."""
        prices = self._settings.prices
        if self._purse is None or prices is None:
            return self._asked(messages, prices)
        most = (CAUTION * count_chat(messages) * float(prices.input) + MOST_TOKENS * float(prices.output)) / 1e6
        with self._purse.open(ticket_id, most, model=self._settings.model) as purchase:
            if purchase.usd < most:
                purchase.cost = 0.0
                raise OverBudget(purchase.told, retryable=True)
            said, usage = self._asked(messages, prices)
            purchase.cost = usage.cost_usd
        return said, usage

    def _asked(self, messages: Sequence[Mapping[str, Any]], prices: Prices | None) -> tuple[str, Usage]:
        import openai

        sent: Any = messages
        try:
            completion = self._client.chat.completions.create(
                model=self._settings.model or "", messages=sent, max_completion_tokens=MOST_TOKENS
            )
        except openai.OpenAIError as problem:
            raise unavailable(problem, self._settings) from None
        usage = usage_of(completion, prices)
        return content_of(completion, usage), usage
