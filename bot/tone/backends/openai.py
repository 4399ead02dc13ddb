"""Training at OpenAI's fine-tuning API, or a server that speaks it."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.tone.trainer import Job, Point, State
from connectors.base import ConfigProblem, RateLimited, Transient

if TYPE_CHECKING:
    from openai import OpenAI

    from bot.config.model import OpenAITraining

MARK = "draftdesk_key"  # in a job's metadata: by it a job is found again after its answer was lost
ENDED: dict[str, State] = {"succeeded": "succeeded", "failed": "failed", "cancelled": "cancelled"}
NUMBERS = {
    "supervised": ("n_epochs", "batch_size", "learning_rate_multiplier"),
    "dpo": ("n_epochs", "batch_size", "learning_rate_multiplier", "beta"),
}
CLOSED = (
    "does not let this account train: OpenAI takes no new organisations since 2026-05-07, and no new jobs at all from 2027-01-06. "
    "What remains: voice: {provider: exemplars}, which needs no training; `training: {provider: lora, model: ./models/BASE}`, which trains "
    "an open model on this machine; or `training.base_url` of another server that speaks this API. The data set is yours and fits all three"
)


class OpenAITrainer:
    def __init__(self, settings: OpenAITraining) -> None:
        self._settings = settings
        self._opened: OpenAI | None = None

    @property
    def _client(self) -> OpenAI:
        import openai

        if self._opened is None:
            self._opened = openai.OpenAI(
                api_key=self._settings.api_key.reveal() if self._settings.api_key else "none",
                base_url=str(self._settings.base_url),
                timeout=120.0,
                max_retries=0,  # a job that is created twice is paid twice
                http_client=openai.DefaultHttpxClient(follow_redirects=False),
            )
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def find(self, key: str) -> Job | None:
        """The job that carries this key. The server's filter is not relied on: each row is looked at."""
        with _told(self._settings):
            for row in self._client.fine_tuning.jobs.list(limit=100, metadata={MARK: key}):
                if (row.metadata or {}).get(MARK) == key:
                    return _job(row)
        return None

    def start(self, key: str, train: Path, held_out: Path | None, parameters: Mapping[str, Any]) -> Job:
        """Uploads the files and creates the job. Raises Transient when it is not known whether the job exists: look with `find`."""
        kind = str(parameters.get("method") or "supervised")
        numbers = {name: parameters[name] for name in NUMBERS[kind] if parameters.get(name)}
        more = {name: parameters[name] for name in ("seed", "suffix") if parameters.get(name) is not None}
        method: Any = {"type": kind, kind: {"hyperparameters": numbers}}
        with _told(self._settings):
            if held_out is not None:
                more["validation_file"] = self._client.files.create(file=held_out, purpose="fine-tune").id
            file = self._client.files.create(file=train, purpose="fine-tune").id
            created = self._client.fine_tuning.jobs.create(
                model=self._settings.model, training_file=file, method=method, metadata={MARK: key}, **more
            )
        return _job(created)

    def look(self, job: str) -> Job:
        with _told(self._settings):
            return _job(self._client.fine_tuning.jobs.retrieve(job))

    def events(self, job: str) -> list[str]:
        """Oldest first; the server gives them newest first."""
        with _told(self._settings):
            return [str(row.message) for row in self._client.fine_tuning.jobs.list_events(job, limit=100)][::-1]

    def curve(self, job: str) -> list[Point]:
        """From the result file once there is one, before that from the events."""
        with _told(self._settings):
            files = self._client.fine_tuning.jobs.retrieve(job).result_files
            if files:
                return read_result(self._client.files.content(files[0]).read())
            rows = list(self._client.fine_tuning.jobs.list_events(job, limit=100))[::-1]
        return [_point(row.data) for row in rows if isinstance(row.data, dict) and row.data.get("step") is not None]

    def cancel(self, job: str) -> Job:
        with _told(self._settings):
            return _job(self._client.fine_tuning.jobs.cancel(job))


def _job(row: Any) -> Job:
    error = getattr(row, "error", None)  # an object of nulls while all is well
    state = ENDED.get(row.status, "running")
    return Job(row.id, state, row.status, row.fine_tuned_model, row.trained_tokens, getattr(error, "message", None))


def read_result(content: bytes) -> list[Point]:
    """A result file: CSV, or the same in base64 (OpenAI's files come so, other servers' do not). Raises Transient."""
    raw = content.strip().strip(b'"')
    if b"," not in raw:
        try:
            raw = base64.b64decode(raw, validate=True)
        except binascii.Error:
            raise Transient("the result file is neither CSV nor base64 of it; the model itself is ready") from None
    rows = csv.DictReader(io.StringIO(raw.decode("utf-8", "replace")))
    return [_point(row) for row in rows if (row.get("step") or "").strip().isdigit()]


def _point(row: Mapping[str, Any]) -> Point:
    """Cells are empty where nothing was measured."""
    return Point(int(row["step"]), _number(row.get("train_loss")), _number(row.get("valid_loss")))


def _number(cell: object) -> float | None:
    try:
        return float(str(cell))
    except ValueError:
        return None


class _told:
    """What the server refused, in a sentence for the operator."""

    def __init__(self, settings: OpenAITraining) -> None:
        self._where = f"{settings.model} at {settings.base_url}"

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: object) -> None:
        import openai

        if isinstance(problem, openai.PermissionDeniedError):
            raise ConfigProblem(f"{self._where} {CLOSED}") from None
        if isinstance(problem, openai.AuthenticationError):
            raise ConfigProblem(f"{self._where} refuses the key; correct training.api_key") from None
        if isinstance(problem, openai.RateLimitError):
            raise RateLimited(f"{self._where} asks to slow down, or its credit is used up", 60.0) from None
        if isinstance(problem, openai.APIStatusError) and problem.status_code < 500:
            reason = (
                "does not exist or cannot be trained"
                if problem.status_code == 404
                else f"refuses the job ({problem.code or problem.status_code})"
            )
            raise ConfigProblem(f"{self._where} {reason}") from None
        if isinstance(problem, openai.OpenAIError):
            raise Transient(f"{self._where} did not answer; run the command again, no second job is made") from None
