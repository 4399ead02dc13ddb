"""The registry knows our connectors and other people's, and outlives a broken plug-in."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.base import ConfigProblem, Listing, Source

PLUG_IN = """
from typing import Literal
from connectors.base import Page
from connectors.settings import ConnectorSettings

class Settings(ConnectorSettings):
    type: Literal["notes"]

class Notes:
    def check(self): ...
    def pull(self, cursor): yield Page((), {"v": 1}, True)
    def list_ids(self): return iter(())

def connect(settings, http):
    return Notes()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, str], None]]:
    """Puts a distribution with one entry point on the path, as an installer would."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def put(module: str, type_: str, code: str) -> None:
        (tmp_path / f"{module}.py").write_text(code)
        facts = tmp_path / f"{module}-1.2.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.2\n")
        (facts / "entry_points.txt").write_text(f"[draftdesk.connectors]\n{type_} = {module}\n")
        importlib.invalidate_caches()

    yield put
    for name in set(sys.modules) - before:
        if name.startswith("plug_"):
            del sys.modules[name]


def no_network(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("no client is made before it is needed")


def test_every_type_of_the_configuration_file_has_settings() -> None:
    assert set(registry.settings_types()) >= {"zendesk", "freshdesk", "confluence", "google_docs", "folder"}


def test_a_folder_is_connected(tmp_path: Path) -> None:
    settings = registry.settings_types()["folder"](name="handbook", type="folder", path=tmp_path)  # type: ignore[call-arg]
    source = registry.connect(settings, no_network)
    assert isinstance(source, Source)
    assert isinstance(source, Listing)


def test_a_type_that_is_only_read_says_so() -> None:
    settings = registry.settings_types()["freshdesk"].model_validate(
        {"name": "fresh", "type": "freshdesk", "base_url": "https://acme.freshdesk.com", "auth": {"api_key": "env:KEY"}}
    )
    if hasattr(importlib.import_module("connectors.freshdesk"), "connect"):
        pytest.skip("Freshdesk has a connector by now")
    with pytest.raises(ConfigProblem, match=r"connector fresh: .*type freshdesk but cannot connect to it yet"):
        registry.connect(settings, no_network)


def test_capabilities_are_told_of_the_built_in_ones() -> None:
    rows = {row.type: row for row in registry.installed()}
    assert rows["folder"].capabilities == ("Source", "Listing")
    assert rows["folder"].origin == "built-in"


def test_a_plug_in_is_found_and_connected(install: Callable[[str, str, str], None]) -> None:
    install("plug_notes", "notes", PLUG_IN)
    settings = registry.settings_types()["notes"](name="mine", type="notes")  # type: ignore[call-arg]
    assert isinstance(registry.connect(settings, no_network), Source)
    assert registry.Installed("notes", "plug_notes 1.2", ("Source", "Listing")) in registry.installed()


@pytest.mark.parametrize(
    ("type_", "code", "why"),
    [
        ("notes", "raise SystemError('boom')", "cannot be imported"),
        ("notes", "import module_that_is_not_there", "cannot be imported"),
        ("notes", "x = 1", "has no class Settings"),
        ("notes", PLUG_IN.replace('"notes"', '"other"'), "has no field type"),
        ("notes", PLUG_IN.replace("def connect", "def connected"), "has no function connect"),
        ("zendesk", PLUG_IN, "is built in"),
    ],
)
def test_a_broken_plug_in_is_reported_and_harms_nobody(install: Callable[[str, str, str], None], type_: str, code: str, why: str) -> None:
    install("plug_broken", type_, code)
    assert "folder" in registry.settings_types()
    assert registry.settings_types().get(type_) is (registry.settings_types()["zendesk"] if type_ == "zendesk" else None)
    broken = [row for row in registry.installed() if row.origin == "plug_broken 1.2"]
    assert [why in str(row.problem) for row in broken] == [True]


def test_settings_of_an_unknown_type_are_refused_in_a_sentence() -> None:
    from connectors.settings import ConnectorSettings

    with pytest.raises(ConfigProblem, match="there is no connector of type"):
        registry.connect(ConnectorSettings(name="x"), no_network)
