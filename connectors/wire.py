"""requests' adapter with a deadline on the whole answer, instead of on each packet of it."""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Mapping
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

_PIECE = 65_536  # bytes per read
LINES = 64  # connections kept open for the next call: as many as calls under way at once, or each busy moment opens new ones


class Oversize(Exception):
    """A body beyond the size that may be read."""


def read_body(response: requests.Response, limit: int, *, whole: bool) -> bytes:
    """The decompressed body. `whole`: raises Oversize beyond `limit` bytes and urllib3's or OSError when it is cut short;
    otherwise what came of it, at most `limit` bytes.
    """
    pieces, size = [], 0
    try:
        while piece := response.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                break
    except (urllib3.exceptions.HTTPError, OSError):
        if whole:
            raise
    finally:
        response.close()
    if whole and size > limit:
        raise Oversize(f"more than {limit} bytes")
    return b"".join(pieces)[:limit]


class PromptAdapter(HTTPAdapter):
    """Sends once (urllib3 retries nothing) and takes the read timeout as the time for the whole answer, head and body."""

    def __init__(self) -> None:
        super().__init__(max_retries=0, pool_maxsize=LINES)

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> urllib3.connectionpool.ConnectionPool:
        pool = super().get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        if isinstance(pool, urllib3.HTTPConnectionPool):
            pool.ConnectionCls = _TlsLine if pool.scheme == "https" else _Line
        return pool


class _Impatient(io.RawIOBase):
    """A socket's stream that gives each read only what is left of one common time."""

    def __init__(self, raw: io.RawIOBase, line: socket.socket, seconds: float) -> None:
        self._raw = raw
        self._line = line
        self._ends = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self._line.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PromptAnswer(http.client.HTTPResponse):
    """An answer that must be complete within the timeout its socket has when it begins."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        seconds = sock.gettimeout()
        if seconds is not None:
            self.fp = io.BufferedReader(_Impatient(self.fp.detach(), sock, seconds))


class _Line(HTTPConnection):
    response_class = _PromptAnswer


class _TlsLine(HTTPSConnection):
    response_class = _PromptAnswer
