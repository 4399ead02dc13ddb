"""all-MiniLM-L6-v2 behind OpenAI's embeddings protocol on loopback: for `bench_retrieval.py` with EMBEDDING_URL.

    python tests/bench/sides/minilm.py MODEL.onnx TOKENIZER.json [PORT]

Runs in an environment of its own (onnxruntime, tokenizers, numpy). Mean of the token vectors, 256 tokens at most, as its makers do it.
"""

from __future__ import annotations

import base64
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

MOST = 256  # tokens
BATCH = 32


class Model:
    """Each text is read once; a question that comes again costs nothing."""

    def __init__(self, model: str, tokenizer: str) -> None:
        self.session = onnxruntime.InferenceSession(model)
        self.tokenizer = Tokenizer.from_file(tokenizer)
        self.tokenizer.enable_truncation(MOST)
        self.tokenizer.enable_padding()
        self.known: dict[str, Any] = {}

    def embed(self, texts: list[str]) -> list[Any]:
        new = sorted({text for text in texts if text not in self.known}, key=len)
        for start in range(0, len(new), BATCH):
            self.known |= zip(new[start : start + BATCH], self.read(new[start : start + BATCH]), strict=True)
        return [self.known[text] for text in texts]

    def read(self, texts: list[str]) -> Any:
        encodings = self.tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in encodings], np.int64)
        mask = np.array([one.attention_mask for one in encodings], np.int64)
        (states,) = self.session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})
        pooled = (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return (pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype("<f4")


def serve(model: Model, port: int) -> None:
    class Endpoint(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            rows = model.embed(asked["input"])
            packed = asked.get("encoding_format") == "base64"
            vectors = [base64.b64encode(row.tobytes()).decode() if packed else row.tolist() for row in rows]
            usage = {"prompt_tokens": 0, "total_tokens": 0}
            data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
            body = json.dumps({"object": "list", "model": asked["model"], "data": data, "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", port), Endpoint)
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(Model(sys.argv[1], sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
