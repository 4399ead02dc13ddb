"""A threading HTTP/1.1 server on loopback with kept-alive connections; what it answers is a function of the request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from connectors.sandbox.wire import Request, Response

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 50 * 2**20  # bytes

Answer = Callable[[Request], Response | None]  # None: close the connection without an answer


class Server(ThreadingHTTPServer):
    """`port` 0 takes any free one; `url` is where it listens."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, answer: Answer) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        super().__init__((LOOPBACK, port), _Connection)
        self.url = f"http://{LOOPBACK}:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up on whoever is connected and free the port."""
        self.shutdown()
        self._hang_up()
        self.server_close()
        self._thread.join()

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

    def _hang_up(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it is closed already


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what was asked is in `Sandbox.requests`."""

    def _serve(self) -> None:
        target = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return self._send(Response(413, "Too large"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        origin = f"http://{headers.get('host', '') or self.server.url.removeprefix('http://')}"
        pairs = tuple(parse_qsl(target.query, keep_blank_values=True))
        request = Request(self.command, unquote(target.path), dict(pairs), headers, self.rfile.read(length), origin, pairs=pairs)
        response = self.server.answer(request)
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
