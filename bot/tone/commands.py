"""The commands `tone …`. Light to import: `draftdesk --help` reads it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.terminal import FAILED, AsJson, echo_json, read_config, spoken_errors

DatasetId = Annotated[str | None, typer.Option("--dataset", metavar="ID", help="[default: the newest]")]
tone = typer.Typer(
    name="tone", help="The voice, from the team's replies to a measured result.", no_args_is_help=True, rich_markup_mode=None
)


class Task(StrEnum):
    tone = "tone"
    triage = "triage"


class Plain(StrEnum):
    rules = "rules"
    model = "model"


class Method(StrEnum):
    supervised = "supervised"
    dpo = "dpo"


def register(app: typer.Typer) -> None:
    app.add_typer(tone)


@tone.command()
def dataset(  # noqa: PLR0917 - a command's options are keywords to the one who types them
    context: typer.Context,
    task: Annotated[Task, typer.Option("--task", help="What is learnt.")] = Task.tone,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="[default: DATA_DIR/voice/DATASET_ID]")] = None,
    agents: Annotated[list[str] | None, typer.Option("--agent", metavar="ID", help="Learn from these agents only.")] = None,
    plain: Annotated[Plain, typer.Option("--plain", help="Who makes the plain side; model: the writer's, in a batch.")] = Plain.rules,
    as_json: AsJson = False,
) -> None:
    """Make training files from solved tickets: from public replies for the tone, from agents' tags for the triage.

    Reads the helpdesks whose knowledge.solved_tickets is voice. Says what was dropped and why. Personal data is struck out.
    """
    from bot.tone.errands import make_dataset

    config = read_config(context)
    with spoken_errors():
        told = make_dataset(
            config, out, agents or [], task.value, ask_model=plain is Plain.model, told=lambda text: typer.echo(text, err=True)
        )
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


@tone.command()
def train(  # noqa: PLR0917 - a command's options are keywords to the one who types them
    context: typer.Context,
    dataset: DatasetId = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, max=50, help="[default: the server's choice]")] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=1, max=256)] = None,
    learning_rate_multiplier: Annotated[float | None, typer.Option("--learning-rate-multiplier", min=1e-6)] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2147483647)] = None,
    suffix: Annotated[str | None, typer.Option("--suffix", metavar="S", help="Part of the model's name.")] = None,
    method: Annotated[
        Method | None, typer.Option("--method", help="dpo learns from agents' edits (preference.jsonl). [default: supervised]")
    ] = None,
    beta: Annotated[float | None, typer.Option("--beta", min=1e-6, max=2.0, help="Of dpo: how closely it stays with the base.")] = None,
    again: Annotated[
        str | None, typer.Option("--again", metavar="MODEL_ID", help="Repeat this voice's training on training.model, and compare.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on a data set.

    Run again, it goes on with the job there is: the same data set, base and options are never paid twice.
    """
    from bot.tone.again import again as repeat
    from bot.tone.training import train as run

    config = read_config(context)
    numbers = {"n_epochs": epochs, "batch_size": batch_size, "learning_rate_multiplier": learning_rate_multiplier, "beta": beta}
    asked = {**numbers, "seed": seed, "suffix": suffix, "method": method.value if method else None}
    with spoken_errors():
        if again:
            told = repeat(config, again, asked, told=lambda text: typer.echo(text, err=True))
        else:
            told = run(config, dataset, asked, wait=not detach, told=lambda text: typer.echo(text, err=True))
    show(told, as_json)
    if not as_json and told.get("compared"):
        typer.echo(told["compared"]["says"])
    if told["state"] in ("failed", "cancelled"):
        raise typer.Exit(FAILED)


@tone.command()
def sweep(  # noqa: PLR0917 - a command's options are keywords to the one who types them
    context: typer.Context,
    cap_usd: Annotated[float | None, typer.Option("--cap-usd", min=0.0, help="What all jobs of the sweep together may cost.")] = None,
    dataset: DatasetId = None,
    epochs: Annotated[list[int] | None, typer.Option("--epochs", help="Give it more than once. [default: 3]")] = None,
    batch_size: Annotated[list[int] | None, typer.Option("--batch-size")] = None,
    learning_rate_multiplier: Annotated[list[float] | None, typer.Option("--learning-rate-multiplier")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2147483647)] = None,
    as_json: AsJson = False,
) -> None:
    """Train with every combination of the given numbers, cheapest first, and name the one with the lowest held-out loss.

    Stops before the job that could overstep the cap. Run again, it goes on; nothing is paid twice.
    """
    from bot.tone.sweep import sweep as run

    config = read_config(context)
    grid: dict[str, list[int] | list[float]] = {"n_epochs": epochs or [3], "batch_size": batch_size or []}
    grid["learning_rate_multiplier"] = learning_rate_multiplier or []
    with spoken_errors():
        told = run(config, dataset, grid, cap_usd=cap_usd, fixed={"seed": seed}, told=lambda text: typer.echo(text, err=True))
    if as_json:
        echo_json(told)
        return
    for row in told["jobs"]:
        numbers = ", ".join(f"{name} {value:g}" for name, value in row["numbers"].items())
        loss = "no held-out loss" if row["held_out_loss"] is None else f"held-out loss {row['held_out_loss']:.4f}"
        typer.echo(f"{numbers}: {row['state']}, {loss}, {row['usd']:.4f} USD{': ' + row['reason'] if row['reason'] else ''}")
    typer.echo(f"best: {told['best']}" if told["best"] else "best: none can be told")


