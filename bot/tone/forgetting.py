"""Erasing a person from what a voice was learnt from: lines, pairs, exemplars, and pages that quote them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.tone.dataset import SOURCES

FILES = ("train.jsonl", "validation.jsonl", "preference.jsonl")
QUOTING = "evaluations"  # a folder of a data set whose pages hold its words
ANSWERED = ".batches"  # a model's answers, kept so that they are not paid twice


@dataclass(frozen=True, slots=True)
class Erased:
    """`lines` by data set; `unknown`: data sets that do not say where their lines are from, which nobody can erase from line by line.

    What was trained from the data sets in `lines` has seen the words: models cannot forget, they can be trained anew.
    """

    lines: Mapping[str, int]
    unknown: tuple[str, ...]


def forget(folder: Path, *, requester: str | None = None, tickets: Collection[str] = ()) -> Erased:
    """`folder` is DATA_DIR/voice; `requester` a `requester_key`; `tickets` are CONNECTOR:TICKET_ID. Doing it again does nothing more.

    Data sets written elsewhere with --out are not known here. Raises OSError.
    """
    lines, unknown = {}, []
    for report in sorted(folder.glob("*/report.json")):
        dataset = report.parent
        if not (dataset / SOURCES).exists():
            unknown.append(dataset.name)
            continue
        count = _erase(dataset, requester, tickets)
        if count:
            lines[dataset.name] = count
    if lines or unknown:
        shutil.rmtree(folder / ANSWERED, ignore_errors=True)
    return Erased(lines, tuple(unknown))


def _erase(dataset: Path, requester: str | None, tickets: Collection[str]) -> int:
    sources = [json.loads(line) for line in _lines(dataset / SOURCES)]
    theirs = [row["ticket"] in tickets or (requester is not None and row["requester"] == requester) for row in sources]
    if not any(theirs):
        return 0
    for name in FILES:
        path = dataset / name
        gone = [is_theirs for row, is_theirs in zip(sources, theirs, strict=True) if row["file"] == name]
        _replace(path, [line for line, is_theirs in zip(_lines(path), gone, strict=True) if not is_theirs])
    _replace(
        dataset / SOURCES, [json.dumps(row, ensure_ascii=False) for row, is_theirs in zip(sources, theirs, strict=True) if not is_theirs]
    )
    shutil.rmtree(dataset / QUOTING, ignore_errors=True)
    return sum(theirs)


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()] if path.exists() else []


def _replace(path: Path, lines: Collection[str]) -> None:
    """Written over before it is replaced, so that the old bytes do not stay on a disk that keeps them in place."""
    if path.exists():
        with path.open("r+b") as old:
            old.write(b"\0" * path.stat().st_size)
            old.flush()
            os.fsync(old.fileno())
    fresh = path.with_name(path.name + ".new")
    fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    fresh.replace(path)


def shown(erased: Erased) -> dict[str, Any]:
    """For `forget --json`."""
    return {"lines": dict(erased.lines), "unknown": list(erased.unknown)}
