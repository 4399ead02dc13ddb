"""What a writer is: from a ticket and what was found to a draft, each sentence with the passages it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from bot.answer.retrieve import Found, Passage
from bot.answer.triage import Triage
from connectors.base import Ticket

Kind = Literal["courtesy", "statement", "step", "heading", "row"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One claim unit of a draft; `text` may hold inline Markdown, `citations` count from 1 into `Draft.citations`."""

    text: str
    citations: tuple[int, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost_usd + other.cost_usd,
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """`complete` is False when a part of the question is left to a person; the courtesy sentences then say which.

    `repaired` counts the sentences of a first attempt that could not be proved; what is here is then the second.
    `asks`: which of several cases is the customer's, as a fact is missing on which it hangs.
    `confidence`, where the writer knows one, is how likely the passages answer the question (0..1, the weakest part's).
    No sentences at all: the writer says that nothing here answers it, and this is what asking cost.
    """

    sentences: tuple[Sentence, ...]
    citations: tuple[Passage, ...]
    usage: Usage
    complete: bool
    confidence: float | None = None
    repaired: int = 0
    asks: bool = False


class ModelUnavailable(Exception):
    """The model gave nothing usable: `reason` speaks to the operator, `usage` is what the attempt cost all the same.

    `retryable`: it may come right by itself; else somebody must act first. `final`: for this ticket no later try will do better.
    """

    def __init__(
        self, reason: str, *, retryable: bool, retry_after: float | None = None, usage: Usage | None = None, final: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.retryable = retryable
        self.retry_after = retry_after
        self.usage = usage or Usage()


class OverBudget(ModelUnavailable):
    """The day's or the ticket's money does not reach for another call."""


class Writer(Protocol):
    def write(self, ticket: Ticket, triage: Triage, found: Found) -> Draft | None:
        """A draft, or None: nothing here answers it. Raises ModelUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class FallbackWriter:
    """The first writer's draft; the second's when the first one's model is unavailable."""

    first: Writer
    second: Writer

    def write(self, ticket: Ticket, triage: Triage, found: Found) -> Draft | None:
        try:
            return self.first.write(ticket, triage, found)
        except ModelUnavailable as outage:
            draft = self.second.write(ticket, triage, found)
            return draft and replace(draft, usage=draft.usage + outage.usage)


def compose(writers: Sequence[Writer]) -> Writer:
    """One writer out of several, each standing in for the one before it; `fallback: none` is a sequence of one."""
    *others, writer = writers
    for first in reversed(others):
        writer = FallbackWriter(first, writer)
    return writer
