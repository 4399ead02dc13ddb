"""The command that measures a voice against the team's held-out replies, over a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.voice import Rewriter, Voice
from bot.answer.write import Usage
from bot.config import Config
from bot.config.model import Prices
from bot.config.model import Writer as ModelSettings
from bot.spending import Budget, Purse
from bot.tone.errands import find_dataset
from bot.tone.evaluation import MODEL, document, judge, measure, shuffled
from bot.tone.heldout import Reply, Spoken, everyone, provable, read_held_out
from bot.tone.page import write_page
from bot.tone.prices import read_prices
from bot.tone.registry import registry, row_of, rows
from bot.tone.style import Style, read_style
from connectors.base import ConfigProblem, Transient
from storage import voices

PURSE = "tone"  # on whose account an evaluation is, beside the connectors
SEED = 5
AWAY = 0.5  # share of the replies that the model left unanswered, from which on nothing was measured


class Asked(Rewriter, Protocol):
    def ask(self, messages: Sequence[Mapping[str, Any]], ticket_id: str) -> tuple[str, Usage]: ...
    def close(self) -> None: ...


def evaluate(
    config: Config,
    name: str | None,
    *,
    out: Path | None,
    task: str = "tone",
    told: Callable[[str], None] = lambda _: None,
    away: float = AWAY,
) -> dict[str, Any]:
    """Measures a trained model (the newest by default; none at all: what needs no training), or any model by its name.

    Returns the report with `page`. Raises ConfigProblem, and Transient where the model left this share of the replies unanswered.
    """
    with registry(config) as engine:
        row = _row(engine, name, task)
        model = row["model"] if row else name
        report, folder = find_dataset(config, row["dataset"] if row else None, row["task"] if row else task)
        if report.get("task") == "triage":
            return _triage(config, engine, row, model, (str(report["dataset"]), folder))
        replies = provable(read_held_out(folder / "validation.jsonl"))
        style, rewriter = read_style(config.data_dir / "voice"), None
        if model:
            rewriter = rewriter_for(config, engine, model, row["provider"] if row else None)
        spoken = _spoken(replies, style, rewriter, told)
        _must_have_spoken(spoken.get(MODEL, ()), model, away)
        try:
            measured = measure(replies, spoken)
        except ValueError as problem:
            raise ConfigProblem(f"data set {report['dataset']}: {problem}") from None
        about = {
            "dataset": report["dataset"],
            "model": model,
            "base": row["base"] if row else None,
            "made_at": datetime.now(UTC).isoformat(),
        }
        made = document(replies, measured, row["curve"] or [] if row else [], about)
        page = write_page(out or folder / "evaluations" / _safe(model or "exemplars"), made, shuffled(replies, measured, SEED))
        if row:
            _keep(engine, row["key"], made, judge(measured).better)
        return made | {"page": str(page)}


def _spoken(replies: Sequence[Reply], style: Style | None, rewriter: Asked | None, told: Callable[[str], None]) -> dict[str, list[Spoken]]:
    by_name = {"none": Voice(), "exemplars": Voice(style)} | ({MODEL: Voice(style, rewriter)} if rewriter else {})
    found = {}
    try:
        for name, voice in by_name.items():
            found[name] = everyone(replies, voice, lambda done, name=name: told(f"{name}: {done} of {len(replies)}"))  # type: ignore[misc]
    finally:
        if rewriter:
            rewriter.close()
    return found


def _triage(config: Config, engine: Engine, row: Mapping[str, Any] | None, model: str | None, dataset: tuple[str, Path]) -> dict[str, Any]:
    from bot.tone.triaging import measure_triage

    if model is None:
        raise ConfigProblem(f"no triage was trained yet: run draftdesk tone train --dataset {dataset[0]}")
    asked = rewriter_for(config, engine, model, row["provider"] if row else None)
    try:
        made = measure_triage(config, engine, asked, dataset[1])
    finally:
        asked.close()
    made |= {"dataset": dataset[0], "model": model, "made_at": datetime.now(UTC).isoformat()}
    if row:
        with Session(engine) as session, session.begin():
            voices.record(session, row["key"], measured=made)
    return made


def _row(engine: Engine, name: str | None, task: str) -> dict[str, Any] | None:
    finished = [row for row in rows(engine) if row["state"] == "succeeded" and row["model"]]
    if name is None:
        return next((row for row in finished if row["task"] == task), None)
    return next((row for row in finished if name in (row["model"], row["job"], row["key"])), None)


def _must_have_spoken(said: Sequence[Spoken], model: str | None, away: float) -> None:
    lost = [one.why for one in said if one.why and one.why.startswith("the voice's model failed")]
    if lost and len(lost) >= away * len(said):
        raise Transient(f"{model} answered {len(said) - len(lost)} of {len(said)} times, so nothing was measured; {lost[0]}")


def _keep(engine: Engine, key: str, made: Mapping[str, Any], better: bool) -> None:
    """The figures, without any reply's words."""
    kept = {"better": better, "verdict": made["verdict"], "sure": made["sure"], "held_out": made["held_out"], "voices": made["voices"]}
    with Session(engine) as session, session.begin():
        voices.record(session, key, measured=kept | {"made_at": made["made_at"]})


def _safe(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-._" else "-" for sign in name)[-80:]


def rewriter_for(config: Config, engine: Engine, model: str, provider: str | None, purse: Purse | None = None) -> Asked:
    """Asks the voice's own server where one is configured, else the trainer's; a model trained here and served nowhere, in this process."""
    from bot.tone.rewriter import ModelRewriter

    training = config.training
    if config.voice.provider != "model" and (provider == "lora" or (training is not None and training.provider == "lora")):
        from bot.tone.backends.local import LocalRewriter, folder_of

        return LocalRewriter(folder_of(config, model), training.device if training and training.provider == "lora" else "cpu")
    server = config.voice if config.voice.provider == "model" else training
    if server is None or server.provider == "lora":
        raise ConfigProblem("no server is known to ask: write `voice: {provider: model, base_url: …}` or `training:`")
    settings = ModelSettings(
        provider="openai", model=model, base_url=server.base_url, api_key=server.api_key,
        prices=config.voice.prices or _prices(config, engine, model), allow_plain_http=server.allow_plain_http,
    )  # fmt: skip
    budget = config.budget
    caps = Budget(budget.usd_per_day, None) if budget else Budget()
    return ModelRewriter(settings, purse or Purse(engine, caps, PURSE, lambda: datetime.now(UTC)))


def _prices(config: Config, engine: Engine, model: str) -> Prices | None:
    """Of the table, by the model's own name or its base's."""
    known = read_prices(config.data_dir).models
    try:
        price = known.get(model) or known.get(row_of(engine, model)["base"])
    except ConfigProblem:
        price = None
    return Prices(input=price.input, output=price.output) if price else None
