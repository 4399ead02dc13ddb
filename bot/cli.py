"""The command `draftdesk`. Results on stdout, logs and progress on stderr; exit 0 done, 1 failed or refused, 2 wrong input."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.acceptance import register as add_acceptance
from bot.commands.health import register as add_health
from bot.commands.keeping import register as add_keeping
from bot.commands.moving import register as add_moving
from bot.simulate.cli import register as add_simulation
from bot.terminal import FAILED, AsJson, complain, demand, echo_json, read_config, read_moment, spoken_errors
from bot.tone.commands import register as add_tone
from connectors.base import ConfigProblem


class LogFormat(StrEnum):
    console = "console"
    json = "json"


class Audience(StrEnum):
    public = "public"
    internal = "internal"


app = typer.Typer(
    name="draftdesk",
    help="Answers support tickets from your own knowledge: only with what it can prove, to the one who may read it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help starts 0.1 s sooner
    pretty_exceptions_enable=False,
)


@app.callback()
def set_up(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The configuration file. [default: ./config.yaml, else $DRAFTDESK_CONFIG]"),
    ] = None,
    log_format: Annotated[LogFormat, typer.Option("--log-format", help="How logs are written to stderr.")] = LogFormat.console,
) -> None:
    context.obj = {"config": config, "log_format": log_format.value}


@app.command()
def demo(serve: Annotated[bool, typer.Option("--serve", help="Keep the sandbox and the service running afterwards.")] = False) -> None:
    """Show the whole job on an invented helpdesk.

    Syncs its knowledge, answers the waiting tickets, and says for every sentence where it comes from. Offline, no account, no key.
    """
    from bot.demo import show

    with spoken_errors():
        show(serve=serve)
    if serve:
        from bot.service import leave

        leave()


@app.command()
def init(
    context: typer.Context,
    system: Annotated[
        list[str] | None, typer.Option("--system", metavar="TYPE[=NAME]", help="A system to connect; may be given several times.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME.KEY=VALUE", help="An answer by flag: --set help.base_url=https://acme.zendesk.com"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
    untried: Annotated[bool, typer.Option("--untried", help="Do not try the credentials.")] = False,
) -> None:
    """Make a configuration that works, asking and trying.

    Says what to click at each vendor, tries each credential as it is given, lists what there is to choose from. Secrets go to
    draftdesk.env beside the file, readable by you alone. Every answer can be given with --set; what lacks is then told at once.
    """
    from bot.interview import hold
    from bot.interview.asking import Unanswered

    path = context.obj["config"] or Path("config.yaml")
    try:
        with spoken_errors():
            hold(path, system or [], set_ or [], force=force, at_terminal=sys.stdin.isatty(), attempt=not untried)
    except Unanswered as problem:
        complain(str(problem))


@app.command()
def check(
    context: typer.Context, offline: Annotated[bool, typer.Option("--offline", help="Validate the file only; make no request.")] = False
) -> None:
    """Validate the file, then try every credential.

    Each credential, scope and endpoint with the cheapest real call; one line each.
    """
    from bot.checkup import examine

    with spoken_errors():
        lines = examine(read_config(context), offline=offline)
        for line in lines:
            typer.echo(str(line))
        for line in lines:
            if not line.ok:
                typer.echo(f"{line.part}: {line.says}", err=True)
        if not all(line.ok for line in lines):
            raise typer.Exit(FAILED)


@app.command()
def sync(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Connectors; none given: all.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything again and list completely.")] = False,
    confirm_removals: Annotated[bool, typer.Option("--confirm-removals", help="Carry out removals that were held back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring knowledge up to date now."""
    from bot.errands import errands
    from bot.report import print_outcomes, sync_progress

    config = read_config(context)
    chosen = names or [settings.name for settings in config.connectors]
    demand(config, chosen)
    with spoken_errors(), errands(config) as desk:
        outcomes = []
        for name in chosen:
            with sync_progress(name) as progress:
                outcomes.append(desk.sync(name, full=full, confirm_removals=confirm_removals, progress=progress))
        if as_json:
            echo_json({"connectors": [asdict(outcome) for outcome in outcomes]})
        else:
            print_outcomes(outcomes)
        for outcome in outcomes:
            for note in outcome.notes:
                typer.echo(f"{outcome.name}: {note}", err=True)
            if outcome.error:
                typer.echo(f"{outcome.name}: {outcome.error}", err=True)
        if any(outcome.error for outcome in outcomes):
            raise typer.Exit(FAILED)


@app.command()
def search(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=200, help="How many documents.")] = 8,
    audience: Annotated[Audience | None, typer.Option(help="Without it: everything an agent may see.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", metavar="ISO8601", help="As the knowledge stood at that moment.")] = None,
    batch: Annotated[Path | None, typer.Option("--batch", metavar="FILE.jsonl", help='Lines of {"id", "text"} instead of QUERY.')] = None,
    as_json: AsJson = False,
) -> None:
    """Show what retrieval finds.

    One result per document, with its best passage.
    """
    from bot.errands import errands
    from bot.report import print_results

    if (query is None) == (batch is None):
        complain("search: give either QUERY or --batch FILE.jsonl")
    moment = read_moment(as_of)
    asked = read_batch(batch) if batch else []
    with spoken_errors(), errands(read_config(context)) as desk:

        def results(text: str) -> list[dict[str, Any]]:
            return desk.search(text, k, audience.value if audience else None, moment)

        for identity, text in asked:
            typer.echo(json.dumps({"id": identity, "results": results(text)}, ensure_ascii=False))
        if query is not None and as_json:
            echo_json({"results": results(query)})
        elif query is not None:
            print_results(results(query))


