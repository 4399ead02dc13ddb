"""The commands `backup`, `restore` and `migrate`: an installation copied, brought back, or carried over."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bot.terminal import complain, read_config, spoken_errors

Folder = Annotated[Path, typer.Argument(metavar="DIR")]


def register(app: typer.Typer) -> None:
    for command in (backup, restore, migrate):
        app.command()(command)


def backup(context: typer.Context, folder: Folder) -> None:
    """Copy the databases and files into a new folder, while draftdesk works.

    The index is not among them: it is made from the database. Neither are the secrets that the configuration refers to.
    """
    from bot.backup import backup as keep

    with spoken_errors():
        kept = keep(read_config(context), folder)
    typer.echo(f"{folder}: {len(kept.files)} files, as of {kept.made_at}; it holds customers' words: keep it as you keep those")


def restore(context: typer.Context, folder: Folder) -> None:
    """Bring a backup back into an empty data_dir, and make the index anew. Asks no vendor."""
    from bot.backup import restore as bring_back
    from bot.deployment import open_deployment
    from bot.restoring import restore_index

    config = read_config(context)
    with spoken_errors():
        kept = bring_back(config, folder)
        deployment = open_deployment(config)
        try:
            passages = restore_index(deployment)
        finally:
            deployment.close()
    typer.echo(f"Restored as of {kept.made_at}; {passages:,} passages of the index were made anew. Next: draftdesk check, draftdesk run")


def migrate(
    context: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="postgresql://…, or env:NAME that holds it. The database must be empty.")],
    index_url: Annotated[str | None, typer.Option("--index-url", metavar="URL", help="A Qdrant server; the index goes there too.")] = None,
) -> None:
    """Carry an embedded installation over to PostgreSQL, and its index to a Qdrant server.

    Nothing is embedded again. Counts and digests of what arrived are compared; what is here stays as it is.
    """
    from bot.moving import migrate as carry_over

    config = read_config(context)
    if to.startswith("env:"):
        name = to.removeprefix("env:")
        to = os.environ.get(name) or complain(f"--to: the environment has no {name}")
    with spoken_errors():
        moved = carry_over(config, to, index_url, lambda told: typer.echo(told, err=True))
    typer.echo(f"{sum(moved.rows.values()):,} rows carried over and compared, {moved.open_work} pieces of work go on there.")
    if moved.passages is not None:
        typer.echo(f"{moved.passages:,} passages carried over to {index_url}.")
    typer.echo("Now set in the configuration: database: env:DATABASE_URL" + (f", and index: {{url: {index_url}}}" if index_url else ""))
