"""The sandbox's own door, for tests and demos in other processes: /_sandbox/..., without credentials, on loopback only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from connectors.sandbox.faults import FaultScript
from connectors.sandbox.wire import JsonObject, Request, Response, Route, fault

Ids = Mapping[str, str]
Log = Callable[[], list[JsonObject]]


def fault_routes(script: FaultScript, log: Log) -> tuple[Route, ...]:
    """What every emulated system has: faults to add and to clear, and the log of requests."""

    def add_faults(api: Any, request: Request, ids: Ids) -> Response:
        """A fault, or {"faults": [...]}; the keys are those of `faults.Fault`."""
        asked = request.json()
        try:
            made = [script.add(**one) for one in asked.get("faults", [asked])]
        except (TypeError, ValueError) as problem:
            return fault(400, "BadFault", str(problem))
        return Response(201, {"faults": [asdict(one) for one in made]})

    def drop_faults(api: Any, request: Request, ids: Ids) -> Response:
        script.clear()
        return Response(200, {})

    def requests(api: Any, request: Request, ids: Ids) -> Response:
        return Response(200, {"requests": log()})

    return (
        Route("POST", "/_sandbox/faults", add_faults),
        Route("DELETE", "/_sandbox/faults", drop_faults),
        Route("GET", "/_sandbox/requests", requests),
    )
