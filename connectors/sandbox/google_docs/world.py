"""What all routes share: the tree, who signs in, the clock, the tokens of lists, and what the vendor refuses just now."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from connectors.sandbox.google_docs.sign_in import SignIn
from connectors.sandbox.google_docs.tree import Tree

LIST_LIFETIME = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Quotas:
    """Drive's units in a minute for one caller; Docs' reads in a minute for one caller."""

    drive_units: int = 325_000
    docs_reads: int = 300


@dataclass(slots=True)
class Refusal:
    """`reason`, for one file or for every call, `left` more times (None: until it is taken back)."""

    reason: str
    file_id: str | None
    left: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The rest of a list: ids not told yet, for the same question only."""

    question: str
    ids: tuple[str, ...]
    at: datetime


@dataclass(slots=True)
class World:
    """`forgotten`: change tokens below this number are answered with `forgotten_code`. `incomplete`: lists over all drives say so.
    `spoilt`: documents that are listed and can be neither read nor exported."""

    tree: Tree
    sign_in: SignIn
    now: Callable[[], datetime]
    quotas: Quotas
    refusals: list[Refusal] = field(default_factory=list)
    spoilt: set[str] = field(default_factory=set)
    incomplete: bool = False
    forgotten: int = 0
    forgotten_code: int = 400
    _snapshots: dict[str, Snapshot] = field(default_factory=dict)
    _spent: dict[str, deque[tuple[datetime, int]]] = field(default_factory=dict)
    _serial: count[int] = field(default_factory=lambda: count(1))

    def keep(self, question: str, ids: tuple[str, ...]) -> str:
        """A page token for the rest of a list."""
        token = f"~!!~AI9FV7{next(self._serial):012x}"
        self._snapshots[token] = Snapshot(question, ids, self.now())
        return token

    def rest(self, token: str, question: str) -> tuple[str, ...] | None:
        """None for a token that is unknown, too old, or of another question."""
        kept = self._snapshots.get(token)
        if kept is None or kept.question != question or self.now() - kept.at > LIST_LIFETIME:
            return None
        return kept.ids

    def forget_tokens(self, code: int = 400) -> None:
        """No token given so far is taken any more; of changes, they are answered with `code`."""
        self._snapshots.clear()
        self.forgotten, self.forgotten_code = self.tree.skip_number(), code

    def refused(self, file_id: str | None) -> str | None:
        """The reason for which this call is refused, if it is."""
        for refusal in self.refusals:
            if refusal.file_id in (None, file_id) and refusal.left != 0:
                refusal.left = None if refusal.left is None else refusal.left - 1
                return refusal.reason
        return None

    def overspent(self, bucket: str, units: int, most: int) -> bool:
        """Counts `units` against the last minute's; True where they are too many, and then they are not counted."""
        spent, now = self._spent.setdefault(bucket, deque()), self.now()
        while spent and now - spent[0][0] >= timedelta(minutes=1):
            spent.popleft()
        if sum(units for _, units in spent) + units > most:
            return True
        spent.append((now, units))
        return False
