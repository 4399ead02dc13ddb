"""HttpClient against a small server made of routes, one route per misbehaviour of a vendor."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import ConfigProblem, RateLimited, Transient
from connectors.http import ATTEMPTS, Answer, HttpClient, HttpError
from connectors.quota import Budget, budgets, retry_after

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Seen:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Route = Callable[[Seen, socket.socket], None]


@dataclass
class Vendor:
    """Hands each request to the next of `script` (the last one repeats). A route writes raw bytes and may close."""

    script: list[Route] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    def routes(self, *script: Route) -> None:
        self.script[:] = script
        self.seen.clear()

    def next(self) -> Route:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    state = Vendor()

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                method, target, _ = line.decode("latin-1").split(" ", 2)
                headers: dict[str, str] = {}
                while head := self.rfile.readline().decode("latin-1").strip():
                    name, _, value = head.partition(":")
                    headers[name.lower()] = value.strip()
                state.seen.append(Seen(method, target, headers, self.rfile.read(int(headers.get("content-length", 0)))))
                try:
                    state.next()(state.seen[-1], self.connection)
                except OSError:
                    return

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is part of these tests."""

    with Server(("127.0.0.1", 0), Conversation) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def reply(status: int = 200, body: bytes = b"{}", content_type: str = "application/json", **headers: str) -> Route:
    def route(seen: Seen, line: socket.socket) -> None:
        head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", f"Content-Type: {content_type}"]
        head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        line.sendall(("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + body)

    return route


def raw(*pieces: bytes, hang_up: bool = True) -> Route:
    def route(seen: Seen, line: socket.socket) -> None:
        for piece in pieces:
            line.sendall(piece)
        if hang_up:
            line.shutdown(socket.SHUT_RDWR)

    return route


@dataclass
class Sleeper:
    slept: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def client(vendor: Vendor, **more: object) -> tuple[HttpClient, Sleeper]:
    sleeper = Sleeper()
    options: dict[str, object] = {"authorize": lambda: {"Authorization": "Bearer token-of-ours"}, "sleep": sleeper, "now": lambda: NOW}
    return HttpClient(vendor.url, **{**options, **more}), sleeper  # type: ignore[arg-type]


# --- reading


def test_get_returns_the_json_and_sends_the_credentials(vendor: Vendor) -> None:
    vendor.routes(reply(body=b'{"a": 1}'))
    http, _ = client(vendor)
    answer = http.get("/api/v2/x", {"page[size]": 100, "q": "a b&c", "none": None})
    assert answer.json() == {"a": 1}
    assert vendor.seen[0].target == "/api/v2/x?page%5Bsize%5D=100&q=a+b%26c"
    assert vendor.seen[0].headers["authorization"] == "Bearer token-of-ours"
    assert http.requests == 1
    assert answer.headers["CONTENT-type"] == "application/json"


def test_a_netrc_file_and_a_cookie_add_nothing_to_a_request(vendor: Vendor, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    vendor.routes(reply(Set_Cookie="session=1; Path=/"))
    http, _ = client(vendor, authorize=None)
    http.get("/")
    http.get("/")
    assert [("authorization" in s.headers, "cookie" in s.headers) for s in vendor.seen] == [(False, False)] * 2


def test_calls_at_once_use_the_connections_of_those_before_them(vendor: Vendor) -> None:
    """A worker's 32 tickets: a call that opens a connection of its own costs a TLS handshake, or, in time, the vendor's patience."""
    together, lines = threading.Barrier(32), set[str]()

    def meet(seen: Seen, line: socket.socket) -> None:
        lines.add(str(line.getpeername()))
        together.wait(20)  # so that no connection is free again before all are in use
        reply()(seen, line)

    vendor.routes(meet)
    http, _ = client(vendor)
    with ThreadPoolExecutor(32) as pool:
        for _ in range(3):
            assert {answer.status for answer in pool.map(http.get, ["/x"] * 32)} == {200}
    assert len(lines) == 32


def test_an_explicit_default_port_is_the_same_origin() -> None:
    from connectors.origin import confine, parse_origin

    assert confine("https://acme.zendesk.com:443/api/v2/webhooks?page%5Bafter%5D=x", parse_origin("https://ACME.zendesk.com")) == (
        "/api/v2/webhooks?page%5Bafter%5D=x"
    )


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (reply(body=b"<html><title>Sign in</title></html>", content_type="text/html"), "HTML instead of JSON"),
        (reply(body=b"<!doctype html><p>hello", content_type="application/json"), "HTML instead of JSON"),
        (reply(body=b'{"tickets": [1, 2'), "truncated"),
        (reply(body=b""), "nothing where JSON was due"),
        (reply(204, b""), "nothing where JSON was due"),
        (reply(body=b"[" * 100_000), "truncated or invalid"),
        (reply(body=b"\xff\xfe\xfa{"), "truncated or invalid"),
    ],
)
def test_what_is_no_json_is_named_as_what_it_is(vendor: Vendor, route: Route, said: str) -> None:
    vendor.routes(route)
    with pytest.raises(Transient, match=said):
        client(vendor)[0].get("/x").json()


def test_text_that_no_database_stores_is_replaced(vendor: Vendor) -> None:
    vendor.routes(reply(body=b'{"a\\u0000": ["\\ud83d", "\\ud83d\\ude00", "\\\\u0000"]}'))
    assert client(vendor)[0].get("/x").json() == {"a�": ["?", "😀", "\\u0000"]}


@pytest.mark.parametrize(
    "cut",
    [
        raw(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":'),
        raw(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'),
        raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{"a":'),
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", hang_up=False),
    ],
)
def test_a_body_cut_on_the_way_is_truncated_and_read_again(vendor: Vendor, cut: Route) -> None:
    vendor.routes(cut, reply(body=b'{"a": 1}'))
    http, sleeper = client(vendor)
    assert http.get("/x").json() == {"a": 1}
    assert sleeper.slept == [0.5]
    vendor.routes(cut)
    with pytest.raises(Transient, match="truncated"):
        http.get("/x")
    assert len(vendor.seen) == ATTEMPTS


def test_gzip_and_chunks_are_undone(vendor: Vendor) -> None:
    packed = gzip.compress(json.dumps({"a": "x" * 200_000}).encode())
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(packed[i : i + 50]), packed[i : i + 50]) for i in range(0, len(packed), 50))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    vendor.routes(raw(head, chunks, b"0\r\n\r\n", hang_up=False))
    http, _ = client(vendor)
    assert [len(http.get("/x").json()["a"]) for _ in range(2)] == [200_000, 200_000]


def test_an_endless_body_stops_at_the_limit(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.http.BODY_LIMIT", 100_000)
    vendor.routes(reply(body=b'"' + b"x" * 200_000 + b'"'))
    with pytest.raises(ConfigProblem, match="more than 100000 bytes"):
        client(vendor)[0].get("/x")
    with pytest.raises(Transient, match="more than 100000 bytes"):
        client(vendor)[0].put("/x", {})
    bomb = gzip.compress(b"0" * 10_000_000)
    vendor.routes(reply(body=bomb, Content_Encoding="gzip"))
    with pytest.raises(ConfigProblem, match="more than 100000 bytes"):
        client(vendor)[0].get("/x")


@pytest.mark.parametrize("where", ["head", "body", "chunk size"])
def test_a_trickling_answer_ends_at_the_total_timeout(vendor: Vendor, where: str) -> None:
    stop = threading.Event()
    head = b"HTTP/1.1 200 OK\r\n"
    start = {
        "head": head + b"X: ",
        "body": head + b"Content-Length: 99999\r\n\r\n",
        "chunk size": head + b"Transfer-Encoding: chunked\r\n\r\n",
    }

    def trickle(seen: Seen, line: socket.socket) -> None:
        line.sendall(start[where])
        while not stop.wait(0.05):
            line.sendall(b"0")

    vendor.routes(trickle)
    http, _ = client(vendor, total_timeout=0.4)
    begun = time.monotonic()
    try:
        with pytest.raises(Transient, match="timed out"):
            http.get("/x")
    finally:
        stop.set()
    assert time.monotonic() - begun < 3


def test_a_silent_server_times_out_and_a_write_to_it_is_sent_once(vendor: Vendor) -> None:
    stop = threading.Event()
    vendor.routes(lambda seen, line: stop.wait(5) and None)
    http, _ = client(vendor, total_timeout=0.2)
    try:
        with pytest.raises(Transient, match="timed out"):
            http.put("/x", {"a": 1})
    finally:
        stop.set()
    assert len(vendor.seen) == 1


def test_nobody_listening_is_said_in_a_sentence_without_the_query() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    http = HttpClient(f"http://127.0.0.1:{port}", sleep=lambda _: None)
    with pytest.raises(Transient, match="connection refused") as caught:
        http.get("/users/search.json?query=anna@example.com", {"token": "geheim"})
    assert "anna" not in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert http.requests == ATTEMPTS


# --- retries


def test_a_wrong_password_costs_one_call_and_one_sentence(vendor: Vendor) -> None:
    for status in (401, 403):
        vendor.routes(reply(status, b'{"error": "Couldn\'t authenticate you"}'))
        http, sleeper = client(vendor)
        with pytest.raises(ConfigProblem, match=rf"/x answers {status}.*Couldn't authenticate you"):
            http.get("/x")
        assert (len(vendor.seen), sleeper.slept) == (1, [])


def test_an_expired_token_is_renewed_once(vendor: Vendor) -> None:
    tokens = ["old"]
    http, _ = client(vendor, authorize=lambda: {"Authorization": f"Bearer {tokens[-1]}"}, renew=lambda: not tokens.append("new"))
    vendor.routes(reply(401), reply())
    assert http.get("/x").status == 200
    assert [s.headers["authorization"] for s in vendor.seen] == ["Bearer old", "Bearer new"]
    vendor.routes(reply(401), reply())
    assert http.put("/x", {}).status == 200
    vendor.routes(reply(401))
    with pytest.raises(ConfigProblem):
        http.get("/x")
    assert len(vendor.seen) == 2
    stubborn, _ = client(vendor, renew=lambda: False)
    vendor.routes(reply(401))
    with pytest.raises(ConfigProblem):
        stubborn.get("/x")
    assert len(vendor.seen) == 1


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        (format_datetime(NOW + timedelta(seconds=20), usegmt=True), 20.0),
        ("0", 0.5),
        ("-3", 0.5),
        ("soon", 0.5),
        ("1e9", 0.5),
        ("999999999", 0.5),
        ("nan", 0.5),
        ("٣", 0.5),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.5),
    ],
)
def test_the_vendors_delay_is_kept_and_rubbish_is_replaced(vendor: Vendor, header: str, waited: float) -> None:
    vendor.routes(reply(429, b"slow down", "text/plain", Retry_After=header.encode().decode("latin-1")), reply())
    http, sleeper = client(vendor)
    http.get("/x")
    assert sleeper.slept == [waited]


