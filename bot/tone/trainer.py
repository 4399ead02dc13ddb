"""What a place that trains voices is to the rest: five verbs, and a job as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

State = Literal["running", "succeeded", "failed", "cancelled"]
METHODS = ("supervised", "dpo")


@dataclass(frozen=True, slots=True)
class Job:
    """`told` is the trainer's own word for its state. `interrupted`: it failed, and goes on from where it was when started again."""

    id: str
    state: State
    told: str
    model: str | None
    tokens: int | None
    reason: str | None
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One row of a training curve; a loss is in nats per token, None where it was not measured at this step."""

    step: int
    train_loss: float | None
    valid_loss: float | None

    def row(self) -> dict[str, Any]:
        return {"step": self.step, "train_loss": self.train_loss, "valid_loss": self.valid_loss}


class Trainer(Protocol):
    """Each verb raises ConfigProblem (an operator must act), RateLimited or Transient (later it may work)."""

    def find(self, key: str) -> Job | None:
        """The newest job that carries this key, whoever started it."""
        ...

    def start(self, key: str, train: Path, held_out: Path | None, parameters: Mapping[str, Any]) -> Job:
        """A new job, or an interrupted one set going again. Transient: it is not known whether the job exists; look with `find`."""
        ...

    def look(self, job: str) -> Job: ...

    def events(self, job: str) -> list[str]:
        """Oldest first."""
        ...

    def curve(self, job: str) -> list[Point]:
        """In the order of steps; as far as the training has come."""
        ...

    def cancel(self, job: str) -> Job: ...

    def close(self) -> None: ...
