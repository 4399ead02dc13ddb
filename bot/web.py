"""The HTTP side of `draftdesk run`: webhooks in, health and metrics out, and the console beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from connectors.base import ConfigProblem, RateLimited, Refused, Rejected, Transient, Webhook

LARGEST_DELIVERY = 1 << 20  # bytes
LONGEST_LENGTH = 20  # digits of a length that is worth reading
log = structlog.get_logger()


def create_app(
    webhooks: Mapping[str, Webhook],
    look: Callable[[str, str, str], None],
    ready: Callable[[], Mapping[str, str]],
    metrics: CollectorRegistry,
    now: Callable[[], datetime],
    *,
    console: ASGIApp | None = None,
) -> Starlette:
    """The console, where it is served, has every path that is not one of ours.

    `look(connector, ticket, delivery)` must be safe to repeat; `ready()` maps each part to ``ok`` or what is wrong with it."""

    async def take_webhook(request: Request) -> Response:
        name = request.path_params["name"]
        hook = webhooks.get(name)
        if hook is None:
            return PlainTextResponse("no such webhook", status_code=404)
        body = await _read(request)
        if body is None:
            return PlainTextResponse("larger than 1 MiB", status_code=413)
        try:
            event = hook.verify(dict(request.headers), body, now())
        except Rejected as refusal:
            log.warning("webhook rejected", connector=name, reason=str(refusal))
            return PlainTextResponse("not accepted", status_code=401)
        if event.ticket_id is not None:
            await run_in_threadpool(look, name, event.ticket_id, event.delivery_id)
        return PlainTextResponse("accepted", status_code=202)

    def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    def readiness(request: Request) -> Response:
        parts = dict(ready())
        return JSONResponse(parts, status_code=200 if all(state.partition(";")[0] == "ok" for state in parts.values()) else 503)

    def measure(request: Request) -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    def closed(request: Request) -> Response:
        return PlainTextResponse("The console is not served: it has no password (console.password in the configuration).", status_code=404)

    return Starlette(
        routes=[
            Route("/webhooks/{name}", take_webhook, methods=["POST"]),
            Route("/healthz", health),
            Route("/readyz", readiness),
            Route("/metrics", measure),
            Mount("/", console) if console else Route("/", closed),
        ]
    )


def create_door(answer: Callable[[str, dict[str, Any]], Any]) -> Starlette:
    """What the other commands of this machine ask of the running process; `answer(errand, asked)` may raise what they should be told."""

    async def take(request: Request) -> Response:
        asked = await request.json()
        try:
            return JSONResponse({"done": await run_in_threadpool(answer, request.path_params["errand"], asked)})
        except (ConfigProblem, RateLimited, Transient, Refused) as problem:
            return JSONResponse({"problem": str(problem)}, status_code=409)

    return Starlette(routes=[Route("/{errand:str}", take, methods=["POST"])])


async def _read(request: Request) -> bytes | None:
    """The body, or None when it is too large: said before it is read where the sender tells its length."""
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit()) or len(declared) > LONGEST_LENGTH or int(declared) > LARGEST_DELIVERY:
        return None
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_DELIVERY:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
