"""A connector of somebody else's: written as the guide says, installed as a package, used like our own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.scaffold import drawn, write
from connectors.base import ConfigProblem

pytestmark = pytest.mark.acceptance
ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "connectors.md"
SERVE = """
import sys
from draftdesk_pinboard.sandbox import PinboardStage
stage = PinboardStage()
stage.create("the crimson valve")
stage.create("the purple valve", public=False)
stage.hide(stage.create("the invisible valve"))
print(stage.site.url, flush=True)
sys.stdin.read()
"""


def run(*command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip installed the guide's connector, built by its own build backend; nothing is downloaded."""
    package, target = tmp_path_factory.mktemp("package"), tmp_path_factory.mktemp("installed")
    for path, text in told().items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text, encoding="utf-8")
    made = run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", target, package)
    assert made.returncode == 0, made.stderr
    return target


def told() -> dict[str, str]:
    """The files that stand in the guide."""
    blocks = re.findall(r"^`(\S+)`:?\n\n```\w+\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return {path: text for path, text in blocks if path.startswith(("draftdesk_pinboard/", "tests/", "pyproject.toml"))}


def test_the_guide_shows_what_the_command_writes() -> None:
    written = {path: text for path, text in drawn("pinboard").items() if path != "README.md"}
    assert told() == written


def test_an_installed_connector_is_listed_and_may_be_configured(installed: Path, tmp_path: Path) -> None:
    listed = run("-m", "bot", "connectors", "--json", PYTHONPATH=str(installed))
    assert listed.returncode == 0, listed.stderr
    [row] = [row for row in json.loads(listed.stdout)["connectors"] if row["type"] == "pinboard"]
    assert row == {"type": "pinboard", "origin": "draftdesk-pinboard 0.1.0", "capabilities": ["Source", "Listing"]}
    config = tmp_path / "config.yaml"
    config.write_text("connectors:\n- {name: board, type: pinboard, base_url: not an address, token: secret}\n")
    checked = run("-m", "bot", "--config", config, "check", "--offline", PYTHONPATH=str(installed))
    assert checked.returncode == 2
    assert "config.yaml:2" in checked.stderr
    assert "a secret is written as a reference" in checked.stderr


def test_an_installed_connector_brings_its_knowledge(installed: Path, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(installed), "PINBOARD_TOKEN": "sandbox-token"}
    serving = subprocess.Popen(
        [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        assert serving.stdout is not None
        url = serving.stdout.readline().strip()
        config = tmp_path / "config.yaml"
        config.write_text(f"connectors:\n- {{name: board, type: pinboard, base_url: '{url}', token: 'env:PINBOARD_TOKEN'}}\n")
        synced = run("-m", "bot", "--config", config, "sync", "--json", **environment)
        assert synced.returncode == 0, synced.stderr
        [row] = json.loads(synced.stdout)["connectors"]
        assert (row["added"], row["error"]) == (2, None)
        found = run("-m", "bot", "--config", config, "search", "crimson valve", "--audience", "public", "--json", **environment)
        assert [result["document"] for result in json.loads(found.stdout)["results"]] == ["pinboard:board:note:1"]
    finally:
        serving.communicate(input="", timeout=10)


def test_a_new_connector_passes_its_own_tests_as_it_was_written(tmp_path: Path) -> None:
    written = run("-m", "bot", "connectors", "new", "house_wiki", "--out", tmp_path / "new")
    assert written.returncode == 0, written.stderr
    assert (tmp_path / "new/draftdesk_house_wiki/connector.py").read_text(encoding="utf-8").count("class HouseWiki:") == 1
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "new",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout
    assert re.search(r"[5-9]\d passed", tested.stdout), tested.stdout


def test_a_new_connector_takes_a_name_of_its_own_and_overwrites_nothing(tmp_path: Path) -> None:
    for name in ("zendesk", "Wiki", "my wiki", "../wiki", "_wiki", "wiki_", "w" * 41, ""):
        with pytest.raises(ConfigProblem):
            drawn(name)
    write("wiki", tmp_path)
    with pytest.raises(ConfigProblem, match="is there already"):
        write("wiki", tmp_path)
