"""The course of the interview: systems, credentials tried as they are given, choices, the file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from bot.config import ConfigFaults, load
from bot.config.env import ENV_FILE
from bot.deployment import connect
from bot.interview.asking import Asking, Unanswered, flags
from bot.interview.pages import Page, env_text, yaml_text
from connectors import registry
from connectors.base import ConfigProblem, RateLimited, Transient
from connectors.guide import Choice, Choices, Guide, Pick, Question, Way
from connectors.http import HttpClient

TROUBLE = (ConfigProblem, RateLimited, Transient)


@dataclass(frozen=True, slots=True)
class Talk:
    """Who is asked, whether credentials are tried, and the secrets heard so far, by environment variable."""

    asking: Asking
    attempt: bool
    secrets: dict[str, str] = field(default_factory=dict)


def hold(path: Path, systems: Sequence[str], settings: Sequence[str], *, force: bool, at_terminal: bool, attempt: bool) -> None:
    """Ask, try, write `path` and, where there are secrets, the env file beside it.

    Raises Unanswered (wrong or missing flags: nothing is written) and ConfigProblem (a credential that does not work, without a terminal).
    """
    env_path = path.with_name(ENV_FILE)
    for there in (path, env_path):
        if there.exists() and not force:
            raise Unanswered(f"{there} exists already; name another file with --config, or overwrite it with --force")
    asking = Asking(flags(settings), at_terminal)
    talk = Talk(asking, attempt)
    pages = [_system(talk, type_, name or registry.guide(type_)[0].name) for type_, name in _systems(asking, systems)]
    languages = asking.text("languages", Question("languages", "Languages that your customers write in, the main one first", default="en"))
    asking.finish()
    _write(path, yaml_text(languages, pages), 0o644)
    try:
        load(path)
    except ConfigFaults as faults:
        path.unlink()
        raise Unanswered(f"these answers make no configuration; nothing was written:\n{faults}") from None
    if talk.secrets:
        _write(env_path, env_text(talk.secrets), 0o600)
    _farewell(path, env_path if talk.secrets else None, pages)


def _systems(asking: Asking, systems: Sequence[str]) -> list[tuple[str, str]]:
    """(type, name or "") of each system to set up."""
    known = registry.guides()
    if systems:
        pairs = [(type_, name) for type_, _, name in (system.partition("=") for system in systems)]
    elif asking.at_terminal:
        typer.echo("Which systems hold your knowledge and your tickets?", err=True)
        options = [Choice(type_, guide.title) for type_, guide in known.items()]
        pairs = [(type_, "") for type_ in asking.several("systems", "Systems", options, required=True)]
    else:
        raise Unanswered(f"missing: --system TYPE or TYPE=NAME, any number of times; types: {', '.join(known)}")
    for type_, _ in pairs:
        if type_ not in known:
            raise Unanswered(f"--system {type_}: there is no such type; known are {', '.join(known)}")
    return pairs


def _system(talk: Talk, type_: str, name: str) -> Page:
    guide, choices = registry.guide(type_)
    asking = talk.asking
    typer.echo(f"\n{guide.title}", err=True)
    way = _way(asking, name, guide)
    for number, step in enumerate(way.steps, start=1):
        typer.echo(f"  {number}. {step}", err=True)
    again = False
    while True:
        block = _block(talk, name, way, again=again)
        _extras(asking, name, block, guide)
        try:
            offered = _offered(block, choices) if choices and talk.attempt and not asking.lacking else {}
            for pick in guide.picks:
                _pick(asking, name, block, pick, offered.get(pick.key, ()))
            if guide.webhook is not None:
                _tickets(talk, name, block, guide.webhook)
            if talk.attempt and not asking.lacking:
                _try(type_, name, block)
            return Page(name, type_, block)
        except TROUBLE as problem:
            typer.echo(f"  does not work: {problem}", err=True)
            if not asking.at_terminal:
                raise
            if not asking.yes(f"{name}.again", "Change the answers? (no keeps them as they are)", default=True):
                return Page(name, type_, block)
            again = True


def _way(asking: Asking, name: str, guide: Guide) -> Way:
    chosen = asking.one(f"{name}.way", "How do you sign in?", [Choice(way.name, way.title) for way in guide.ways])
    return next(way for way in guide.ways if way.name == chosen)


def _block(talk: Talk, name: str, way: Way, *, again: bool) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for key, value in way.settings:
        put(block, key, value)
    for question in way.questions:
        path = f"{name}.{question.key}"
        said = talk.asking.text(path, question, again=again)
        if question.kind == "secret":
            said = keep_secret(talk, path, said, by_flag=path in talk.asking.given and not again)
        elif question.kind == "file" and not said.startswith(("env:", "file:")):
            said = f"file:{said}"
        if said:
            put(block, question.key, said)
    return block


def _extras(asking: Asking, name: str, block: dict[str, Any], guide: Guide) -> None:
    """Flags for settings that nothing asks about; whether they exist is for the settings to say."""
    asked = {"way", "again", "public", "tickets", "tickets.webhook_secret", *(pick.key for pick in guide.picks)}
    asked |= {question.key for way in guide.ways for question in way.questions}
    for path, value in asking.given.items():
        owner, _, key = path.partition(".")
        if owner == name and key not in asked:
            asking.used.add(path)
            put(block, key, value)


def keep_secret(talk: Talk, path: str, said: str, *, by_flag: bool) -> str:
    """The reference that stands in the file; the secret itself goes to the env file. Raises Unanswered for one on the command line."""
    if not said or said.startswith(("env:", "file:")):
        return said
    if by_flag:
        raise Unanswered(f"--set {path}: name a secret as env:VARIABLE or file:/path; a command line can be read by others")
    name, _, key = path.partition(".")
    variable = f"{name}_{key.rpartition('.')[2]}".upper().replace("-", "_")
    variable = f"D_{variable}" if variable[0].isdigit() else variable
    talk.secrets[variable] = os.environ[variable] = said
    return f"env:{variable}"


def _offered(block: dict[str, Any], choices: Choices) -> dict[str, tuple[Choice, ...]]:
    """What the vendor has to choose from: the first use of the credential."""
    return dict(choices(block, HttpClient))


def _pick(asking: Asking, name: str, block: dict[str, Any], pick: Pick, options: Sequence[Choice]) -> None:
    if not options and not pick.required and f"{name}.{pick.key}" not in asking.given:
        return
    chosen = asking.several(f"{name}.{pick.key}", pick.asks, options, required=pick.required)
    if chosen:
        put(block, pick.key, list(chosen))
    if pick.audience and chosen:
        public = asking.several(
            f"{name}.public", "Which of them may customers read (none: all for agents only)", [Choice(c, c) for c in chosen], required=False
        )
        if public:
            put(block, pick.audience, dict.fromkeys(public, "public"))


def _tickets(talk: Talk, name: str, block: dict[str, Any], webhook: Sequence[str]) -> None:
    if not talk.asking.yes(f"{name}.tickets", "Draft answers to its tickets, as internal notes?", default=True):
        return
    put(block, "tickets.answer", "new")
    put(block, "tickets.deliver", "note")
    typer.echo("  For prompt answers, a webhook (you can add it later):", err=True)
    for step in webhook:
        typer.echo(f"     {step}", err=True)
    path = f"{name}.tickets.webhook_secret"
    asks = "The webhook's secret (Enter: none yet; new: make one)"
    said = talk.asking.text(path, Question("tickets.webhook_secret", asks, default="", kind="secret"))
    made = secrets.token_urlsafe(32) if said == "new" else ""
    if reference := keep_secret(talk, path, made or said, by_flag=path in talk.asking.given and not made):
        put(block, "tickets.webhook_secret", reference)


def _try(type_: str, name: str, block: dict[str, Any]) -> None:
    from pydantic import ValidationError

    try:
        settings = registry.settings_types()[type_].model_validate({"name": name, "type": type_, **block})
    except ValidationError as problem:
        faults = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in problem.errors(include_input=False))
        raise ConfigProblem(faults) from None
    connect(settings).source.check()
    typer.echo("  works", err=True)


def put(block: dict[str, Any], key: str, value: Any) -> None:
    """Set ``a.b`` in nested dicts."""
    *above, last = key.split(".")
    for part in above:
        block = block.setdefault(part, {})
    block[last] = value


def _write(path: Path, text: str, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # an old file's wider permissions must not outlive its content
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as problem:
        raise ConfigProblem(f"{path}: cannot be written ({problem.strerror}); name another file with --config") from None


def _farewell(path: Path, env_path: Path | None, pages: Sequence[Page]) -> None:
    typer.echo(f"\n{path} is written" + (f", its secrets are in {env_path} (for your eyes only; read at every start)" if env_path else ""))
    desk = next((page.name for page in pages if "tickets" in page.block), None)
    typer.echo("Next:")
    typer.echo("  draftdesk check                       each account once more, one line each")
    typer.echo("  draftdesk sync                        knowledge in")
    typer.echo('  draftdesk search "a question"         what it finds')
    if desk:
        typer.echo(f"  draftdesk draft {desk} TICKET_ID".ljust(40) + "what it would answer; nothing is written")
    typer.echo("  draftdesk run                         keep at it")
