"""Logs: events with ids, on stderr, for people or for machines. Never headers, bodies, texts or locals."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

NOISY = ("alembic", "apscheduler", "dbos", "httpcore2", "httpx2", "openai", "urllib3", "uvicorn.access")


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
        processors=[*shared, structlog.processors.format_exc_info, renderer] if style == "json" else [*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [stream]
    root.setLevel(logging.WARNING)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
