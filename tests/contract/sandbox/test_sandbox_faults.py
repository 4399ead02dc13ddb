"""What goes wrong on the way, and that the ledger knows what took effect all the same."""

from __future__ import annotations

import hmac
import json
import threading
from base64 import b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from connectors.sandbox import Sandbox
from connectors.sandbox.faults import FaultScript

TICKETS = "/api/v2/tickets*"


def note(api: Any, ticket_id: int, key: str = "k") -> Any:
    body = {"ticket": {"comment": {"body": "note", "public": False}, "metadata": {"effect": key}}}
    return api.put(f"/api/v2/tickets/{ticket_id}.json", body)


def test_a_lost_response_took_effect_and_a_lost_request_did_not(sandbox: Sandbox, api: Any, ids: Any) -> None:
    sandbox.faults.add("lost_request", TICKETS, method="PUT")
    with pytest.raises(requests.ConnectionError):
        note(api, ids.waiting)
    assert sandbox.desk.ledger.comments() == []
    sandbox.faults.add("lost_response", TICKETS, method="PUT")
    with pytest.raises(requests.ConnectionError):
        note(api, ids.waiting)
    assert len(sandbox.desk.ledger.comments()) == 1
    assert [seen.status for seen in sandbox.requests] == [0, 0]
    assert note(api, ids.waiting).status_code == 200
    assert sandbox.desk.ledger.doubled() == [ids.waiting]


@pytest.mark.parametrize(
    ("spelling", "shown"), [("3", "3"), ("0.5", "0.5"), ("soon", "soon"), ("date:3", "Wed, 25 Nov 2026 12:00:03 GMT"), (None, None)]
)
def test_a_status_comes_with_the_retry_after_that_was_asked_for(sandbox: Sandbox, api: Any, ids: Any, spelling: str, shown: str) -> None:
    sandbox.faults.add("status", status=429, retry_after=spelling, headers={"x-extra": "1"})
    refused = note(api, ids.waiting)
    assert (refused.status_code, refused.headers.get("retry-after"), refused.headers["x-extra"]) == (429, shown, "1")
    assert sandbox.desk.ledger.entries == []