def test_a_delay_beyond_patience_is_handed_to_the_caller(vendor: Vendor) -> None:
    for status in (429, 503):
        vendor.routes(reply(status, b"busy", "text/plain", Retry_After="600"))
        http, sleeper = client(vendor)
        with pytest.raises(RateLimited, match="busy") as caught:
            http.get("/x")
        assert (caught.value.retry_after, sleeper.slept, len(vendor.seen)) == (600, [], 1)


def test_all_waits_of_a_call_together_stay_within_max_wait(vendor: Vendor) -> None:
    vendor.routes(reply(429, Retry_After="25"))
    http, sleeper = client(vendor)
    with pytest.raises(RateLimited):
        http.get("/x")
    assert sleeper.slept == [25, 25]


@settings(max_examples=60, deadline=None)
@given(
    statuses=st.lists(
        st.sampled_from([200, 204, 301, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504]), min_size=1, max_size=8
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
)
def test_whatever_the_statuses_reads_are_bounded_and_a_write_is_sent_exactly_once(vendor: Vendor, statuses: list[int], method: str) -> None:
    vendor.routes(*(reply(status, b"{}" if status != 204 else b"") for status in statuses))
    http, _ = client(vendor)
    try:
        if method == "GET":
            http.get("/x")
        elif method == "DELETE":
            http.delete("/x")
        else:
            getattr(http, method.lower())("/x", {"a": 1})
    except (ConfigProblem, RateLimited, Transient, HttpError):
        pass
    sent = [s.method for s in vendor.seen]
    assert http.requests == len(sent)
    if method != "GET":
        assert sent == [method]
    else:
        again = {408, 425, 429, 500, 502, 503, 504}
        padded = statuses + [statuses[-1]] * ATTEMPTS
        retried = next((i for i, status in enumerate(padded[:ATTEMPTS]) if status not in again), ATTEMPTS - 1)
        assert len(sent) == retried + 1 if 301 not in padded[: retried + 1] else len(sent) <= ATTEMPTS * 4


def test_a_write_over_a_connection_that_went_stale_is_sent_once(vendor: Vendor) -> None:
    hung_up = threading.Event()

    def answer_then_hang_up(seen: Seen, line: socket.socket) -> None:
        reply()(seen, line)
        line.shutdown(socket.SHUT_RDWR)
        hung_up.set()

    vendor.routes(answer_then_hang_up, reply())
    http, _ = client(vendor)
    http.get("/x")
    assert hung_up.wait(5)
    http.put("/x", {"a": 1})
    assert [s.method for s in vendor.seen] == ["GET", "PUT"]


@pytest.mark.parametrize("write", ["post", "put"])
def test_a_write_whose_answer_is_lost_on_a_kept_connection_is_not_sent_again(vendor: Vendor, write: str) -> None:
    vendor.routes(reply(), raw(), reply())
    http, _ = client(vendor)
    http.get("/x")
    with pytest.raises(Transient, match="connection broke"):
        getattr(http, write)("/x", {"a": 1})
    assert [s.method for s in vendor.seen] == ["GET", write.upper()]


def test_a_busy_write_says_whether_it_can_have_had_an_effect(vendor: Vendor) -> None:
    http, sleeper = client(vendor)
    vendor.routes(reply(429, Retry_After="9"))
    with pytest.raises(RateLimited) as caught:
        http.post("/x", {})
    assert caught.value.retry_after == 9
    vendor.routes(reply(503, b"<h1>down</h1>", "text/html", Retry_After="9"))
    with pytest.raises(Transient, match="nobody knows"):
        http.put("/x", {})
    assert sleeper.slept == []


def test_json_forms_and_bytes_are_sent_as_such(vendor: Vendor) -> None:
    vendor.routes(reply())
    http, _ = client(vendor)
    http.post("/x", {"a": "ü"})
    http.post("/x", {"a": "ü b"}, form=True)
    http.post("/x", b"\x00\x01")
    assert [(s.headers["content-type"], s.body) for s in vendor.seen] == [
        ("application/json", b'{"a": "\\u00fc"}'),
        ("application/x-www-form-urlencoded", b"a=%C3%BC+b"),
        ("application/octet-stream", b"\x00\x01"),
    ]


# --- errors


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b'{"error":"RecordNotFound","description":"Not found"}', "application/json", "RecordNotFound: Not found"),
        (b'{"error":{"title":"Forbidden","message":"You lack access."}}', "application/json", "Forbidden: You lack access."),
        (b'{"errors":[{"code":"InvalidPaginationDepth","title":"Too deep"}]}', "application/json", "Too deep: InvalidPaginationDepth"),
        (
            b'{"error":"RecordInvalid","description":"Invalid","details":{"status":[{"description":"closed","error":"x"}]}}',
            "application/json",
            "RecordInvalid: Invalid; status: x: closed",
        ),
        (
            b'{"description":"Validation failed","errors":[{"field":"note","message":"cannot be blank","code":"missing_field"}]}',
            "application/json",
            "Validation failed; note: cannot be blank",
        ),
        (
            b'{"code":"invalid_credentials","message":"You have to be logged in"}',
            "application/json",
            "invalid_credentials: You have to be logged in",
        ),
        (b'{"error":{"code":404,"message":"File not found","status":"NOT_FOUND"}}', "application/json", "File not found"),
        (b"Number of allowed API requests exceeded", "text/plain", "Number of allowed API requests exceeded"),
        (b"<html><title>Down for\n repair</title>", "text/html", "an HTML page: Down for repair"),
        (b'{"error": "cut', "application/json", "an unfinished JSON answer"),
        (b"", "application/json", ""),
        (b'{"error":"no user anna@example.com, token abcdefghijklmnopqrstuvwxyz0123456789"}', "application/json", "no user … token …"),
        (b'{"error":"bad token-of-ours"}', "application/json", "bad …"),
    ],
)
def test_every_error_envelope_becomes_one_short_sentence(vendor: Vendor, body: bytes, content_type: str, said: str) -> None:
    vendor.routes(reply(422, body, content_type))
    with pytest.raises(HttpError) as caught:
        client(vendor)[0].put("/x", {})
    assert (caught.value.status, caught.value.body) == (422, said)


