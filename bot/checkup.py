"""`draftdesk check`: each part tried with the cheapest real call, one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.config import Config
from bot.deployment import connect, refuse_what_is_not_there_yet
from connectors.base import ConfigProblem, Forewarned, RateLimited, Transient
from connectors.settings import ConnectorSettings


@dataclass(frozen=True, slots=True)
class Line:
    part: str
    ok: bool
    says: str


def examine(config: Config, *, offline: bool) -> list[Line]:
    """All parts; a fault in one does not keep the others from being tried."""
    lines = [Line("file", True, f"valid, {len(config.connectors)} connectors")]
    lines.append(_try("parts", lambda: refuse_what_is_not_there_yet(config)))
    lines.extend(_promises(config))
    if offline:
        return lines
    lines.append(_try("database", lambda: _reach_database(config)))
    for settings in config.connectors:
        lines.append(_try(settings.name, lambda settings=settings: _reach_connector(settings)))  # type: ignore[misc]
    if config.writer.provider == "openai":
        lines.append(_try("writer", lambda: _reach_model(config)))
    return lines


def _try(part: str, call: Callable[[], str | None]) -> Line:
    """`call` returns what is worth saying although it works."""
    try:
        remark = call()
    except (ConfigProblem, RateLimited, Transient) as problem:
        return Line(part, False, str(problem))
    return Line(part, True, f"works; WARNING: {remark}" if remark else "works")


def _promises(config: Config) -> Iterator[Line]:
    """What the operator waived stays visible."""
    for topic in config.policy.topics:
        if topic.deliver == "reply" and topic.max_wrong == "off":
            yield Line(
                f"policy.topics.{topic.name}",
                True,
                "WARNING: replies are sent with no bound on how often they may be wrong (max_wrong: off)",
            )


def _reach_connector(settings: ConnectorSettings) -> str | None:
    source = connect(settings).source
    source.check()
    return "; ".join(source.warnings()) if isinstance(source, Forewarned) else None


def _reach_database(config: Config) -> None:
    from storage.database import open_database

    open_database(config.database_url(), folder=config.data_dir).dispose()


def _reach_model(config: Config) -> str | None:
    from bot.answer.model import reach

    return reach(config.writer).warning
