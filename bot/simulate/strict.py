"""Writer and voice as a simulation asks them: a model that is away stops the run, where a live ticket would get something lesser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, runtime_checkable

from bot.answer.retrieve import Found
from bot.answer.triage import Triage
from bot.answer.voice import Rewriter, Voice
from bot.answer.write import Draft, FallbackWriter, ModelUnavailable, OverBudget, Usage, Writer
from connectors.base import Ticket

T = TypeVar("T")


class Interrupted(Exception):
    """The model or the budget stopped the ticket: nothing is kept, and the run may go on later."""

    def __init__(self, outage: ModelUnavailable) -> None:
        super().__init__(outage.reason)
        self.outage = outage

    @property
    def passing(self) -> bool:
        """Whether the same call may go through in a moment."""
        return self.outage.retryable and not isinstance(self.outage, OverBudget)


@dataclass(frozen=True, slots=True)
class StrictWriter:
    writer: Writer

    def write(self, ticket: Ticket, triage: Triage, found: Found) -> Draft | None:
        return _strictly(lambda: self.writer.write(ticket, triage, found))


@dataclass(frozen=True, slots=True)
class StrictRewriter:
    model: Rewriter

    def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
        return _strictly(lambda: self.model.rewrite(text, language, ticket_id))


def strict(writer: Writer) -> Writer:
    """What a writer falls back to is for what its model will never answer, not for its being away."""
    return replace(writer, first=strict(writer.first)) if isinstance(writer, FallbackWriter) else StrictWriter(writer)


def strict_voice(voice: Voice) -> Voice:
    return replace(voice, model=StrictRewriter(voice.model)) if voice.model is not None else voice


def _strictly(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except ModelUnavailable as outage:
        if outage.final:
            raise
        raise Interrupted(outage) from None


def close(part: object) -> None:
    """A model's writer and voice hold connections."""
    if isinstance(part, FallbackWriter):
        close(part.first)
        close(part.second)
    elif isinstance(part, StrictWriter):
        close(part.writer)
    elif isinstance(part, (Voice, StrictRewriter)):
        close(part.model)
    elif isinstance(part, Closable):
        part.close()


@runtime_checkable
class Closable(Protocol):
    def close(self) -> None: ...
