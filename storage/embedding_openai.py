"""Vectors from any endpoint that speaks OpenAI's embeddings protocol: a few requests at once, each within the protocol's limits.

Nobody here has the model's tokenizer, so sizes are bounded from the bytes: a token has two or more of them in any language met in
practice, and one at the very least. A text that is refused as too long all the same is cut to the sure bound and sent once more.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.base import ConfigProblem, RateLimited, Transient
from storage.embedding import Rows

if TYPE_CHECKING:
    from openai import OpenAI

MOST_TEXTS = 2048  # in one request: OpenAI's API reference, as the next two
MOST_TOKENS_EACH = 8192
MOST_TOKENS = 300_000
BYTES_PER_TOKEN = 2
AT_ONCE = 4  # requests on their way
TEXTS_AT_ONCE = 256  # per request where there are enough for all: four requests of 256 come back sooner than one of 1,024
TIMEOUT = 60.0  # seconds, one request
PATIENCE = 60.0  # seconds that a passage's embedding waits for a server that asks to slow down
TRIES = 5
KNOWN = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
OUT_OF_MONEY = frozenset({"insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached"})
PROBE = "dimensions"  # any text: its vector tells how many numbers the model gives


@dataclass(slots=True)
class Bill:
    """One request: the most tokens it may be billed for, and what it was (None: nobody knows)."""

    most: int
    tokens: int | None = None


Charge = Callable[[Bill], AbstractContextManager[Any]]


class OpenAIEmbedder:
    """`Embedder` on an OpenAI-compatible endpoint. Threads may share it.

    `embed` raises ConfigProblem for what the operator must mend, RateLimited and Transient for what passes.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str | None,
        dimensions: int | None = None,
        *,
        charge: Charge = lambda _: nullcontext(),
        cut: Callable[[int], None] = lambda _: None,
        timeout: float = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`cut` is told how many texts of a call were longer than the model reads."""
        self._model, self._base_url, self._api_key, self._asked = model, base_url, api_key, dimensions
        self._charge, self._cut, self._sleep, self._clock = charge, cut, sleep, clock
        self._timeout = timeout
        self._packed = True  # until the server says that it does not know base64
        self._held_until = 0.0
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"{self._model}/{self.dimensions}"

    @cached_property
    def dimensions(self) -> int:
        """As configured, as known of the model, or as a first call tells."""
        return self._asked or KNOWN.get(self._model) or len(self._request([PROBE])[0])

    @cached_property
    def _client(self) -> OpenAI:
        import openai

        # A key is always given: without one the package would send the environment's to whatever server the file names.
        return openai.OpenAI(
            api_key=self._api_key or "none",
            base_url=self._base_url,
            timeout=self._timeout,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()

    def embed(self, texts: Sequence[str]) -> Rows:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        shortened = [shorten(text, MOST_TOKENS_EACH * BYTES_PER_TOKEN) for text in texts]
        if cuts := sum(short != text for short, text in zip(shortened, texts, strict=True)):
            self._cut(cuts)
        places = [place for place, text in enumerate(shortened) if text.strip()]  # the protocol refuses empty texts; theirs are zeros
        batches = list(batched(places, shortened))
        if len(batches) == 1:
            made = [self._request([shortened[place] for place in batches[0]])]
        else:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                made = list(pool.map(lambda batch: self._request([shortened[place] for place in batch]), batches))
        for batch, vectors in zip(batches, made, strict=True):
            if vectors.shape != (len(batch), self.dimensions):
                raise ConfigProblem(
                    f"embedding: {self._where} gives {vectors.shape[-1]} numbers per text where {self.dimensions} are expected;"
                    " correct embedding.dimensions"
                )
            rows[batch] = vectors
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, lengths, out=rows, where=lengths > 0)
        return rows

    def _request(self, texts: list[str]) -> Rows:
        import openai

        deadline = self._clock() + PATIENCE
        fault: ConfigProblem | Transient | None = None
        for attempt in range(1, TRIES + 1):
            self._wait_turn(deadline, fault)
            try:
                return self._create(texts)
            except openai.BadRequestError as problem:
                texts = self._other_way(problem, texts)
            except openai.RateLimitError as problem:
                self._slow_down(problem, attempt, deadline)
            except openai.APITimeoutError as problem:
                if len(texts) > 1:  # a server of one's own may be slow: less at a time
                    half = len(texts) // 2
                    return np.concatenate([self._request(texts[:half]), self._request(texts[half:])])
                raise sentence(problem, self._where) from None
            except openai.OpenAIError as problem:
                fault = sentence(problem, self._where)
                if isinstance(fault, ConfigProblem) or attempt == TRIES:
                    raise fault from None
                self._hold(2.0 ** (attempt - 1))
        raise Transient(f"embedding: {self._where} refused {TRIES} times; it is tried again later")

    def _create(self, texts: list[str]) -> Rows:
        import openai

        bill = Bill(sum(len(text.encode("utf-8", "replace")) for text in texts))
        options: dict[str, Any] = {"encoding_format": "base64" if self._packed else "float"}
        if self._asked:
            options["dimensions"] = self._asked
        with self._charge(bill):
            try:
                answer = self._client.embeddings.create(model=self._model, input=[_sound(text) for text in texts], **options)
            except openai.APIStatusError:
                bill.tokens = 0  # what is refused is not billed; a call that timed out may have been
                raise
            bill.tokens = getattr(getattr(answer, "usage", None), "total_tokens", None)
        found = sorted(getattr(answer, "data", None) or (), key=lambda one: one.index)
        if len(found) != len(texts):
            raise Transient(f"embedding: {self._where} answered {len(texts)} texts with {len(found)} vectors")
        return np.stack([_numbers(one.embedding) for one in found])

    def _other_way(self, problem: Any, texts: list[str]) -> list[str]:
        """A refusal that has a cure: base64 unknown to the server, texts too long for it. Raises ConfigProblem for any other."""
        said = f"{problem.code} {problem.param} {problem.message}"
        if self._packed and ("encoding_format" in said or "base64" in said):
            self._packed = False
            return texts
        shorter = [shorten(text, MOST_TOKENS_EACH) for text in texts]
        if ("context_length" in said or "token" in said) and shorter != texts:
            self._cut(sum(short != text for short, text in zip(shorter, texts, strict=True)))
            return shorter
        raise sentence(problem, self._where) from None

    def _slow_down(self, problem: Any, attempt: int, deadline: float) -> None:
        if {str(problem.code), str(problem.type)} & OUT_OF_MONEY:
            raise ConfigProblem(f"embedding: the account behind {self._where} has no credit or has reached its limit; top it up") from None
        wait = _retry_after(problem)
        wait = 2.0 ** (attempt - 1) if wait is None else wait
        if attempt == TRIES or self._clock() + wait > deadline:
            raise RateLimited(f"embedding: {self._where} asks to slow down", wait) from None
        self._hold(wait)

    def _hold(self, seconds: float) -> None:
        """All threads wait: one budget, however many ask."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)

    def _wait_turn(self, deadline: float, fault: ConfigProblem | Transient | None) -> None:
        """Raises `fault`, what the last attempt met, when there is no time left for another one."""
        wait = self._held_until - self._clock()
        if wait > 0:
            if self._held_until > deadline:
                raise fault or RateLimited(f"embedding: {self._where} asks to slow down", wait)
            self._sleep(wait)

    @property
    def _where(self) -> str:
        return f"{self._model} at {self._base_url}"


