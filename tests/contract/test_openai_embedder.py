"""The embeddings protocol against the sandbox and a server made of one fault per test."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.base import ConfigProblem, RateLimited, Transient
from connectors.sandbox import Sandbox
from storage.database import open_database
from storage.embedding_openai import MOST_TEXTS, MOST_TOKENS, OpenAIEmbedder, batched, shorten
from storage.recall import RecallingEmbedder

Answer = tuple[int, dict[str, Any], dict[str, str]]


@contextmanager
def server(answer: Callable[[dict[str, Any]], Answer]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on loopback that answers every POST as told; its address and the bodies it was sent."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            bodies.append({**body, "key": self.headers.get("authorization")})
            status, said, headers = answer(body)
            raw = json.dumps(said).encode()
            with suppress(ConnectionError):  # who asked may be gone
                self.send_response(status)
                for name, value in {"content-type": "application/json", "content-length": str(len(raw)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}/v1", bodies
        listening.shutdown()


def vectors(body: dict[str, Any]) -> Answer:
    """Plain numbers, not of unit length, in reverse order."""
    rows = [{"object": "embedding", "index": at, "embedding": [3.0, 4.0]} for at in range(len(body["input"]))]
    return 200, {"object": "list", "data": rows[::-1], "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}, {}


def refusal(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    return status, {"error": {"message": message, "type": code, "param": None, "code": code}}, headers


def test_the_sandbox_gives_unit_rows_in_the_texts_order_and_zeros_for_no_text() -> None:
    with Sandbox() as sandbox, closing(OpenAIEmbedder("sandbox-embed", f"{sandbox.url}/openai/v1", "sandbox-key", 64)) as embedder:
        rows = embedder.embed(["refunds take days", "", "parcels", "refunds take days"])
        many = embedder.embed([f"passage {number}" for number in range(1500)])
        alone = embedder.embed(["passage 1499"])
    assert embedder.name == "sandbox-embed/64"
    assert np.linalg.norm(rows, axis=1).tolist() == pytest.approx([1, 0, 1, 1])
    assert (rows[0] == rows[3]).all()
    assert (many[1499] == alone[0]).all()


def test_dimensions_that_nobody_told_are_learnt_from_a_first_call() -> None:
    with server(vectors) as (url, bodies), closing(OpenAIEmbedder("m", url, None)) as embedder:
        assert embedder.dimensions == 2
        assert embedder.embed(["x"]).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)]]
    assert "dimensions" not in bodies[0]
    assert bodies[0]["encoding_format"] == "base64"


def test_a_server_that_does_not_know_base64_is_asked_for_numbers_once_and_from_then_on() -> None:
    def plain_only(body: dict[str, Any]) -> Answer:
        return refusal(400, "bad", "encoding_format is not supported") if body["encoding_format"] == "base64" else vectors(body)

    with server(plain_only) as (url, bodies), closing(OpenAIEmbedder("m", url, None, 2)) as embedder:
        embedder.embed(["x"])
        embedder.embed(["y"])
    assert [body["encoding_format"] for body in bodies] == ["base64", "float", "float"]


def test_a_server_too_slow_for_many_texts_is_asked_for_fewer_at_a_time() -> None:
    over = threading.Event()

    def slow(body: dict[str, Any]) -> Answer:
        if len(body["input"]) > 2:
            over.wait(30)
        return vectors(body)

    with server(slow) as (url, bodies), closing(OpenAIEmbedder("m", url, None, 2, timeout=0.5)) as embedder:
        rows = embedder.embed([f"text {number}" for number in range(7)])
        over.set()
    assert rows.shape == (7, 2)
    assert (rows > 0).all()
    assert {7, 3, 4, 2} <= {len(body["input"]) for body in bodies}


def test_the_servers_own_delay_is_kept_and_the_environments_key_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-somebody-else")
    answers, slept, moment = [refusal(429, "rate_limit_exceeded", **{"retry-after": "7"})], [], [0.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        moment[0] += seconds

    with (
        server(lambda body: answers.pop() if answers else vectors(body)) as (url, bodies),
        closing(OpenAIEmbedder("m", url, None, 2, sleep=sleep, clock=lambda: moment[0])) as embedder,
    ):
        embedder.embed(["x"])
    assert slept == [pytest.approx(7.0)]
    assert {body["key"] for body in bodies} == {"Bearer none"}


@pytest.mark.parametrize(
    ("answer", "fault", "calls"),
    [
        (refusal(429, "insufficient_quota"), ConfigProblem, 1),
        (refusal(429, "rate_limit_exceeded", **{"retry-after": "600"}), RateLimited, 1),
        (refusal(401, "invalid_api_key"), ConfigProblem, 1),
        (refusal(404, "model_not_found"), ConfigProblem, 1),
        (refusal(307, "moved", location="http://127.0.0.2:9/"), ConfigProblem, 1),
        (refusal(503, "overloaded"), Transient, 5),
    ],
)
def test_each_refusal_costs_no_more_calls_than_it_is_worth(answer: Answer, fault: type[Exception], calls: int) -> None:
    with (
        server(lambda _: answer) as (url, bodies),
        closing(OpenAIEmbedder("m", url, "secret-key", 2, sleep=lambda _: None)) as embedder,
        pytest.raises(fault, match=r"embedding: .*m at http") as raised,
    ):
        embedder.embed(["x"])
    assert len(bodies) == calls
    assert "secret-key" not in str(raised.value)


def test_a_text_longer_than_the_model_reads_is_cut_and_told() -> None:
    cuts: list[int] = []

    def strict(body: dict[str, Any]) -> Answer:
        return refusal(400, "context_length_exceeded") if max(len(text.encode()) for text in body["input"]) > 8192 else vectors(body)

    with server(strict) as (url, bodies), closing(OpenAIEmbedder("m", url, None, 2, cut=cuts.append)) as embedder:
        embedder.embed(["short", "é" * 20_000])
    assert cuts == [1, 1]
    assert len(bodies[-1]["input"][1].encode()) <= 8192


def test_requests_keep_to_the_protocols_limits() -> None:
    texts = ["x" * 16_384] * 100 + ["y"] * 5000
    batches = list(batched(range(len(texts)), texts))
    assert [place for batch in batches for place in batch] == list(range(len(texts)))
    assert all(len(batch) <= MOST_TEXTS and sum(len(texts[place]) / 2 for place in batch) <= MOST_TOKENS for batch in batches)
    assert shorten("é" * 5, 3) == "é"


def test_of_an_edited_document_only_what_changed_is_embedded_again(tmp_path: Path) -> None:
    engine = open_database("sqlite", folder=tmp_path)
    with server(vectors) as (url, bodies), closing(OpenAIEmbedder("m", url, None, 2)) as embedder:
        recalling = RecallingEmbedder(embedder, engine, most=2)
        first = recalling.embed(["one", "two", "one"])
        again = RecallingEmbedder(embedder, engine).embed(["two", "three"])
        assert recalling.prune() == 1
    assert [body["input"] for body in bodies] == [["one", "two"], ["three"]]
    assert (first[1] == again[0]).all()
    engine.dispose()
