"""A training on this machine as a folder: what was asked, how it stands, what it said, who is at it. Read without any framework."""

from __future__ import annotations

import csv
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bot.tone.trainer import Point

REQUEST, STATE, EVENTS, CURVE, CANCEL, LOCK, LOG = (
    "request.json", "state.json", "events.txt", "curve.csv", "cancel", "lock", "worker.log",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """`state`: started (and perhaps dead by now: the lock tells), succeeded, failed or cancelled."""

    state: Literal["started", "succeeded", "failed", "cancelled"] = "started"
    step: int = 0
    steps: int = 0
    tokens: int = 0
    model: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Workbench:
    folder: Path

    def request(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / REQUEST).read_text(encoding="utf-8")))

    def put_request(self, request: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        _replace(self.folder / REQUEST, json.dumps(request, indent=2))

    def standing(self) -> Standing:
        path = self.folder / STATE
        return Standing(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Standing()

    def put(self, standing: Standing) -> None:
        values = {name: getattr(standing, name) for name in Standing.__slots__}
        _replace(self.folder / STATE, json.dumps(values))

    def tell(self, message: str) -> None:
        with (self.folder / EVENTS).open("a", encoding="utf-8") as file:
            file.write(message.replace("\n", " ") + "\n")

    def events(self) -> list[str]:
        path = self.folder / EVENTS
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def put_curve(self, points: list[Point]) -> None:
        lines = [f"{one.step},{_cell(one.train_loss)},{_cell(one.valid_loss)}" for one in points]
        _replace(self.folder / CURVE, "\n".join(["step,train_loss,valid_loss", *lines, ""]))

    def curve(self) -> list[Point]:
        path = self.folder / CURVE
        if not path.exists():
            return []
        with path.open(encoding="utf-8") as file:
            return [Point(int(row["step"]), _number(row["train_loss"]), _number(row["valid_loss"])) for row in csv.DictReader(file)]

    def ask_to_stop(self) -> None:
        (self.folder / CANCEL).touch()

    def asked_to_stop(self) -> bool:
        return (self.folder / CANCEL).exists()

    def clear_stop(self) -> None:
        (self.folder / CANCEL).unlink(missing_ok=True)

    def seize(self) -> int | None:
        """A file descriptor that holds the bench as long as any process has it open; None when somebody is at it.

        Handed down to the training process, it is let go of by the system when that process dies, however it dies.
        """
        held = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            return None
        return held

    def is_worked_at(self) -> bool:
        held = self.seize()
        if held is None:
            return True
        os.close(held)
        return False


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, whenever the process dies."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _cell(number: float | None) -> str:
    return "" if number is None else f"{number:.6f}"


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
