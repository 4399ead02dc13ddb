"""How long the trained models in use will still answer: their server's word, the base's, and the price table's date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.model import open_client, unavailable
from bot.config import Config
from bot.config.model import Writer as ModelSettings
from bot.tone.prices import read_prices
from connectors.base import ConfigProblem, RateLimited, Transient
from storage import voices
from storage.database import reading

STEPS = (90, 30, 7)  # days before the end, from which on a warning is worded more strongly
TASKS = ("tone", "triage")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Lifetime:
    """`days` to the end, None where no end is known; `gone`: the server has no such model any more."""

    model: str
    task: str
    ends: date | None
    days: int | None
    gone: bool = False

    @property
    def stage(self) -> int | None:
        """90, 30 or 7 once so few days are left, 0 when it is over, None while there is time."""
        if self.gone or (self.days is not None and self.days <= 0):
            return 0
        return min((step for step in STEPS if self.days is not None and self.days <= step), default=None)

    @property
    def warning(self) -> str | None:
        """A sentence for the operator; None while there is time."""
        instead = "exemplars speak instead" if self.task == "tone" else "the built-in triage stands in"
        match self.stage:
            case None:
                return None
            case 0:
                why = "its server does not have it any more" if self.gone else f"it was shut down on {self.ends}"
                return (
                    f"{self.model}: {why}; {instead}. Train another base with draftdesk tone train --again, or run draftdesk tone rollback"
                )
            case 7:
                return f"{self.model} stops in {_days(self.days)}, on {self.ends}: promote another now, or {instead}"
            case 30:
                return f"{self.model} stops in {_days(self.days)}, on {self.ends}: train another base with draftdesk tone train --again"
            case _:
                return f"{self.model} stops in {_days(self.days)}, on {self.ends}; plan for another base (draftdesk tone train --again)"


def _days(count: int | None) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def lifetimes(config: Config, engine: Engine, today: date) -> list[Lifetime]:
    """Of every trained model that speaks or sorts now. Raises ConfigProblem, RateLimited, Transient: the server was not to be asked."""
    used = list(_used(config, engine))
    if not used:
        return []
    dates, present = _listed(config)
    known = {name: price.ends for name, price in read_prices(config.data_dir).models.items()}
    found = []
    for task, model, base in used:
        ends = min((end for name in (model, base) for end in (dates.get(name), known.get(name)) if end), default=None)
        found.append(Lifetime(model, task, ends, (ends - today).days if ends else None, gone=model not in present))
    return found


def _used(config: Config, engine: Engine) -> Iterator[tuple[str, str, str]]:
    """(task, model, base); nothing where no model is configured to speak."""
    if config.voice.provider != "model":
        return
    with Session(reading(engine)) as session:
        for task in TASKS:
            row = voices.in_use(session, task)
            named = config.voice.model if task == "tone" else None
            if named:
                kept = voices.find(session, named)
                yield task, named, kept.base if kept else ""
            elif row and row.model:
                yield task, row.model, row.base


def _listed(config: Config) -> tuple[dict[str, date], set[str]]:
    """The shutdown dates that the voice's server tells, and every model it has."""
    import openai

    voice = config.voice
    settings = ModelSettings(
        provider="openai", model=voice.model, base_url=voice.base_url, api_key=voice.api_key, allow_plain_http=voice.allow_plain_http
    )
    try:
        with closing(open_client(settings)) as client:
            rows: list[Any] = list(client.models.list())
    except openai.OpenAIError as problem:
        outage = unavailable(problem, settings)
        if outage.retry_after is not None:
            raise RateLimited(outage.reason, outage.retry_after) from None
        raise (Transient(outage.reason) if outage.retryable else ConfigProblem(f"voice: {outage.reason}")) from None
    dates = {row.id: date.fromisoformat(str(told)[:10]) for row in rows if (told := getattr(row, "shutdown_date", None))}
    return dates, {row.id for row in rows}


def warnings(config: Config, engine: Engine, today: date) -> list[str]:
    """For `check`, log and console alike."""
    return [one.warning for one in lifetimes(config, engine, today) if one.warning]


def watch(config: Config, engine: Engine, left: Callable[[str, str, int], None], today: Callable[[], date], slot: str = "") -> None:
    """The daily look: each warning into the log, the days left into a metric (`left(task, model, days)`; 0 once it is gone)."""
    try:
        found = lifetimes(config, engine, today())
    except (ConfigProblem, RateLimited, Transient) as problem:
        log.warning("the voice's server could not be asked how long its models live", reason=str(problem))
        return
    for one in found:
        if one.days is not None or one.gone:
            left(one.task, one.model, 0 if one.gone else max(0, one.days or 0))
        if one.warning:
            (log.error if one.stage in (0, 7) else log.warning)(
                "a trained model is ending", model=one.model, task=one.task, says=one.warning
            )
