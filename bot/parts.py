"""The first load of a divided source: each part read to its end with a cursor of its own, then caught up from where it began.

A crash goes on in the middle of a part and passes over the finished ones, whoever goes on: the same sync again, or the worker,
to which every part is a piece of durable work. A part in which fewer documents were seen than the vendor counts is an alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import uuid4

from sqlmodel import Session

from bot.intake import STREAM, Also, Changes, Job, take
from connectors.base import ConfigProblem, CursorExpired, Divided, Page, RateLimited, Transient
from storage.database import reading
from storage.ledger import read_cursor
from storage.parts import (
    PartState,
    advance,
    begin_load,
    conclude_load,
    is_loading,
    parts_of,
    recount,
    restart,
    seen_since,
    stream_of,
)


def begin(job: Job, source: Divided) -> None:
    """Start a load anew. Where catching up starts is asked before anything is read."""
    cursor = source.begin()
    parts = source.parts()
    with Session(job.engine) as s, s.begin():
        begin_load(s, job.connector, uuid4().hex, parts, cursor=cursor, now=job.now())


def unfinished(job: Job) -> list[PartState]:
    """The parts still to be read; none where no load is under way."""
    with Session(reading(job.engine)) as s:
        return [part for part in parts_of(s, job.connector) if not part.finished] if is_loading(s, job.connector) else []


def loading(job: Job) -> bool:
    with Session(reading(job.engine)) as s:
        return is_loading(s, job.connector)


def load(job: Job, source: Divided, part: PartState) -> None:
    """Read one part from where it was left to its end."""
    for _ in range(2):
        with Session(reading(job.engine)) as s:
            cursor = read_cursor(s, job.connector, stream_of(part.key))
        part = _start(job, part) if cursor is None else part
        job.tally.part, job.tally.part_seen, job.tally.part_expected = part.title, part.seen, part.expected
        try:
            if not take(job, source.pull_part(part.key, cursor), stream_of(part.key), _counting(job, part)):
                raise Transient(f"{part.title} ended before its end; it goes on from there at the next sync")
            return
        except CursorExpired:
            if cursor is None:
                break
            part = _start(job, part)
    raise Transient(f"the source refuses to read {part.title} from its beginning; if this stays, its connector is at fault")


def _start(job: Job, part: PartState) -> PartState:
    """From its beginning: what was counted before counts no more."""
    with Session(job.engine) as s, s.begin():
        restart(s, job.connector, part.key, now := job.now())
    return replace(part, seen=0, started_at=now)


def _counting(job: Job, part: PartState) -> Callable[[Page], Also]:
    """Counts a page's documents with it, each once: what this reading of the part saw before is known by when it was last seen."""

    def count(finished: bool, s: Session, changes: Changes) -> None:
        there = changes.there()
        seen = len(there - seen_since(s, there, part.started_at))
        advance(s, job.connector, part.key, seen=seen, finished=finished, now=changes.moment)
        job.tally.part_seen += seen

    return lambda page: partial(count, page.caught_up)


def conclude(job: Job, source: Divided) -> list[PartState]:
    """Hand over to catching up; the parts, with a note for every one in which documents are missing."""
    with Session(reading(job.engine)) as s:
        parts = parts_of(s, job.connector)
    if any(part.missing for part in parts):
        _recount(job, source, parts)
    with Session(job.engine) as s, s.begin():
        conclude_load(s, job.connector, STREAM, job.now())
        parts = parts_of(s, job.connector)
    job.tally.part, job.tally.part_seen, job.tally.part_expected = None, 0, None
    job.tally.notes += [gap for part in parts if (gap := describe_gap(job.connector, part))]
    return parts


def _recount(job: Job, source: Divided, parts: list[PartState]) -> None:
    """What was deleted while it was read is not missing: the vendor is asked for its counts once more."""
    try:
        counted = {part.key: part.expected for part in source.parts()}
    except (ConfigProblem, RateLimited, Transient):
        return  # the older counts stand
    with Session(job.engine) as s, s.begin():
        for part in parts:
            now = counted.get(part.key)
            if part.expected is not None and now is not None and now < part.expected:
                recount(s, job.connector, part.key, now)


def describe_gap(connector: str, part: PartState) -> str | None:
    """A sentence for the operator when documents of a part are missing. Nothing is ever removed for it."""
    if not part.missing:
        return None
    return (
        f"{part.title}: {part.seen:,} documents seen, the source counts {part.expected:,}; {part.missing:,} are missing. Look whether the"
        f" account may read all of them, then run `draftdesk sync {connector} --full`"
    )
