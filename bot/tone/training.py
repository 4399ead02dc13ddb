"""The commands that train a voice and choose the one in use, as plain functions over a configuration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bot.config import Config
from bot.tone.errands import find_dataset
from bot.tone.jobs import Wish, begin, follow
from bot.tone.prices import Price, read_prices
from bot.tone.registry import alone, registry, row_of, rows, trainer_of
from connectors.base import ConfigProblem
from storage import voices
from storage.database import reading

Tell = Callable[[str], None]
Sleep = Callable[[float], None]


def train(
    config: Config,
    identity: str | None,
    parameters: Mapping[str, Any],
    *,
    wait: bool,
    told: Tell,
    sleep: Sleep = time.sleep,
) -> dict[str, Any]:
    """Begins, or goes on with, the one job for this data set, base and parameters. Raises ConfigProblem, Transient, RateLimited."""
    wish = wish_for(config, identity, parameters)
    with trainer_of(config) as trainer, registry(config) as engine, alone(config):
        job = begin(engine, trainer, wish, datetime.now(UTC))
        seen = follow(engine, trainer, job, price_of(config, wish.base), sleep=sleep, told=told, wait=wait)
        return row_of(engine, seen.id) | {"told": seen.told}


def wish_for(config: Config, identity: str | None, parameters: Mapping[str, Any]) -> Wish:
    """What is to be trained. Raises ConfigProblem: no data set, no trainer."""
    report, folder = find_dataset(config, identity)
    training = config.training
    if training is None:
        raise ConfigProblem("training: is not configured; write `training: {provider: openai, model: BASE, api_key: env:NAME}`")
    asked = {name: value for name, value in parameters.items() if value is not None}
    if training.provider == "lora" and asked.get("method") == "dpo":
        raise ConfigProblem("--method dpo: the lora trainer learns from chat examples only; leave it out, or use provider: openai")
    return Wish(report["dataset"], folder, training.provider, str(training.model), asked, report.get("task", "tone"))


def price_of(config: Config, base: str) -> Price | None:
    """None: nobody wrote down what it costs; nothing is billed for what runs on this machine."""
    if config.training is not None and config.training.provider == "lora":
        return Price(base, 0.0, 0.0, 0.0)
    return read_prices(config.data_dir).models.get(base)


def look(config: Config, name: str | None) -> dict[str, Any]:
    """A job as it stands now; the newest by default."""
    with registry(config) as engine:
        row = row_of(engine, name)
        if row["job"] is None:
            return row
        with trainer_of(config, row["provider"]) as trainer:
            seen = follow(engine, trainer, row["job"], price_of(config, row["base"]), sleep=time.sleep, wait=False)
            points = [point.row() for point in trainer.curve(row["job"])] if seen.state == "running" else row["curve"]
        return row_of(engine, seen.id) | {"told": seen.told, "curve": points}


def cancel(config: Config, name: str) -> dict[str, Any]:
    with registry(config) as engine:
        row = row_of(engine, name)
        if row["job"] is None:
            raise ConfigProblem(f"{name}: no job was made yet, there is nothing to cancel")
        with trainer_of(config, row["provider"]) as trainer:
            trainer.cancel(row["job"])
            seen = follow(engine, trainer, row["job"], price_of(config, row["base"]), sleep=time.sleep, wait=False)
            return row_of(engine, seen.id) | {"told": seen.told}


def listed(config: Config) -> list[dict[str, Any]]:
    """Newest first; `in_use` is the promoted one."""
    with registry(config) as engine:
        return rows(engine)


def promote(config: Config, name: str, *, anyway: bool) -> dict[str, Any]:
    """Raises ConfigProblem: not trained to the end, or not measured to be better than what needs no training and not asked for anyway."""
    with registry(config) as engine:
        row = row_of(engine, name)
        if row["state"] != "succeeded" or row["model"] is None:
            raise ConfigProblem(f"{name}: its training is {row['state']}; only a finished voice can be used")
        reason = unproved(row)
        if reason and row["task"] == "triage":
            raise ConfigProblem(f"{row['model']}: {reason}; a triage is used only in fields where it was measured to be better")
        if reason and not anyway:
            raise ConfigProblem(f"{row['model']}: {reason}; add --anyway to use it all the same")
        with Session(engine) as session, session.begin():
            voices.promote(session, row["key"], datetime.now(UTC))
        return row_of(engine, row["key"])


def unproved(row: Mapping[str, Any]) -> str | None:
    """Why a voice may not be promoted as it is; None when it was measured to be better."""
    if row["measured"] is None:
        return f"nobody has measured it: run draftdesk tone evaluate {row['model']}"
    return None if row["measured"]["better"] else str(row["measured"]["verdict"])


def roll_back(config: Config, task: str = "tone") -> str | None:
    """The model now in use; None: no model, exemplars speak."""
    with registry(config) as engine, Session(engine) as session, session.begin():
        row = voices.roll_back(session, task)
        return row.model if row else None


def promoted(engine: Engine, task: str = "tone") -> str | None:
    with Session(reading(engine)) as session:
        row = voices.in_use(session, task)
        return row.model if row else None
