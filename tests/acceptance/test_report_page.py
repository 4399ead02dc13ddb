"""The report of a simulation in a real browser: it asks for nothing, complains of nothing, and can be read and used on any screen."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from bot.simulate.bound import Bound
from bot.simulate.replay import Run
from bot.simulate.report import Material, write_report
from bot.simulate.run import Simulation
from bot.simulate.topics import Shown
from storage import samples
from storage.database import open_database
from storage.tables import SampleRow

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (dependency group browser)")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.xdist_group("report-browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian package chromium)"),
]
NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
QUIET = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update")
NASTY = '<img src=x onerror="alert(1)"><script>alert(2)</script> https://tracker.example/pixel.gif'
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


def sample(number: int, **more: Any) -> SampleRow:
    drafted = number % 3 != 0
    record = {
        "decision": "note" if drafted else "handoff",
        "reason": "policy: deliver note" if drafted else "no_knowledge: nothing that this customer may read answers it",
        "subject": f"Question {number} {NASTY if number == 1 else LONG if number == 2 else ''}",
        "question": f"How long does it last? {NASTY}",
        "answer": f"It lasts {number} months. {LONG}",
        "body_text": f"It lasts {number} months. {NASTY}" if drafted else "",
        "citations": [{"marker": 1, "document": "zendesk:help:article:1", "title": f"Warranty {NASTY}"}] if drafted else [],
        "triage": {"language": "en"},
        "usage": {"cost_usd": 0.01},
        "timings_ms": {"total": 80.0},
        "history": ("kept", "assumed", "none")[number % 3],
        "proven": drafted or None,
        "agreement": (number % 10) / 10 if drafted else None,
        "contradiction": "“12 months” here, “24 months” there" if number == 4 else None,
        "distance": 0.5 if drafted else None,
        "linked": 1,
        "linked_found": 1,
        "durable": True,
        "as_of": (NOW - timedelta(days=number)).isoformat(),
    }
    return SampleRow(
        id=f"sample{number}",
        connector="help",
        fingerprint="now",
        ticket_id=str(number),
        decision=str(record["decision"]),
        confidence=(number % 100) / 100,
        eligible=drafted,
        topic="warranty" if number % 2 else None,
        words=f"words{number}" if drafted else None,
        as_of=NOW - timedelta(days=number),
        made_at=NOW,
        record=record,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    engine = open_database("sqlite", folder=folder)
    with Session(engine) as session, session.begin():
        for number in range(1, 61):
            samples.keep(session, sample(number))
    shown = [
        Shown("warranty", 20, Bound(0.02, None, 1.0, 12, 1, 180), None, False, 0),
        Shown("refunds", 40, Bound(0.05, 0.6, 0.04, 90, 0, 0), None, False, 11),
    ]
    nearest = {"title": NASTY, "lacks": [LONG]}
    gap = {"topic": NASTY, "tickets": 3, "replies": 4, "examples": ["1"], "nearest": nearest, "draft": f"# {NASTY}\n"}
    run = Simulation("help", "now", Run(tickets=[str(number) for number in range(1, 61)]), 0.01)
    write_report(Material(engine, run, shown, {"words1": "right", "words2": "wrong"}, NOW, [gap]), folder)
    engine.dispose()
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=[f"--{flag}" for flag in QUIET])
        yield opened
        opened.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_asks_for_nothing_complains_of_nothing_and_fits(browser: Any, report: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda problem: said.append(str(problem)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".ticket img, .ticket script, .gap img, h1 img").count() == 0
    assert "would have drafted" in page.locator("h1").inner_text()
    page.close()


def test_tickets_are_sifted_and_what_is_marked_is_saved(browser: Any, report: Path, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    assert page.locator("#found").inner_text() == "60 of 60"
    page.select_option("#decision", "handoff")
    assert page.locator("#found").inner_text() == "20 of 60"
    page.select_option("#decision", "draft")
    page.select_option("#doubt", "open")
    assert page.locator("#found").inner_text() == "38 of 60"
    first = page.locator(".ticket:visible").first
    first.locator("summary").click()
    first.get_by_role("button", name="wrong").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save labels.json").click()
    download.value.save_as(tmp_path / "labels.json")
    assert json.loads((tmp_path / "labels.json").read_text()) == {"sample4": "wrong"}
    page.close()


def test_the_report_breaks_no_rule_of_accessibility(browser: Any, report: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page()
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found] == []
    page.close()
