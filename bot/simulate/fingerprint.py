"""What a simulation's figures rest on: when any of it changes, they have expired."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

import bot.answer
import bot.tone
import storage
from bot.config import Config
from bot.tone.exemplars import newest
from storage.database import reading
from storage.samples import knowledge_keys, knowledge_state
from storage.voices import in_use

LENGTH = 16  # hex characters
STORED = ("passages", "lexical", "embedding")  # modules of storage that decide what is found
# Of the file's own parts those that no draft depends on. Whatever is not named here counts, so that a new setting is never overlooked.
APART = {"data_dir", "database", "index", "connectors", "budget", "console", "training", "retention", "policy"}
POLICY_APART = {"topics", "opt_out_tags", "max_replies_per_ticket", "max_replies_per_day", "hours", "agent_active"}
TOPIC_APART = {"deliver", "max_wrong"}
PART_APART = {"api_key", "prices", "price", "timeout", "allow_plain_http"}


@dataclass(slots=True)
class Knowledge:
    """The digest of what the ledger holds, read anew only when a count says that something may have changed."""

    engine: Engine
    state: tuple[int, int, int] | None = None
    digest: str = ""

    def now(self, session: Session) -> str:
        if (state := knowledge_state(session)) != self.state:
            self.digest, self.state = _digest(knowledge_keys(session)), state
        return self.digest


def fingerprint(config: Config, engine: Engine, knowledge: Knowledge | None = None) -> str:
    """Over knowledge, model, voice, topics, allowed links, and the code that decides (with it the prompt and every threshold).

    `max_wrong` is not part of it: a bound carries its own. Nor is `deliver`, which no draft depends on, but for `never`.
    """
    with Session(reading(engine)) as session:
        held = (knowledge or Knowledge(engine)).now(session)
        voices = [getattr(in_use(session, task), "model", None) for task in ("tone", "triage")]
    return _digest([held, settings(config), voices, sheets(config.data_dir / "voice"), code()])


def settings(config: Config) -> dict[str, Any]:
    """Of the file, what a draft depends on."""
    parts = {name: _without(part) for name, part in config.model_dump(mode="json", exclude=APART).items()}
    topics = [
        topic.model_dump(mode="json", exclude=TOPIC_APART) | {"never": topic.deliver == "never"} for topic in config.policy.topics
    ]
    return parts | {"policy": config.policy.model_dump(mode="json", exclude=POLICY_APART), "topics": topics}


def _without(part: Any) -> Any:
    return {name: value for name, value in part.items() if name not in PART_APART} if isinstance(part, dict) else part


def sheets(folder: Path) -> list[list[str]]:
    """How the team speaks: its style sheet, with the operator's edits, any other beside it, and which replies are exemplars."""
    sheets = [[path.name, path.read_text(encoding="utf-8", errors="replace")] for path in sorted(folder.glob("*.yaml"))]
    dataset = newest(folder)  # its replies are shown to a writing model
    return [*sheets, ["replies", dataset.name if dataset else ""]]


@lru_cache(maxsize=1)
def code() -> str:
    """The modules that answer, as they are installed."""
    return _digest([[path.name, path.read_text(encoding="utf-8")] for path in answering_modules()])


def answering_modules() -> Iterator[Path]:
    for package in (bot.answer, bot.tone):
        home = Path(str(package.__file__)).parent
        yield from sorted(path for path in home.iterdir() if path.suffix in (".py", ".txt", ".yaml"))
    yield from (Path(str(storage.__file__)).parent / f"{name}.py" for name in STORED)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:LENGTH]
