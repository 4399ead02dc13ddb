"""A change of the file, reviewed: the same past tickets and the same knowledge, under the file as it was and as it is to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bot.config import Config, load
from bot.deployment import open_deployment
from bot.simulate.commands import run_simulation
from bot.simulate.compare import read_report
from bot.simulate.index import open_index
from bot.simulate.replay import Progress, Wish

BEFORE = "before"  # the folder of the other file's report, within the report's own


def is_report(path: Path) -> bool:
    return path.suffix == ".json"


def other_config(path: Path, config: Config) -> Config:
    """The other file with this one's data: a change is compared over one knowledge. Raises ConfigFaults."""
    own = {"data_dir": config.data_dir, "database": config.database, "index": config.index, "connectors": config.connectors}
    return load(path).model_copy(update=own)


def before(
    path: Path,
    config: Config,
    name: str,
    wish: Wish,
    *,
    folder: Path,
    after: Mapping[str, Any],
    told: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """The report to compare with: a saved one, or what the other file makes of exactly the tickets of `after`.

    It changes nothing that counts: neither bounds nor what is asked to be labelled. Raises ConfigProblem, ConfigFaults.
    """
    if is_report(path):
        return read_report(path)
    asked = replace(wish, only=tuple(ticket["ticket_id"] for ticket in after["tickets"]))
    other = other_config(path, config)
    shared = other.index.url and other.embedding == config.embedding  # a server's index is written by one model
    deployment = open_deployment(other, None if shared else partial(open_index, told=told))
    try:
        return run_simulation(deployment, name, asked, folder / BEFORE, newest=False, told=told, progress=progress)
    finally:
        deployment.close()
