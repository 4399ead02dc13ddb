"""Notes and replies stand as often as they were posted; the ledger tells; webhooks carry a secret and no signature."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import requests

from connectors.sandbox.freshdesk.api import FreshdeskApi
from connectors.sandbox.freshdesk.delivery import SECRET_HEADER, WEBHOOK_SECRET
from connectors.sandbox.site import Site

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def test_a_note_is_private_unless_said_otherwise(desk: Any, account: FreshdeskApi) -> None:
    answer = desk.post("/tickets/13/notes", {"body": "For us"})
    row = answer.json()
    assert (answer.status_code, row["private"], row["body"]) == (201, True, "<div>For us</div>")
    assert answer.headers["location"].endswith(f"/api/v2/conversations/{row['id']}")
    assert not {"source", "cc_emails", "bcc_emails", "from_email"} & set(row)
    assert desk.post("/tickets/13/notes", {"body": "For all", "private": False}).json()["private"] is False
    assert [message.private for message in account.desk.tickets[13].messages] == [True, False]


def test_a_reply_tells_neither_incoming_nor_private(desk: Any, account: FreshdeskApi) -> None:
    answer = desk.post("/tickets/12/reply", {"body": "<p>Here.</p>"})
    assert answer.status_code == 201
    assert not {"incoming", "private"} & set(answer.json())
    assert answer.json()["to_emails"] == ["anna+home@mail.example"]
    assert account.desk.ledger.comments(12)[0].public is True


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_field"),
        ({"body": " "}, "missing_field"),
        ({"body": 5}, "datatype_mismatch"),
        ({"body": "x", "private": "yes"}, "datatype_mismatch"),
        ({"body": "x", "notify_emails": ["anna+home@mail.example"]}, "invalid_value"),
        ({"body": "x", "idempotency_key": "k"}, "invalid_field"),
    ],
)
def test_an_invalid_note_has_no_effect(desk: Any, account: FreshdeskApi, body: dict[str, Any], code: str) -> None:
    answer = desk.post("/tickets/13/notes", body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert not account.desk.ledger.entries


def test_a_lost_answer_leaves_the_note_and_a_repeat_doubles_it(desk: Any, site: Site, account: FreshdeskApi) -> None:
    site.faults.add("lost_response", "/api/v2/tickets/13/notes", method="POST")
    with pytest.raises(requests.ConnectionError):
        desk.post("/tickets/13/notes", {"body": f"<p>Once.</p><p>{KEY}</p>", "private": True})
    assert account.desk.ledger.doubled() == []
    desk.post("/tickets/13/notes", {"body": f"<p>Once.</p><p>{KEY}</p>", "private": True})
    assert account.desk.ledger.doubled() == [13]
    told = desk.get("/_sandbox/ledger").json()
    assert [(row["kind"], row["key"]) for row in told["ledger"]] == [("note", KEY), ("note", KEY)]
    assert told["doubled"] == [13]


def test_a_lost_request_leaves_nothing(desk: Any, site: Site, account: FreshdeskApi) -> None:
    site.faults.add("lost_request", "/api/v2/tickets/13/reply", method="POST")
    with pytest.raises(requests.ConnectionError):
        desk.post("/tickets/13/reply", {"body": "x"})
    assert not account.desk.ledger.entries
    assert desk.get("/tickets/13/conversations").json() == []


def test_scripts_comments_and_unknown_attributes_do_not_survive(desk: Any) -> None:
    body = "<!-- mark --><p data-key='k' onclick='x()'>Here</p><script>1</script>"
    assert desk.post("/tickets/13/notes", {"body": body, "private": True}).json()["body"] == "<p>Here</p>"


def test_tags_replace_the_list(desk: Any) -> None:
    assert desk.put("/tickets/13", {"tags": ["a", "b"]}).json()["tags"] == ["a", "b"]
    assert desk.put("/tickets/13", {"tags": ["c"], "status": 7}).json()["tags"] == ["c"]
    assert desk.get("/tickets/13").json()["status"] == 7
    assert desk.put("/tickets/13", {"additional_tags": ["d"]}).json()["errors"][0]["code"] == "invalid_field"
    assert desk.put("/tickets/13", {"status": 99}).status_code == 400


def test_delete_restore_and_merge_answer_with_nothing(desk: Any, account: FreshdeskApi) -> None:
    for method, path, body in (("DELETE", "/tickets/13", None), ("PUT", "/tickets/13/restore", None)):
        answer = desk(method, path, json=body)
        assert (answer.status_code, answer.content) == (204, b"")
    answer = desk.put("/tickets/merge", {"primary_id": 12, "ticket_ids": [13]})
    assert (answer.status_code, answer.content) == (204, b"")
    assert account.desk.tickets[13].status == 5
    assert account.desk.tickets[13].messages[-1].private
    assert [entry.kind for entry in account.desk.ledger.entries] == ["delete", "restore", "merge"]


def test_a_note_is_edited_and_erased_and_a_reply_is_not(desk: Any, account: FreshdeskApi) -> None:
    note = desk.post("/tickets/13/notes", {"body": "A", "private": True}).json()["id"]
    reply = desk.post("/tickets/13/reply", {"body": "B"}).json()["id"]
    assert desk.put(f"/conversations/{note}", {"body": "<p>C</p>"}).json()["body_text"] == "C"
    assert desk.put(f"/conversations/{reply}", {"body": "D"}).status_code == 403
    assert desk("DELETE", f"/conversations/{note}").status_code == 204
    assert [message.id for message in account.desk.tickets[13].messages] == [reply]


def test_files_come_as_a_form(desk: Any) -> None:
    answer = desk("POST", "/tickets/13/notes", data={"body": "See this", "private": "true"}, files={"attachments[]": ("x.png", b"12")})
    assert (answer.status_code, answer.json()["attachments"][0]["name"]) == (201, "x.png")


def test_a_ticket_is_created(desk: Any) -> None:
    body = {"subject": "S", "description": "<p>D</p>", "email": "new@mail.example", "status": 2, "priority": 1}
    answer = desk.post("/tickets", body)
    assert (answer.status_code, answer.json()["description"]) == (201, "<p>D</p>")
    assert desk.post("/tickets", {"subject": "S"}).json()["errors"][0]["code"] == "missing_field"


def test_the_doors_create_tickets_and_tell_the_state(desk: Any) -> None:
    made = desk.post("/_sandbox/tickets", {"count": 3}).json()["ids"]
    assert len(set(made)) == 3
    one = desk.post("/_sandbox/tickets", {"subject": "S", "body": "B", "key": "mine"}).json()["id"]
    assert desk.post(f"/_sandbox/tickets/{one}/comments", {"body": "More"}).status_code == 201
    state = desk.get("/_sandbox/state").json()
    assert (state["counts"]["tickets"], state["keys"], state["counts"]["writes"]) == (7, {"where": 13, "mine": one}, 0)
    assert desk.post("/_sandbox/tickets", {"colour": "red"}).status_code == 400


def test_a_delivery_carries_the_secret_and_a_body_of_the_operators_choice(account: FreshdeskApi) -> None:
    taken: list[tuple[dict[str, str], bytes]] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/webhooks/trade"
        assert account.deliver(13, to=address) == 202
        account.deliver(13, to=address, secret="other", form="simple", happened="{status:{from:4,to:6}}")
        server.shutdown()
        thread.join()
    assert taken[0][0][SECRET_HEADER] == WEBHOOK_SECRET
    assert json.loads(taken[0][1]) == {"ticket_id": "13"}
    wrapped = json.loads(taken[1][1])["freshdesk_webhook"]
    assert (wrapped["ticket_id"], wrapped["ticket_status"], wrapped["triggered_event"]) == (13, "Open", "{status:{from:4,to:6}}")
    assert taken[1][0][SECRET_HEADER] == "other"


def test_a_template_with_quotes_in_it_is_no_json(account: FreshdeskApi) -> None:
    ticket = account.desk.create_ticket('The "new" valve', "One\ntwo")
    with pytest.raises(ValueError, match=r"delimiter|control"):
        json.loads(account.delivery_body(ticket.id, form="broken"))
