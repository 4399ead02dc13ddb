"""What takes longer than a page may: worked out in the background, shown as of when it was done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    found: T
    at: datetime


class Study(Generic[T]):
    """One question over all tickets; at most one answer to it is being worked out at a time."""

    def __init__(self, name: str, work: Callable[[], T], now: Callable[[], datetime]) -> None:
        self._name, self._work, self._now = name, work, now
        self._turn = threading.Lock()
        self._result: Result[T] | None = None

    @property
    def result(self) -> Result[T] | None:
        """The last answer; None before the first one."""
        return self._result

    @property
    def running(self) -> bool:
        return self._turn.locked()

    def begin(self) -> None:
        """Work it out anew, unless that is being done."""
        if self._turn.acquire(blocking=False):
            threading.Thread(target=self._run, name=f"study {self._name}", daemon=True).start()

    def _run(self) -> None:
        try:
            self._result = Result(self._work(), self._now())
        except Exception as bug:  # noqa: BLE001 - a bug of one study must not end the process; its text may quote a customer
            log.error("study failed", study=self._name, kind=type(bug).__name__)
        finally:
            self._turn.release()
