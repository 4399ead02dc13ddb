"""What the commands have in common: the configuration read, faults told to who typed, results printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from connectors.base import ConfigProblem, RateLimited, Refused, Transient

if TYPE_CHECKING:
    from bot.config import Config

FAILED, WRONG_INPUT = 1, 2
AsJson = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]


def read_config(context: typer.Context) -> Config:
    """The configuration, and the journal set up. Faults go to stderr, all at once, with exit 2."""
    from bot.config import ConfigFaults, find, load
    from bot.config.env import read_env
    from bot.journal import keep_journal

    keep_journal(context.obj["log_format"])
    try:
        path = find(context.obj["config"])
        config = load(path)
        read_env(path.absolute().parent)
    except ConfigFaults as faults:
        complain(str(faults))
    return config


@contextmanager
def spoken_errors() -> Iterator[None]:
    """What an operator can act on ends in one sentence and exit 1; anything else is a bug and keeps its traceback."""
    try:
        yield
    except (ConfigProblem, RateLimited, Transient, Refused) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(FAILED) from None


def demand(config: Config, names: list[str]) -> None:
    """Each name is a connector's; a misspelt one is wrong input."""
    for name in names:
        try:
            config.connector(name)
        except ConfigProblem as problem:
            complain(str(problem))


def read_moment(text: str | None, option: str = "--as-of") -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        complain(f"{option} {text}: write a moment such as 2026-11-01T10:00:00Z")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def complain(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(WRONG_INPUT)


def echo_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
