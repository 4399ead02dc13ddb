"""What a simulation's figures rest on: when any of it changes, they have expired."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

import bot.answer
from bot.config import Config
from storage.database import reading
from storage.samples import knowledge_state

LENGTH = 16  # hex characters


def fingerprint(config: Config, engine: Engine) -> str:
    """Over knowledge, model, voice, topics, allowed links, and the code that decides (with it the prompt and every threshold).

    `max_wrong` is not part of it: a bound carries its own. Nor is `deliver`, which no draft depends on.
    """
    with Session(reading(engine)) as session:
        knowledge = knowledge_state(session)
    return _digest([_settings(config), code(), list(knowledge)])


def _settings(config: Config) -> list[Any]:
    topics = [(topic.name, topic.about, topic.deliver == "never") for topic in config.policy.topics]
    parts = [part.model_dump(mode="json", exclude={"api_key"}) for part in (config.writer, config.voice, config.embedding)]
    return [*parts, list(config.languages), topics, config.policy.default, list(config.policy.allowed_links)]


@lru_cache(maxsize=1)
def code() -> str:
    """The modules that answer, as they are installed."""
    folder = Path(str(bot.answer.__file__)).parent
    return _digest([[path.name, path.read_text(encoding="utf-8")] for path in sorted(folder.glob("*.py"))])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:LENGTH]