def test_html_truncation_and_redirects_break_json(sandbox: Sandbox, api: Any) -> None:
    sandbox.faults.add("html")
    page = api.get("/api/v2/tickets.json")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    sandbox.faults.add("redirect", host="evil.example")
    assert api.get("/api/v2/tickets.json").headers["location"] == "http://evil.example/api/v2/tickets.json"
    sandbox.faults.add("truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.get("/api/v2/tickets.json")
    assert api.get("/api/v2/tickets.json").status_code == 200


def test_slowness_waits_on_the_injected_clock(sandbox: Sandbox, api: Any, slept: list[float]) -> None:
    sandbox.faults.add("slow", seconds=30.0)
    assert api.get("/api/v2/tickets.json").status_code == 200
    assert slept == [30.0]


@pytest.mark.parametrize(
    ("target", "params", "place"),
    [
        ("/api/v2/tickets.json", {"page[size]": 1}, lambda body: body["links"]["next"]),
        ("/api/v2/tickets.json", {"per_page": 1}, lambda body: body["next_page"]),
        ("/api/v2/incremental/tickets/cursor.json", {"start_time": 0, "per_page": 1}, lambda body: body["after_url"]),
    ],
)
def test_a_foreign_next_link_leads_to_another_host(sandbox: Sandbox, api: Any, target: str, params: dict[str, Any], place: Any) -> None:
    sandbox.faults.add("foreign_link", host="evil.example")
    assert place(api.get(target, **params).json()).startswith("http://evil.example/api/v2/")


@pytest.mark.parametrize(("kind", "extra"), [("empty_page", 0), ("duplicate_page", 2)])
def test_an_empty_or_doubled_page_in_the_middle_loses_nothing(sandbox: Sandbox, api: Any, kind: Any, extra: int) -> None:
    made = sandbox.desk.create_many(6)
    sandbox.faults.add(kind, TICKETS, skip=1)
    answer = api.get("/api/v2/tickets.json", **{"page[size]": 2}).json()
    seen, links = [row["id"] for row in answer["tickets"]], []
    while answer["meta"]["has_more"]:
        links.append(answer["links"]["next"])
        answer = api.get(links[-1]).json()
        seen += [row["id"] for row in answer["tickets"]]
    assert len(set(links)) == len(links)
    assert set(made) <= set(seen)
    assert len(seen) - len(set(seen)) == extra


@pytest.mark.parametrize("kind", ["empty_page", "duplicate_page"])
def test_the_export_has_empty_and_doubled_pages_too(sandbox: Sandbox, api: Any, ids: Any, kind: Any) -> None:
    sandbox.faults.add(kind, "*cursor*")
    first = api.get("/api/v2/incremental/tickets/cursor.json", start_time=0).json()
    assert first["end_of_stream"] is False
    assert len(api.get(first["after_url"]).json()["tickets"]) == 3


def test_chance_is_seeded_and_counts_skips_and_times_are_kept(clock: Any) -> None:
    def strikes(seed: int) -> list[bool]:
        script = FaultScript(clock)
        script.add("status", "/a*", times=None, chance=0.3, seed=seed)
        return [script.draw("GET", "/a/b") is not None for _ in range(200)]

    assert strikes(1) == strikes(1) != strikes(2)
    assert 30 < sum(strikes(1)) < 90
    script = FaultScript(clock)
    script.add("status", "/a", skip=1, times=2)
    assert [script.draw("GET", "/a") is not None for _ in range(5)] == [False, True, True, False, False]
    with pytest.raises(ValueError, match="unknown fault"):
        script.add("gremlin")  # type: ignore[arg-type]


def test_other_processes_steer_it_over_http(sandbox: Sandbox, api: Any, stranger: Any, ids: Any) -> None:
    made = stranger.post("/_sandbox/faults", {"kind": "status", "path": TICKETS, "method": "PUT", "status": 500})
    assert made.status_code == 201
    assert note(api, ids.waiting).status_code == 500
    assert note(api, ids.waiting, "k9").status_code == 200
    ledger = stranger.get("/_sandbox/ledger").json()
    assert [(row["ticket_id"], row["metadata"], row["public"]) for row in ledger["ledger"]] == [(ids.waiting, {"effect": "k9"}, False)]
    assert ledger["doubled"] == []
    assert [row["status"] for row in stranger.get("/_sandbox/requests").json()["requests"]] == [500, 200]
    assert stranger.post("/_sandbox/faults", {"kind": "gremlin"}).status_code == 400


def test_other_processes_make_tickets_comments_and_articles(sandbox: Sandbox, stranger: Any, ids: Any) -> None:
    ticket = stranger.post("/_sandbox/tickets", {"subject": "s", "body": "b", "key": "mine"}).json()["id"]
    assert len(stranger.post("/_sandbox/tickets", {"count": 5}).json()["ids"]) == 5
    assert stranger.post(f"/_sandbox/tickets/{ticket}/comments", {"body": "more"}).status_code == 201
    article = stranger.post("/_sandbox/articles", {"title": "T", "body": "<p>B</p>"}).json()["id"]
    for action in ({"action": "edit", "body": "<p>C</p>"}, {"action": "draft"}, {"action": "restrict", "segment_id": ids.segment}):
        assert stranger.post("/_sandbox/articles", {"id": article, **action}).status_code == 200
    record = sandbox.guide.articles[article]
    assert (record.translations["en-us"].draft, record.segment_ids, record.translations["en-us"].body) == (True, [ids.segment], "<p>C</p>")
    state = stranger.get("/_sandbox/state").json()
    assert (state["keys"]["mine"], state["statuses"]["new"], state["counts"]["writes"]) == (ticket, 7, 0)
    assert stranger.post("/_sandbox/articles", {"id": article, "action": "archive"}).status_code == 200
    assert stranger.post("/_sandbox/articles", {"id": article, "action": "archive"}).status_code == 404
    assert stranger.post("/_sandbox/tickets", {"colour": 1}).status_code == 400


def test_many_clients_at_once_leave_an_exact_ledger(sandbox: Sandbox, ids: Any) -> None:
    made = sandbox.desk.create_many(40)

    def write(part: list[int]) -> None:
        with requests.Session() as session:
            session.auth = ("bot@tidewell.example/token", "sandbox-token")
            for number in part:
                body = {"ticket": {"comment": {"body": "x", "public": False}, "metadata": {"effect": str(number)}}}
                session.put(f"{sandbox.url}/api/v2/tickets/{number}.json", json=body, timeout=10)

    threads = [threading.Thread(target=write, args=(made[n::8],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.ticket_id for entry in sandbox.desk.ledger.comments()) == made
    assert sandbox.desk.ledger.doubled() == []
    assert [entry.number for entry in sandbox.desk.ledger.entries] == list(range(1, 41))


def test_a_delivery_is_signed_over_timestamp_and_raw_body(sandbox: Sandbox, ids: Any) -> None:
    caught: list[tuple[dict[str, str], bytes]] = []

    class Catch(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            caught.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Catch) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        status = sandbox.deliver(ids.waiting, to=address, kind="ticket.comment_added", delivery_id="d-1")
        thread.join()
    (headers, body), event = caught[0], json.loads(caught[0][1])
    stamp = headers["x-zendesk-webhook-signature-timestamp"]
    expected = b64encode(hmac.new(b"sandbox-webhook-secret", stamp.encode() + body, sha256).digest()).decode()
    assert (status, headers["x-zendesk-webhook-signature"]) == (202, expected)
    assert (event["id"], event["detail"]["id"], event["detail"]["status"]) == ("d-1", str(ids.waiting), "NEW")
    assert len(event["time"].rpartition(".")[2]) == 10
    assert event["event"]["comment"]["body"] == "Where is my order?"
