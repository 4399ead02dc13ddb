"""The commands in the documentation work: each is run against the sandbox, page by page, in order, or named here with why not."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo import write_config
from connectors.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
SHELL = re.compile(r"^```(?:sh|bash|console|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"\s+#\s.*$")
ELSEWHERE = {  # commands that are not run here, by how they begin: why
    "make ": "a chore of the repository: needs a package index, or takes minutes; the pipeline runs it",
    ".venv/bin/draftdesk init": "asks at a terminal: tests/acceptance/test_init.py answers it",
    "draftdesk migrate --to": "needs PostgreSQL and a Qdrant server: the tests of moving run it",
}
LASTS = ".venv/bin/draftdesk run"  # until it is told to stop
STANDS_FOR = {"12345": "{ticket}", "/backups/": "{folder}/backups/"}  # what a reader replaces by their own
LONG_ENOUGH = 120  # seconds for one command


def commands(page: Path) -> list[str]:
    """What a reader would type, in order."""
    found = []
    for block in SHELL.findall(page.read_text(encoding="utf-8")):
        lines = block.replace("\\\n", " ").splitlines()
        typed = [line[2:] for line in lines if line.startswith("$ ")] if any(line.startswith("$ ") for line in lines) else lines
        found += [plain for line in typed if (plain := COMMENT.sub("", line).strip()) and not plain.startswith("#")]
    return found


PAGES = {page.relative_to(ROOT).as_posix(): commands(page) for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}


def elsewhere(command: str) -> str | None:
    return next((why for begin, why in ELSEWHERE.items() if command.startswith(begin)), None)


RUN = {page: left for page, typed in PAGES.items() if (left := [one for one in typed if elsewhere(one) is None])}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


@pytest.fixture
def reader(tmp_path: Path, sandbox: Sandbox) -> dict[str, str]:
    """A folder with a configuration that works, under git, and `draftdesk` on the path; the reader's environment."""
    write_config(tmp_path, sandbox.url)
    for place in (tmp_path / "bin", tmp_path / ".venv" / "bin"):
        place.mkdir(parents=True)
        (place / "draftdesk").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bot "$@"\n')
        (place / "draftdesk").chmod(0o755)
    (tmp_path / "backups").mkdir()
    with (tmp_path / "config.yaml").open("a") as config:
        config.write("console: {bind: 127.0.0.1:0}\n")
    for words in (["init", "-q"], ["add", "config.yaml"], ["-c", "user.name=a", "-c", "user.email=a@a.example", "commit", "-qm", "a"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    source = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PATH": path, "PYTHONPATH": source, "BASE": "HEAD", "DESK": "help", "TICKETS": "3"}


@pytest.mark.acceptance
@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_the_page_work_in_order(page: str, tmp_path: Path, reader: dict[str, str], sandbox: Sandbox) -> None:
    ticket = str(sandbox.desk.create_many(1, subject="Battery", body="How do I replace the battery of a sensor?")[0])
    for typed in RUN[page]:
        command = typed
        for word, mine in STANDS_FOR.items():
            command = command.replace(word, mine.format(ticket=ticket, folder=tmp_path))
        if typed.startswith("draftdesk backup"):
            run("draftdesk sync", tmp_path, reader)
        if typed.startswith("draftdesk restore"):  # its page says: into an empty data_dir
            shutil.rmtree(tmp_path / "data")
        (keep_running if typed == LASTS else run)(command, tmp_path, reader)


def run(command: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=LONG_ENOUGH, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def keep_running(command: str, folder: Path, environment: dict[str, str]) -> None:
    """Until it says that it works; then it stops when it is told to."""
    process = subprocess.Popen(["/bin/sh", "-c", f"exec {command}"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    last_resort = threading.Timer(LONG_ENOUGH, process.kill)
    last_resort.start()
    try:
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            if "working" in line:
                process.send_signal(signal.SIGTERM)
        assert process.wait() == 0, "".join(told)[-2000:]
    finally:
        last_resort.cancel()
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def test_every_command_is_run_or_says_why_not() -> None:
    typed = [one for page in PAGES.values() for one in page]
    assert len(typed) > 15, "the pages' blocks are found"
    for begin, why in ELSEWHERE.items():
        assert any(one.startswith(begin) for one in typed), f"no page says {begin} any more"
        assert len(why) > 20
    assert [one for one in typed if one.startswith("make ") and not chore(one)] == [], "the Makefile knows every chore that a page names"


def chore(command: str) -> bool:
    name = command.split()[1]
    return re.search(rf"^{re.escape(name)}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE) is not None
