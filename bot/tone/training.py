"""The commands that train a voice and choose the one in use, as plain functions over a configuration."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bot.config import Config
from bot.tone.backends.openai import Job, OpenAITrainer
from bot.tone.errands import find_dataset
from bot.tone.jobs import Wish, begin, follow
from bot.tone.prices import read_prices
from connectors.base import ConfigProblem
from storage import voices
from storage.database import open_database, reading

LORA = "training: provider: lora is not part of this release; use provider: openai with a server that speaks its API, or voice: exemplars"


def train(
    config: Config,
    identity: str | None,
    parameters: Mapping[str, Any],
    *,
    wait: bool,
    told: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Begins, or goes on with, the one job for this data set, base and parameters. Raises ConfigProblem, Transient, RateLimited."""
    report, folder = find_dataset(config, identity)
    training = config.training
    if training is None:
        raise ConfigProblem("training: is not configured")
    wish = Wish(report["dataset"], folder, training.provider, str(training.model), {k: v for k, v in parameters.items() if v is not None})
    price = read_prices(config.data_dir).models.get(wish.base)
    with _trainer(config) as trainer, _registry(config) as engine, _alone(config):
        job = begin(engine, trainer, wish, datetime.now(UTC))
        seen = follow(engine, trainer, job, price, sleep=sleep, told=told, wait=wait)
        return _shown(engine, seen)


def look(config: Config, name: str | None) -> dict[str, Any]:
    """A job as it stands now; the newest by default."""
    with _registry(config) as engine:
        row = _row(engine, name)
        if row["job"] is None:
            return row
        price = read_prices(config.data_dir).models.get(row["base"])
        with _trainer(config) as trainer:
            seen = follow(engine, trainer, row["job"], price, sleep=time.sleep, wait=False)
        return _shown(engine, seen)


def cancel(config: Config, name: str) -> dict[str, Any]:
    with _registry(config) as engine:
        row = _row(engine, name)
        if row["job"] is None:
            raise ConfigProblem(f"{name}: no job was made yet, there is nothing to cancel")
        with _trainer(config) as trainer:
            trainer.cancel(row["job"])
            return _shown(engine, follow(engine, trainer, row["job"], None, sleep=time.sleep, wait=False))


def listed(config: Config) -> list[dict[str, Any]]:
    """Newest first; `in_use` is the promoted one."""
    with _registry(config) as engine:
        return _rows(engine)


def promote(config: Config, name: str, *, anyway: bool) -> dict[str, Any]:
    """Raises ConfigProblem: not trained to the end, or not shown to be better than exemplars and not asked for anyway."""
    with _registry(config) as engine:
        row = _row(engine, name)
        if row["state"] != "succeeded" or row["model"] is None:
            raise ConfigProblem(f"{name}: its training is {row['state']}; only a finished voice can be used")
        if not anyway:
            reason = "it was not shown to sound more like the team than exemplars do; add --anyway to use it all the same"
            raise ConfigProblem(f"{row['model']}: {reason}")
        with Session(engine) as session, session.begin():
            voices.promote(session, row["key"], datetime.now(UTC))
        return _row(engine, row["key"])


def roll_back(config: Config) -> str | None:
    """The model now in use; None: no model, exemplars speak."""
    with _registry(config) as engine, Session(engine) as session, session.begin():
        row = voices.roll_back(session)
        return row.model if row else None


def promoted(engine: Engine) -> str | None:
    with Session(reading(engine)) as session:
        row = voices.in_use(session)
        return row.model if row else None


@contextmanager
def _trainer(config: Config) -> Iterator[OpenAITrainer]:
    training = config.training
    if training is None:
        raise ConfigProblem("training: is not configured; write `training: {provider: openai, model: BASE, api_key: env:NAME}`")
    if training.provider == "lora":
        raise ConfigProblem(LORA)
    trainer = OpenAITrainer(training)
    try:
        yield trainer
    finally:
        trainer.close()


@contextmanager
def _registry(config: Config) -> Iterator[Engine]:
    engine = open_database(config.database_url(), folder=config.data_dir)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """One training command at a time on this machine: two would pay twice. The system lets go of the lock when a process dies."""
    with (config.data_dir / "voice" / ".training").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigProblem("another draftdesk tone train is running; look at it with draftdesk tone status") from None
        yield


def _rows(engine: Engine) -> list[dict[str, Any]]:
    with Session(reading(engine)) as session:
        current = voices.in_use(session)
        return [
            {
                "key": row.key, "model": row.model, "job": row.job, "state": row.state, "dataset": row.dataset, "provider": row.provider,
                "base": row.base, "parameters": row.parameters, "tokens": row.tokens, "usd": row.usd, "reason": row.reason,
                "created_at": row.created_at.isoformat(), "in_use": current is not None and current.key == row.key,
            }
            for row in voices.voices(session)
        ]  # fmt: skip


def _row(engine: Engine, name: str | None) -> dict[str, Any]:
    rows = _rows(engine)
    for row in rows:
        if name is None or name in (row["model"], row["job"], row["key"]):
            return row
    known = ", ".join(str(row["model"] or row["job"] or row["key"]) for row in rows)
    missing = f"there is no voice {name}; there are {known}" if name and known else "no voice was trained yet: run draftdesk tone train"
    raise ConfigProblem(missing)


def _shown(engine: Engine, seen: Job) -> dict[str, Any]:
    return _row(engine, seen.id) | {"told": seen.told}
