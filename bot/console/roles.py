"""Who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.config.model import Role


class Right(StrEnum):
    READ = "read"
    ANSWER = "answer"  # approve, edit, reject, label
    RUN = "run"  # confirm removals, sync, see who did what


RIGHTS: dict[Role, frozenset[Right]] = {
    "viewer": frozenset({Right.READ}),
    "agent": frozenset({Right.READ, Right.ANSWER}),
    "operator": frozenset(Right),
}


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: Role

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]
