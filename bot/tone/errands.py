"""What the commands `tone …` ask for, as plain functions over a configuration."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.config import Config
from bot.tone.dataset import Preference, build, read_chat, write
from bot.tone.preferences import drafted, preferences
from bot.tone.prices import EPOCHS, estimate, read_prices
from bot.tone.replies import Dropped, TeamReply, read_replies, solved
from bot.tone.style import learn, write_style
from connectors.base import ConfigProblem, Helpdesk, Ticket

EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)


def make_dataset(
    config: Config,
    out: Path | None,
    agents: Sequence[str],
    task: str = "tone",
    *,
    ask_model: bool = False,
    told: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Reads the helpdesks, writes the files, returns report.json with `folder`. Raises ConfigProblem and what the connectors raise."""
    from storage.database import open_database

    if task == "triage":
        return _make_sorting(config, out, agents)
    sources = _desks(config)
    engine = open_database(config.database_url(), folder=config.data_dir)
    found: list[TeamReply | Dropped] = []
    pairs: list[Preference] = []
    try:
        made_drafts = {name: drafted(engine, name) for name, _ in sources}
        for name, ticket in _tickets(sources):
            replies = list(read_replies(name, ticket, config.languages, agents, config.policy.opt_out_tags))
            found.extend(replies)
            spoken = next((one.language for one in replies if isinstance(one, TeamReply)), config.languages[0])
            pairs.extend(preferences(name, ticket, spoken, made_drafts[name]))
        plains = {}
        if ask_model:
            from bot.tone.plainer import plain_sides

            kept = [one for one in found if isinstance(one, TeamReply)]
            plains = plain_sides(config, engine, kept, told=told, sleep=sleep)
            told(f"{len(plains)} of {len(kept)} plain sides by the model, the others by rules")
    finally:
        engine.dispose()
    made = build(found, pairs, plains)
    if not made.train:
        names = ", ".join(name for name, _ in sources)
        raise ConfigProblem(f"no reply of {names} can be learnt from; dropped: {dict(made.dropped) or 'nothing'}")
    folder = out or config.data_dir / "voice" / made.id
    report = write(made, folder)
    learnt = write_style(learn((*made.train, *made.validation)), config.data_dir / "voice")
    return report | {"folder": str(folder), "style_sheet": "learnt" if learnt else "kept"}


def _make_sorting(config: Config, out: Path | None, agents: Sequence[str]) -> dict[str, Any]:
    """What agents' own tags say of tickets, as training files for `--task triage`."""
    from bot.tone.labels import build_labels, read_labels

    if agents:
        raise ConfigProblem("--agent chooses whose manner is learnt; a triage is learnt from everybody's tags: leave it out")
    topics = [topic.name for topic in config.policy.topics]
    found = [read_labels(name, ticket, topics, config.languages) for name, ticket in _tickets(_desks(config))]
    made = build_labels(found, topics)
    if not made.train:
        raise ConfigProblem(f"no ticket's tags can be learnt from; dropped: {dict(made.dropped) or 'nothing'}")
    folder = out or config.data_dir / "voice" / made.id
    return write(made, folder) | {"folder": str(folder), "style_sheet": "kept"}


def _desks(config: Config) -> list[tuple[str, Helpdesk]]:
    from bot.deployment import connect

    found: list[tuple[str, Helpdesk]] = []
    for settings in config.connectors:
        if getattr(getattr(settings, "knowledge", None), "solved_tickets", "off") != "voice":
            continue
        source = connect(settings).source
        if isinstance(source, Helpdesk):
            found.append((settings.name, source))
    if not found:
        raise ConfigProblem("no helpdesk gives its replies: write `knowledge: {solved_tickets: voice}` at the connector to learn from")
    return found


def _tickets(sources: Sequence[tuple[str, Helpdesk]]) -> Iterator[tuple[str, Ticket]]:
    for name, desk in sources:
        for ticket in solved(desk, EVERYTHING):
            yield name, ticket


def find_dataset(config: Config, identity: str | None, task: str | None = None) -> tuple[dict[str, Any], Path]:
    """report.json and the folder of that data set, or of the newest (of that task). Raises ConfigProblem."""
    base = config.data_dir / "voice"
    reports = sorted(base.glob("*/report.json"), key=lambda path: path.stat().st_mtime)
    found = [path for path in reports if identity == path.parent.name or (identity is None and task in (None, _task(path)))]
    if not found:
        known = ", ".join(path.parent.name for path in reports)
        missing = f"no data set {identity}; there are {known}" if identity and known else "no data set yet: run draftdesk tone dataset"
        raise ConfigProblem(missing)
    try:
        return dict(json.loads(found[-1].read_text(encoding="utf-8"))), found[-1].parent
    except (OSError, ValueError) as problem:
        raise ConfigProblem(f"{found[-1]}: cannot be read ({problem}); make the data set again") from None


def _task(report: Path) -> str | None:
    try:
        return str(json.loads(report.read_text(encoding="utf-8")).get("task"))
    except (OSError, ValueError, AttributeError):
        return None


def estimates(config: Config, identity: str | None, models: Sequence[str], epochs: int | None, replies: int) -> dict[str, Any]:
    """Training and a month's use for each model. Raises ConfigProblem: no data set, or a model without a price."""
    told, folder = find_dataset(config, identity)
    prices = read_prices(config.data_dir)
    missing = [model for model in models if model not in prices.models]
    if missing:
        raise ConfigProblem(f"no price is known for {', '.join(missing)}; add it to {config.data_dir / 'tone-prices.yaml'}")
    examples = read_chat(folder / "train.jsonl")
    made = [
        estimate(examples, prices.models[model], epochs=epochs or EPOCHS, replies_per_month=replies)
        for model in models or sorted(prices.models)
    ]
    return {
        "dataset": told["dataset"],
        "examples": len(examples),
        "tokens": made[0].tokens if made else 0,
        "epochs": epochs or EPOCHS,
        "replies_per_month": replies,
        "prices_checked": str(prices.checked),
        "models": [
            {
                "model": one.model,
                "training_usd": round(one.training_usd, 6),
                "monthly_usd": round(one.monthly_usd, 6),
                "ends": str(one.ends) if one.ends else None,
            }
            for one in made
        ],
    }
