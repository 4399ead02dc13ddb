"""Training as a job that is paid once: planned in the registry before it is created, found again by its key after any crash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlmodel import Session

from bot.tone.backends.openai import Job
from bot.tone.prices import Price
from bot.tone.validation import validate
from connectors.base import ConfigProblem
from storage import voices
from storage.tables import VoiceRow

BETWEEN_LOOKS = 10.0  # seconds


class Trainer(Protocol):
    def find(self, key: str) -> Job | None: ...
    def start(self, key: str, train: Path, held_out: Path | None, parameters: dict[str, Any]) -> Job: ...
    def look(self, job: str) -> Job: ...
    def events(self, job: str) -> list[str]: ...
    def cancel(self, job: str) -> Job: ...


@dataclass(frozen=True, slots=True)
class Wish:
    dataset: str
    folder: Path
    provider: str
    base: str
    parameters: Mapping[str, Any]

    @property
    def key(self) -> str:
        words = json.dumps([self.dataset, self.provider, self.base, dict(self.parameters)], sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()[:32]


def begin(engine: Engine, trainer: Trainer, wish: Wish, now: datetime) -> str:
    """The job's id: of the one that exists for this wish, else of a new one. Raises ConfigProblem, Transient, RateLimited."""
    train, held_out = wish.folder / "train.jsonl", wish.folder / "validation.jsonl"
    faults = [fault for fault in validate(train, apart_from=held_out).faults if fault.grave]
    if faults:
        raise ConfigProblem(f"{train}:{faults[0].line}: {faults[0].says} ({len(faults)} faults in all); nothing was sent")
    row = VoiceRow(
        key=wish.key, dataset=wish.dataset, provider=wish.provider, base=wish.base, state="planned", created_at=now,
        parameters=dict(wish.parameters),
    )  # fmt: skip
    with Session(engine) as session, session.begin():
        kept = voices.plan(session, row)
        state, job = kept.state, kept.job
    if job is not None and state in ("running", "succeeded"):
        return job
    found = trainer.find(wish.key)
    if found is None or found.state in ("failed", "cancelled"):
        found = trainer.start(wish.key, train, held_out if held_out.stat().st_size else None, dict(wish.parameters))
    with Session(engine) as session, session.begin():
        voices.record(session, wish.key, job=found.id, state="running", reason=None)
    return found.id


def follow(
    engine: Engine,
    trainer: Trainer,
    job: str,
    price: Price | None,
    *,
    sleep: Callable[[float], None],
    told: Callable[[str], None] = lambda _: None,
    wait: bool = True,
) -> Job:
    """Looks until the job has ended (once without `wait`), tells each event once, and keeps the outcome."""
    heard = 0
    while True:
        seen = trainer.look(job)
        events = trainer.events(job)
        for message in events[heard:]:
            told(message)
        heard = len(events)
        _keep(engine, seen, price)
        if seen.state != "running" or not wait:
            return seen
        sleep(BETWEEN_LOOKS)


def _keep(engine: Engine, seen: Job, price: Price | None) -> None:
    usd = seen.tokens * price.train / 1e6 if price and seen.tokens is not None else None
    with Session(engine) as session, session.begin():
        row = voices.find(session, seen.id)
        if row is not None:
            voices.record(session, row.key, state=seen.state, model=seen.model, tokens=seen.tokens, usd=usd, reason=seen.reason)
