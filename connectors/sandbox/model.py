"""An OpenAI-compatible endpoint with a deterministic model that can be told how to fail."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import threading
from collections.abc import Callable
from datetime import date, datetime
from math import sqrt
from typing import Any
from uuid import uuid4

from connectors.sandbox import speech
from connectors.sandbox.finetuning import FineTuning
from connectors.sandbox.finetuning_batches import Batches
from connectors.sandbox.wire import JsonObject, Request, Response

API_KEY = "sandbox-key"  # public on purpose
PREFIX = "/openai/v1"
MOST_INPUTS, MOST_TOKENS_EACH, MOST_TOKENS = 2048, 8192, 300_000  # of one embeddings call: OpenAI's API description
REASONING = ("reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens")
CACHED_FROM, CACHED_STEP = 1024, 128  # tokens of a repeated prefix
DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "sandbox-embed": 256}
SPEAKERS: dict[str, Callable[[JsonObject], list[speech.Claim]]] = {
    "compose": speech.compose,
    "echo": speech.echo,
    "invent": speech.invent,
    "obey": speech.obey,
}
SLOW_SECONDS = 90.0
MODES = (*SPEAKERS, "slow", "refuse", "truncate", "content_filter", "empty", "nonsense", "rate_limited", "insufficient_quota", "error")


class Model:
    """`mode`: one of MODES. `reply`: called with the request body instead, gives the content (text, or a JSON value), or a whole
    answer (a dict with `choices`), or None to fall back on the mode. `latency`: seconds before every chat answer. `calls`: bodies seen.
    `models`: id -> shutdown date (YYYY-MM-DD) or None; a model past it is not found.
    """

    def __init__(self, now: Callable[[], datetime], sleep: Callable[[float], None]) -> None:
        self._now, self._sleep, self._lock = now, sleep, threading.Lock()
        self.mode = "compose"
        self.reply: Callable[[JsonObject], Any] | None = None
        self.latency = 0.0
        self.context_tokens = 1_000_000
        self.calls: list[JsonObject] = []
        self.running = self.most_running = 0
        self._prefixes: set[str] = set()
        self.models: dict[str, str | None] = {"sandbox-chat": None, "gpt-6-luna": None, "gpt-4o-mini-2024-07-18": "2027-01-14"}
        self.models |= dict.fromkeys(DIMENSIONS) | {"gpt-4.1-mini-2025-04-14": "2027-01-14"}
        self.fine_tuning = FineTuning(now, self.models, refusal)
        self.batches = Batches(self.fine_tuning, self._chat, refusal)

    def answer(self, request: Request) -> Response:
        headers = {"x-request-id": f"req_{uuid4().hex}", "openai-processing-ms": "1"}
        return self._route(request).with_headers(headers)

    def _route(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            return refusal(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
        path = request.path.removeprefix(PREFIX)
        if request.method == "GET" and path == "/models":
            return Response(200, {"object": "list", "data": [self._model(name) for name in self.models]})
        if request.method == "GET" and path.startswith("/models/"):
            name = path.removeprefix("/models/")
            return Response(200, self._model(name)) if self._alive(name) else no_model(name)
        if path == "/batches" or path.startswith("/batches/"):
            return self.batches.answer(request, path)
        with self._lock:
            if (tuned := self.fine_tuning.answer(request, path)) is not None:
                return tuned
        call = {"/chat/completions": self._chat, "/embeddings": self._embeddings}.get(path)
        if call is None or request.method != "POST":
            return refusal(404, f"Invalid URL ({request.method} {path})", "invalid_request_error", None)
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return refusal(400, "The request body is not a JSON object.", "invalid_request_error", None)
        if not self._alive(str(body.get("model"))):
            return no_model(str(body.get("model")))
        return call(body)

    def _alive(self, name: str) -> bool:
        shutdown = self.models.get(name)
        return name in self.models and (shutdown is None or date.fromisoformat(shutdown) > self._now().date())

    def _model(self, name: str) -> JsonObject:
        return {"id": name, "object": "model", "created": 1_760_000_000, "owned_by": "sandbox", "shutdown_date": self.models[name]}

    # -- chat

    def _chat(self, body: JsonObject) -> Response:
        with self._lock:
            self.calls.append(body)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            wait = self.latency or (SLOW_SECONDS if self.mode == "slow" else 0.0)
            if wait:
                self._sleep(wait)
            return self._speak(body)
        finally:
            with self._lock:
                self.running -= 1

    def _speak(self, body: JsonObject) -> Response:
        if failure := self._failure(body):
            return failure
        scripted = self.reply(body) if self.reply else None
        if isinstance(scripted, dict) and "choices" in scripted:
            return Response(200, scripted)
        if scripted is not None:
            return self._completion(body, scripted if isinstance(scripted, str) else json.dumps(scripted, ensure_ascii=False))
        match self.mode:
            case "refuse":
                return self._completion(body, None, refusal_text="I cannot help with that request.")
            case "truncate":
                whole = self._content(body, speech.echo)
                return self._completion(body, whole[: max(1, len(whole) // 2)], finish="length")
            case "content_filter":
                return self._completion(body, "", finish="content_filter")
            case "empty":
                return self._completion(body, "")
            case "nonsense":
                return self._completion(body, '{"sentences": [{"text": 7, "citations": "all"}], "colour":')
        return self._completion(body, self._content(body, SPEAKERS.get(self.mode, speech.compose)))

    def _failure(self, body: JsonObject) -> Response | None:
        if not isinstance(body.get("messages"), list) or not body["messages"]:
            message = "Missing required parameter: 'messages'."
            return refusal(400, message, "invalid_request_error", "missing_required_parameter", "messages")
        if tokens(speech.prompt_of(body)) > self.context_tokens:
            return refusal(400, "This model's context is exceeded.", "invalid_request_error", "context_length_exceeded", "messages")
        if self.mode == "rate_limited":
            limited = refusal(429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded")
            return limited.with_headers({"retry-after": "1", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"})
        if self.mode == "insufficient_quota":
            return refusal(429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota")
        if self.mode == "error":
            return refusal(500, "The server had an error while processing your request.", "server_error", None)
        return None

    def _content(self, body: JsonObject, speaker: Callable[[JsonObject], list[speech.Claim]]) -> str:
        """With a JSON schema an instance of it, without one plain text with [n] marks."""
        claims, wanted = speaker(body), body.get("response_format") or {}
        if wanted.get("type") == "json_schema":
            return json.dumps(speech.fill(wanted["json_schema"]["schema"], claims), ensure_ascii=False)
        if wanted.get("type") == "json_object":
            return json.dumps({"sentences": [{"text": c.text, "citations": list(c.citations)} for c in claims]}, ensure_ascii=False)
        return " ".join(f"{c.text} {''.join(f'[{n}]' for n in c.citations)}" for c in claims) or "I do not know."

    def _completion(self, body: JsonObject, content: str | None, *, finish: str = "stop", refusal_text: str | None = None) -> Response:
        choice = {
            "index": 0,
            "finish_reason": finish,
            "logprobs": None,
            "message": {"role": "assistant", "content": content, "refusal": refusal_text, "annotations": []},
        }
        answer = {
            "id": f"chatcmpl-{uuid4().hex}",
            "object": "chat.completion",
            "created": int(self._now().timestamp()),
            "model": body["model"],
            "choices": [choice],
            "usage": self._usage(body, content or refusal_text or ""),
            "service_tier": "default",
            "system_fingerprint": "fp_sandbox",
        }
        return Response(200, answer)

    def _usage(self, body: JsonObject, content: str) -> JsonObject:
        """A prompt's first message is cached from its second use on; cached tokens are among the prompt's."""
        asked, said = tokens(speech.prompt_of(body)), tokens(content)
        prefix = speech.prompt_of({"messages": body["messages"][:1]})
        with self._lock:
            known = prefix in self._prefixes
            self._prefixes.add(prefix)
        cached = tokens(prefix) // CACHED_STEP * CACHED_STEP if known and tokens(prefix) >= CACHED_FROM else 0
        return {
            "prompt_tokens": asked,
            "completion_tokens": said,
            "total_tokens": asked + said,
            "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
            "completion_tokens_details": dict.fromkeys(REASONING, 0),
        }

    # -- embeddings

    def _embeddings(self, body: JsonObject) -> Response:
        given = body.get("input")
        texts: list[Any] = [given] if isinstance(given, str) else list(given or ())
        if not texts or any(not isinstance(text, str) or not text for text in texts):
            return refusal(400, "'$.input' is invalid: it must hold texts, none of them empty.", "invalid_request_error", None, "input")
        if len(texts) > MOST_INPUTS:
            return refusal(400, f"'$.input' is too long: at most {MOST_INPUTS} items.", "invalid_request_error", None, "input")
        sizes = [tokens(text) for text in texts]
        if max(sizes) > MOST_TOKENS_EACH:
            return refusal(400, f"An input exceeds {MOST_TOKENS_EACH} tokens.", "invalid_request_error", "context_length_exceeded", "input")
        if sum(sizes) > MOST_TOKENS:
            message = f"Requested {sum(sizes)} tokens, max {MOST_TOKENS} tokens per request"
            return refusal(400, message, "max_tokens_per_request", "max_tokens_per_request")
        size = int(body.get("dimensions") or DIMENSIONS.get(body["model"], 256))
        packed = body.get("encoding_format") == "base64"
        rows = [{"object": "embedding", "index": i, "embedding": _encoded(vector(text, size), packed)} for i, text in enumerate(texts)]
        usage = {"prompt_tokens": sum(sizes), "total_tokens": sum(sizes)}
        return Response(200, {"object": "list", "data": rows, "model": body["model"], "usage": usage})


def vector(text: str, size: int) -> list[float]:
    """Words hashed onto a unit sphere: texts that share words lie close together."""
    sums = [0.0] * size
    for word in re.findall(r"\w+", text.lower()) or [text]:
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        for part in (digest[:4], digest[4:]):
            number = int.from_bytes(part, "little")
            sums[(number >> 1) % size] += 1.0 if number & 1 else -1.0
    length = sqrt(sum(x * x for x in sums)) or 1.0
    return [x / length for x in sums]


def _encoded(values: list[float], packed: bool) -> list[float] | str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode() if packed else values


def tokens(text: str) -> int:
    """About four characters each, as a rule of thumb that is the same everywhere here."""
    return -(-len(text) // 4)


def refusal(status: int, message: str, kind: str, code: str | None, param: str | None = None) -> Response:
    return Response(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})


def no_model(name: str) -> Response:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return refusal(404, message, "invalid_request_error", "model_not_found")
