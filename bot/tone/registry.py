"""The voices that were trained, as rows the commands show; and the trainer that the configuration names."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bot.config import Config
from bot.tone.trainer import Trainer
from connectors.base import ConfigProblem
from storage import voices
from storage.database import open_database, reading


@contextmanager
def registry(config: Config) -> Iterator[Engine]:
    engine = open_database(config.database_url(), folder=config.data_dir)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def trainer_of(config: Config, provider: str | None = None) -> Iterator[Trainer]:
    """`provider`: whose job it is, where it must not be another's. Raises ConfigProblem."""
    training = config.training
    if training is None:
        raise ConfigProblem("training: is not configured; write `training: {provider: openai, model: BASE, api_key: env:NAME}`")
    if provider not in (None, training.provider):
        raise ConfigProblem(
            f"this job is {provider}'s, and training: names {training.provider}; write `training: {{provider: {provider}, …}}` to reach it"
        )
    trainer: Trainer
    if training.provider == "lora":
        from bot.tone.backends.lora import LoraTrainer

        trainer = LoraTrainer(training, config.data_dir / "voice")
    else:
        from bot.tone.backends.openai import OpenAITrainer

        trainer = OpenAITrainer(training)
    try:
        yield trainer
    finally:
        trainer.close()


@contextmanager
def alone(config: Config) -> Iterator[None]:
    """One training command at a time on this machine: two would pay twice. The system lets go of the lock when a process dies."""
    with (config.data_dir / "voice" / ".training").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigProblem("another draftdesk tone train is running; look at it with draftdesk tone status") from None
        yield


def rows(engine: Engine, task: str | None = None) -> list[dict[str, Any]]:
    """Newest first; `in_use`: the promoted one of its task."""
    with Session(reading(engine)) as session:
        used = {row.key for one in ("tone", "triage") if (row := voices.in_use(session, one))}
        return [
            {
                "key": row.key, "task": row.task, "model": row.model, "job": row.job, "state": row.state, "dataset": row.dataset,
                "provider": row.provider, "base": row.base, "parameters": row.parameters, "tokens": row.tokens, "usd": row.usd,
                "reason": row.reason, "created_at": row.created_at.isoformat(), "in_use": row.key in used, "measured": row.measured,
                "curve": row.curve,
            }
            for row in voices.voices(session)
            if task in (None, row.task)
        ]  # fmt: skip


def row_of(engine: Engine, name: str | None, task: str | None = None) -> dict[str, Any]:
    """By model, job or key; the newest without a name. Raises ConfigProblem naming those there are."""
    found = rows(engine, task)
    for row in found:
        if name is None or name in (row["model"], row["job"], row["key"]):
            return row
    known = ", ".join(str(row["model"] or row["job"] or row["key"]) for row in found)
    missing = f"there is no voice {name}; there are {known}" if name and known else "no voice was trained yet: run draftdesk tone train"
    raise ConfigProblem(missing)
