"""Many trainings as one command: every combination of the numbers given, cheapest first, until the money asked for is used."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.config import Config
from bot.tone.dataset import read_chat
from bot.tone.jobs import Wish
from bot.tone.prices import Price, count_chat
from bot.tone.registry import registry, rows
from bot.tone.training import price_of, train, wish_for
from connectors.base import ConfigProblem

CAUTION = 1.5  # times the estimate must be left under the cap: tokens are counted by a rule of thumb
MOST_JOBS = 64


def sweep(
    config: Config,
    identity: str | None,
    grid: Mapping[str, Sequence[float]],
    *,
    cap_usd: float | None,
    fixed: Mapping[str, Any],
    told: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Each job with its held-out loss and cost, and the best. The grid holds `n_epochs`. Raises ConfigProblem and what `train` raises."""
    wishes = [wish_for(config, identity, {**fixed, **numbers}) for numbers in combinations(grid)]
    price = _price(config, wishes[0], cap_usd)
    tokens = sum(count_chat(messages) for messages in read_chat(wishes[0].train))
    told_jobs = []
    spent = 0.0
    for wish in sorted(wishes, key=lambda one: one.parameters["n_epochs"]):
        estimate = tokens * wish.parameters["n_epochs"] * price.train / 1e6
        known = _known(config, wish)
        if known is None and cap_usd is not None and spent + CAUTION * estimate > cap_usd:
            told_jobs.append(_told(wish, grid, {"state": "not started", "reason": f"it could overstep {cap_usd:g} USD", "usd": 0.0}))
            continue
        told(f"{_words(wish, grid)}: about {estimate:.4f} USD")
        row = train(config, wish.dataset, wish.parameters, wait=True, told=told, sleep=sleep)
        paid = row["usd"] if row["usd"] is not None else estimate
        spent += paid
        told_jobs.append(_told(wish, grid, {**row, "usd": paid}))
    ranked = sorted((job for job in told_jobs if job["held_out_loss"] is not None), key=lambda job: job["held_out_loss"])
    return {"jobs": told_jobs, "best": ranked[0]["model"] if ranked else None, "usd": round(spent, 6), "cap_usd": cap_usd}


def combinations(grid: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Raises ConfigProblem for more than anybody would want to pay for."""
    names = [name for name, values in grid.items() if values]
    found = [dict(zip(names, values, strict=True)) for values in itertools.product(*(sorted(set(grid[name])) for name in names))]
    if len(found) > MOST_JOBS:
        raise ConfigProblem(f"the sweep has {len(found)} jobs; at most {MOST_JOBS} are run in one")
    return found


def _price(config: Config, wish: Wish, cap_usd: float | None) -> Price:
    price = price_of(config, wish.base)
    if price is None:
        where = config.data_dir / "tone-prices.yaml"
        raise ConfigProblem(f"no price is known for {wish.base}, so no cap could hold; add it to {where}")
    if price.train and cap_usd is None:
        raise ConfigProblem(f"a sweep on {wish.base} costs money; say with --cap-usd how much it may be")
    return price


def _known(config: Config, wish: Wish) -> dict[str, Any] | None:
    """The job there is already: it was paid for, whatever the cap says now."""
    with registry(config) as engine:
        return next(
            (row for row in rows(engine) if row["key"] == wish.key and row["job"] and row["state"] in ("running", "succeeded")), None
        )


def _told(wish: Wish, grid: Mapping[str, Sequence[float]], row: Mapping[str, Any]) -> dict[str, Any]:
    losses = [point["valid_loss"] for point in row.get("curve") or [] if point["valid_loss"] is not None]
    return {
        "numbers": {name: wish.parameters[name] for name in grid if name in wish.parameters},
        "model": row.get("model"),
        "job": row.get("job"),
        "state": row["state"],
        "held_out_loss": losses[-1] if losses else None,
        "usd": row["usd"],
        "reason": row["reason"],
    }


def _words(wish: Wish, grid: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{name} {wish.parameters[name]:g}" for name in grid if name in wish.parameters)
