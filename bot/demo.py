"""The whole job on the sandbox: an invented helpdesk on loopback, real HTTP, the real flow, nothing else running."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

import typer
from rich.rule import Rule

from bot.answer.flow import answer
from bot.chores import open_chores
from bot.config import load
from bot.deployment import Deployment, open_deployment
from bot.journal import keep_journal
from bot.metrics import Metrics
from bot.report import describe_results, out, print_draft, print_outcomes, print_results, sync_progress
from connectors.sandbox import Sandbox
from connectors.sandbox.zendesk.auth import CLIENT_ID, CLIENT_SECRET
from connectors.sandbox.zendesk.delivery import WEBHOOK_SECRET

DESK = "help"
SECRETS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "webhook_secret": WEBHOOK_SECRET}


def show(*, serve: bool) -> None:
    """Run the demo in a temporary folder; with `serve` keep sandbox and service up until interrupted."""
    keep_journal("console", level=30)
    with tempfile.TemporaryDirectory(prefix="draftdesk-demo-") as folder, Sandbox(export_delay=0) as sandbox:
        config = load(write_config(Path(folder), sandbox.url))
        deployment = open_deployment(config)
        try:
            _show_job(deployment, sandbox)
        finally:
            deployment.close()
        if serve:
            from bot.service import serve as keep_serving

            out().print(f"\nServing on http://{config.console.bind} (health, metrics, webhooks); Ctrl-C stops.")
            keep_journal("console")
            keep_serving(config, http=True)


def _show_job(deployment: Deployment, sandbox: Sandbox) -> None:
    console = out()
    console.print(Rule("1. Knowledge in"))
    with sync_progress(DESK) as progress:
        first = deployment.sync(DESK, progress=progress)
    print_outcomes([first])
    console.print("Again, nothing changed: nothing is embedded, nothing is written.")
    print_outcomes([deployment.sync(DESK)])
    console.print(Rule("2. What retrieval finds"))
    _show_search(deployment, "How long do I have to return the kit?")
    console.print(Rule("3. The waiting tickets"))
    records = answer_waiting(deployment)
    for record in records:
        print_draft(record)
    console.print(Rule("4. What stands in the helpdesk now"))
    counts = {decision: sum(r["decision"] == decision for r in records) for decision in ("reply", "note", "handoff", "skip")}
    written = sum(1 for record in records if record["posted"])
    console.print(f"{len(records)} tickets: " + ", ".join(f"{count} {decision}" for decision, count in counts.items() if count))
    console.print(f"{written} internal notes written, each once; no customer was written to. Every sentence above names its source.")
    console.print("\nNext: cp config.example.yaml config.yaml, put in your account, then draftdesk check, draftdesk sync, draftdesk run.")


def answer_waiting(deployment: Deployment) -> list[dict[str, Any]]:
    """Every ticket that moved within the backlog, answered in turn by the same functions that the worker calls."""
    chores = open_chores(deployment, Metrics())
    flow, records = chores.flows[DESK], []
    caught_up = False
    while not caught_up:
        page = chores.moved(DESK)
        for ticket_id in page.tickets:
            ticket = flow.desk.ticket(ticket_id)
            if ticket is not None:
                records.append(answer(flow, ticket))
        if page.cursor is not None:
            chores.turn(DESK, page.cursor)
        caught_up = page.caught_up
    return records


def _show_search(deployment: Deployment, query: str) -> None:
    from bot.answer.retrieve import search

    out().print(f"[bold]{query}[/]")
    print_results(describe_results(search(query, deployment.index, audience="public", k=3)))


def hold_sandbox(port: int, folder: Path) -> None:
    """Serve the vendors' APIs until interrupted, with a configuration on stdout that works as it stands."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with Sandbox(port=port) as sandbox:
        path = write_config(folder.resolve(), sandbox.url)
        typer.echo(path.read_text(encoding="utf-8"))
        typer.echo(
            f"The sandbox listens on {sandbox.url}; the configuration above is also in {path}. Try: draftdesk --config {path} sync",
            err=True,
        )
        stop.wait()


def write_config(folder: Path, url: str) -> Path:
    """A configuration for the sandbox at `url`, its secrets in files beside it that only their owner can read."""
    secrets = folder / "secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    for name, value in SECRETS.items():
        path = secrets / name
        path.touch(mode=0o600)
        os.chmod(path, 0o600)
        path.write_text(value, encoding="utf-8")
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(folder=folder, url=url, secrets=secrets, desk=DESK), encoding="utf-8")
    return path


CONFIG = """\
# The sandbox: an invented company, Tidewell, with a helpdesk on this machine.
data_dir: {folder}/data
languages: [en, fr]
connectors:
  - name: {desk}
    type: zendesk
    base_url: {url}
    auth: {{client_id: "file:{secrets}/client_id", client_secret: "file:{secrets}/client_secret"}}
    every: 15s
    knowledge: {{articles: true, solved_tickets: voice}}
    tickets: {{answer: new, deliver: note, webhook_secret: "file:{secrets}/webhook_secret", backlog: 24h}}
"""
