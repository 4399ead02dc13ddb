"""The whole job on the sandbox: an invented company's systems on loopback, real HTTP, the real flow, nothing else running."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from secrets import token_urlsafe
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
from bot.sync import Outcome
from connectors.sandbox.confluence.access import API_TOKEN, EMAIL
from connectors.sandbox.freshdesk import auth as freshdesk
from connectors.sandbox.freshdesk.delivery import WEBHOOK_SECRET as FRESHDESK_WEBHOOK_SECRET
from connectors.sandbox.tidewell import Tidewell
from connectors.sandbox.zendesk.auth import CLIENT_ID, CLIENT_SECRET
from connectors.sandbox.zendesk.delivery import WEBHOOK_SECRET

DESK = "help"
HELP_SECRETS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "webhook_secret": WEBHOOK_SECRET}


def show(*, serve: bool) -> None:
    """Run the demo in a temporary folder; with `serve` keep sandbox and service up until interrupted."""
    keep_journal("console", level=30)
    with tempfile.TemporaryDirectory(prefix="draftdesk-demo-") as folder, Tidewell(export_delay=0) as company:
        config = load(write_company_config(Path(folder), company))
        deployment = open_deployment(config)
        try:
            _show_job(deployment)
        finally:
            deployment.close()
        if serve:
            from bot.service import serve as keep_serving

            password = config.console.password.reveal() if config.console.password else ""
            out().print(f"\nThe console: http://{config.console.bind}, password: {password}. Ctrl-C stops it.", soft_wrap=True)
            keep_journal("console")
            keep_serving(config, http=True)


def _show_job(deployment: Deployment) -> None:
    console = out()
    console.print(Rule("1. Knowledge in, from four systems"))
    print_outcomes([_sync(deployment, name) for name in deployment.connections])
    console.print("Again, nothing changed: nothing is embedded, nothing is written.")
    print_outcomes([deployment.sync(name) for name in deployment.connections])
    console.print(Rule("2. What retrieval finds"))
    _show_search(deployment, "At what pressure is a new valve tested, and for how long?")
    console.print(Rule("3. The waiting tickets"))
    records = answer_waiting(deployment)
    for record in records:
        print_draft(record)
    console.print(Rule("4. What stands in the helpdesks now"))
    counts = {decision: sum(r["decision"] == decision for r in records) for decision in ("reply", "note", "handoff", "skip")}
    written = sum(1 for record in records if record["posted"])
    console.print(f"{len(records)} tickets: " + ", ".join(f"{count} {decision}" for decision, count in counts.items() if count))
    console.print(f"{written} internal notes written, each once; no customer was written to. Every sentence above names its source.")
    console.print("\nNext: draftdesk init asks for your own systems and writes config.yaml; then draftdesk sync, draftdesk run.")


def _sync(deployment: Deployment, name: str) -> Outcome:
    with sync_progress(name) as progress:
        return deployment.sync(name, progress=progress)


def answer_waiting(deployment: Deployment) -> list[dict[str, Any]]:
    """Every ticket that moved within the backlog, answered in turn by the same functions that the worker calls."""
    chores = open_chores(deployment, Metrics())
    records = []
    for name, flow in chores.flows.items():
        caught_up = False
        while not caught_up:
            page = chores.moved(name)
            read = [flow.desk.ticket(ticket_id) for ticket_id in page.tickets]
            records += [answer(flow, ticket) for ticket in read if ticket is not None]
            if page.cursor is not None:
                chores.turn(name, page.cursor)
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
    with Tidewell(port=port) as company:
        path = write_company_config(folder.resolve(), company)
        typer.echo(path.read_text(encoding="utf-8"))
        typer.echo(
            f"The sandbox listens on {company.help.url} and three more; the configuration above is also in {path}."
            f" Try: draftdesk --config {path} sync",
            err=True,
        )
        stop.wait()


def write_config(folder: Path, url: str) -> Path:
    """A configuration for the sandbox's helpdesk at `url`, its secrets in files beside it that only their owner can read."""
    secrets = _write_secrets(folder, HELP_SECRETS)
    return _write(folder, HEAD.format(folder=folder) + HELP.format(url=url, secrets=secrets, desk=DESK))


def write_company_config(folder: Path, company: Tidewell) -> Path:
    """The same for all four systems of the company."""
    told = {
        **HELP_SECRETS,
        "freshdesk_key": freshdesk.API_KEY,
        "freshdesk_webhook_secret": FRESHDESK_WEBHOOK_SECRET,
        "confluence_token": API_TOKEN,
        "google.json": company.docs.service_account_key(),
        "console_password": token_urlsafe(9),
    }
    secrets = _write_secrets(folder, told)
    text = HEAD.format(folder=folder) + HELP.format(url=company.help.url, secrets=secrets, desk=DESK)
    text += OTHERS.format(
        secrets=secrets,
        fresh=company.fresh.url,
        wiki=f"{company.wiki.url}/wiki",
        email=EMAIL,
        **company.docs.endpoints(),
    )
    text += CONSOLE.format(secrets=secrets)
    return _write(folder, text)


def _write_secrets(folder: Path, told: Mapping[str, str]) -> Path:
    secrets = folder / "secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    for name, value in told.items():
        path = secrets / name
        path.touch(mode=0o600)
        os.chmod(path, 0o600)
        path.write_text(value, encoding="utf-8")
    return secrets


def _write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


HEAD = """\
# The sandbox: an invented company, Tidewell, with its systems on this machine.
data_dir: {folder}/data
languages: [en, fr]
connectors:
"""
HELP = """\
  - name: {desk}
    type: zendesk
    base_url: {url}
    auth: {{client_id: "file:{secrets}/client_id", client_secret: "file:{secrets}/client_secret"}}
    every: 15s
    knowledge: {{articles: true, solved_tickets: voice}}
    tickets: {{answer: new, deliver: note, webhook_secret: "file:{secrets}/webhook_secret", backlog: 24h}}
"""
OTHERS = """\
  - name: fresh
    type: freshdesk
    base_url: {fresh}
    auth: {{api_key: "file:{secrets}/freshdesk_key"}}
    every: 15s
    knowledge: {{articles: true}}
    tickets: {{answer: new, deliver: note, webhook_secret: "file:{secrets}/freshdesk_webhook_secret", backlog: 24h}}
  - name: wiki
    type: confluence
    base_url: {wiki}
    flavour: cloud
    auth: {{email: {email}, api_token: "file:{secrets}/confluence_token"}}
    every: 15s
    knowledge: {{spaces: [KB, ENG], audience: {{KB: public}}}}
  - name: docs
    type: google_docs
    auth: {{service_account: "file:{secrets}/google.json"}}
    endpoints: {{token: "{token}", drive: "{drive}", docs: "{docs}"}}
    every: 15s
    knowledge: {{folders: [1TwKnowledgeFolderAAAAAAAAAAAAAAA], shared_drives: [0ATwFieldServiceDriveUk9PVA], audience: public}}
"""
CONSOLE = """\
console: {{password: "file:{secrets}/console_password"}}
"""