def test_an_http_error_gives_the_parsed_body_to_the_caller_only(vendor: Vendor) -> None:
    vendor.routes(reply(409, b'{"error":"UpdateConflict","secret":"geheim"}'))
    with pytest.raises(HttpError) as caught:
        client(vendor)[0].put("/x", {})
    assert caught.value.json == {"error": "UpdateConflict", "secret": "geheim"}
    assert "geheim" not in f"{caught.value!s} {caught.value!r}"


@given(
    body=st.binary(max_size=300)
    | st.recursive(
        st.text() | st.none() | st.integers(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["error", "errors", "details", "message", "title", "field"]), x),
    ).map(lambda v: json.dumps(v).encode())
)
def test_any_error_body_gives_a_short_printable_line(body: bytes) -> None:
    from connectors.envelope import SENTENCE, sentence

    said = sentence("application/json", body)
    assert len(said) <= SENTENCE
    assert said == "" or said.isprintable()


def test_nothing_of_an_answer_or_a_credential_is_logged_or_shown(vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    vendor.routes(reply(body=b'{"name": "Anna"}', X_Token="geheim"))
    answer = client(vendor)[0].get("/x", {"q": "a"})
    assert "Anna" not in repr(answer)
    assert "geheim" not in repr(answer)
    assert repr(answer) == "Answer(status=200)"
    assert "Anna" not in caplog.text
    assert "token-of-ours" not in caplog.text


def test_a_credential_that_no_header_may_hold_is_named_without_being_shown(vendor: Vendor) -> None:
    http, _ = client(vendor, authorize=lambda: {"Authorization": "Bearer geheim\r\nX: y"})
    with pytest.raises(ConfigProblem, match="line break") as caught:
        http.get("/x")
    assert "geheim" not in str(caught.value)
    assert http.requests == 0


# --- budgets


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "699"}, Budget(700, 699, None)),
        ({"ratelimit-limit": "400", "ratelimit-remaining": "10", "ratelimit-reset": "21"}, Budget(400, 10, 21)),
        ({"Rate-Limit": "400", "rate-limit-remaining": "10", "rate-limit-reset": "21"}, Budget(400, 10, 21)),
        ({"x-ratelimit-total": "50.0", "X-RateLimit-Remaining": "49", "x-ratelimit-used-currentrequest": "1"}, Budget(50, 49, None)),
        ({"zendesk-ratelimit-tickets-index": "total=100; remaining=99; resets=30"}, Budget(100, 99, 30, "tickets-index")),
        ({"Zendesk-Rate-Limit-incremental-exports": "total=10; remaining=9; resets=5"}, Budget(10, 9, 5, "incremental-exports")),
        (
            {"X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "2026-11-22T12:01:00Z"},
            Budget(9, 3, 60),
        ),
        (
            {"X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "3", "X-RateLimit-Reset": str(int(NOW.timestamp()) + 30)},
            Budget(9, 3, 30),
        ),
    ],
)
def test_every_spelling_of_a_budget_is_read(headers: dict[str, str], expected: Budget) -> None:
    assert budgets(headers, NOW) == (expected,)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "x-rate-limit",
                "ratelimit-remaining",
                "ratelimit-limit",
                "ratelimit-reset",
                "retry-after",
                "zendesk-ratelimit-x",
                "x-ratelimit-total",
            ]
        ),
        st.text() | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(format_datetime),
    )
)
def test_lying_headers_give_sane_numbers_or_none(headers: dict[str, str]) -> None:
    for budget in budgets(headers, NOW):
        assert budget.limit > 0
        assert budget.remaining >= 0
    wait = retry_after(headers, NOW)
    assert wait is None or 0 < wait <= 86_400


