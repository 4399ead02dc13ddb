"""Training as a job that is paid once: planned in the registry before it is created, found again by its key after any crash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bot.tone.prices import Price
from bot.tone.trainer import Job, Trainer
from bot.tone.validation import validate
from connectors.base import ConfigProblem, RateLimited, Transient
from storage import voices
from storage.tables import VoiceRow

BETWEEN_LOOKS = 10.0  # seconds
MOST_MISSED = 30  # looks in a row that got no answer before the command gives up; the job goes on without it


@dataclass(frozen=True, slots=True)
class Wish:
    """`parameters` hold only what was asked for. What the same wish is, is one job."""

    dataset: str
    folder: Path
    provider: str
    base: str
    parameters: Mapping[str, Any]
    task: str = "tone"

    @property
    def key(self) -> str:
        words = json.dumps([self.dataset, self.provider, self.base, dict(self.parameters)], sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()[:32]

    @property
    def prefers(self) -> bool:
        return self.parameters.get("method") == "dpo"

    @property
    def train(self) -> Path:
        return self.folder / ("preference.jsonl" if self.prefers else "train.jsonl")

    @property
    def held_out(self) -> Path | None:
        """None where nothing is held out; preference pairs are not split."""
        path = self.folder / "validation.jsonl"
        return path if not self.prefers and path.exists() and path.stat().st_size else None


def begin(engine: Engine, trainer: Trainer, wish: Wish, now: datetime) -> str:
    """The job's id: of the one that exists for this wish, else of a new one. Raises ConfigProblem, Transient, RateLimited."""
    faults = [fault for fault in validate(wish.train, apart_from=wish.held_out).faults if fault.grave]
    if faults:
        raise ConfigProblem(f"{wish.train}:{faults[0].line}: {faults[0].says} ({len(faults)} faults in all); nothing was sent")
    row = VoiceRow(
        key=wish.key, dataset=wish.dataset, provider=wish.provider, base=wish.base, state="planned", created_at=now,
        parameters=dict(wish.parameters), task=wish.task,
    )  # fmt: skip
    with Session(engine) as session, session.begin():
        kept = voices.plan(session, row)
        state, job = kept.state, kept.job
    if job is not None and (state == "succeeded" or (state == "running" and not trainer.look(job).interrupted)):
        return job
    found = trainer.find(wish.key)
    if found is None or found.state in ("failed", "cancelled"):
        found = trainer.start(wish.key, wish.train, wish.held_out, wish.parameters)
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
    """Looks until the job has ended (once without `wait`), tells each event once, and keeps the outcome.

    Looks without an answer are made again; raises what the last of too many raised.
    """
    heard = missed = 0
    while True:
        try:
            seen, events = trainer.look(job), trainer.events(job)
            missed = 0
        except (Transient, RateLimited):
            missed += 1
            if not wait or missed >= MOST_MISSED:
                raise
            sleep(BETWEEN_LOOKS)
            continue
        for message in events[heard:]:
            told(message)
        heard = len(events)
        _keep(engine, trainer, seen, price)
        if seen.state != "running" or not wait:
            return seen
        sleep(BETWEEN_LOOKS)


def _keep(engine: Engine, trainer: Trainer, seen: Job, price: Price | None) -> None:
    usd = seen.tokens * price.train / 1e6 if price and seen.tokens is not None else None
    values: dict[str, Any] = {"state": seen.state, "model": seen.model, "tokens": seen.tokens, "usd": usd, "reason": seen.reason}
    if seen.state == "succeeded":
        values["curve"] = _curve(trainer, seen.id)
    with Session(engine) as session, session.begin():
        row = voices.find(session, seen.id)
        if row is not None:
            voices.record(session, row.key, **values)


def _curve(trainer: Trainer, job: str) -> list[dict[str, Any]] | None:
    """None where the trainer does not tell: the model is there all the same."""
    try:
        return [point.row() for point in trainer.curve(job)]
    except (Transient, RateLimited, ConfigProblem):
        return None
