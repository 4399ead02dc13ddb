"""`draftdesk check`: each part tried with the cheapest real call, one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from bot.config import Config
from bot.deployment import connect
from bot.sync import unnamed
from connectors.base import ConfigProblem, Forewarned, RateLimited, Transient
from connectors.settings import ConnectorSettings

State = Literal["ok", "WARN", "FAIL"]  # WARN: it works, and will not for ever, or not as one might think


@dataclass(frozen=True, slots=True)
class Line:
    part: str
    state: State
    says: str

    @property
    def ok(self) -> bool:
        return self.state != "FAIL"

    def __str__(self) -> str:
        return f"{self.state:4}  {self.part}: {self.says}"


def examine(config: Config, *, offline: bool) -> list[Line]:
    """All parts; a fault in one does not keep the others from being tried."""
    count = len(config.connectors)
    lines = [Line("file", "ok", f"valid, {count} connector{'' if count == 1 else 's'}")]
    lines.extend(_promises(config))
    if offline:
        return lines
    lines.extend(_try("database", lambda: _reach_database(config)))
    for settings in config.connectors:
        lines.extend(_try(settings.name, partial(_reach_connector, settings)))
    if config.index.url:
        lines.extend(_try("index", lambda: _reach_index(config)))
    if config.embedding.provider != "local":
        lines.extend(_try("embedding", lambda: _reach_embedder(config)))
    if config.writer.provider == "openai":
        lines.extend(_try("writer", lambda: _reach_model(config)))
    if config.voice.provider == "model":
        lines.extend(_try("voice", lambda: _reach_voice(config)))
    return lines


def _try(part: str, call: Callable[[], Sequence[str] | None]) -> Iterator[Line]:
    """`call` returns what is worth saying although it works."""
    try:
        remarks = call() or ()
    except (ConfigProblem, RateLimited, Transient) as problem:
        yield Line(part, "FAIL", unnamed(part, str(problem)))
        return
    yield Line(part, "ok", "works")
    yield from (Line(part, "WARN", unnamed(part, remark)) for remark in remarks)


def _promises(config: Config) -> Iterator[Line]:
    """What the operator waived stays visible."""
    for topic in config.policy.topics:
        if topic.deliver == "reply" and topic.max_wrong == "off":
            yield Line(
                f"policy.topics.{topic.name}",
                "WARN",
                "replies are sent with no bound on how often they may be wrong (max_wrong: off)",
            )


def _reach_connector(settings: ConnectorSettings) -> Sequence[str]:
    source = connect(settings).source
    source.check()
    return source.warnings() if isinstance(source, Forewarned) else ()


def _reach_database(config: Config) -> None:
    from storage.database import open_database

    open_database(config.database_url(), folder=config.data_dir).dispose()


def _reach_index(config: Config) -> None:
    from bot.shelving import reach_server

    reach_server(config)


def _reach_embedder(config: Config) -> None:
    from bot.shelving import build_embedder

    build_embedder(config.embedding).embed(["works"])


def _reach_model(config: Config) -> Sequence[str]:
    from bot.answer.model import reach

    warning = reach(config.writer).warning
    return (warning,) if warning else ()


def _reach_voice(config: Config) -> Sequence[str]:
    from bot.tone.lifetime import warnings
    from storage.database import open_database

    engine = open_database(config.database_url(), folder=config.data_dir)
    try:
        return warnings(config, engine, datetime.now(UTC).date())
    finally:
        engine.dispose()
