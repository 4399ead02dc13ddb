"""Every write of a program that took effect, in order: what lost and doubled replies are counted with."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

KEY = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One effect of one call. `digest` is of the text that people see; `key` a 32-digit hexadecimal mark found in the HTML."""

    number: int
    at: datetime
    kind: str  # note | reply | update | create | delete | restore | merge | edit | erase
    ticket_id: int
    author_id: int
    comment_id: int | None = None
    public: bool | None = None
    digest: str | None = None
    key: str | None = None
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
        """Notes and replies written through the API, of one ticket or of all."""
        return [entry for entry in self.entries if entry.kind in ("note", "reply") and ticket_id in (None, entry.ticket_id)]

    def doubled(self) -> list[int]:
        """Tickets on which one and the same text, or one and the same key, was written more than once."""
        seen: set[tuple[int, str]] = set()
        twice: set[int] = set()
        for entry in self.comments():
            for mark in {(entry.ticket_id, mark) for mark in (entry.key, entry.digest) if mark}:
                if mark in seen:
                    twice.add(entry.ticket_id)
                seen.add(mark)
        return sorted(twice)

    def rows(self) -> list[dict[str, Any]]:
        return [{**asdict(entry), "at": entry.at.isoformat(), "changed": list(entry.changed)} for entry in list(self.entries)]


def digest(text: str) -> str:
    return hashlib.sha256(SPACE.sub(" ", text).strip().encode()).hexdigest()


def effect_key(html: str) -> str | None:
    found = KEY.search(html)
    return found[0] if found else None
