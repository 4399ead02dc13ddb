"""The command `acceptance`: what agents make of the drafts."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.terminal import AsJson, demand, echo_json, read_config, read_moment, spoken_errors


def register(app: typer.Typer) -> None:
    app.command()(acceptance)


def acceptance(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The helpdesk's connector; without it all.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="ISO8601", help="Only what agents did from then on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what agents make of the drafts.

    Sent as they were, edited, rewritten or ignored, by topic.
    """
    from bot.acceptance import describe, show, uses
    from storage.database import open_database

    config = read_config(context)
    demand(config, [name] if name else [])
    moment = read_moment(since, "--since")
    with spoken_errors():
        found = uses(open_database(config.database_url(), folder=config.data_dir), name, moment)
    if as_json:
        echo_json(describe(found))
    else:
        show(found)