def test_the_teams_half_of_the_quota_is_used_slowly(vendor: Vendor) -> None:
    http, sleeper = client(vendor)
    vendor.routes(reply(X_Rate_Limit="100", X_Rate_Limit_Remaining="51"))
    http.get("/x")
    http.get("/x")
    assert sleeper.slept == []
    vendor.routes(reply(X_Rate_Limit="100", X_Rate_Limit_Remaining="50"))
    http.get("/x")
    http.get("/x")
    http.get("/x", urgent=True)
    assert sleeper.slept == [pytest.approx(60 / 50)]


def test_an_endpoints_own_budget_slows_that_endpoint_only(vendor: Vendor) -> None:
    http, sleeper = client(vendor)
    vendor.routes(reply(zendesk_ratelimit_exports="total=10; remaining=2; resets=30", X_Rate_Limit="100", X_Rate_Limit_Remaining="99"))
    http.get("/exports/1")
    vendor.routes(reply())
    http.get("/tickets/1")
    assert sleeper.slept == []
    http.get("/exports/2")
    assert sleeper.slept == [5.0]


def test_headers_that_always_claim_an_empty_budget_slow_but_never_stop(vendor: Vendor) -> None:
    http, sleeper = client(vendor)
    vendor.routes(reply(ratelimit_limit="100", ratelimit_remaining="0", ratelimit_reset="3600"))
    for _ in range(4):
        http.get("/x")
    assert sleeper.slept == [5.0, 5.0, 5.0]
    for write in (http.post, http.put):
        write("/x", {})
    assert len(sleeper.slept) == 3


