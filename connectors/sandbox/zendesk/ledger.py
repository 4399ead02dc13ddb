"""Every write that took effect, in order: what tests count doubled and lost replies with, across killed processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One effect of one API call. `metadata` is what the caller attached (audit `metadata.custom`)."""

    number: int
    at: datetime
    kind: str  # comment | update | tags | create | delete | restore
    ticket_id: int
    author_id: int
    comment_id: int | None = None
    public: bool | None = None
    metadata: Mapping[str, Any] | None = None
    changed: tuple[str, ...] = ()


class Ledger:
    """Append-only; the desk writes it under its lock, in the same breath as the effect."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, kind: str, at: datetime, ticket_id: int, author_id: int, **details: Any) -> Entry:
        entry = Entry(len(self.entries) + 1, at, kind, ticket_id, author_id, **details)
        self.entries.append(entry)
        return entry

    def comments(self, ticket_id: int | None = None) -> list[Entry]:
        """The comments written through the API, of one ticket or of all."""
        return [e for e in self.entries if e.comment_id is not None and ticket_id in (None, e.ticket_id)]

    def doubled(self) -> list[int]:
        """Tickets on which one and the same metadata was written by more than one comment."""
        seen: set[tuple[int, str]] = set()
        twice: set[int] = set()
        for entry in self.comments():
            mark = (entry.ticket_id, repr(sorted((entry.metadata or {}).items())))
            if mark in seen:
                twice.add(entry.ticket_id)
            seen.add(mark)
        return sorted(twice)

    def rows(self) -> list[dict[str, Any]]:
        return [{**asdict(entry), "at": entry.at.isoformat(), "changed": list(entry.changed)} for entry in list(self.entries)]
