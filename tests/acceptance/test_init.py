"""`draftdesk init`: a newcomer at a real terminal, and a script with flags; the vendor on loopback."""

from __future__ import annotations

import os
import pty
import select
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from connectors.sandbox import Sandbox
from connectors.sandbox.confluence.access import API_TOKEN, EMAIL
from connectors.sandbox.freshdesk.auth import API_KEY
from connectors.sandbox.tidewell import Tidewell

pytestmark = pytest.mark.acceptance
SECRET = "sandbox-secret"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(export_delay=0) as running:
        yield running


def draftdesk(*arguments: object, config: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", "--config", str(config), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


def converse(config: Path, exchange: Sequence[tuple[str, str]], *, patience: float = 40) -> tuple[int, str]:
    """Run `init` at a pseudo-terminal: wait for each prompt, give its answer; exit status and everything shown."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "bot", "--config", str(config), "init"])
    shown, seen, deadline = "", 0, time.monotonic() + patience
    waiting = list(exchange)
    try:
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    piece = os.read(terminal, 65536)
                except OSError:  # the child closed it
                    break
                if not piece:
                    break
                shown += piece.decode()
            if waiting and waiting[0][0] in shown[seen:] and (echoes(terminal) != ("secret" in waiting[0][0])):
                seen = len(shown)
                os.write(terminal, f"{waiting.pop(0)[1]}\n".encode())
    finally:
        os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert not waiting, f"never asked: {waiting[0][0]}\n{shown}"
    return status, shown


def echoes(terminal: int) -> bool:
    """Off once the program is ready to hear a secret; what is typed before is thrown away."""
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def script(sandbox: Sandbox, secret: Path) -> list[str]:
    secret.write_text(SECRET, encoding="utf-8")
    answers = {"base_url": sandbox.url, "auth.client_id": "draftdesk", "auth.client_secret": f"file:{secret}"}
    return ["--system", "zendesk=desk", *(part for key, value in answers.items() for part in ("--set", f"desk.{key}={value}"))]


def test_a_newcomer_gets_from_nothing_to_a_configuration_that_works(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "new" / "config.yaml"
    status, shown = converse(
        config,
        [
            ("Systems", "zendesk"),
            ("How do you sign in?", "1"),
            ("Your account's address", sandbox.url),
            ("The client's identifier", "draftdesk"),
            ("The client's secret", "mistyped"),
            ("Change the answers?", "y"),
            ("Your account's address", sandbox.url),
            ("The client's identifier", "draftdesk"),
            ("The client's secret", SECRET),
            ("Languages of the Help Center", "all"),
            ("Draft answers to its tickets", "y"),
            ("The webhook's secret", "new"),
            ("Languages that your customers write in", "en,fr"),
        ],
    )
    assert status == 0, shown
    assert "does not work" in shown, "the wrong secret is tried as it is given"
    assert "fr" in shown, "the Help Center's locales are listed"
    env = config.with_name("draftdesk.env")
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert SECRET in env.read_text(encoding="utf-8")
    assert SECRET not in config.read_text(encoding="utf-8")
    assert SECRET not in shown, "a secret is not echoed"
    checked = draftdesk("check", config=config)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "desk" not in checked.stdout
    assert "help" in checked.stdout


def test_a_script_gives_every_answer_by_flag(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    made = draftdesk("init", *script(sandbox, tmp_path / "secret"), "--set", "languages=en,fr", config=config)
    assert made.returncode == 0, made.stderr
    assert draftdesk("check", "--offline", config=config).returncode == 0
    assert not config.with_name("draftdesk.env").exists(), "no secret was told, so none is kept"


def test_a_script_is_told_all_flags_that_it_lacks_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    lacking = draftdesk("init", "--system", "zendesk", "--set", "hepl.colour=blue", config=config)
    assert lacking.returncode == 2
    for flag in ("help.base_url=", "help.auth.client_id=", "help.auth.client_secret="):
        assert f"missing: --set {flag}" in lacking.stderr
    assert "--set hepl.colour: nothing asks for this" in lacking.stderr
    assert not config.exists()


def test_a_setting_that_nothing_asks_about_is_taken_by_flag_and_a_misspelt_one_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    wrong = draftdesk("init", *script(sandbox, tmp_path / "secret"), "--set", "desk.evry=1h", "--untried", config=config)
    assert wrong.returncode == 2
    assert "evry" in wrong.stderr
    assert "every" in wrong.stderr
    assert not config.exists()
    assert draftdesk("init", *script(sandbox, tmp_path / "secret"), "--set", "desk.every=1h", config=config).returncode == 0
    assert "every: 1h" in config.read_text(encoding="utf-8")


def test_a_secret_on_the_command_line_is_refused_without_repeating_it(sandbox: Sandbox, tmp_path: Path) -> None:
    flags = [flag.replace(f"file:{tmp_path / 'secret'}", "very-secret") for flag in script(sandbox, tmp_path / "secret")]
    refused = draftdesk("init", *flags, config=tmp_path / "config.yaml")
    assert refused.returncode == 2
    assert "env:VARIABLE" in refused.stderr
    assert "very-secret" not in refused.stderr


def test_a_credential_that_does_not_work_ends_a_script_with_the_reason(sandbox: Sandbox, tmp_path: Path) -> None:
    flags = script(sandbox, tmp_path / "secret")
    (tmp_path / "secret").write_text("wrong", encoding="utf-8")
    refused = draftdesk("init", *flags, config=tmp_path / "config.yaml")
    assert refused.returncode == 1
    assert "no access token" in refused.stderr
    assert not (tmp_path / "config.yaml").exists()
    assert draftdesk("init", *flags, "--untried", config=tmp_path / "config.yaml").returncode == 0


def test_a_file_that_exists_is_not_overwritten(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("mine", encoding="utf-8")
    assert draftdesk("init", *script(sandbox, tmp_path / "secret"), config=config).returncode == 2
    assert config.read_text(encoding="utf-8") == "mine"
    assert draftdesk("init", *script(sandbox, tmp_path / "secret"), "--force", config=config).returncode == 0


def test_an_env_file_that_others_may_read_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    draftdesk("init", *script(sandbox, tmp_path / "secret"), config=config)
    env = config.with_name("draftdesk.env")
    env.write_text("A='b'\n", encoding="utf-8")
    env.chmod(0o644)
    refused = draftdesk("check", "--offline", config=config)
    assert refused.returncode == 2
    assert f"chmod 600 {env}" in refused.stderr


def test_what_there_is_to_choose_from_is_listed_by_each_system(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    with Tidewell() as company:
        told = {"wiki": API_TOKEN, "fresh": API_KEY, "google.json": company.docs.service_account_key()}
        for name, secret in told.items():
            (tmp_path / name).write_text(secret, encoding="utf-8")
        answers = {
            "wiki.way": "cloud",
            "wiki.base_url": f"{company.wiki.url}/wiki",
            "wiki.auth.email": EMAIL,
            "wiki.auth.api_token": f"file:{tmp_path / 'wiki'}",
            "wiki.knowledge.spaces": "all",
            "wiki.public": "KB",
            "fresh.base_url": company.fresh.url,
            "fresh.auth.api_key": f"file:{tmp_path / 'fresh'}",
            "docs.auth.service_account": str(tmp_path / "google.json"),
            "docs.knowledge.folders": "all",
            **{f"docs.endpoints.{name}": address for name, address in company.docs.endpoints().items()},
        }
        systems = [part for type_ in ("confluence", "freshdesk", "google_docs") for part in ("--system", type_)]
        flags = [part for path, value in answers.items() for part in ("--set", f"{path}={value}")]
        made = draftdesk("init", *systems, *flags, config=config)
        assert made.returncode == 0, made.stderr
        blocks = {block["name"]: block for block in yaml.safe_load(config.read_text(encoding="utf-8"))["connectors"]}
        assert {"KB", "ENG", "HR"} <= set(blocks["wiki"]["knowledge"]["spaces"])
        assert blocks["wiki"]["knowledge"]["audience"] == {"KB": "public"}
        assert len(blocks["docs"]["knowledge"]["folders"]) == 2
        assert draftdesk("check", config=config).returncode == 0
