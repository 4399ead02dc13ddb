"""The commands `simulate`, `label` and `gaps`. Light to import: `draftdesk --help` reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from bot.config import Config
    from bot.simulate.replay import Progress
    from bot.simulate.topics import Shown
    from storage.samples import Verdict

AsJson = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on stdout.")]
EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)
KEYS = {"r": "right", "w": "wrong", "u": "unsure"}


def register(app: typer.Typer) -> None:
    for command in (simulate, label, gaps):
        app.command()(command)


def simulate(  # noqa: PLR0917 - a command's options are keywords to the one who types them
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The helpdesk's connector.")],
    since: Annotated[str | None, typer.Option("--since", metavar="ISO8601", help="Only tickets that began later.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="The newest N tickets. [default: all]")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="[default: DATA_DIR/simulate/NAME]")] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Tickets at a time.")] = 4,
    max_usd: Annotated[float | None, typer.Option("--max-usd", min=0.0, help="Stop when it has cost that. [default: usd_per_day]")] = None,
    ask: Annotated[bool, typer.Option("--label", help="Afterwards go through unlabelled drafts: right, wrong or unsure.")] = False,
    compare_with: Annotated[
        Path | None, typer.Option("--compare", metavar="REPORT.json", help="What got better or worse since; exit 1 when a bound broke.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer past tickets again, each from the knowledge as it stood then.

    Nothing is sent. Writes report.html and report.json; run again, it goes on where it stopped.
    """
    from bot.cli import FAILED, demand, echo_json, read_config, read_moment, spoken_errors
    from bot.deployment import open_deployment
    from bot.simulate.commands import run_simulation
    from bot.simulate.compare import compare, read_report
    from bot.simulate.replay import Wish

    config = read_config(context)
    demand(config, [name])
    moment = read_moment(since, option="--since") or EVERYTHING
    most = max_usd if max_usd is not None else config.budget.usd_per_day if config.budget else None
    folder = out or config.data_dir / "simulate" / name
    with spoken_errors():
        before = read_report(compare_with) if compare_with else None
        deployment = open_deployment(config)
        try:
            with progress_bar(name) as progress:
                wish = Wish(moment, limit, workers, most)
                document = run_simulation(deployment, name, wish, folder, told=partial(typer.echo, err=True), progress=progress)
            if ask:
                go_through(config, deployment.engine, name)
        finally:
            deployment.close()
        compared = compare(before, document) if before else None
        if as_json:
            echo_json(document | ({"compared": compared} if compared else {}))
        else:
            print_summary(document, folder)
            if compared:
                print_comparison(compared)
        faults = [document["stopped"]] if document["stopped"] else []
        faults += [f"the bound of {topic} held and holds no more" for topic in (compared or {}).get("broken", [])]
        for fault in faults:
            typer.echo(f"{name}: {fault}", err=True)
        if faults:
            raise typer.Exit(FAILED)


def label(
    context: typer.Context,
    of: Annotated[str | None, typer.Argument(metavar="[SAMPLE]", help="A sample of a report, or the id of a live draft.")] = None,
    verdict: Annotated[str | None, typer.Argument(metavar="[right|wrong|unsure]")] = None,
    from_: Annotated[Path | None, typer.Option("--from", metavar="FILE", help="A labels.json that a report saved.")] = None,
    desk: Annotated[str | None, typer.Option("--desk", metavar="NAME", help="Go through this helpdesk's unlabelled drafts.")] = None,
) -> None:
    """Say of a draft whether it was right: what a bound rests on.

    Kept for good, and used again wherever the bot writes the same to the same ticket.
    """
    from bot.cli import complain, demand, read_config, spoken_errors
    from bot.simulate.commands import read_labels, record_label
    from storage.database import open_database

    given = [of is not None, from_ is not None, desk is not None]
    if sum(given) != 1 or (of is not None) != (verdict is not None) or (verdict is not None and verdict not in KEYS.values()):
        complain("label: give SAMPLE and right, wrong or unsure; or --from labels.json; or --desk NAME")
    config = read_config(context)
    with spoken_errors():
        engine = open_database(config.database_url(), folder=config.data_dir)
        if desk is not None:
            demand(config, [desk])
            go_through(config, engine, desk)
            return
        wanted = {of: cast("Verdict", verdict)} if of is not None else read_labels(from_ or Path())
        shown: dict[str, Shown] = {}
        for sample, said in wanted.items():
            if (topic := record_label(config, engine, sample, said, datetime.now(UTC))) is not None:
                shown[topic.topic] = topic
        typer.echo(f"{len(wanted)} kept", err=True)
        for topic in shown.values():
            typer.echo(stand(topic))


