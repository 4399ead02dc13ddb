"""The wheel, built and installed where nothing of the source tree is: everything that is needed is in it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "connectors", "storage")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    offline = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [sys.executable, "-m", "pip", "wheel", *offline, "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    [built] = folder.glob("*.whl")
    return built


@pytest.mark.acceptance
def test_every_file_of_the_packages_is_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split("\n")
    if not any(tracked):
        pytest.skip("not a git checkout")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert {name for name in tracked if name and (ROOT / name).exists()} - inside == set()
    assert {name.split("/")[0] for name in inside} == set(PACKAGES)
    assert [name for name in inside if name.endswith((".pyc", ".env", ".sqlite"))] == []


@pytest.mark.acceptance
def test_an_installed_wheel_works_where_the_source_is_not(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    [site] = home.glob("lib/python*/site-packages")
    # What it depends on is taken from the tests' own environment: no index is asked.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    target = ["--target", str(site), "--no-deps", "--no-index", "--quiet", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "install", *target], check=True, capture_output=True)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DRAFTDESK_CONFIG")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([python, "-m", "bot", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    where = subprocess.run(
        [python, "-c", "import bot; print(bot.__file__)"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert str(home) in where.stdout
    assert "zendesk" in run("connectors", "--json").stdout
    assert '"retention"' in run("schema").stdout
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "a.md").write_text("# Battery\n\nOpen the lid and replace the battery.\n")
    (tmp_path / "config.yaml").write_text("connectors:\n  - {name: kb, type: folder, path: ./kb}\n")
    synced = run("sync", "--json")
    assert synced.returncode == 0, synced.stderr[-2000:]
    assert "Open the lid" in run("search", "battery", "--json").stdout
