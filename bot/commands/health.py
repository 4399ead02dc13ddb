"""The command `health`: for a container's or a supervisor's check of the process that works here."""

from __future__ import annotations

import typer

from bot.terminal import FAILED, read_config, spoken_errors


def register(app: typer.Typer) -> None:
    app.command()(health)


def health(context: typer.Context) -> None:
    """Ask the running process whether it works; exit 1 when not.

    The same parts as /readyz, also where no HTTP is served.
    """
    from bot.errands import ask_ready

    with spoken_errors():
        parts = ask_ready(read_config(context).data_dir)
    for part, state in parts.items():
        typer.echo(f"{part}: {state}")
    if not all(state.partition(";")[0] == "ok" for state in parts.values()):
        raise typer.Exit(FAILED)