def gaps(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Helpdesks; none given: all.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write each drafted article there, as Markdown.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what customers ask and the knowledge does not answer.

    From the newest simulation and the live tickets that were handed over; with an article drafted from the agents' own answers.
    """
    from bot.cli import demand, echo_json, read_config, spoken_errors
    from bot.simulate.commands import gaps_of, stale_of
    from storage.database import open_database
    from storage.embedding import local_embedder

    config = read_config(context)
    chosen = names or [settings.name for settings in config.connectors]
    demand(config, chosen)
    with spoken_errors():
        engine = open_database(config.database_url(), folder=config.data_dir)
        found, contradicted = gaps_of(engine, local_embedder(), chosen), stale_of(engine, chosen)
        if out is not None:
            write_articles(found, out)
        if as_json:
            echo_json({"gaps": found, "stale": contradicted})
        else:
            print_gaps(found, contradicted)


def write_articles(found: list[dict[str, Any]], folder: Path) -> None:
    from bot.simulate.gaps import as_markdown
    from connectors.base import ConfigProblem

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in as_markdown(found):
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigProblem(f"{folder}: cannot be written ({problem.strerror}); give another --out") from None


def go_through(config: Config, engine: Engine, name: str) -> None:
    """Ask about one unlabelled draft after the other, until `q` or the end of the input."""
    from bot.simulate.commands import record_label, to_label

    for sample in to_label(engine, name):
        record = sample.record
        typer.echo(f"\n--- {record['subject']}  ({sample.topic or 'no topic'}, confidence {sample.confidence:.2f})\n{record['question']}")
        typer.echo(f"\n--- the agent\n{record['answer']}\n\n--- the bot\n{record['body_text']}\n")
        try:
            key = typer.prompt("right, wrong, unsure, skip or quit (r/w/u/s/q)", default="s", err=True).strip().casefold()[:1]
        except typer.Abort:
            return
        if key == "q":
            return
        if key in KEYS:
            topic = record_label(config, engine, sample.id, cast("Verdict", KEYS[key]), datetime.now(UTC))
            if topic is not None:
                typer.echo(stand(topic), err=True)


def stand(topic: Shown) -> str:
    """How a topic's bound stands, in a line."""
    bound = topic.bound
    if bound is None:
        return f"{topic.topic}: no bound is asked for"
    if bound.threshold is not None:
        return f"{topic.topic}: holds from confidence {bound.threshold:.2f} on ({bound.labelled} labels)"
    so_far = f"{topic.topic}: {bound.labelled} labels, {bound.wrong} not right"
    return f"{so_far}; at least {bound.missing} more right ones are needed for {bound.max_wrong:.1%}"


@contextmanager
def progress_bar(name: str) -> Iterator[Callable[[Progress], None]]:
    """On a terminal; silence elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    from bot.report import err

    console = err()
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task(name, total=None)

        def advance(progress: Progress) -> None:
            cost = f", {progress.usd:.2f} of about {progress.forecast:.2f} USD" if progress.usd and progress.forecast else ""
            bars.update(
                task, description=f"{name}: {progress.answered} tickets answered{cost}", total=progress.total, completed=progress.looked_at
            )

        yield advance


def print_summary(document: dict[str, Any], folder: Path) -> None:
    from rich.table import Table

    from bot.report import out

    console, table = out(), Table(box=None, pad_edge=False)
    for column in ("measure", "value", "95%", "n"):
        table.add_column(column, justify="left" if column == "measure" else "right")
    for name, figure in document["measures"].items():
        if figure["value"] is not None:
            table.add_row(name, f"{figure['value']:.3f}", f"{figure['low']:.3f} – {figure['high']:.3f}", str(figure["n"]))
    console.print(table)
    for topic in document["topics"]:
        bound = topic["bound"]
        if bound["max_wrong"] is not None:
            state = f"holds from {bound['threshold']:.2f} on" if bound["holds"] else f"needs at least {bound['missing']} more right labels"
            console.print(f"{topic['name']}: max_wrong {bound['max_wrong']:g} {state} ({bound['labelled']} labels)")
    console.print(f"Report: {folder / 'report.html'}", soft_wrap=True)


def print_comparison(compared: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from bot.report import out

    console, table = out(), Table(box=None, pad_edge=False)
    for column in ("topic", "measure", "before", "now"):
        table.add_column(column, justify="right" if column in ("before", "now") else "left")
    for topic, measures in {"all": compared["measures"], **compared["topics"]}.items():
        for measure, (before, now) in measures.items():
            if before != now:
                table.add_row(escape(topic), measure, *("–" if value is None else f"{value:.3f}" for value in (before, now)))
    console.print(table)
    console.print(f"{len(compared['tickets'])} of {compared['in_both']} tickets are decided otherwise, or cite other documents.")


def print_gaps(found: list[dict[str, Any]], contradicted: list[dict[str, Any]]) -> None:
    from rich.markup import escape

    from bot.report import out

    console = out()
    for gap in found:
        nearest = f"; nearest: {gap['nearest']['title']}" if gap["nearest"] else ""
        console.print(f"[bold]{escape(gap['topic'])}[/]  {gap['tickets']} tickets, {gap['replies']} replies{escape(nearest)}")
    for one in contradicted:
        console.print(f"[yellow]{escape(one['title'])}[/]  agents answer otherwise in {one['tickets']} tickets: {escape(one['why'])}")
    if not found:
        console.print("No gaps: nothing was handed over for want of knowledge, or nothing was simulated yet (draftdesk simulate NAME).")