@tone.command()
def status(
    context: typer.Context,
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="[default: the newest]")] = None,
    as_json: AsJson = False,
) -> None:
    """How a training job stands."""
    from bot.tone.training import look

    config = read_config(context)
    with spoken_errors():
        show(look(config, job), as_json)


@tone.command()
def cancel(context: typer.Context, job: Annotated[str, typer.Argument(metavar="JOB")], as_json: AsJson = False) -> None:
    """Stop a training job."""
    from bot.tone.training import cancel as stop

    config = read_config(context)
    with spoken_errors():
        show(stop(config, job), as_json)


@tone.command()
def evaluate(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(metavar="[MODEL_ID]", help="[default: the newest that was trained]")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="[default: a folder of its data set]")] = None,
    task: Annotated[Task, typer.Option("--task", help="For a model that was not trained here.")] = Task.tone,
    as_json: AsJson = False,
) -> None:
    """Measure a trained model on held-out tickets.

    A voice: whether it can be told from the team, and what it does to facts, against `none` and `exemplars`; writes evaluation.html
    and evaluation.json. A triage: where it is right more often than the built-in one.
    """
    from bot.tone.measuring import evaluate as measure

    config = read_config(context)
    with spoken_errors():
        made = measure(config, model, out=out, task=task.value)
    if as_json:
        echo_json(made)
        return
    for row in made.get("voices", ()):
        fallback = f", fell back {row['fell_back']:.0%}" if row["name"] == "model" else ""
        spread = f"{row['auc_low']:.2f} to {row['auc_high']:.2f}"
        typer.echo(f"{row['name']}: AUC {row['auc']:.3f} ({spread}), facts kept {row['facts_kept']:.1%}{fallback}")
    for name, field in made.get("fields", {}).items():
        adopted = " (adopted)" if field["adopted"] else ""
        typer.echo(f"{name}: {field['tuned']:.1%} right, built-in {field['current']:.1%}, of {field['n']}{adopted}")
    typer.echo(made["verdict"])
    if made["few"]:
        typer.echo(f"only {made['held_out']} are held out: the ranges are wide", err=True)
    if "page" in made:
        typer.echo(made["page"], err=True)


@tone.command()
def rules(context: typer.Context, as_json: AsJson = False) -> None:
    """Edits that agents make again and again, each tried on the newest simulation's drafts. Nothing is changed."""
    from bot.tone.rules import rules as proposed

    config = read_config(context)
    with spoken_errors():
        found = proposed(config)
    if as_json:
        echo_json({"rules": found})
        return
    for row in found:
        trial = row["trial"]
        typer.echo(f"{row['kind']} ({row['language']}, {len(row['tickets'])} tickets): {row['before']!r} -> {row['after']!r}")
        figures = f"{trial['touched']} of {trial['drafts']} drafts, {trial['nearer']} nearer, {trial['farther']} farther"
        typer.echo(f"  {figures}, facts moved in {trial['facts_moved']}: {row['advice']}")
    if not found:
        typer.echo("no edit recurs yet")


@tone.command("list")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """The voices that were trained."""
    from bot.tone.training import listed

    config = read_config(context)
    with spoken_errors():
        rows = listed(config)
    if as_json:
        echo_json({"voices": rows})
        return
    for row in rows:
        show(row, as_json=False)


@tone.command()
def promote(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL_ID")],
    anyway: Annotated[bool, typer.Option("--anyway", help="Although it was not shown to be better than exemplars.")] = False,
    as_json: AsJson = False,
) -> None:
    """Use a trained voice from now on (with `voice: {provider: model}`)."""
    from bot.tone.training import promote as use

    config = read_config(context)
    with spoken_errors():
        show(use(config, model, anyway=anyway), as_json)


@tone.command()
def rollback(
    context: typer.Context,
    task: Annotated[Task, typer.Option("--task", help="Of which task.")] = Task.tone,
    as_json: AsJson = False,
) -> None:
    """Go back to the model before the one in use."""
    from bot.tone.training import roll_back

    config = read_config(context)
    with spoken_errors():
        model = roll_back(config, task.value)
    if as_json:
        echo_json({"in_use": model})
    else:
        instead = "exemplars speak" if task is Task.tone else "the built-in triage sorts"
        typer.echo(model or f"no model is in use; {instead}")


def show(row: dict[str, Any], as_json: bool) -> None:

    if as_json:
        echo_json(row)
        return
    cost = "" if row["usd"] is None else f", {row['usd']:.4f} USD"
    mark = " (in use)" if row["in_use"] else ""
    typer.echo(f"{row['model'] or row['job'] or row['key']}: {row['state']}{cost}{mark}{': ' + row['reason'] if row['reason'] else ''}")
