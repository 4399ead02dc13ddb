"""The sandbox: other people's APIs on loopback, on the standard library's threading server, HTTP/1.1 with kept-alive connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

from connectors.sandbox.auth import Access, resource
from connectors.sandbox.company import Company, load_company
from connectors.sandbox.control import control_routes
from connectors.sandbox.delivery import WEBHOOK_SECRET, event, sign
from connectors.sandbox.exports import EXPORTS
from connectors.sandbox.faults import BEFORE_EFFECT, Fault, FaultScript, afterwards
from connectors.sandbox.guide import Guide
from connectors.sandbox.help_center import HELP_CENTER_ROUTES
from connectors.sandbox.limits import Buckets, Limits
from connectors.sandbox.model import Model
from connectors.sandbox.state import Desk
from connectors.sandbox.wire import Problem, Request, Response, Route, Routes, no_endpoint
from connectors.sandbox.world import World
from connectors.sandbox.writing import WRITING
from connectors.sandbox.zendesk import READING

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 50 * 2**20  # bytes


class Seen(NamedTuple):
    """One line of the request log; `status` is 0 where the connection was closed without an answer."""

    method: str
    path: str
    status: int
    query: str = ""
    authorization: str = ""  # the scheme only, never the credentials


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """The APIs with their state. `start()`/`stop()`, or a context manager; `url` is known after the start."""

    def __init__(
        self,
        *,
        port: int = 0,
        company: Company | None = None,
        now: Callable[[], datetime] = utc_now,
        export_delay: float = 60.0,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`export_delay`: seconds for which incremental exports withhold a change, as the vendor does; 0 for demos and fast tests."""
        company = load_company() if company is None else company
        self._port, self._now, self._sleep = port, now, sleep
        self.lock = threading.RLock()
        self.desk, self.guide = Desk(company, now, self.lock), Guide(company, now, self.lock)
        self.access = Access(self.desk, now)
        self.model = Model(now, sleep)
        self.faults = FaultScript(now)
        self.requests: list[Seen] = []
        buckets = Buckets(limits or Limits(), now)
        self.world = World(self.desk, self.guide, self.access, buckets, now, self.lock, timedelta(seconds=export_delay))
        self._control = control_routes(self.faults, lambda: [seen._asdict() for seen in list(self.requests)])
        self._routes = Routes(*EXPORTS, *READING, *WRITING, *HELP_CENTER_ROUTES)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    def start(self) -> Sandbox:
        self._server = _Server((LOOPBACK, self._port), self)
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def deliver(
        self,
        ticket_id: int,
        *,
        to: str,
        secret: str = WEBHOOK_SECRET,
        kind: str = "ticket.created",
        delivery_id: str | None = None,
        at: datetime | None = None,
    ) -> int:
        """Send one signed webhook delivery; returns the status answered. `delivery_id`: repeat an earlier one; `at`: sign as of then."""
        import requests

        with self.lock:
            ticket, moment = self.desk.tickets[ticket_id], at or self._now()
            comment = ticket.comments[-1] if kind == "ticket.comment_added" else None
            body = event(ticket, kind, moment, delivery_id or str(uuid4()), comment)
        with requests.post(to, data=body, headers=sign(body, moment, secret), timeout=12) as answer:
            return answer.status_code

    # -- answering

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
        twist = fault.kind if fault.kind in ("empty_page", "duplicate_page") else None
        return afterwards(fault, self._answer_plain(replace(request, twist=twist)))

    def _answer_plain(self, request: Request) -> Response:
        if request.path.startswith("/openai/v1/"):
            return self.model.answer(request)
        with self.lock:
            try:
                return self._answer_zendesk(request)
            except Problem as problem:
                return problem.response

    def _answer_zendesk(self, request: Request) -> Response:
        if (request.method, request.path.removesuffix(".json")) == ("POST", "/oauth/tokens"):
            return self.access.token(request)
        found = self._routes.find(request.method, request.path)
        if found is None:
            return no_endpoint()
        route, ids = found
        request = replace(request, caller=self.access.identify(request))
        headers = self._spend(route, request, ids)
        try:
            return route.call(self.world, request, ids).with_headers(headers)
        except Problem as problem:
            return problem.response.with_headers(headers)

    def _spend(self, route: Route, request: Request, ids: Mapping[str, str]) -> dict[str, str]:
        if not request.path.startswith("/api/"):
            return {}
        in_help_center = resource(request.path) == "hc"
        return self.world.buckets.spend(help_center=in_help_center, bucket=route.bucket, ticket_id=int(ids.get("ticket_id", 0)))

    def _answer_control(self, request: Request) -> Response:
        found = self._control.find(request.method, request.path)
        if found is None:
            return no_endpoint()
        with self.lock:
            try:
                return found[0].call(self.world, request, found[1])
            except Problem as problem:
                return problem.response

    def _log(self, request: Request, response: Response | None) -> None:
        scheme = request.headers.get("authorization", "").partition(" ")[0]
        query = "&".join(f"{key}={value}" for key, value in request.query.items())
        self.requests.append(Seen(request.method, request.path, response.status if response else 0, query, scheme))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        super().__init__(address, _Connection)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; anything else is the sandbox's own fault and is shown."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed already


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what was asked is in `Sandbox.requests`."""

    def _serve(self) -> None:
        target = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return self._send(Response(413, "Too large"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        origin = f"http://{headers.get('host', '') or self.server.sandbox.url.removeprefix('http://')}"
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        request = Request(self.command, unquote(target.path), query, headers, self.rfile.read(length), origin)
        response = self.server.sandbox.answer(request)
        if response is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        return self._send(response)

    def _send(self, response: Response) -> None:
        payload = response.payload()
        self.send_response(response.status)
        for name, value in {**response.headers, "content-type": response.content_type()}.items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("content-length", str(len(payload)))
        self.end_headers()
        if response.cut:
            payload, self.close_connection = payload[: len(payload) // 2], True
        self.wfile.write(payload)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve
