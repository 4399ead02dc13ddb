"""The commands `forget` and `export`: what is held of a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.terminal import FAILED, AsJson, echo_json, read_config, spoken_errors

Requester = Annotated[str, typer.Option("--requester", metavar="EMAIL", help="The person's e-mail address.")]


def register(app: typer.Typer) -> None:
    app.command()(forget)
    app.command("export")(export)


def forget(context: typer.Context, requester: Requester, as_json: AsJson = False) -> None:
    """Erase a person.

    From rows, index, drafts, caches, training files and durable work. Their tickets at the helpdesk are the helpdesk's: erase them there
    first, or what moves again is read again. Backups made before still hold what they held.
    """
    from bot.errands import errands

    with spoken_errors(), errands(read_config(context)) as desk:
        done = desk.forget(requester)
    if as_json:
        echo_json(done)
    else:
        typer.echo(
            f"{done['tickets']} tickets forgotten: {done['rows']} rows, {done['workflows']} pieces of work, {len(done['files'])} files;"
            f" the address was struck out of {done['struck']} other rows"
        )
    for document in done["documents"]:
        typer.echo(f"{document} named the person: correct it at its source, or its next edit brings the name back", err=True)
    if done["unsure"]:
        typer.echo(f"{done['unsure']} tickets could not be asked about at their helpdesk: run this again", err=True)
    for place in done["left"]:
        typer.echo(f"the address is part of a key and stays: {place}", err=True)
    if done["left"] or done["unsure"]:
        raise typer.Exit(FAILED)


def export(
    context: typer.Context,
    requester: Requester,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Instead of stdout; readable by you alone.")] = None,
) -> None:
    """Print all that is held of a person, as one JSON document."""
    import json
    import os

    from bot.errands import errands
    from connectors.base import ConfigProblem

    with spoken_errors(), errands(read_config(context)) as desk:
        document = desk.export(requester)
        if out is None:
            echo_json(document)
            return
        try:
            with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                json.dump(document, file, ensure_ascii=False, indent=2)
        except OSError as problem:
            raise ConfigProblem(f"{out}: cannot be written ({problem.strerror})") from None
