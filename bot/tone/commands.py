"""The commands `tone …`. Light to import: `draftdesk --help` reads it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
DatasetId = Annotated[str | None, typer.Option("--dataset", metavar="ID", help="[default: the newest]")]
tone = typer.Typer(
    name="tone", help="The voice, from the team's replies to a measured result.", no_args_is_help=True, rich_markup_mode=None
)


class Task(StrEnum):
    tone = "tone"


def register(app: typer.Typer) -> None:
    app.add_typer(tone)


@tone.command()
def dataset(
    context: typer.Context,
    task: Annotated[Task, typer.Option("--task", help="What is learnt.")] = Task.tone,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="[default: DATA_DIR/voice/DATASET_ID]")] = None,
    agents: Annotated[list[str] | None, typer.Option("--agent", metavar="ID", help="Learn from these agents only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make training files from solved tickets' public replies.

    Reads the helpdesks whose knowledge.solved_tickets is voice. Says what was dropped and why. Personal data is struck out.
    """
    from bot.cli import echo_json, read_config, spoken_errors
    from bot.tone.errands import make_dataset

    config = read_config(context)
    with spoken_errors():
        told = make_dataset(config, out, agents or [])
    if as_json:
        echo_json(told)
        return
    typer.echo(told["dataset"])
    counts = f"{told['train']} for training, {told['validation']} held out, {told['preference']} preferences"
    typer.echo(f"{counts}, from {told['tickets']} tickets")
    for reason, count in told["dropped"].items():
        typer.echo(f"  {count} dropped: {reason}")
    typer.echo(told["folder"], err=True)


@tone.command()
def validate(file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: AsJson = False) -> None:
    """Check a training file, line by line."""
    from bot.cli import FAILED, echo_json, spoken_errors
    from bot.tone.validation import validate as examine

    with spoken_errors():
        found = examine(file)
    if as_json:
        faults = [{"line": fault.line, "says": fault.says, "grave": fault.grave} for fault in found.faults]
        echo_json({"ok": found.ok, "kind": found.kind, "examples": found.examples, "tokens": found.tokens, "faults": faults})
    else:
        typer.echo(f"{found.examples} examples ({found.kind}), about {found.tokens} tokens")
    for fault in found.faults:
        typer.echo(f"{file}{f':{fault.line}' if fault.line else ''}: {'' if fault.grave else 'warning: '}{fault.says}", err=True)
    if not found.ok:
        raise typer.Exit(FAILED)


@tone.command()
def estimate(  # noqa: PLR0917 - a command's options are keywords to the one who types them
    context: typer.Context,
    dataset: DatasetId = None,
    models: Annotated[list[str] | None, typer.Option("--model", metavar="BASE", help="[default: all of the price table]")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, max=50, help="[default: 3]")] = None,
    replies: Annotated[int, typer.Option("--replies", min=0, help="Replies a month, for the cost of using it.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Say what training and a month of use would cost; nothing is asked of anybody."""
    from bot.cli import echo_json, read_config, spoken_errors
    from bot.tone.errands import estimates

    config = read_config(context)
    with spoken_errors():
        told = estimates(config, dataset, models or [], epochs, replies)
    if as_json:
        echo_json(told)
        return
    typer.echo(f"{told['dataset']}: about {told['tokens']} tokens, {told['epochs']} epochs; prices as of {told['prices_checked']}")
    for row in told["models"]:
        ends = f"; shut down on {row['ends']}" if row["ends"] else ""
        typer.echo(f"{row['model']}: training {row['training_usd']:.4f} USD, {replies} replies a month {row['monthly_usd']:.4f} USD{ends}")

