"""Starting over when a base model retires: the same training on another base, and the two voices held against each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from bot.config import Config
from bot.tone.errands import find_dataset, make_dataset
from bot.tone.measuring import evaluate
from bot.tone.registry import registry, row_of
from bot.tone.training import train
from connectors.base import ConfigProblem, RateLimited, Transient

Told = Callable[[str], None]


def again(
    config: Config, name: str, changed: Mapping[str, Any], *, told: Told, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """The new voice's row with `compared`. Everything is as it was but the base, `training.model`, and what `changed` names.

    Raises ConfigProblem and what `train` raises.
    """
    with registry(config) as engine:
        old = row_of(engine, name)
    training = config.training
    if training is not None and str(training.model) == old["base"]:
        raise ConfigProblem(f"training.model is {old['base']}, on which {name} was trained already; write the new base there")
    parameters = old["parameters"] | {key: value for key, value in changed.items() if value is not None}
    new = train(config, _dataset(config, old, told), parameters, wait=True, told=told, sleep=sleep)
    if new["state"] != "succeeded":
        return new
    return new | {"compared": compare(config, old, new, told)}


def _dataset(config: Config, old: Mapping[str, Any], told: Told) -> str:
    """The one the old voice learnt from, or, where it is gone, one made anew."""
    try:
        return str(find_dataset(config, old["dataset"])[0]["dataset"])
    except ConfigProblem:
        told(f"data set {old['dataset']} is gone; one is made anew")
        return str(make_dataset(config, None, [])["dataset"])


def compare(config: Config, old: Mapping[str, Any], new: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Both measured now on the same held-out replies; the old one as it was measured then, when it does not answer any more."""
    after = _figures(evaluate(config, new["model"], out=None))
    try:
        before = _figures(evaluate(config, old["model"], out=None)) if old["model"] else None
    except (ConfigProblem, Transient, RateLimited) as problem:
        told(f"{old['model']} cannot be measured any more ({problem})")
        before = _figures(old["measured"]) if old["measured"] else None
    return {"old": before, "new": after, "says": _says(str(old["model"]), str(new["model"]), before, after)}


def _figures(measured: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((dict(row) for row in measured["voices"] if row["name"] == "model"), None)


def _says(old: str, new: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    if after is None:
        return f"{new} was not measured"
    now = f"{new}: AUC {after['auc']:.3f}, fell back {after['fell_back']:.0%}"
    if before is None:
        return f"{now}; of {old} no measurement is left"
    nearer = abs(after["auc"] - 0.5) <= abs(before["auc"] - 0.5)
    then = f"{old}: AUC {before['auc']:.3f}, fell back {before['fell_back']:.0%}"
    return f"{now}; {then}. The {'new' if nearer else 'old'} one is nearer to the team"
