"""HttpClient with an allowance that others share, and with vendors that say "too many calls" in their own way."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from connectors.base import ConfigProblem, RateLimited
from connectors.http import Answer, HttpClient
from connectors.pace import HOLD, LONGEST_TURN

GOOGLE_BUSY = (403, b'{"error": {"code": 403, "errors": [{"reason": "userRateLimitExceeded"}], "message": "Rate Limit Exceeded"}}', {})
GOOGLE_BARRED = (403, b'{"error": {"code": 403, "errors": [{"reason": "insufficientFilePermissions"}], "message": "No permission"}}', {})
FINE = (200, b"{}", {})
Reply = tuple[int, bytes, dict[str, str]]


def by_reason(answer: Answer) -> bool:
    """As a connector for Google tells it."""
    return answer.status == 403 and any("ateLimitExceeded" in error["reason"] for error in json.loads(answer.body)["error"]["errors"])


@dataclass
class Vendor:
    replies: list[Reply] = field(default_factory=list)
    seen: int = 0
    url: str = ""

    def answers(self, *replies: Reply) -> None:
        self.replies, self.seen = list(replies), 0


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    state = Vendor()

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline():
                length = 0
                while head := self.rfile.readline().decode().strip().lower():
                    length = int(head.partition(":")[2]) if head.startswith("content-length:") else length
                self.rfile.read(length)
                state.seen += 1
                status, body, headers = state.replies.pop(0) if len(state.replies) > 1 else state.replies[0]
                head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                start = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{head}\r\n"
                self.wfile.write(start.encode() + body)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Conversation) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@dataclass
class Told:
    """An allowance of somebody else's: answers as told, and keeps what it hears."""

    waits: list[float] = field(default_factory=list)
    heard: list[tuple[str, object]] = field(default_factory=list)

    def take(self, *, urgent: bool) -> float:
        self.heard.append(("take", urgent))
        return self.waits.pop(0) if self.waits and not urgent else 0.0

    def spend(self, calls: float) -> None:
        self.heard.append(("spend", calls))

    def hold(self, seconds: float) -> None:
        self.heard.append(("hold", seconds))

    def learn(self, **what: float | None) -> None:
        self.heard.append(("learn", what))

    def of(self, kind: str) -> list[object]:
        return [value for name, value in self.heard if name == kind]


def client(vendor: Vendor, allowance: Told | None = None, **more: object) -> tuple[HttpClient, list[float]]:
    slept: list[float] = []
    sleep: Callable[[float], None] = slept.append
    return HttpClient(vendor.url, sleep=sleep, allowance=allowance, **more), slept  # type: ignore[arg-type]


def test_a_background_read_waits_its_turn_and_an_urgent_one_does_not(vendor: Vendor) -> None:
    vendor.answers(FINE)
    allowance = Told(waits=[3.0, 2.0, 0.0])
    http, slept = client(vendor, allowance)
    http.get("/x", urgent=True)
    assert slept == []
    http.get("/x")
    assert slept == [3.0, 2.0]
    assert allowance.of("take") == [True, False, False, False]


def test_a_turn_that_is_far_off_is_handed_to_the_caller_without_a_request(vendor: Vendor) -> None:
    vendor.answers(FINE)
    http, slept = client(vendor, Told(waits=[LONGEST_TURN - 1, 2.0]))
    with pytest.raises(RateLimited, match="our share of this account's calls is used up") as refused:
        http.get("/x")
    assert (refused.value.retry_after, slept, vendor.seen) == (2.0, [LONGEST_TURN - 1], 0)


def test_every_read_of_an_urgent_client_is_urgent(vendor: Vendor) -> None:
    vendor.answers((200, b"{}", {"x-rate-limit": "100", "x-rate-limit-remaining": "0"}))
    allowance = Told(waits=[50.0])
    http, slept = client(vendor, allowance, urgent=True)
    http.get("/x")
    http.get("/x")
    assert (allowance.of("take"), slept) == ([True] * 2, [])


def test_writes_are_counted_and_never_wait(vendor: Vendor) -> None:
    vendor.answers(FINE)
    allowance = Told(waits=[50.0])
    http, slept = client(vendor, allowance)
    http.post("/x", {})
    http.put("/x", {})
    http.delete("/x")
    assert (allowance.of("take"), slept) == ([True] * 3, [])


def test_the_allowance_hears_what_the_headers_say(vendor: Vendor) -> None:
    vendor.answers((200, b"{}", {"x-ratelimit-total": "50.0", "x-ratelimit-remaining": "40.0", "x-ratelimit-used-currentrequest": "3"}))
    allowance = Told()
    http, _ = client(vendor, allowance, share=0.4)
    http.get("/x")
    assert allowance.of("spend") == [2.0]
    assert allowance.of("learn") == [
        {"ours": pytest.approx(20), "reserve": pytest.approx(15), "remaining": 40, "window": 60, "resets_in": None}
    ]


def test_of_points_which_cannot_be_counted_the_teams_half_stays_untouched(vendor: Vendor) -> None:
    vendor.answers((200, b"{}", {"RateLimit-Policy": '"hour";q=1000;w=3600', "RateLimit": '"hour";r=700;t=60'}))
    allowance = Told()
    http, _ = client(vendor, allowance)
    http.get("/x")
    assert allowance.of("learn") == [{"ours": 500, "reserve": 500, "remaining": 700, "window": 3600, "resets_in": 60}]


def test_too_many_calls_hold_everybody_back(vendor: Vendor) -> None:
    vendor.answers((429, b"{}", {"Retry-After": "17"}), FINE)
    allowance = Told()
    http, slept = client(vendor, allowance)
    http.get("/x")
    assert (allowance.of("hold"), slept) == ([17.0], [17.0])


def test_a_limit_under_another_status_is_a_limit_and_not_a_missing_permission(vendor: Vendor) -> None:
    vendor.answers(GOOGLE_BUSY, GOOGLE_BUSY, FINE)
    allowance = Told()
    http, slept = client(vendor, allowance, limited=by_reason)
    http.get("/x")
    assert slept == [HOLD, 2 * HOLD], "no time is told, so the pauses are long"
    assert allowance.of("hold") == [HOLD, HOLD]
    vendor.answers(GOOGLE_BUSY)
    with pytest.raises(RateLimited, match="answers 403"):
        http.get("/x")
    vendor.answers(GOOGLE_BUSY)
    with pytest.raises(RateLimited):
        http.post("/x", {})
    assert vendor.seen == 1, "a write is not repeated"


def test_another_403_stays_one_call_and_one_sentence(vendor: Vendor) -> None:
    vendor.answers(GOOGLE_BARRED)
    http, slept = client(vendor, limited=by_reason)
    with pytest.raises(ConfigProblem, match="403"):
        http.get("/x")
    assert (vendor.seen, slept) == (1, [])
