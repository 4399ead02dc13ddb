"""What `draftdesk check` prints: one line for each part, warnings apart, failures on stderr as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import checkup
from bot.cli import app
from bot.deployment import Connection
from connectors.base import ConfigProblem, Transient

POLICY = "policy: {topics: [{name: refunds, about: refunds, deliver: reply, max_wrong: off}]}\n"


def check(folder: Path, connectors: str, more: str = "", *options: str) -> Result:
    file = folder / "config.yaml"
    file.write_text(f"data_dir: {folder}/data\nconnectors: [{connectors}]\n{more}")
    return CliRunner().invoke(app, ["--config", str(file), "check", *options])


def block(name: str, path: str = ".") -> str:
    return f"{{name: {name}, type: folder, path: {path}}}"


@pytest.mark.parametrize(("names", "said"), [(("one",), "valid, 1 connector\n"), (("one", "two"), "valid, 2 connectors\n")])
def test_connectors_are_counted_in_english(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    result = check(tmp_path, ", ".join(block(name) for name in names), "", "--offline")
    assert f"ok    file: {said}" in result.stdout


def test_a_failure_is_a_line_on_stdout_and_its_reason_on_stderr(tmp_path: Path) -> None:
    result = check(tmp_path, f"{block('here')}, {block('gone', './nowhere')}")
    assert result.exit_code == 1
    assert "ok    here: works\n" in result.stdout
    assert "FAIL  gone: the folder " in result.stdout
    assert result.stderr.startswith("gone: the folder ")
    assert "gone: connector gone" not in result.output


def test_what_was_waived_is_a_warning_that_fails_nothing(tmp_path: Path) -> None:
    result = check(tmp_path, block("here"), POLICY, "--offline")
    assert result.exit_code == 0
    assert "WARN  policy.topics.refunds: replies are sent with no bound" in result.stdout
    assert result.stderr == ""


class Expiring:
    """A source of somebody else's."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault

    def check(self) -> None:
        if self.fault:
            raise self.fault

    def warnings(self) -> tuple[str, ...]:
        return "here: the token ends tomorrow", "no document is shared with bot@acme.example"


@pytest.mark.parametrize(
    ("fault", "code", "lines"),
    [
        (None, 0, ["ok    here: works", "WARN  here: the token ends tomorrow", "WARN  here: no document is shared with bot@acme.example"]),
        (ConfigProblem("here: the scope tickets:read is missing"), 1, ["FAIL  here: the scope tickets:read is missing"]),
        (Transient("no answer"), 1, ["FAIL  here: no answer"]),
    ],
)
def test_a_connectors_warnings_stand_on_lines_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception | None, code: int, lines: list[str]
) -> None:
    monkeypatch.setattr(checkup, "connect", lambda settings: Connection(settings, Expiring(fault), [], None))  # type: ignore[arg-type]
    result = check(tmp_path, block("here"))
    assert [line for line in result.stdout.splitlines() if "here" in line] == lines
    assert result.exit_code == code
