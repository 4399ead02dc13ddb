"""A list read newest first, only as deep as it changed; the list's own stamps decide, no clock of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from connectors.fields import moment, number
from connectors.zendesk.client import Batch, Calls, Params
from connectors.zendesk.parse import article_stamp, digest

PAGE_OF_CHANGES = {"page[size]": "25"}  # most turns bring nothing: a small first page is the whole cost
REMEMBERED = 100  # rows around the newest stamp that are not shown twice, and are read again while they are young


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a list has been read (None: never), whether a row was seen there or later, and the rows around it by their digests."""

    at: datetime | None
    seen: bool = True
    known: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"at": self.at.isoformat() if self.at else None, "seen": self.seen, "known": dict(self.known)}


def mark(value: object) -> Mark:
    found: Mapping[str, Any] = value if isinstance(value, dict) else {}
    known = found.get("known")
    digests = {str(identity): str(row) for identity, row in known.items()} if isinstance(known, dict) else {}
    return Mark(moment(found.get("at")), found.get("seen") is True, digests)


class Newest:
    """Reads lists newest first and moves their marks; a mark moves when its list has been read to the end of what changed."""

    def __init__(self, calls: Calls, marks: Mapping[str, Any], since: datetime, overlap: timedelta, *, believed: bool = True) -> None:
        """`believed`: whether this server was seen to keep an order that it was asked for."""
        self._calls = calls
        self._since = since  # when the marks were made, less the overlap
        self._overlap = overlap
        self._believed = believed
        self.marks: dict[str, Any] = dict(marks)

    def at(self, name: str) -> datetime | None:
        return mark(self.marks.get(name)).at

    def read(self, name: str, path: str, rows_key: str, key: str, extra: Params) -> Iterator[Batch]:
        """Batches holding only rows stamped since the mark. Raises HttpError.

        A server may ignore the order that is asked for. A list is believed to be newest first when every page is in order and the
        newest row that we know is not missing from its top; otherwise it is read from end to end.
        """
        last = mark(self.marks.get(name))
        floor = self._floor(last)
        met: dict[str, tuple[datetime, str]] = {}
        times: list[datetime] = []
        believed, old = self._believed, 0
        params = {**PAGE_OF_CHANGES, "sort_by": key, "sort_order": "desc", **extra}
        for batch in self._calls.batches(path, rows_key, params):
            stamped = [(number(row.get("id")) or "", article_stamp(row, key), digest(row), row) for row in batch.rows]
            first = not times
            times = [*times[-1:], *(time for _, time, _, _ in stamped)]
            believed = believed and descending(times)
            if first and times and last.at and last.seen and times[0] < last.at:
                believed = False
            met.update({identity: (time, state) for identity, time, state, _ in stamped})
            fresh = [
                row for identity, time, state, row in stamped if floor is None or (time >= floor and last.known.get(identity) != state)
            ]
            yield replace(batch, rows=fresh)
            old += sum(1 for _, time, _, _ in stamped if last.at is not None and time <= last.at)
            if believed and floor is not None and stamped and (times[-1] <= floor or not fresh or old >= REMEMBERED):
                break
        self.marks[name] = self._moved(met, last).as_json()

    def _floor(self, last: Mark) -> datetime | None:
        """Below it nothing is new. A stamp may become visible late: while the newest is young, the overlap is read again."""
        if last.at is None:
            return None
        return last.at if last.at < self._since else last.at - self._overlap

    def _moved(self, met: Mapping[str, tuple[datetime, str]], last: Mark) -> Mark:
        at = max((time for time, _ in met.values()), default=None)
        if at is None:
            return Mark(None)
        around = sorted(((time, identity) for identity, (time, _) in met.items() if time >= at - self._overlap), key=stamp, reverse=True)
        known = {identity: met[identity][1] for _, identity in around}
        known |= {identity: state for identity, state in last.known.items() if identity not in met}  # below where this walk stopped
        return Mark(at, True, dict(list(known.items())[:REMEMBERED]))


def stamp(row: tuple[datetime, str]) -> datetime:
    """The sort is stable: rows of one second stay as the list had them."""
    return row[0]


def descending(times: list[datetime]) -> bool:
    return all(earlier >= later for earlier, later in pairwise(times))


