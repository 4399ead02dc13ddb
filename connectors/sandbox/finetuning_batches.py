"""Batches of the OpenAI-compatible endpoint: a file of requests in, a file of answers out, in another order. Each look moves one on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from connectors.sandbox.finetuning import FineTuning, Refusal
from connectors.sandbox.wire import JsonObject, Request, Response

NEXT = {"validating": "in_progress", "in_progress": "finalizing", "finalizing": "completed"}
Answerer = Callable[[JsonObject], Response]


class Batches:
    """`absent`: the server knows no batches. `lose`: so many created batches' answers are lost. `ends`: what a batch becomes."""

    def __init__(self, tuning: FineTuning, answerer: Answerer, refusal: Refusal) -> None:
        self._tuning, self._answerer, self._refusal = tuning, answerer, refusal
        self.absent = False
        self.lose = 0
        self.ends = "completed"
        self.batches: dict[str, JsonObject] = {}

    def answer(self, request: Request, path: str) -> Response:
        if self.absent:
            return self._refusal(404, f"Invalid URL ({request.method} {path})", "invalid_request_error", None)
        if path == "/batches" and request.method == "POST":
            return self._create(json.loads(request.body))
        if path == "/batches":
            return Response(200, {"object": "list", "data": list(reversed(self.batches.values())), "has_more": False})
        matched = re.fullmatch(r"/batches/([\w-]+)", path)
        batch = self.batches.get(matched[1]) if matched else None
        if batch is None:
            return self._refusal(404, "No such batch.", "invalid_request_error", None)
        self._look(batch)
        return Response(200, batch)

    def _create(self, body: JsonObject) -> Response:
        if body.get("input_file_id") not in self._tuning.files:
            return self._refusal(400, "Invalid input_file_id.", "invalid_request_error", None, "input_file_id")
        identity = f"batch_{uuid4().hex[:24]}"
        batch: JsonObject = {"id": identity, "object": "batch", "endpoint": body["endpoint"], "input_file_id": body["input_file_id"]}
        batch |= {"completion_window": body.get("completion_window"), "status": "validating", "metadata": body.get("metadata")}
        batch |= {"created_at": 1_760_000_000, "output_file_id": None, "error_file_id": None, "errors": None}
        batch["request_counts"] = {"total": 0, "completed": 0, "failed": 0}
        self.batches[identity] = batch
        if self.lose:
            self.lose -= 1
            return self._refusal(500, "The server had an error while processing your request.", "server_error", None)
        return Response(200, batch)

    def _look(self, batch: JsonObject) -> None:
        if batch["status"] not in NEXT:
            return
        batch["status"] = NEXT[batch["status"]] if self.ends == "completed" else self.ends
        if batch["status"] == "completed":
            asked = [json.loads(line) for line in self._tuning.files[batch["input_file_id"]][1].split(b"\n") if line.strip()]
            lines = [json.dumps(self._answered(one)) for one in reversed(asked)]
            kept = self._tuning.keep("\n".join(lines).encode(), "output.jsonl", "batch_output")
            batch |= {"output_file_id": kept["id"], "request_counts": {"total": len(asked), "completed": len(asked), "failed": 0}}

    def _answered(self, asked: JsonObject) -> JsonObject:
        said = self._answerer(asked["body"])
        response: Any = {"status_code": said.status, "request_id": f"req_{uuid4().hex}", "body": said.body}
        return {"id": f"batch_req_{uuid4().hex[:12]}", "custom_id": asked["custom_id"], "response": response, "error": None}
