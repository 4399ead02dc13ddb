"""What is wrong with the configuration file: where, what, and what to write instead. No value of the file is ever repeated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Loc = tuple[str | int, ...]
Mark = tuple[int, int]  # line and column, from 1


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault whose place in the file is still to be looked up; `mark` overrides the look-up, `hidden` keeps the last key to itself."""

    loc: Loc
    message: str
    at_key: bool = False
    mark: Mark | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One line for the operator. `line` 0: the whole file is meant."""

    file: str
    line: int
    col: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.col}" if self.line else self.file
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ConfigFaults(Exception):
    """All faults of one file, in the order of their places; `str()` is the lines to print."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


def dotted(loc: Loc) -> str:
    """``connectors.0.auth.api_key``; what does not look like a key is cut short, it may be a secret put in the wrong place."""
    return ".".join(_shown(step) for step in loc)


def _shown(step: str | int) -> str:
    if isinstance(step, int) or (re.fullmatch(r"[A-Za-z0-9_-]{1,40}", step) and len(re.findall("[0-9]", step)) <= 4):
        return str(step)
    start = re.match(r"[A-Za-z_]{0,12}", step)
    return (start[0] if start else "") + "…"
