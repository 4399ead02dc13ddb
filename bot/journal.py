"""Logs: events with ids, on stderr, for people or for machines. Never headers, bodies, texts or locals.

A vendor's or a library's sentence may quote a person all the same: what has the form of personal data is struck out of every value.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog

NOISY = ("alembic", "apscheduler", "dbos", "httpcore2", "httpx2", "openai", "urllib3", "uvicorn.access")


STRUCK = frozenset({"email", "phone", "iban", "card", "address"})
EXEMPT = frozenset({"timestamp", "level", "logger", "connector", "ticket", "draft", "key"})  # ours, and the vendor's numbers


def without_persons(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A structlog processor; tracebacks are struck too, so it comes after they are made."""
    return {name: value if name in EXEMPT else _struck(value) for name, value in event.items()}


def _struck(value: Any) -> Any:
    if isinstance(value, str):
        from bot.tone.redaction import marks

        for one in reversed(marks(value)):
            if one.kind in STRUCK:
                value = f"{value[: one.start]}[{one.kind}]{value[one.end :]}"
        return value
    if isinstance(value, dict):
        return {name: _struck(inner) for name, inner in value.items()}
    return type(value)(map(_struck, value)) if type(value) in (list, tuple, set) else value


def keep_journal(style: Literal["console", "json"], *, level: int = logging.INFO) -> None:
    """Send structlog's and the standard library's events to stderr in one style.

    Libraries speak from WARNING up only: their INFO lines may hold URLs or bodies.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, without_persons, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                without_persons,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [stream]
    root.setLevel(logging.WARNING)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
