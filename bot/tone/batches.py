"""Many requests to a model at half the price: handed in as one batch, which is paid once, whatever happens in between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.answer.model import open_client, unavailable
from connectors.base import ConfigProblem, RateLimited, Transient

if TYPE_CHECKING:
    from openai import OpenAI

    from bot.config.model import Writer

MARK = "draftdesk_key"  # in a batch's metadata: by it a batch is found again after its answer was lost
BETWEEN_LOOKS = 30.0  # seconds; a batch takes minutes, at most a day
MOST_TOKENS = 2_000  # of one answer
RUNNING = ("validating", "in_progress", "finalizing", "cancelling")
Messages = list[dict[str, Any]]


def ask_all(
    settings: Writer, asked: Mapping[str, Messages], folder: Path, *, told: Callable[[str], None], sleep: Callable[[float], None]
) -> dict[str, str] | None:
    """The answers by the keys of `asked`; what failed is missing. None: this server takes no batches.

    What was answered is kept in `folder`, so that the same question is never paid again. Raises ConfigProblem, RateLimited, Transient.
    """
    import openai

    lines = "".join(_line(settings, key, messages) for key, messages in sorted(asked.items()))
    key = hashlib.sha256(lines.encode()).hexdigest()[:32]
    kept = folder / f"{key}.jsonl"
    if not kept.exists():
        try:
            with closing(open_client(settings)) as client:
                answers = _answers(client, key, lines, told, sleep)
        except openai.NotFoundError:
            return None
        except openai.OpenAIError as problem:
            outage = unavailable(problem, settings)
            if outage.retry_after is not None:
                raise RateLimited(outage.reason, outage.retry_after) from None
            raise (Transient if outage.retryable else ConfigProblem)(f"writer: {outage.reason}") from None
        folder.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(answers, encoding="utf-8")
    return _read(kept.read_text(encoding="utf-8"))


def _line(settings: Writer, key: str, messages: Messages) -> str:
    body = {"model": settings.model, "messages": messages, "max_completion_tokens": MOST_TOKENS}
    return json.dumps({"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body}, ensure_ascii=False) + "\n"


def _answers(client: OpenAI, key: str, lines: str, told: Callable[[str], None], sleep: Callable[[float], None]) -> str:
    """The output file of the batch that carries this key, which is made where there is none that may still end well."""
    batch = next((one for one in client.batches.list(limit=100) if (one.metadata or {}).get(MARK) == key and _hopeful(one.status)), None)
    if batch is None:
        file = client.files.create(file=("requests.jsonl", lines.encode()), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={MARK: key})
    while batch.status in RUNNING:
        told(f"batch {batch.id}: {batch.status}")
        sleep(BETWEEN_LOOKS)
        batch = client.batches.retrieve(batch.id)
    if batch.status != "completed" or batch.output_file_id is None:
        raise Transient(f"batch {batch.id} ended as {batch.status}; run the command again, or leave --plain model out")
    return client.files.content(batch.output_file_id).text


def _hopeful(status: str) -> bool:
    return status in RUNNING or status == "completed"


def _read(text: str) -> dict[str, str]:
    found = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        row = json.loads(line)
        body = (row.get("response") or {}).get("body") or {}
        choices = body.get("choices") or [{}]
        said = (choices[0].get("message") or {}).get("content")
        if choices[0].get("finish_reason") == "stop" and said:
            found[str(row["custom_id"])] = str(said)
    return found
