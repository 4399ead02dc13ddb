"""The commands of docs/ci.md, as they stand there, on a repository with a change of the file in it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.demo import DESK, write_config
from connectors.sandbox import Sandbox
from connectors.sandbox.company import load_company

pytestmark = pytest.mark.xdist_group("simulate")
PAGE = Path(__file__).parents[2] / "docs" / "ci.md"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    company = load_company()
    past = tuple(case for case in company.past if case.id % 1000 in (2, 11, 18, 22))
    with Sandbox(export_delay=0, company=replace(company, past=past, waiting=())) as running:
        yield running


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_commands_of_the_page_review_a_pull_request(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    who = {f"GIT_{role}_{what}": "ci@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for name, value in (who | {"BASE": "main", "DESK": DESK, "TICKETS": "3"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def typed(line: str) -> Result | None:
        """A line of a shell; draftdesk itself is called here."""
        words = shlex.split(os.path.expandvars(line))
        if words[0] == "draftdesk":
            return CliRunner().invoke(app, words[1:])
        subprocess.run(line, shell=True, check=True)
        return None

    path = write_config(tmp_path, sandbox.url)
    typed("git init -q -b main && git add config.yaml && git commit -q -m base && git checkout -q -b change")
    path.write_text(path.read_text() + 'policy:\n  topics: [{name: legal, about: "contracts, warranty, hub", deliver: never}]\n')
    (script,) = blocks("sh")
    ended = [done for line in script.strip().splitlines() if (done := typed(line))]
    assert [done.exit_code for done in ended] == [0, 0, 0], [done.output for done in ended]
    assert (tmp_path / "review" / "report.html").is_file()
    assert (tmp_path / "review" / "before" / "report.html").is_file()
    assert "tickets are decided otherwise" in ended[-1].stdout
    assert sandbox.desk.ledger.entries == []
    (tmp_path / "before.yaml").write_text("connectors: nothing")
    wrong = typed(script.strip().splitlines()[-1])
    assert wrong is not None
    assert wrong.exit_code == 2


def test_the_workflow_of_the_page_runs_the_same_commands() -> None:
    (script,), (workflow,) = blocks("sh"), blocks("yaml")
    steps = [step["run"] for step in yaml.safe_load(workflow)["jobs"]["review"]["steps"] if "run" in step]
    assert [step for step in steps if not step.startswith("cp ")] == script.strip().splitlines()
