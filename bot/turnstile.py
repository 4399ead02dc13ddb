"""A writer that asks its model only so often at once, counted over all processes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.answer.retrieve import Found
from bot.answer.triage import Triage
from bot.answer.write import Draft, ModelUnavailable, Writer
from connectors.base import ConfigProblem, Ticket, Transient
from storage.slots import Slots

LOOK = 0.5  # seconds between two looks for a free place, give or take a half
LONGEST = 120.0  # seconds until a ticket is postponed for want of one


class Turnstile:
    """In front of `writer`. Threads of this process wait among themselves first, so that few ask the database."""

    def __init__(self, writer: Writer, slots: Slots, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._writer, self._slots, self._sleep = writer, slots, sleep
        self._here = threading.BoundedSemaphore(slots.most)

    def write(self, ticket: Ticket, triage: Triage, found: Found) -> Draft | None:
        with self._place():
            return self._writer.write(ticket, triage, found)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._here.acquire(timeout=LONGEST):
            raise ModelUnavailable("the model is busy with other tickets", retryable=True, retry_after=LOOK)
        try:
            holder = self._take()
            try:
                yield
            finally:
                self._give(holder)
        finally:
            self._here.release()

    def _take(self) -> str:
        waited = 0.0
        while (holder := self._slots.take()) is None:
            if waited >= LONGEST:
                raise ModelUnavailable("the model is busy with the tickets of other processes", retryable=True, retry_after=LOOK)
            pause = LOOK * random.uniform(0.5, 1.5)  # noqa: S311 - so that processes do not look in step
            self._sleep(pause)
            waited += pause
        return holder

    def _give(self, holder: str) -> None:
        try:
            self._slots.give(holder)
        except (ConfigProblem, Transient):
            return  # the place frees itself
