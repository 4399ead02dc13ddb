"""What the console's pages are given: handed in once, by `run` and by the tests alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from bot.answer.flow import Flow
from bot.config import Config
from bot.console.door import Door
from bot.console.studies import Study
from storage.embedding import Embedder


@dataclass(frozen=True, slots=True)
class Office:
    """`send(connector, key)` and `sync(connector, confirm removals)` only begin the work: it is done by the worker."""

    config: Config
    engine: Engine
    embedder: Embedder
    door: Door
    now: Callable[[], datetime]
    flows: Mapping[str, Flow]  # the helpdesks whose tickets are answered
    problems: Mapping[str, str]  # connectors that are not ready, and why
    send: Callable[[str, str], None]
    sync: Callable[[str, bool], None]
    syncing: Callable[[str], bool]  # whether this process is reading from that connector now
    next_sync: Callable[[str], datetime | None]
    warnings: Callable[[str], Sequence[str]]  # what a connector says of credentials about to expire and the like
    gaps: Study[list[dict[str, Any]]]
    clashes: Study[tuple[list[dict[str, Any]], list[dict[str, Any]]]]  # documents against each other, and against agents' answers
