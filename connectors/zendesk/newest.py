"""A list read newest first, only as deep as it changed; the list's own stamps decide, no clock of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from connectors.zendesk.client import Batch, Calls, Params
from connectors.zendesk.parse import article_stamp, moment, number

PAGE_OF_CHANGES = {"page[size]": "25"}  # most turns bring nothing: a small first page is the whole cost
REMEMBERED = 100  # rows around the newest stamp that are not shown twice


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a list has been read (None: never), whether a row was seen there or later, and the stamps of the rows around it."""

    at: datetime | None
    seen: bool = True
    known: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"at": self.at.isoformat() if self.at else None, "seen": self.seen, "known": dict(self.known)}


def mark(value: object) -> Mark:
    found: Mapping[str, Any] = value if isinstance(value, dict) else {}
    known = found.get("known")
    stamps = {str(identity): str(stamp) for identity, stamp in known.items()} if isinstance(known, dict) else {}
    return Mark(moment(found.get("at")), found.get("seen") is True, stamps)


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
        stamps: dict[str, datetime] = {}
        believed = self._believed
        params = {**PAGE_OF_CHANGES, "sort_by": key, "sort_order": "desc", **extra}
        for batch in self._calls.batches(path, rows_key, params):
            times = [article_stamp(row, key) for row in batch.rows]
            first = not stamps
            believed = believed and descending([*list(stamps.values())[-1:], *times])
            if first and times and last.at and last.seen and times[0] < last.at:
                believed = False
            stamps.update({number(row.get("id")) or "": time for row, time in zip(batch.rows, times, strict=True)})
            fresh = [
                row
                for row, time in zip(batch.rows, times, strict=True)
                if floor is None or (time >= floor and last.known.get(number(row.get("id")) or "") != time.isoformat())
            ]
            yield replace(batch, rows=fresh)
            if believed and floor is not None and times and (times[-1] <= floor or not fresh):
                break
        self.marks[name] = self._moved(stamps).as_json()

    def _floor(self, last: Mark) -> datetime | None:
        """Below it nothing is new. A stamp may become visible late: while the newest is young, the overlap is read again."""
        if last.at is None:
            return None
        return last.at if last.at < self._since else last.at - self._overlap

    def _moved(self, stamps: Mapping[str, datetime]) -> Mark:
        at = max(stamps.values(), default=None)
        if at is None:
            return Mark(None)
        around = sorted((time, identity) for identity, time in stamps.items() if time >= at - self._overlap)
        return Mark(at, True, {identity: time.isoformat() for time, identity in around[-REMEMBERED:]})


def descending(times: list[datetime]) -> bool:
    return all(earlier >= later for earlier, later in pairwise(times))