def test_an_old_budget_is_forgotten(vendor: Vendor) -> None:
    moment = [0.0]
    http, sleeper = client(vendor, clock=lambda: moment[0])
    vendor.routes(reply(ratelimit_limit="100", ratelimit_remaining="0", ratelimit_reset="30"), reply())
    http.get("/x")
    moment[0] = 31.0
    http.get("/x")
    assert sleeper.slept == []


# --- redirects


def test_a_read_follows_redirects_within_its_origin(vendor: Vendor) -> None:
    vendor.routes(
        reply(301, b"", Location="/moved?x=1"),
        reply(302, b"", Location=f"{vendor.url}/api/there"),
        reply(307, b"", Location="near"),
        reply(),
    )
    http, _ = client(vendor)
    answer = http.get("/x", {"a": 1})
    assert [s.target for s in vendor.seen] == ["/x?a=1", "/moved?x=1", "/api/there", "/api/near"]
    assert answer.url == f"{vendor.url}/api/near"


def test_a_redirect_in_circles_ends(vendor: Vendor) -> None:
    vendor.routes(reply(302, b"", Location="/x"))
    http, _ = client(vendor)
    with pytest.raises(ConfigProblem, match="redirects more than 3 times"):
        http.get("/x")
    assert len(vendor.seen) == 4


@pytest.mark.parametrize("location", ["/access/unauthenticated?return_to=geheim", "/users/sign_in", "/login.action", "/hc/en-us/signin"])
def test_a_redirect_to_a_login_page_is_named_as_such(vendor: Vendor, location: str) -> None:
    vendor.routes(reply(302, b"", Location=location))
    with pytest.raises(ConfigProblem, match="wrong address or expired sign-in") as caught:
        client(vendor)[0].get("/x")
    assert location.partition("?")[0] in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert len(vendor.seen) == 1


def test_a_redirected_write_is_not_followed(vendor: Vendor) -> None:
    vendor.routes(reply(307, b"", Location="/y"))
    with pytest.raises(ConfigProblem, match="redirects to /y"):
        client(vendor)[0].put("/x", {})
    assert len(vendor.seen) == 1


def test_answer_can_be_made_in_a_test_of_a_connector() -> None:
    assert Answer(200, {"content-type": "application/json"}, "https://a.example/x", b"[1]").json() == [1]
