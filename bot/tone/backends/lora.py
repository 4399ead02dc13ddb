"""Training an adapter for an open model on this machine, in a process of its own that outlives the command."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.tone.backends.workbench import LOG, Workbench
from bot.tone.trainer import Job, Point
from connectors.base import ConfigProblem

if TYPE_CHECKING:
    from bot.config.model import LoraTraining

WORKER = (sys.executable, "-m", "bot.tone.backends.tuning")
NEEDED = ("torch", "transformers", "peft")
PREFIX = "lora-"
LIKELY_REASON = "its process died (killed, or out of memory: see {log}); run draftdesk tone train again, it goes on from step {step}"


class LoraTrainer:
    """`folder` is DATA_DIR/voice: jobs lie in its `jobs`, finished models in its `models`. `worker`: the command that trains."""

    def __init__(self, settings: LoraTraining, folder: Path, worker: Sequence[str] = WORKER) -> None:
        self._settings = settings
        self._folder = folder
        self._worker = worker

    def find(self, key: str) -> Job | None:
        return self.look(PREFIX + key) if self._bench(PREFIX + key).folder.exists() else None

    def start(self, key: str, train: Path, held_out: Path | None, parameters: Mapping[str, Any]) -> Job:
        """An interrupted or cancelled one goes on from its last checkpoint; of one that is running nothing is started."""
        self._must_be_able()
        bench = self._bench(PREFIX + key)
        request = {
            "model": str(self._settings.model), "device": self._settings.device, "train": str(train.resolve()),
            "held_out": str(held_out.resolve()) if held_out else None, "parameters": dict(parameters),
            "name": model_name(self._settings.model, parameters.get("suffix"), key), "models": str((self._folder / "models").resolve()),
        }  # fmt: skip
        bench.folder.mkdir(parents=True, exist_ok=True)
        held = bench.seize()
        if held is None:
            return self.look(PREFIX + key)
        try:
            bench.put_request(request)
            bench.clear_stop()
            standing = bench.standing()
            if standing.state != "started":
                bench.put(type(standing)(step=standing.step, steps=standing.steps))
            self._spawn(bench, held)
        finally:
            os.close(held)  # the child has it still
        return self.look(PREFIX + key)

    def look(self, job: str) -> Job:
        bench = self._bench(job)
        if not bench.folder.exists():
            raise ConfigProblem(f"{job}: its folder {bench.folder} is gone; the job cannot be followed")
        dead = not bench.is_worked_at()
        seen = bench.standing()  # after the lock: a process that just ended has written how
        if seen.state == "started" and dead:
            if bench.asked_to_stop():
                return Job(job, "cancelled", "cancelled", None, seen.tokens, None)
            reason = LIKELY_REASON.format(log=bench.folder / LOG, step=seen.step)
            return Job(job, "failed", "interrupted", None, seen.tokens, reason, interrupted=True)
        told = f"step {seen.step} of {seen.steps}" if seen.state == "started" else seen.state
        return Job(job, "running" if seen.state == "started" else seen.state, told, seen.model, seen.tokens, seen.reason)

    def events(self, job: str) -> list[str]:
        return self._bench(job).events()

    def curve(self, job: str) -> list[Point]:
        return self._bench(job).curve()

    def cancel(self, job: str) -> Job:
        """The process stops before its next step."""
        self._bench(job).ask_to_stop()
        return self.look(job)

    def close(self) -> None: ...

    def _bench(self, job: str) -> Workbench:
        return Workbench(self._folder / "jobs" / job.removeprefix(PREFIX))

    def _must_be_able(self) -> None:
        if self._worker is not WORKER:
            return
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise ConfigProblem(f"training: provider: lora needs {', '.join(missing)}; install draftdesk[train]")
        if not self._settings.model.exists():
            raise ConfigProblem(f"training.model {self._settings.model}: there is no such folder or .gguf file; put the base model there")

    def _spawn(self, bench: Workbench, held: int) -> None:
        """A session of its own, so that a closed terminal does not end it. Not waited for: it outlives whoever started it."""
        os.set_inheritable(held, True)
        log = str(bench.folder / LOG)
        files = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        command = [*self._worker, str(bench.folder)]
        os.posix_spawn(command[0], command, environment, file_actions=files, setsid=True)


def model_name(base: Path, suffix: object, key: str) -> str:
    """What a server is to call the result: letters, digits and dashes."""
    words = f"{base.stem if base.suffix == '.gguf' else base.name}-{suffix or 'voice'}-{key[:8]}"
    return "".join(sign if sign.isalnum() or sign in "._" else "-" for sign in words).lower()
