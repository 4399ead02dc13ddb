"""`draftdesk connectors new`: an installable package with a connector, its emulated system and the contract's tests.

The files in plugin/ are a whole, working connector called pinboard; a new one is that with its name put in.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from connectors.base import ConfigProblem
from connectors.registry import BUILT_IN

FILES = {
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
    "init.py.txt": "draftdesk_pinboard/__init__.py",
    "connector.py.txt": "draftdesk_pinboard/connector.py",
    "sandbox.py.txt": "draftdesk_pinboard/sandbox.py",
    "test_conformance.py.txt": "tests/test_conformance.py",
}


def drawn(name: str) -> dict[str, str]:
    """Every file of a new package by its path, as text. Raises ConfigProblem for a name that cannot be a type."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > 40:
        raise ConfigProblem(f"{name!r} cannot be the type of a connector: write lower-case letters, digits and single underscores")
    if name in BUILT_IN:
        raise ConfigProblem(f"the type {name} is built in; a new connector takes another name")
    words = name.split("_")
    names = {"pinboard": name, "Pinboard": "".join(word.capitalize() for word in words), "PINBOARD": name.upper()}
    room = files(__package__).joinpath("plugin")
    return {_named(path, names): _named(room.joinpath(source).read_text(encoding="utf-8"), names) for source, path in FILES.items()}


def write(name: str, out: Path) -> list[Path]:
    """Writes the package below `out` and returns its files; overwrites nothing. Raises ConfigProblem."""
    texts = drawn(name)
    there = [str(out / path) for path in texts if (out / path).exists()]
    if there:
        raise ConfigProblem(f"{there[0]} is there already; name an empty folder with --out")
    try:
        for path, text in texts.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigProblem(f"{out}: the package cannot be written there ({problem.strerror}); name another folder with --out") from None
    return [out / path for path in texts]


def _named(text: str, names: dict[str, str]) -> str:
    return re.sub("pinboard|Pinboard|PINBOARD", lambda match: names[match[0]], text)
