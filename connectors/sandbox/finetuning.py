"""Files and fine-tuning jobs of the OpenAI-compatible endpoint. Each look at a running job moves it one state on."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from uuid import uuid4

from connectors.sandbox.wire import JsonObject, Request, Response

FEWEST = 10
ENDED = ("succeeded", "failed", "cancelled")
NEXT = {"validating_files": "queued", "queued": "running", "running": "succeeded"}
SAYS = {"queued": "Files validated, moving job to queued state", "running": "Fine-tuning job started"}
STEPS = 6
Refusal = Callable[..., Response]


class FineTuning:
    """`closed`: refuses new jobs, as OpenAI does by now. `fails`: every job ends in failure.
    `lose`: so many created jobs' answers are lost. `looks`: how many looks a job stays in each state.
    `encoded`: result files come in base64, as OpenAI's do. `gain`: by how much held-out loss falls, by job body (1.0: to a quarter).
    `models`: the server's list, to which a finished model is added.
    """

    def __init__(self, now: Callable[[], datetime], models: dict[str, str | None], refusal: Refusal) -> None:
        self._now, self._models, self._refusal = now, models, refusal
        self.closed = self.fails = False
        self.encoded = True
        self.gain: Callable[[JsonObject], float] = lambda _: 1.0
        self.lose = 0
        self.looks = 1
        self.files: dict[str, tuple[JsonObject, bytes]] = {}
        self.jobs: dict[str, JsonObject] = {}
        self.events: dict[str, list[JsonObject]] = {}
        self._seen: dict[str, int] = {}

    def answer(self, request: Request, path: str) -> Response | None:
        """None: no address of ours."""
        if path == "/files" and request.method == "POST":
            return self._upload(request)
        if matched := re.fullmatch(r"/files/([\w-]+)(/content)?", path):
            return self._file(matched[1], content=bool(matched[2]))
        if path == "/fine_tuning/jobs":
            return self._create(json.loads(request.body)) if request.method == "POST" else self._list(request)
        if matched := re.fullmatch(r"/fine_tuning/jobs/([\w-]+)(?:/(events|cancel|checkpoints))?", path):
            return self._job(matched[1], matched[2])
        return None

    def _upload(self, request: Request) -> Response:
        head = b"content-type: " + request.headers.get("content-type", "").encode() + b"\r\n\r\n"
        parts = {
            part.get_param("name", header="content-disposition"): part
            for part in BytesParser(policy=HTTP).parsebytes(head + request.body).walk()
        }
        if "file" not in parts or "purpose" not in parts:
            return self._refusal(400, "Missing required parameter: 'file' or 'purpose'.", "invalid_request_error", None)
        content = bytes(parts["file"].get_payload(decode=True) or b"")
        return Response(200, self.keep(content, str(parts["file"].get_filename()), "fine-tune"))

    def keep(self, content: bytes, name: str, purpose: str) -> JsonObject:
        made = {"id": f"file-{uuid4().hex[:22]}", "object": "file", "bytes": len(content), "created_at": self._stamp(), "filename": name}
        made |= {"purpose": purpose, "status": "processed", "status_details": None}
        self.files[str(made["id"])] = (made, content)
        return made

    def _file(self, identity: str, *, content: bool) -> Response:
        if identity not in self.files:
            return self._refusal(404, f"No such File object: {identity}", "invalid_request_error", None, "id")
        made, raw = self.files[identity]
        if not content:
            return Response(200, made)
        encoded = self.encoded and made["purpose"] == "fine-tune-results"
        return Response(200, base64.b64encode(raw).decode() if encoded else raw.decode())

    def _create(self, body: JsonObject) -> Response:
        if self.closed:
            message = "Fine-tuning is not available to your organization: it is closed to new jobs."
            return self._refusal(403, message, "invalid_request_error", "fine_tuning_unavailable")
        if body.get("model") not in self._models:
            return self._refusal(404, f"The model `{body.get('model')}` does not exist.", "invalid_request_error", "model_not_found")
        missing = [body[name] for name in ("training_file", "validation_file") if body.get(name) and body[name] not in self.files]
        if missing or not body.get("training_file"):
            return self._refusal(400, f"invalid training_file: {missing}", "invalid_request_error", None, "training_file")
        identity = f"ftjob-{uuid4().hex[:22]}"
        job = {
            "id": identity,
            "object": "fine_tuning.job",
            "created_at": self._stamp(),
            "model": body["model"],
            "status": "validating_files",
        }
        job |= {"fine_tuned_model": None, "finished_at": None, "trained_tokens": None, "result_files": [], "organization_id": "org-sandbox"}
        job |= {"error": {"code": None, "message": None, "param": None}, "seed": body.get("seed") or 42, "method": body.get("method")}
        job |= {"training_file": body["training_file"], "validation_file": body.get("validation_file"), "metadata": body.get("metadata")}
        method = body.get("method") or {}
        numbers = (method.get("supervised") or {}).get("hyperparameters") or {"n_epochs": "auto"}
        job |= {"hyperparameters": None if method.get("type") == "dpo" else numbers}  # OpenAI's jobs too have null here for DPO
        job["user_provided_suffix"] = body.get("suffix")
        self.jobs[identity], self.events[identity] = job, []
        self._tell(identity, f"Created fine-tuning job: {identity}")
        self._tell(identity, f"Validating training file: {body['training_file']}")
        if self.lose:
            self.lose -= 1
            return self._refusal(500, "The server had an error while processing your request.", "server_error", None)
        return Response(200, job)

    def _list(self, request: Request) -> Response:
        wanted = {key[9:-1]: value for key, value in request.pairs if key.startswith("metadata[")}
        found = [job for job in reversed(self.jobs.values()) if wanted.items() <= (job["metadata"] or {}).items()]
        return Response(200, {"object": "list", "data": found, "has_more": False})

    def _job(self, identity: str, part: str | None) -> Response:
        job = self.jobs.get(identity)
        if job is None:
            return self._refusal(
                404, f"Could not find fine tune: {identity}", "invalid_request_error", "fine_tune_not_found", "fine_tune_id"
            )
        if part == "events":
            return Response(200, {"object": "list", "data": self.events[identity][::-1], "has_more": False})
        if part == "checkpoints":
            return Response(200, {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None})
        if part == "cancel" and job["status"] not in ENDED:
            job |= {"status": "cancelled", "finished_at": self._stamp()}
            self._tell(identity, "The job has been cancelled")
        elif part is None and job["status"] not in ENDED:
            self._look(job)
        return Response(200, job)

    def _look(self, job: JsonObject) -> None:
        seen = self._seen[job["id"]] = self._seen.get(job["id"], 0) + 1
        if seen % self.looks:
            return
        lines = [line for line in self.files[job["training_file"]][1].split(b"\n") if line.strip()]
        wants_pairs = (job["method"] or {}).get("type") == "dpo"
        if job["status"] == "validating_files" and wants_pairs != (b'"preferred_output"' in (lines or [b""])[0]):
            message = "The job failed due to an invalid training file. Invalid file format. Line 1 does not fit the method."
            self._fail(job, "invalid_training_file", message, "training_file")
        elif job["status"] == "validating_files" and len(lines) < FEWEST:
            message = f"Training file has {len(lines)} example(s), but must have at least {FEWEST} examples"
            self._fail(job, "invalid_n_examples", message, "training_file")
        elif job["status"] == "running" and self.fails:
            self._fail(job, "server_error", "The job failed due to an internal error", None)
        elif job["status"] == "running":
            self._finish(job, sum(map(len, lines)))
        else:
            job["status"] = NEXT[job["status"]]
            self._tell(job["id"], SAYS[job["status"]])

    def _fail(self, job: JsonObject, code: str, message: str, param: str | None) -> None:
        job |= {"status": "failed", "finished_at": self._stamp(), "error": {"code": code, "message": message, "param": param}}
        self._tell(job["id"], message, level="error")

    def _finish(self, job: JsonObject, size: int) -> None:
        epochs = (job["hyperparameters"] or {}).get("n_epochs")
        rows = ["step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"]
        for step in range(1, STEPS + 1):
            loss = round(2.0 / step, 4)
            held_out = f"{2.0 - 1.5 * self.gain(job) * step / STEPS:.4f},0.5" if job["validation_file"] else ","
            rows.append(f"{step},{loss},{round(1 - loss / 4, 4)},{held_out}")
            self._tell(
                job["id"], f"Step {step}/{STEPS}: training loss={loss}", metrics={"step": step, "train_loss": loss, "total_steps": STEPS}
            )
        name = f"ft:{job['model']}:sandbox:{job['user_provided_suffix'] or ''}:{uuid4().hex[:8]}"
        result = self.keep("\n".join([*rows, ""]).encode(), "step_metrics.csv", "fine-tune-results")
        job |= {"status": "succeeded", "fine_tuned_model": name, "finished_at": self._stamp(), "result_files": [result["id"]]}
        job["trained_tokens"] = size // 4 * (epochs if isinstance(epochs, int) else 3)
        self._models[name] = self._models[job["model"]]
        self._tell(job["id"], "New fine-tuned model created")
        self._tell(job["id"], "The job has successfully completed")

    def _tell(self, identity: str, message: str, *, level: str = "info", metrics: Any = None) -> None:
        event = {"id": f"ftevent-{uuid4().hex[:22]}", "object": "fine_tuning.job.event", "created_at": self._stamp(), "level": level}
        self.events[identity].append(event | {"message": message, "type": "metrics" if metrics else "message", "data": metrics})

    def _stamp(self) -> int:
        return int(self._now().timestamp())
