"""The console in a real browser, served by the real command over the sandbox: what people see, press and are told."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from bot.demo import write_config
from connectors.sandbox import Sandbox

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (dependency group dev)")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.xdist_group("console-browser"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian package chromium)"),
]

PASSWORD = "a-password-for-tests"
QUIET = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update")
PATIENCE = 120  # seconds: a busy machine is no fault of the console
PAGES = ("/", "/knowledge", "/simulation", "/voice", "/costs", "/activity")
NASTY = "<script>alert('subject')</script><img src=x onerror=alert(1)>"
POLICY = """
policy:
  topics: [{name: hardware, about: "batteries, sensor, hub, gateway", deliver: note}]
budget: {usd_per_day: 5}
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        running.desk.create_ticket(NASTY, f"Which batteries do I need? {NASTY} javascript:alert(1)")
        yield running


@pytest.fixture(scope="module")
def url(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service that has answered the waiting tickets."""
    folder = tmp_path_factory.mktemp("console")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = write_config(folder, sandbox.url)
    people = f"console: {{bind: '127.0.0.1:{port}', password: env:CONSOLE_PASSWORD}}\n"
    config.write_text(config.read_text(encoding="utf-8") + POLICY + people, encoding="utf-8")
    journal = (folder / "journal").open("wb")
    command = [sys.executable, "-m", "bot", "--config", str(config), "--log-format", "json", "run"]
    service = subprocess.Popen(command, stderr=journal, env=os.environ | {"CONSOLE_PASSWORD": PASSWORD})
    try:
        waiting = len(sandbox.desk.keys) // 2
        wait_for(lambda: (folder / "journal").read_bytes().count(b'"event": "answered"') >= waiting)
        yield f"http://127.0.0.1:{port}"
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(PATIENCE)
        journal.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=[f"--{one}" for one in QUIET])
        yield browser
        browser.close()


class Visit:
    """A browser's window that notes what it asks for and complains about."""

    def __init__(self, chromium: Any, url: str, **how: Any) -> None:
        self.context = chromium.new_context(base_url=url, **how)
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page = self.context.new_page()
        self.url, self.asked, self.complaints = url, [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda told: self.complaints.append(told.text) if told.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def sign_in(self) -> Any:
        self.page.goto("/sign-in")
        self.page.fill("#password", PASSWORD)
        self.page.press("#password", "Enter")
        self.page.wait_for_url("**/")
        return self.page


Open = Callable[..., Visit]


@pytest.fixture
def visit(chromium: Any, url: str) -> Iterator[Open]:
    opened: list[Visit] = []

    def open_visit(**how: Any) -> Visit:
        opened.append(Visit(chromium, url, **how))
        return opened[-1]

    yield open_visit
    for one in opened:
        one.context.close()
    for one in opened:
        assert [asked for asked in one.asked if not asked.startswith(one.url)] == [], "nothing is asked of another host"
        assert one.complaints == []


def wait_for(happened: Callable[[], object], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)


def first_draft(page: Any) -> str:
    """The address of the first waiting draft that has words to send."""
    page.goto("/?decision=note")
    return str(page.locator("a.line").first.get_attribute("href"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible_and_fits_its_screen(visit: Open, scheme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()
    visitor = visit(color_scheme=scheme, viewport={"width": width, "height": 844})
    visitor.page.goto("/sign-in")
    found = {"/sign-in": axe.run(visitor.page).response["violations"]}
    page = visitor.sign_in()
    draft = first_draft(page)
    for path in (*PAGES, draft, "/?decision=handoff", "/nowhere"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        for details in page.locator("details").all():
            details.evaluate("one => one.open = true")
        found[path] = axe.run(page).response["violations"]
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"
    visitor.complaints[:] = [told for told in visitor.complaints if "404" not in told]  # /nowhere
    told = [(path, one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for path, faults in found.items() for one in faults]
    assert told == []


def test_what_customers_write_is_shown_and_never_run(visit: Open, sandbox: Sandbox) -> None:
    page = visit().sign_in()
    assert NASTY in page.locator(".subject").all_inner_texts()
    page.locator(".line", has_text="<script>alert").first.click()
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").inner_text() == NASTY
    assert page.locator(".talk").inner_text().count("<img src=x onerror=alert(1)>") >= 1
    assert page.locator("main script, main img").count() == 0
    assert [href for href in page.eval_on_selector_all("main a", "all => all.map(one => one.href)") if href.startswith("javascript:")] == []


def test_a_draft_is_approved_with_the_keyboard_alone_and_the_customer_has_it_once(visit: Open, sandbox: Sandbox) -> None:
    page = visit().sign_in()
    page.goto("/?decision=note")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/drafts/*")
    address = page.url.split("?")[0]
    number = int(re.search(r"help (\d+)", page.locator("main").inner_text())[1])  # type: ignore[index]
    before = [entry.public for entry in sandbox.desk.ledger.comments(number)]
    page.keyboard.press("a")
    assert page.evaluate("document.activeElement.textContent") == "Approve and send", "one key alone sends nothing"
    page.keyboard.press("Enter")
    page.wait_for_selector(".said")
    assert "on its way" in page.locator(".said").inner_text()
    wait_for(lambda: len(sandbox.desk.ledger.comments(number)) == len(before) + 1)
    assert [entry.public for entry in sandbox.desk.ledger.comments(number)] == [*before, True]
    page.goto(address)
    page.wait_for_selector("text=The customer has it.")  # the page looks again by itself
    assert page.locator("button.main").count() == 0


def test_an_edited_reply_goes_out_as_it_was_edited(visit: Open, sandbox: Sandbox) -> None:
    page = visit().sign_in()
    page.goto(first_draft(page))
    number = int(re.search(r"help (\d+)", page.locator("main").inner_text())[1])  # type: ignore[index]
    page.keyboard.press("e")
    page.fill("#text", "Hello,\n\nplease do this:\n\n1. Open <the> lid\n2. See https://help.example/lid\n")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".said")
    wait_for(lambda: any(entry.public for entry in sandbox.desk.ledger.comments(number)))
    sent = next(comment.html for comment in reversed(sandbox.desk.tickets[number].comments) if comment.public)
    assert "<ol><li>Open &lt;the&gt; lid</li>" in sent
    assert '<a href="https://help.example/lid"' in sent


def test_a_draft_is_rejected_with_a_reason_and_labelled_without_a_script(visit: Open, sandbox: Sandbox) -> None:
    page = visit(java_script_enabled=False).sign_in()
    address = first_draft(page)
    page.goto(address)
    page.click("button[name=verdict][value=wrong]")
    assert page.locator("button[value=wrong]").get_attribute("aria-pressed") == "true"
    page.click("summary:has-text('Reject')")
    page.fill("#reason", "Misses the question")
    page.click("button.grave")
    assert "Rejected." in page.locator(".said").inner_text()
    page.goto(address.split("?")[0])
    assert "Misses the question" in page.locator(".notice").inner_text()
    page.click("text=Put it back into the inbox")
    assert page.locator("button.main").count() >= 1
    page.goto("/activity")
    did = page.locator("tbody").inner_text()
    assert "rejected" in did
    assert "labelled" in did
    assert "reopened" in did


def test_a_ticket_that_an_agent_answered_leaves_the_inbox_when_it_is_looked_at(visit: Open, sandbox: Sandbox) -> None:
    page = visit().sign_in()
    address = first_draft(page)
    page.goto(address)
    number = int(re.search(r"help (\d+)", page.locator("main").inner_text())[1])  # type: ignore[index]
    agent = next(user.id for user in sandbox.desk.users.values() if user.role == "agent" and user.id != sandbox.desk.bot_id)
    sandbox.desk.comment(number, "I took care of it.", author_id=agent)
    page.reload()
    page.wait_for_selector("text=an agent answered meanwhile")
    page.reload()
    assert page.locator("button.main").count() == 0
    assert not any(entry.public for entry in sandbox.desk.ledger.comments(number))


def test_the_theme_button_changes_the_theme_and_keeps_the_page(visit: Open) -> None:
    page = visit(color_scheme="light").sign_in()
    page.goto("/costs")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("form[data-theme-switch] button")
    page.wait_for_selector("html[data-theme=dark]")
    assert page.url.endswith("/costs")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_health_and_metrics_stay_open_and_the_rest_is_shut(url: str) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert requests.get(url + path, timeout=5, allow_redirects=False).status_code == 200
    for path in (*PAGES, "/drafts/x", "/openapi.json", "/docs", "/static/../app.py"):
        answer = requests.get(url + path, timeout=5, allow_redirects=False)
        assert answer.status_code in (303, 404), path
        assert "data-lines" not in answer.text


def test_the_demo_keeps_the_console_up_and_tells_its_password(chromium: Any) -> None:
    command = [sys.executable, "-u", "-m", "bot", "demo", "--serve"]
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8080)) == 0:
            pytest.skip("something else listens on 127.0.0.1:8080")
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert demo.stdout is not None
        line = next(line for line in demo.stdout if line.startswith("The console: "))
        told = re.match(r"The console: (\S+), password: (\S+)\.", line)
        assert told
        wait_for(lambda: is_up(told[1]))
        session = requests.Session()
        signed = session.post(f"{told[1]}/sign-in", data={"password": told[2]}, timeout=10)
        assert "Waiting" in signed.text
        assert json.loads(session.get(f"{told[1]}/readyz", timeout=10).text)["database"] == "ok"
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=PATIENCE)


def is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=2).status_code == 200
    except (requests.ConnectionError, requests.Timeout):
        return False
