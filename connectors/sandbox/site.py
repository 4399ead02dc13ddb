"""One emulated system on an origin of its own: its API, what goes wrong on the way to it, and a log of who asked what."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol, Self

from connectors.sandbox.control import fault_routes
from connectors.sandbox.faults import BEFORE_EFFECT, TWISTS, Fault, FaultScript, afterwards
from connectors.sandbox.server import Server
from connectors.sandbox.wire import Problem, Request, Response, Route, Routes, no_endpoint


class Api(Protocol):
    """What a vendor's room provides. `control` are doors of its own below /_sandbox/, called as `call(api, request, ids)`.

    `answer` is called under `lock` and may raise Problem. `request.twist` names a paging fault that it must show.
    """

    @property
    def lock(self) -> threading.RLock: ...
    @property
    def control(self) -> Sequence[Route]: ...
    def answer(self, request: Request) -> Response: ...


class Seen(NamedTuple):
    """One line of the request log; `status` is 0 where the connection was closed without an answer."""

    method: str
    path: str
    status: int
    query: str = ""
    authorization: str = ""  # the scheme only, never the credentials


def utc_now() -> datetime:
    return datetime.now(UTC)


class Site:
    """`start()`/`stop()`, or a context manager; `url` is known after the start."""

    def __init__(
        self, api: Api, *, port: int = 0, now: Callable[[], datetime] = utc_now, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.api = api
        self.faults = FaultScript(now)
        self.requests: list[Seen] = []
        self.url = ""
        self._port, self._sleep = port, sleep
        self._server: Server | None = None
        log = lambda: [seen._asdict() for seen in list(self.requests)]  # noqa: E731
        self._control = Routes(*fault_routes(self.faults, log), *api.control)

    def start(self) -> Self:
        self._server = Server(self._port, self.answer)
        self.url = self._server.url
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, request: Request) -> Response | None:
        """The answer to one request, faults included; None: close the connection without one."""
        if request.path.startswith("/_sandbox/"):
            return self._answer_control(request)
        fault = self.faults.draw(request.method, request.path)
        response = self._answer_faulty(fault, request) if fault else self._answer_plain(request)
        self._log(request, response)
        return response

    def _answer_faulty(self, fault: Fault, request: Request) -> Response | None:
        if fault.kind in BEFORE_EFFECT:
            return self.faults.instead(fault, request)
        if fault.kind == "slow":
            self._sleep(fault.seconds)
        twisted = replace(request, twist=fault.kind, twist_host=fault.host) if fault.kind in TWISTS else request
        return afterwards(fault, self._answer_plain(twisted))

    def _answer_plain(self, request: Request) -> Response:
        with self.api.lock:
            try:
                return self.api.answer(request)
            except Problem as problem:
                return problem.response

    def _answer_control(self, request: Request) -> Response:
        found = self._control.find(request.method, request.path)
        if found is None:
            return no_endpoint()
        with self.api.lock:
            try:
                return found[0].call(self.api, request, found[1])
            except Problem as problem:
                return problem.response

    def _log(self, request: Request, response: Response | None) -> None:
        scheme = request.headers.get("authorization", "").partition(" ")[0]
        query = "&".join(f"{key}={value}" for key, value in request.query.items())
        self.requests.append(Seen(request.method, request.path, response.status if response else 0, query, scheme))


def called(function: Callable[..., Any], *args: Any, **details: Any) -> Any:
    """For the doors below /_sandbox/: what the caller got wrong is a 400, not the sandbox's fault. Raises Problem."""
    try:
        return function(*args, **details)
    except (TypeError, ValueError, KeyError) as problem:
        raise Problem(Response(400, {"error": "BadRequest", "description": str(problem)})) from None
