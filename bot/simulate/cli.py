"""The commands `simulate`, `label` and `gaps`. Light to import: `draftdesk --help` reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from bot.terminal import FAILED, AsJson, complain, demand, echo_json, read_config, read_moment, spoken_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bot.config import Config
    from bot.simulate.replay import Wish
    from bot.simulate.topics import Shown
    from storage.samples import Verdict

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
        Path | None,
        typer.Option("--compare", metavar="CONFIG|REPORT.json", help="What gets better or worse against it; exit 1 when a bound breaks."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer past tickets again, each from the knowledge as it stood then.

    Nothing is sent. Writes report.html and report.json; run again, it goes on where it stopped.
    """
    from bot.simulate.replay import Wish
    from bot.simulate.told import print_comparison, print_summary

    config = read_config(context)
    demand(config, [name])
    if compare_with is not None:
        demand_comparable(compare_with)
    wish = Wish(read_moment(since, option="--since") or EVERYTHING, limit, workers, max_usd)
    folder = out or config.data_dir / "simulate" / name
    with spoken_errors():
        document, compared = reviewed(config, name, wish, folder, compare_with, ask=ask)
        if as_json:
            echo_json(document | ({"compared": compared} if compared else {}))
        else:
            print_summary(document, folder)
            if compared:
                print_comparison(compared)
        faults = [document["stopped"]] if document["stopped"] else []
        faults += [f"the bound of {topic} held and holds no more: {why}" for topic, why in (compared or {}).get("why", {}).items()]
        for fault in faults:
            typer.echo(f"{name}: {fault}", err=True)
        if faults:
            raise typer.Exit(FAILED)


def reviewed(
    config: Config, name: str, wish: Wish, folder: Path, compare_with: Path | None, *, ask: bool
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """report.json, and how it compares. One after the other: the index of simulations belongs to one of them at a time."""
    from bot.deployment import open_deployment
    from bot.simulate.commands import run_simulation
    from bot.simulate.compare import compare
    from bot.simulate.index import opener
    from bot.simulate.review import before
    from bot.simulate.told import progress_bar

    tell = partial(typer.echo, err=True)
    deployment = open_deployment(config, opener(config, tell))
    try:
        with progress_bar(name) as progress:
            document = run_simulation(deployment, name, wish, folder, told=tell, progress=progress)
        if ask:
            go_through(config, deployment.engine, name)
    finally:
        deployment.close()
    if compare_with is None or document["stopped"]:
        return document, None
    with progress_bar(f"{name}, {compare_with.name}") as progress:
        other = before(compare_with, config, name, wish, folder=folder, after=document, told=tell, progress=progress)
    return document, compare(other, document)


def demand_comparable(path: Path) -> None:
    """A report or a configuration, found to be wrong before hours were spent."""
    from bot.config import ConfigFaults, load
    from bot.simulate.compare import read_report
    from bot.simulate.review import is_report

    try:
        with spoken_errors():
            read_report(path) if is_report(path) else load(path)
    except ConfigFaults as faults:
        complain(str(faults))


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
    from bot.simulate.commands import read_labels, record_label
    from bot.simulate.told import stand
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

    From the newest simulation and the live tickets that were handed over; with an article drafted from the agents' own answers. Then
    which documents contradict each other, and which of them agents contradict.
    """
    from bot.simulate.commands import contradictions_of, gaps_of
    from bot.simulate.told import print_contradictions, print_gaps
    from storage.database import open_database
    from storage.embedding import local_embedder

    config = read_config(context)
    chosen = names or [settings.name for settings in config.connectors]
    demand(config, chosen)
    with spoken_errors():
        engine = open_database(config.database_url(), folder=config.data_dir)
        found = gaps_of(engine, local_embedder(), chosen)
        sources, agents = contradictions_of(engine, chosen)
        if out is not None:
            write_articles(found, out)
        if as_json:
            echo_json({"gaps": found, "contradictions": sources, "stale": agents})
        else:
            print_gaps(found)
            print_contradictions(sources, agents)


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
    from bot.simulate.told import stand

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
