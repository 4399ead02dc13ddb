"""Pages and exports: where they end, where they seem to end, and where they never do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sandbox import Sandbox

CURSOR = "/api/v2/incremental/tickets/cursor.json"
BY_TIME = "/api/v2/incremental/tickets.json"
PER_PAGE = {"page[size]": 2}


def walk(api: Any, target: str, name: str, **params: Any) -> list[int]:
    """Ids by cursor pagination, to has_more == false."""
    answer = api.get(target, **params).json()
    found = [row["id"] for row in answer[name]]
    while answer["meta"]["has_more"]:
        answer = api.get(answer["links"]["next"]).json()
        found += [row["id"] for row in answer[name]]
    return found


def export(api: Any, **params: Any) -> tuple[list[dict[str, Any]], str]:
    """Rows to the end of the stream and the cursor to come back with."""
    answer = api.get(CURSOR, **params).json()
    rows = list(answer["tickets"])
    while not answer["end_of_stream"]:
        answer = api.get(answer["after_url"]).json()
        rows += answer["tickets"]
    return rows, answer["after_cursor"]


def test_support_keeps_a_next_link_on_the_last_page_and_following_it_gives_an_empty_one(api: Any) -> None:
    last = api.get("/api/v2/tickets.json", **{"page[size]": 100}).json()
    assert last["meta"]["has_more"] is False
    assert last["links"]["next"] is not None
    beyond = api.get(last["links"]["next"]).json()
    assert (beyond["tickets"], beyond["meta"]["has_more"]) == ([], False)


def test_help_center_leaves_next_out_on_the_last_page(api: Any) -> None:
    first = api.get("/api/v2/help_center/articles.json", **PER_PAGE).json()
    last = api.get(first["links"]["next"]).json()
    assert "prev" not in first["links"]
    assert "next" not in last["links"]
    assert last["meta"]["has_more"] is False


def test_cursor_pages_neither_lose_nor_repeat_rows_while_others_are_added(sandbox: Sandbox, api: Any) -> None:
    ids = set(sandbox.desk.create_many(7))
    first = api.get("/api/v2/tickets.json", **PER_PAGE, sort="id").json()
    sandbox.desk.create_many(3)
    rest, answer = [], first
    while answer["meta"]["has_more"]:
        answer = api.get(answer["links"]["next"]).json()
        rest += [row["id"] for row in answer["tickets"]]
    seen = [row["id"] for row in first["tickets"]] + rest
    assert len(seen) == len(set(seen))
    assert ids <= set(seen)


def test_cursor_pages_go_backwards_too(sandbox: Sandbox, api: Any) -> None:
    sandbox.desk.create_many(5)
    first = api.get("/api/v2/tickets.json", **PER_PAGE).json()
    second = api.get(first["links"]["next"]).json()
    assert api.get(second["links"]["prev"]).json()["tickets"] == first["tickets"]


def test_sorting_descends_with_a_minus(sandbox: Sandbox, api: Any) -> None:
    sandbox.desk.create_many(4)
    downwards = walk(api, "/api/v2/tickets.json", "tickets", **PER_PAGE, sort="-id")
    assert downwards == walk(api, "/api/v2/tickets.json", "tickets", **PER_PAGE)[::-1]


def test_a_page_size_above_100_or_a_bad_cursor_is_400(api: Any) -> None:
    assert "errors" in api.get("/api/v2/tickets.json", **{"page[size]": 101}).json()
    assert api.get("/api/v2/tickets.json", **{"page[after]": "x"}).status_code == 400


def test_offset_pages_end_at_the_hundredth(sandbox: Sandbox, api: Any) -> None:
    sandbox.desk.create_many(101)
    page = api.get("/api/v2/tickets.json", per_page=1, page=100).json()
    assert len(page["tickets"]) == 1
    refused = api.get(page["next_page"])
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "InvalidPaginationDepth")


def test_offset_pages_of_the_help_center_are_of_thirty_and_tell_their_number(sandbox: Sandbox, api: Any) -> None:
    sandbox.guide.create_many(40)
    page = api.get("/api/v2/help_center/articles.json").json()
    assert (len(page["articles"]), page["per_page"], page["page_count"], page["count"]) == (30, 30, 2, 43)
    assert api.get(page["next_page"]).json()["next_page"] is None


def test_the_newest_minute_is_withheld_and_a_younger_start_is_refused(sandbox: Sandbox, api: Any, clock: Any) -> None:
    new = sandbox.desk.create_many(1)[0]
    rows, cursor = export(api, start_time=0)
    assert new not in [row["id"] for row in rows]
    refused = api.get(CURSOR, start_time=int(clock.at.timestamp()) - 30)
    assert (refused.status_code, refused.json()["error"]) == (400, "StartTimeTooRecent")
    clock.advance(61)
    assert [row["id"] for row in export(api, cursor=cursor)[0]] == [new]


def test_the_cursor_at_the_end_of_the_stream_resumes_it(sandbox: Sandbox, api: Any, ids: Any, clock: Any) -> None:
    _, cursor = export(api, start_time=0, per_page=1)
    assert export(api, cursor=cursor) == ([], cursor)
    sandbox.desk.comment(ids.past, "again", author_id=ids.anna)
    clock.advance(61)
    assert [row["id"] for row in export(api, cursor=cursor)[0]] == [ids.past]


def test_a_system_change_is_exported_with_an_old_updated_at(sandbox: Sandbox, api: Any, ids: Any, clock: Any) -> None:
    _, cursor = export(api, start_time=0)
    before = sandbox.desk.tickets[ids.past].updated_at
    sandbox.desk.touch(ids.past)
    clock.advance(61)
    (row,) = export(api, cursor=cursor)[0]
    assert row["updated_at"] == f"{before:%Y-%m-%dT%H:%M:%SZ}"
    assert row["generated_timestamp"] > before.timestamp() + 60


def test_deleted_and_scrubbed_tickets_are_in_the_stream_unless_asked_out(sandbox: Sandbox, api: Any, ids: Any, clock: Any) -> None:
    sandbox.desk.delete_ticket(ids.past)
    sandbox.desk.scrub_ticket(ids.waiting)
    clock.advance(61)
    rows = {row["id"]: row for row in export(api, start_time=0)[0]}
    assert rows[ids.past]["status"] == rows[ids.waiting]["status"] == "deleted"
    scrubbed = rows[ids.waiting]
    assert (scrubbed["subject"], scrubbed["description"], scrubbed["tags"]) == ("SCRUBBED", "X", [])
    assert {row["id"] for row in export(api, start_time=0, exclude_deleted="true")[0]} == {ids.closed}


def test_a_missing_start_and_a_broken_cursor_are_400(api: Any) -> None:
    assert api.get(CURSOR).status_code == 400
    assert api.get(CURSOR, cursor="nonsense").status_code == 400


def test_the_export_by_time_never_says_that_there_is_no_next_page(api: Any) -> None:
    last = api.get(BY_TIME, start_time=0).json()
    assert last["end_of_stream"] is True
    assert last["next_page"] is not None
    assert api.get(last["next_page"]).json()["tickets"] == []


def test_the_export_by_time_stretches_a_page_to_the_end_of_its_second(sandbox: Sandbox, api: Any, clock: Any) -> None:
    sandbox.desk.create_many(7)
    clock.advance(61)
    start = int((clock.at - timedelta(seconds=61)).timestamp())
    page = api.get(BY_TIME, start_time=start, per_page=1).json()
    assert (page["count"], page["end_time"]) == (7, start + 1)


def test_a_full_page_by_time_ends_inside_a_second_and_pins_the_stream(sandbox: Sandbox, api: Any, clock: Any) -> None:
    sandbox.desk.create_many(1001)
    clock.advance(61)
    start = int((clock.at - timedelta(seconds=61)).timestamp())
    page = api.get(BY_TIME, start_time=start).json()
    assert (page["count"], page["end_time"], page["end_of_stream"]) == (1000, start, False)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["create", "comment", "touch", "delete", "wait", "read"]), max_size=30), size=st.integers(1, 4))
def test_following_the_cursor_shows_every_change_at_last(sandbox: Sandbox, api: Any, clock: Any, steps: list[str], size: int) -> None:
    _, cursor = export(api, start_time=0)
    changed: dict[int, int] = {}
    seen: dict[int, int] = {}
    made = sandbox.desk.create_many(1)
    for number, step in enumerate(steps):
        target = made[number % len(made)]
        if step == "create":
            made += sandbox.desk.create_many(1)
        elif step == "comment" and sandbox.desk.ticket(target):
            sandbox.desk.comment(target, "more", author_id=sandbox.desk.any_customer())
        elif step == "touch":
            sandbox.desk.touch(target)
        elif step == "delete":
            sandbox.desk.delete_ticket(target)
        elif step == "wait":
            clock.advance(45)
        else:
            rows, cursor = export(api, cursor=cursor, per_page=size)
            seen |= {row["id"]: row["generated_timestamp"] for row in rows}
    clock.advance(61)
    rows, _ = export(api, cursor=cursor, per_page=size)
    seen |= {row["id"]: row["generated_timestamp"] for row in rows}
    changed = {number: int(sandbox.desk.tickets[number].generated_at.timestamp()) for number in made}
    assert {number: seen.get(number) for number in made} == changed
