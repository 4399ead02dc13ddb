"""Reading and writing tickets: every trap that the emulator promises to show."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox import Sandbox


def path(ticket_id: int, rest: str = "") -> str:
    return f"/api/v2/tickets/{ticket_id}{rest}.json"


def note(**comment: Any) -> dict[str, Any]:
    return {"ticket": {"comment": comment}}


def test_a_comment_without_public_goes_to_the_customer(api: Any, ids: Any) -> None:
    answer = api.put(path(ids.waiting), note(body="a draft")).json()
    events = {event["type"] for event in answer["audit"]["events"]}
    assert events == {"Comment", "Notification"}
    assert api.get(path(ids.waiting, "/comments")).json()["comments"][-1]["public"] is True


def test_a_private_comment_notifies_nobody_and_is_written_by_the_bot(api: Any, ids: Any) -> None:
    answer = api.put(path(ids.waiting), note(html_body="<p>a <b>draft</b></p>", public=False)).json()
    (event,) = answer["audit"]["events"]
    last = api.get(path(ids.waiting, "/comments"), include="users").json()
    assert (event["id"], event["public"]) == (last["comments"][-1]["id"], False)
    assert last["comments"][-1]["author_id"] == ids.bot
    assert "<b>draft</b>" in last["comments"][-1]["html_body"]
    assert last["comments"][-1]["plain_body"] == "a draft"
    assert {user["id"] for user in last["users"]} == {ids.anna, ids.bot}


def test_html_in_body_is_stripped_and_comments_in_html_body_do_not_survive(api: Any, ids: Any) -> None:
    api.put(path(ids.waiting), note(body="<p>plain</p>", public=False))
    api.put(path(ids.waiting), note(html_body="<!-- key --><p onclick='x()'>rich</p><script>x()</script>", public=False))
    plain, rich = api.get(path(ids.waiting, "/comments")).json()["comments"][-2:]
    assert plain["body"] == "plain"
    assert rich["html_body"] == '<div class="zd-comment" dir="auto"><p>rich</p></div>'


def test_metadata_comes_back_in_audit_and_comment_and_stands_in_the_ledger(sandbox: Sandbox, api: Any, ids: Any) -> None:
    answer = api.put(path(ids.waiting), {"ticket": {"comment": {"body": "x", "public": False}, "metadata": {"effect": "k1"}}}).json()
    assert answer["audit"]["metadata"]["custom"] == {"effect": "k1"}
    assert api.get(path(ids.waiting, "/comments")).json()["comments"][-1]["metadata"]["custom"] == {"effect": "k1"}
    assert api.get(path(ids.waiting, "/audits")).json()["audits"][-1]["metadata"]["custom"] == {"effect": "k1"}
    (entry,) = sandbox.desk.ledger.comments(ids.waiting)
    assert (entry.metadata, entry.public, entry.author_id) == ({"effect": "k1"}, False, ids.bot)


@pytest.mark.parametrize("flag", [True, False, "true"])
def test_safe_update_conflicts_when_the_ticket_moved_and_false_means_true(
    sandbox: Sandbox, api: Any, ids: Any, clock: Any, flag: Any
) -> None:
    stamp = api.get(path(ids.waiting)).json()["ticket"]["updated_at"]
    clock.advance(2)
    sandbox.desk.comment(ids.waiting, "one more thing", author_id=ids.anna)
    body = {"ticket": {"comment": {"body": "x", "public": True}, "safe_update": flag, "updated_stamp": stamp}}
    refused = api.put(path(ids.waiting), body)
    assert (refused.status_code, refused.json()["error"]) == (409, "UpdateConflict")
    assert sandbox.desk.ledger.entries == []


def test_a_change_within_the_same_second_slips_past_safe_update(sandbox: Sandbox, api: Any, ids: Any, clock: Any) -> None:
    sandbox.desk.comment(ids.waiting, "first", author_id=ids.anna)
    stamp = api.get(path(ids.waiting)).json()["ticket"]["updated_at"]
    clock.advance(0.5)
    sandbox.desk.comment(ids.waiting, "second", author_id=ids.anna)
    body = {"ticket": {"comment": {"body": "x", "public": True}, "safe_update": True, "updated_stamp": stamp}}
    assert api.put(path(ids.waiting), body).status_code == 200


def test_a_closed_ticket_takes_neither_comment_nor_tag(api: Any, ids: Any) -> None:
    refused = api.put(path(ids.closed), note(body="x", public=False))
    assert refused.status_code == 422
    assert refused.json()["details"]["status"][0]["description"] == "Status: closed prevents ticket update"
    assert api.put(path(ids.closed, "/tags"), {"tags": ["a"]}).status_code == 422


def test_tags_of_a_ticket_replace_while_the_tags_endpoint_adds(api: Any, ids: Any) -> None:
    assert api.put(path(ids.past, "/tags"), {"tags": ["bot seen", "refund"]}).json()["tags"] == ["refund", "bot", "seen"]
    assert api("DELETE", path(ids.past, "/tags"), json={"tags": ["seen"]}).json()["tags"] == ["refund", "bot"]
    set_anew = api.post(path(ids.past, "/tags"), {"tags": ["only"]})
    assert (set_anew.status_code, set_anew.json()["tags"]) == (201, ["only"])
    assert api.put(path(ids.past), {"ticket": {"tags": ["x"]}}).json()["ticket"]["tags"] == ["x"]


def test_adding_tags_that_are_there_does_not_move_the_ticket(sandbox: Sandbox, api: Any, ids: Any, clock: Any) -> None:
    before = api.get(path(ids.past)).json()["ticket"]["updated_at"]
    clock.advance(5)
    api.put(path(ids.past, "/tags"), {"tags": ["refund"]})
    assert api.get(path(ids.past)).json()["ticket"]["updated_at"] == before
    assert [entry.changed for entry in sandbox.desk.ledger.entries] == [()]


def test_unknown_keys_are_ignored_and_only_a_header_tells(api: Any, ids: Any) -> None:
    answer = api.put(path(ids.waiting), {"ticket": {"additional_tags": ["a"], "comment": {"body": "x", "public": False, "hidden": 1}}})
    assert answer.status_code == 200
    assert answer.json()["ticket"]["tags"] == []
    assert answer.headers["x-zendesk-api-warn"] == '{"unpermitted_keys": ["additional_tags", "comment.hidden"]}'


def test_a_blank_comment_and_an_unknown_status_are_422(sandbox: Sandbox, api: Any, ids: Any) -> None:
    assert api.put(path(ids.waiting), note(body="  ", public=False)).json()["error"] == "RecordInvalid"
    assert "status" in api.put(path(ids.waiting), {"ticket": {"status": "done"}}).json()["details"]
    assert sandbox.desk.ledger.entries == []


def test_a_customers_comment_reopens_a_solved_ticket(sandbox: Sandbox, api: Any, ids: Any) -> None:
    sandbox.desk.comment(ids.past, "still broken", author_id=ids.anna)
    assert api.get(path(ids.past)).json()["ticket"]["status"] == "open"
    assert sandbox.desk.ledger.entries == []


def test_a_deleted_ticket_is_204_then_404_everywhere_but_in_the_list_of_the_deleted(api: Any, ids: Any) -> None:
    assert api("DELETE", path(ids.waiting)).status_code == 204
    assert api.get(path(ids.waiting)).json()["error"] == "RecordNotFound"
    assert api.get(path(ids.waiting, "/comments")).status_code == 404
    assert api.put(path(ids.waiting), note(body="x", public=False)).status_code == 404
    (row,) = api.get("/api/v2/deleted_tickets.json").json()["deleted_tickets"]
    assert (row["id"], row["previous_state"], row["actor"]["id"]) == (ids.waiting, "new", ids.bot)
    assert api.put(f"/api/v2/deleted_tickets/{ids.waiting}/restore.json", {}).json() == {}
    assert api.get(path(ids.waiting)).status_code == 200


def test_system_authors_deleted_users_and_voice_comments_look_as_they_do_at_the_vendor(api: Any, ids: Any) -> None:
    assert api.get(path(ids.past, "/comments")).json()["comments"][-1]["author_id"] == -1
    assert api.get("/api/v2/users/-1.json").status_code == 400
    gone = api.get(f"/api/v2/users/{ids.gone}.json").json()["user"]
    assert (gone["active"], gone["email"]) == (False, None)
    voice = api.get(path(ids.closed, "/comments")).json()["comments"][-1]
    assert voice["type"] == "VoiceComment"
    assert not {"plain_body", "via"} & set(voice)


def test_many_are_shown_at_once_up_to_a_hundred_and_unknown_ids_are_left_out(api: Any, ids: Any) -> None:
    users = api.get("/api/v2/users/show_many.json", ids=f"{ids.anna},{ids.leo},5").json()["users"]
    assert [user["role"] for user in users] == ["end-user", "agent"]
    assert [t["id"] for t in api.get("/api/v2/tickets/show_many.json", ids=f"{ids.past},7").json()["tickets"]] == [ids.past]
    refused = api.get("/api/v2/users/show_many.json", ids=",".join(map(str, range(101))))
    assert (refused.json()["error"], refused.json()["max_count"]) == ("TooManyValues", 100)


def test_attachments_lie_on_another_host(sandbox: Sandbox, api: Any, ids: Any) -> None:
    sandbox.desk.tickets[ids.waiting].comments[0].attachments = ("photo.png",)
    (found,) = api.get(path(ids.waiting, "/comments")).json()["comments"][0]["attachments"]
    assert found["file_name"] == "photo.png"
    assert not found["content_url"].startswith(sandbox.url)


def test_archived_tickets_are_not_listed_but_shown_and_exported(api: Any, ids: Any) -> None:
    assert ids.closed not in [t["id"] for t in api.get("/api/v2/tickets.json").json()["tickets"]]
    assert api.get(path(ids.closed)).json()["ticket"]["status"] == "closed"
    exported = api.get("/api/v2/incremental/tickets/cursor.json", start_time=0).json()["tickets"]
    assert ids.closed in [t["id"] for t in exported]


def test_an_idempotency_key_is_honoured_on_creation_only(sandbox: Sandbox, api: Any, ids: Any) -> None:
    body = {"ticket": {"subject": "s", "comment": {"body": "b"}, "requester_id": ids.anna}}
    first = api.post("/api/v2/tickets.json", body, headers={"Idempotency-Key": "k"})
    again = api.post("/api/v2/tickets.json", body, headers={"Idempotency-Key": "k"})
    assert (first.status_code, first.headers["x-idempotency-lookup"], again.headers["x-idempotency-lookup"]) == (201, "miss", "hit")
    assert first.json()["ticket"]["id"] == again.json()["ticket"]["id"]
    other = api.post("/api/v2/tickets.json", {"ticket": {"comment": {"body": "c"}}}, headers={"Idempotency-Key": "k"})
    assert other.json()["error"] == "IdempotentRequestError"
    for _ in range(2):
        api.put(path(ids.waiting), note(body="x", public=False), headers={"Idempotency-Key": "p"})
    assert len(sandbox.desk.ledger.comments(ids.waiting)) == 2
    assert sandbox.desk.ledger.doubled() == [ids.waiting]


def test_a_follow_up_names_the_ticket_it_follows(api: Any, ids: Any) -> None:
    body = {"ticket": {"subject": "s", "comment": {"body": "b"}, "via_followup_source_id": ids.closed}}
    assert api.post("/api/v2/tickets.json", body).json()["ticket"]["via"]["source"]["rel"] == "follow_up"


def test_macros_and_ratings_are_listed(api: Any, ids: Any) -> None:
    (macro,) = api.get("/api/v2/macros/active.json").json()["macros"]
    assert {action["field"] for action in macro["actions"]} == {"comment_value", "comment_mode_is_public", "current_tags"}
    (rating,) = api.get("/api/v2/satisfaction_ratings.json", score="received").json()["satisfaction_ratings"]
    assert (rating["ticket_id"], rating["score"]) == (ids.past, "good")