@app.command()
def draft(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The helpdesk's connector.")],
    ticket_id: Annotated[str, typer.Argument(metavar="TICKET_ID")],
    post: Annotated[bool, typer.Option("--post", help="Carry the decision out; without it nothing is written to the helpdesk.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide on one ticket, and show or post the draft."""
    from bot.errands import errands
    from bot.report import print_draft

    config = read_config(context)
    demand(config, [name])
    with spoken_errors(), errands(config) as desk:
        drafted = desk.draft(name, ticket_id, post=post)
    if drafted is None:
        typer.echo(f"{name}: there is no ticket {ticket_id} (deleted, or not visible to this account)", err=True)
        raise typer.Exit(FAILED)
    if as_json:
        echo_json(drafted.record)
    else:
        print_draft(drafted.record)
    if drafted.left:
        typer.echo(f"{name}: ticket {ticket_id} was left as it was: {drafted.left}", err=True)
        raise typer.Exit(FAILED)


@app.command()
def explain(context: typer.Context, draft_id: Annotated[str, typer.Argument(metavar="DRAFT_ID")], as_json: AsJson = False) -> None:
    """Retell a decision: passages, checks, policy, costs."""
    from sqlmodel import Session

    from bot.answer.flow import recall
    from bot.report import print_explanation
    from storage.database import open_database, reading

    with spoken_errors():
        config = read_config(context)
        with Session(reading(open_database(config.database_url(), folder=config.data_dir))) as session:
            record = recall(session, draft_id)
        if record is None:
            typer.echo(f"there is no draft {draft_id}; its id stands at the foot of the note", err=True)
            raise typer.Exit(FAILED)
        if as_json:
            echo_json(record)
        else:
            print_explanation(record)


@app.command()
def run(context: typer.Context) -> None:
    """Work: scheduler, webhooks and worker in one process."""
    from bot.service import leave, serve

    with spoken_errors():
        serve(read_config(context), http=True)
        leave()


@app.command()
def worker(context: typer.Context) -> None:
    """Work without HTTP: scheduler and worker."""
    from bot.service import leave, serve

    with spoken_errors():
        serve(read_config(context), http=False)
        leave()


add_acceptance(app)
add_simulation(app)
add_tone(app)
add_keeping(app)
add_moving(app)
add_health(app)

plug_ins = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
app.add_typer(plug_ins, name="connectors")


@plug_ins.callback()
def connectors(context: typer.Context, as_json: AsJson = False) -> None:
    """List installed connectors, built-in and plug-ins; `new` begins another."""
    if context.invoked_subcommand:
        return
    from bot.report import print_connectors
    from connectors.registry import installed

    found = installed()
    if as_json:
        echo_json({"connectors": [{"type": one.type, "origin": one.origin, "capabilities": list(one.capabilities)} for one in found]})
    else:
        print_connectors(found)


@plug_ins.command("new")
def connectors_new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new type, as the configuration file will name it.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where to. [default: ./draftdesk-NAME]")] = None,
) -> None:
    """Begin a connector: an installable package, its sandbox and the contract's tests."""
    from bot.scaffold import write

    folder = out or Path(f"draftdesk-{name}")
    try:
        for path in write(name, folder):
            typer.echo(path)
    except ConfigProblem as problem:
        complain(str(problem))
    typer.echo(f"Next: cd {folder} && pip install -e . pytest && pytest", err=True)


@app.command()
def schema() -> None:
    """Print the configuration's JSON Schema, for editors."""
    from bot.config import schema as describe

    echo_json(describe())


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 0,
    folder: Annotated[Path, typer.Option(help="Where the printed configuration keeps its data.")] = Path("sandbox-data"),
) -> None:
    """Serve the vendors' APIs on loopback.

    An invented company lives in them; a configuration that works as it stands is printed.
    """
    from bot.demo import hold_sandbox

    with spoken_errors():
        hold_sandbox(port, folder)


def read_batch(path: Path) -> list[tuple[str, str]]:
    """The queries of a JSON Lines file; every bad line is reported at once."""
    asked, faults = [], []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: JSON may hold U+2028 and the like unescaped
    except (OSError, UnicodeDecodeError) as problem:
        complain(f"{path}: cannot be read ({problem})")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            asked.append((entry["id"], str(entry["text"])))
        except (ValueError, KeyError, TypeError):
            faults.append(f'{path}:{number}:1: write one JSON object with "id" and "text"')
    if faults:
        complain("\n".join(faults))
    return asked


def main() -> None:
    """The console script. A broken pipe (`| head`) is no error of ours."""
    try:
        app(prog_name="draftdesk")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
