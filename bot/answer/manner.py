"""How the team writes, as a writing model is shown it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.answer.triage import Triage
from connectors.base import Ticket


@dataclass(frozen=True, slots=True)
class Manner:
    """`guidance` is a line; `replies` are past ones to other customers, without personal data and facts."""

    guidance: str = ""
    replies: tuple[str, ...] = ()


UNKNOWN = Manner()
Manners = Callable[[Ticket, Triage], Manner]


def plain(ticket: Ticket, triage: Triage) -> Manner:
    """Nothing is known of how the team writes."""
    return UNKNOWN