def batched(places: Sequence[int], texts: Sequence[str]) -> Iterator[list[int]]:
    """The places in groups that one request may hold."""
    most = min(MOST_TEXTS, TEXTS_AT_ONCE)
    batch: list[int] = []
    size = 0
    for place in places:
        tokens = -(-len(texts[place].encode("utf-8", "replace")) // BYTES_PER_TOKEN)
        if batch and (len(batch) == most or size + tokens > MOST_TOKENS):
            yield batch
            batch, size = [], 0
        batch.append(place)
        size += tokens
    if batch:
        yield batch


def shorten(text: str, most: int) -> str:
    """The text's beginning of at most so many bytes, no character cut in two."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= most else raw[:most].decode("utf-8", "ignore")


def sentence(problem: Exception, where: str) -> ConfigProblem | Transient:
    """What a failed call means to the operator; bodies of other people's servers are not repeated in it."""
    import openai

    if isinstance(problem, openai.APITimeoutError):
        return Transient(f"embedding: {where} did not answer in time")
    if isinstance(problem, openai.APIConnectionError):
        return Transient(f"embedding: {where} cannot be reached")
    if not isinstance(problem, openai.APIStatusError):
        return Transient(f"embedding: {where} gave an answer that holds no vectors")
    status = problem.status_code
    if status in (408, 409, 425) or status >= 500:
        return Transient(f"embedding: {where} answered {status}")
    if 300 <= status < 400:
        return ConfigProblem(f"embedding: {where} redirects elsewhere, which is not followed; write the final base_url")
    known = {
        401: "refuses the key; correct embedding.api_key",
        403: "does not let this account use the model",
        404: "does not exist: the model is retired or misspelt, or embedding.base_url is wrong",
    }
    return ConfigProblem(f"embedding: {where} {known.get(status, f'refuses the request ({status}); check embedding.dimensions')}")


def _retry_after(problem: Any) -> float | None:
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(problem.response.headers[name]) * scale)
        except (KeyError, ValueError):
            continue
    return None


def _numbers(given: Any) -> Rows:
    """base64 of little-endian float32, or the numbers themselves: some servers answer so whatever they are asked."""
    if isinstance(given, str):
        return np.frombuffer(base64.b64decode(given), "<f4").astype(np.float32)
    return np.asarray(given, np.float32)


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
