"""Tickets and conversations, as they are listed, read, put aside and found."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox.freshdesk.api import FreshdeskApi
from connectors.sandbox.freshdesk.auth import API_KEY
from connectors.sandbox.freshdesk.world import Quirks
from connectors.sandbox.site import Site

ROW = {
    *("cc_emails", "fwd_emails", "reply_cc_emails", "ticket_cc_emails", "ticket_bcc_emails", "fr_escalated", "spam", "email_config_id"),
    *("group_id", "priority", "requester_id", "responder_id", "source", "company_id", "status", "subject", "association_type"),
    *("support_email", "to_emails", "product_id", "id", "type", "due_by", "fr_due_by", "is_escalated", "custom_fields", "created_at"),
    *("updated_at", "associated_tickets_count", "tags", "source_info", "structured_description", "form_id", "sentiment_score"),
    *("initial_sentiment_score", "nr_due_by", "nr_escalated"),
}
CONVERSATION = {
    *("id", "ticket_id", "user_id", "body", "body_text", "structured_body", "incoming", "private", "source", "category"),
    *("support_email", "from_email", "to_emails", "cc_emails", "bcc_emails", "attachments", "created_at", "updated_at"),
    *("last_edited_at", "last_edited_user_id"),
}
SINCE = "2020-01-01T00:00:00Z"


def ids(answer: Any) -> list[int]:
    return [row["id"] for row in answer.json()]


def test_without_updated_since_only_the_last_thirty_days_are_listed(desk: Any) -> None:
    assert ids(desk.get("/tickets")) == [13, 12]
    assert ids(desk.get("/tickets", updated_since=SINCE, order_by="updated_at", order_type="asc")) == [11, 12, 13]


def test_a_listed_row_has_the_recorded_keys_and_no_description(desk: Any) -> None:
    assert set(desk.get("/tickets").json()[0]) == ROW
    row = desk.get("/tickets", include="description,stats,requester").json()[0]
    assert set(row) == ROW | {"description", "description_text", "stats", "requester"}
    assert set(desk.get("/tickets/13").json()) == ROW | {"description", "description_text", "attachments"}


def test_updated_since_is_inclusive_to_the_second(desk: Any, account: FreshdeskApi, clock: Any) -> None:
    made = account.desk.create_ticket("Now", "It is now")
    assert made.id in ids(desk.get("/tickets", updated_since="2026-11-25T12:00:00Z")), "the fraction of the second is not kept"
    assert ids(desk.get("/tickets", updated_since="2026-11-25T12:00:01Z")) == []


@pytest.mark.parametrize("mark", ["spam", "deleted"])
def test_spam_and_deleted_leave_the_plain_list_and_stand_in_their_own(desk: Any, account: FreshdeskApi, mark: str) -> None:
    account.desk.set_aside(13, **{mark: True})
    assert 13 not in ids(desk.get("/tickets", updated_since=SINCE))
    rows = desk.get("/tickets", filter=mark, updated_since="2026-11-25T12:00:00Z").json()
    assert [(row["id"], row.get(mark)) for row in rows] == [(13, True)]
    assert desk.get("/tickets/13/conversations").status_code == 404
    assert desk.get("/tickets/13").json().get(mark) is True
    assert desk.put("/tickets/13", {"tags": ["x"]}).status_code == 409
    assert desk.post("/tickets/13/notes", {"body": "x", "private": True}).status_code == 404
    assert not account.desk.ledger.entries


def test_the_three_hundredth_page_is_the_last(desk: Any, account: FreshdeskApi) -> None:
    account.desk.create_many(605)
    answer = desk.get("/tickets", updated_since=SINCE, per_page=2, page=300)
    assert len(answer.json()) == 2
    assert "next" in answer.links
    beyond = desk.get("/tickets", updated_since=SINCE, per_page=2, page=301)
    assert beyond.status_code == 400
    fault = beyond.json()["errors"][0]
    assert (fault["field"], fault["code"]) == ("page", "invalid_value")
    assert "beyond the 300th page" in fault["message"]


def test_pages_are_linked_and_the_last_one_links_nowhere(desk: Any, account: FreshdeskApi) -> None:
    account.desk.create_many(65)
    first = desk.get("/tickets")
    assert len(first.json()) == 30
    assert first.links["next"]["url"].endswith("page=2")
    assert len(desk.walk("/tickets", updated_since=SINCE)) == 68
    assert "link" not in desk.get("/tickets", per_page=100).headers
    full = desk.get("/tickets", updated_since=SINCE, per_page=34, page=2)
    assert (len(full.json()), "link" in full.headers) == (34, False), "a full page may be the last"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"per_page": "101"}, "per_page"),
        ({"page": "0"}, "page"),
        ({"page": "x"}, "page"),
        ({"updated_since": "yesterday"}, "updated_since"),
        ({"order_by": "subject"}, "order_by"),
        ({"filter": "all"}, "filter"),
        ({"include": "conversations"}, "include"),
        ({"sort": "id"}, "sort"),
    ],
)
def test_what_is_invalid_is_told_field_by_field(desk: Any, query: dict[str, str], field: str) -> None:
    answer = desk.get("/tickets", **query)
    assert answer.status_code == 400
    assert answer.json()["description"] == "Validation failed"
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


def test_conversations_begin_after_the_description(desk: Any) -> None:
    rows = desk.get("/tickets/11/conversations").json()
    assert [row["body_text"] for row in rows] == ["An answer"]
    assert set(rows[0]) == CONVERSATION
    assert (rows[0]["incoming"], rows[0]["private"], rows[0]["source"]) == (False, False, 0)
    note = desk.get("/tickets/12/conversations").json()[0]
    assert (note["private"], note["source"], note["cc_emails"]) == (True, 2, None)


def test_only_the_ten_oldest_conversations_are_embedded(desk: Any, account: FreshdeskApi) -> None:
    for number in range(35):
        account.desk.write(13, f"Message {number}")
    embedded = desk.get("/tickets/13", include="conversations").json()["conversations"]
    assert [row["body_text"] for row in embedded] == [f"Message {number}" for number in range(10)]
    assert [row["body_text"] for row in desk.walk("/tickets/13/conversations")] == [f"Message {number}" for number in range(35)]


def test_what_a_customer_writes_opens_a_ticket_again(desk: Any, account: FreshdeskApi, clock: Any) -> None:
    account.desk.write(12, "One more thing")
    row = desk.get("/tickets/12", include="stats").json()
    assert (row["status"], row["updated_at"], row["stats"]["reopened_at"]) == (2, "2026-11-25T12:00:00Z", "2026-11-25T12:00:00Z")
    assert desk.get("/tickets/12/conversations").json()[-1]["incoming"] is True


def test_tickets_are_filtered_by_who_asks(desk: Any) -> None:
    assert ids(desk.get("/tickets", email="anna+home@mail.example", updated_since=SINCE)) == [12, 11]
    assert ids(desk.get("/tickets?email=anna+home@mail.example&updated_since=" + SINCE)) == [], "a plus sign is a blank"
    assert ids(desk.get("/tickets", filter="new_and_my_open")) == [13]


def test_an_archived_ticket_is_listed_nowhere_and_moved(desk: Any, account: FreshdeskApi) -> None:
    account.desk.set_aside(11, archived=True)
    assert 11 not in ids(desk.get("/tickets", updated_since=SINCE))
    answer = desk.get("/tickets/11")
    assert answer.status_code == 301
    assert desk.get(answer.headers["location"]).json()["archived"] is True


def test_searching_lags_and_knows_days_only(desk: Any, account: FreshdeskApi, clock: Any) -> None:
    made = account.desk.create_ticket("New", "New", tags=["urgent"])
    query = {"query": "\"tag:urgent AND created_at:>'2026-11-25'\""}
    assert desk.get("/search/tickets", **query).json() == {"total": 0, "results": []}
    clock.advance(121)
    assert [row["id"] for row in desk.get("/search/tickets", **query).json()["results"]] == [made.id]
    account.desk.change(made.id, tags=[])
    assert desk.get("/search/tickets", **query).json()["total"] == 1, "the index has not seen it yet"
    clock.advance(121)
    assert desk.get("/search/tickets", **query).json()["total"] == 0
    assert desk.get("/search/tickets", query="status:2").status_code == 400
    assert desk.get("/search/tickets", query='"status:2"', page=11).status_code == 400


def test_a_deleted_agent_is_no_agent_any_more_but_a_contact(desk: Any) -> None:
    assert len(desk.get("/contacts").json()) == 2
    rolf = desk.get("/contacts", state="deleted").json()[0]["id"]
    assert desk.get(f"/agents/{rolf}").status_code == 404
    assert desk.get(f"/contacts/{rolf}").json()["deleted"] is True


def test_an_attachment_is_a_signed_link_that_needs_no_key(desk: Any) -> None:
    one = desk.get("/tickets/13").json()["attachments"][0]
    assert (one["name"], "Expires" in one["attachment_url"]) == ("a.png", True)


def test_canned_responses_are_read_by_folder(desk: Any) -> None:
    folder = desk.get("/canned_response_folders").json()[0]
    assert (folder["id"], folder["responses_count"]) == (801, 1)
    row = desk.get("/canned_response_folders/801/responses").json()[0]
    assert row["content"] == "Hi {{ticket.requester.firstname}}"
    assert desk.get("/canned_responses/811").json() == row


def test_ratings_are_listed_since(desk: Any, account: FreshdeskApi) -> None:
    account.desk.rate(12, 103, "Lovely")
    row = desk.get("/surveys/satisfaction_ratings", created_since="2026-11-25T12:00:00Z").json()[0]
    assert (row["ticket_id"], row["ratings"]) == (12, {"default_question": 103})
    assert desk.get("/surveys/satisfaction_ratings", created_since="2026-11-26T00:00:00Z").json() == []


def test_where_the_sources_differ_both_ways_can_be_played(reader: Any, clock: Any, account: FreshdeskApi) -> None:
    other = FreshdeskApi(clock, account.content, quirks=Quirks(deletion_moves=False, deleted_answers=False))
    with Site(other, now=clock, sleep=clock.advance) as site:
        desk = reader(site.url, API_KEY)
        before = desk.get("/tickets/13").json()["updated_at"]
        other.desk.set_aside(13, deleted=True)
        assert desk.get("/tickets/13").status_code == 404
        assert [row["updated_at"] for row in desk.get("/tickets", filter="deleted").json()] == [before]
