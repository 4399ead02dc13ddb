"""Training at OpenAI's fine-tuning API, or a server that speaks it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.base import ConfigProblem, RateLimited, Transient

if TYPE_CHECKING:
    from openai import OpenAI

    from bot.config.model import OpenAITraining

MARK = "draftdesk_key"  # in a job's metadata: by it a job is found again after its answer was lost
RUNNING = "running"
ENDED = {"succeeded": "succeeded", "failed": "failed", "cancelled": "cancelled"}
CLOSED = (
    "does not let this account train: OpenAI takes no new organisations since 2026-05-07, and no new jobs at all from 2027-01-06. "
    "What remains: voice: {provider: exemplars}, which needs no training; or `training.base_url` of another server that speaks this API. "
    "The data set is yours and fits both"
)


@dataclass(frozen=True, slots=True)
class Job:
    """`state` is running, succeeded, failed or cancelled; `told` is the server's own word for it."""

    id: str
    state: str
    told: str
    model: str | None
    tokens: int | None
    reason: str | None


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

    def start(self, key: str, train: Path, held_out: Path | None, parameters: dict[str, Any]) -> Job:
        """Uploads the files and creates the job. Raises Transient when it is not known whether the job exists: look with `find`."""
        numbers = {name: parameters[name] for name in ("n_epochs", "batch_size", "learning_rate_multiplier") if parameters.get(name)}
        more = {name: parameters[name] for name in ("seed", "suffix") if parameters.get(name) is not None}
        method: Any = {"type": "supervised", "supervised": {"hyperparameters": numbers}}
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

    def cancel(self, job: str) -> Job:
        with _told(self._settings):
            return _job(self._client.fine_tuning.jobs.cancel(job))


def _job(row: Any) -> Job:
    error = getattr(row, "error", None)  # an object of nulls while all is well
    return Job(
        row.id, ENDED.get(row.status, RUNNING), row.status, row.fine_tuned_model, row.trained_tokens, getattr(error, "message", None)
    )


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
