"""Freshdesk: what is asked and what of the answers is told, by a small server that shares nothing with the emulated account."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import (
    ConfigProblem,
    Cursor,
    CursorExpired,
    Divided,
    Document,
    Forewarned,
    Gone,
    Helpdesk,
    Listing,
    Outdated,
    RateLimited,
    Refused,
    Reply,
    Source,
    Transient,
    Webhook,
)
from connectors.freshdesk import Settings, connect
from connectors.freshdesk.connector import Freshdesk
from connectors.http import HttpClient
from connectors.sandbox.server import Server
from connectors.sandbox.wire import Request, Response

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOT, AGENT, CUSTOMER = 1, 2, 3
Answer = Callable[[Request], Response]


def rows(found: list[Any], **headers: str) -> Response:
    return Response(200, json.dumps(found), {"content-type": "application/json; charset=utf-8", **headers})


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def article(id: int, folder: int, **more: Any) -> dict[str, Any]:
    row = {"id": id, "type": 1, "status": 2, "folder_id": folder, "title": f"Title {id}", "description": f"<p>Text {id}</p>"}
    return {**row, "updated_at": "2026-02-01T10:00:00Z", "created_at": "2026-01-01T10:00:00Z", "hits": 0, **more}


def folder(id: int, **more: Any) -> dict[str, Any]:
    row = {"id": id, "name": f"Folder {id}", "articles_count": 0, "sub_folders_count": 0, "visibility": 1, "parent_folder_id": None}
    return {**row, **more}


class Vendor:
    """Answers by method and path: a list (in pages of `size`, by Link), an object, or a function. All else is a 404 without a body."""

    def __init__(self) -> None:
        self.places: dict[str, Any] = {"GET /agents/me": {"id": BOT, "ticket_scope": 1, "contact": {"name": "Bot"}}}
        self.size = 100
        self.asked: list[Request] = []
        self.server = Server(0, self.answer)

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        found = self.places.get(f"{request.method} {request.path.removeprefix('/api/v2')}")
        if callable(found):
            answered: Response = found(request)
            return answered
        if isinstance(found, list):
            return self.page(request, found)
        return Response(404) if found is None else Response(200, found)

    def page(self, request: Request, found: list[Any]) -> Response:
        size, page = min(self.size, int(request.query.get("per_page", "30"))), int(request.query.get("page", "1"))
        link = {"link": f'<{request.link({"page": page + 1})}>; rel="next"'} if len(found) > page * size else {}
        return rows(found[(page - 1) * size : page * size], **link)

    def paths(self) -> list[str]:
        return [f"{request.method} {request.path.removeprefix('/api/v2')}" for request in self.asked]

    def writes(self) -> list[tuple[str, Any]]:
        return [(request.path.removeprefix("/api/v2"), request.json()) for request in self.asked if request.method != "GET"]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    yield made
    made.server.close()


@pytest.fixture
def source(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Freshdesk]:
    monkeypatch.setenv("FD_TEST_KEY", "k3y")

    def connected(now: datetime = NOW, **knowledge: Any) -> Freshdesk:
        block = {"name": "fresh", "type": "freshdesk", "base_url": vendor.server.url, "auth": {"api_key": "env:FD_TEST_KEY"}}
        settings = Settings.model_validate({**block, "knowledge": knowledge, "tickets": {}})

        def http(origin: str, authorize: Any = None, **more: Any) -> HttpClient:
            return HttpClient(origin, authorize, sleep=lambda _: None, now=lambda: now, **more)

        return Freshdesk(settings, http, now=lambda: now)

    return connected


def told(source: Freshdesk, cursor: Cursor | None = None) -> tuple[dict[str, Any], Cursor]:
    """What a pull tells, by the vendor's number, and its last cursor."""
    changes: dict[str, Any] = {}
    last: Cursor = {}
    for page in source.pull(cursor):
        changes |= {change.id.removeprefix("freshdesk:fresh:"): change for change in page.changes}
        last = json.loads(json.dumps(page.cursor))
    return changes, last


@pytest.fixture
def library(vendor: Vendor) -> Vendor:
    """A category; an open folder with a staff folder within it, and an open one within that; a folder of an unknown kind."""
    vendor.places |= {
        "GET /solutions/categories": [{"id": 10, "name": "All", "description": None}],
        "GET /solutions/categories/10/folders": [folder(20, sub_folders_count=1), folder(21, visibility=6)],
        "GET /solutions/folders/20/articles": [article(100, 20), article(101, 20, status=1)],
        "GET /solutions/folders/20/subfolders": [folder(30, visibility=3, sub_folders_count=1)],
        "GET /solutions/folders/30/articles": [],
        "GET /solutions/folders/30/subfolders": [folder(40)],
        "GET /solutions/folders/40/articles": [article(102, 40)],
        "GET /solutions/folders/21/articles": [article(103, 21)],
    }
    return vendor


def test_it_is_all_that_it_says(source: Callable[..., Freshdesk]) -> None:
    found = source()
    for protocol in (Source, Listing, Divided, Forewarned, Helpdesk, Webhook):
        assert isinstance(found, protocol)
    assert connect(found._settings, HttpClient)


def test_the_key_is_the_user_name_and_the_password_is_x(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    told(source())
    expected = "Basic " + base64.b64encode(b"k3y:X").decode()
    assert {request.headers["authorization"] for request in library.asked} == {expected}


def test_folders_within_folders_are_walked_and_only_open_ones_are_public(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    changes, _ = told(source())
    audiences = {id: change.audience for id, change in changes.items() if isinstance(change, Document)}
    # 102 lies in an open folder within a staff folder: nobody but staff gets there.
    assert audiences == {"article:100": "public", "article:102": "internal", "article:103": "internal"}
    assert isinstance(changes["article:101"], Gone), "a draft is not read"
    assert sorted(source().list_ids()) == [f"freshdesk:fresh:{id}" for id in sorted(audiences)]


def test_a_turn_with_nothing_new_is_one_walk_and_tells_nothing(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    _, cursor = told(source())
    before = len(library.asked)
    changes, _ = told(source(), cursor)
    assert changes == {}
    walked = library.paths()[before:]
    assert sorted(walked) == sorted({*walked}), "nothing is asked twice"
    assert len(walked) == 9, f"categories, folders, four lists of articles, two of folders within, languages: {walked}"


def test_everything_is_told_again_once_a_day(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    changes, cursor = told(source())
    again, _ = told(source(NOW + timedelta(days=1, hours=1)), cursor)
    assert again.keys() == changes.keys()


def test_an_edited_article_and_a_closed_folder_are_told(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    _, cursor = told(source())
    library.places["GET /solutions/folders/20/articles"][0] |= {"description": "<p>New</p>", "hits": 7}
    library.places["GET /solutions/categories/10/folders"][1] = folder(21, visibility=1)
    changes, cursor = told(source(), cursor)
    assert {id: (change.audience, change.markdown) for id, change in changes.items()} == {
        "article:100": ("public", "New"),
        "article:103": ("public", "Text 103"),
    }
    library.places["GET /solutions/categories/10/folders"][0] = folder(20, visibility=2, sub_folders_count=1)
    changes, _ = told(source(), cursor)
    assert changes["article:100"].audience == "internal"


def test_a_deleted_article_is_asked_for_by_its_id_and_gone(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    _, cursor = told(source())
    library.places["GET /solutions/folders/20/articles"] = []
    changes, cursor = told(source(), cursor)
    assert changes["article:100"] == Gone("freshdesk:fresh:article:100")
    assert library.paths()[-2:] == ["GET /solutions/articles/100", "GET /solutions/articles/101"]
    before = len(library.asked)
    assert told(source(), cursor)[0] == {}
    assert not any("/solutions/articles/" in path for path in library.paths()[before:]), "it is not asked for again"


def test_an_article_that_slips_by_while_pages_are_turned_is_not_gone(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    _, cursor = told(source())
    library.places["GET /solutions/folders/40/articles"] = []
    library.places["GET /solutions/articles/102"] = {**article(102, 40), "collaboration": {"convo_token": "secret"}}
    changes, cursor = told(source(), cursor)
    assert changes == {}
    assert "article:102" not in told(source(), cursor)[0]
    assert "secret" not in json.dumps(cursor)


def test_where_much_is_missing_at_once_a_listing_has_to_say_so(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    library.places["GET /solutions/folders/40/articles"] = [article(200 + n, 40) for n in range(10)]
    _, cursor = told(source())
    library.places["GET /solutions/folders/40/articles"] = []
    before = len(library.asked)
    changes, _ = told(source(), cursor)
    assert all(isinstance(change, Gone) and change.inferred for change in changes.values())
    assert len(changes) == 10
    assert not any("/solutions/articles/" in path for path in library.paths()[before:])


def test_next_links_are_followed_by_number_on_our_own_host(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    def paged(request: Request) -> Response:
        link = {"link": '<https://elsewhere.example/api/v2/x?page=2>; rel="next"'} if "page" not in request.query else {}
        return rows([article(100, 20)] if link else [article(104, 20)], **link)

    library.places["GET /solutions/folders/20/articles"] = paged
    assert {"article:100", "article:104"} <= told(source())[0].keys()


def test_a_list_that_takes_no_paging_is_asked_without(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    unpaged: dict[str, list[Any]] = {path: found for path, found in library.places.items() if isinstance(found, list)}

    def plain(path: str) -> Answer:
        refusal = {"description": "Validation failed", "errors": [{"field": "per_page", "code": "invalid_field"}]}
        return lambda request: Response(400, refusal) if request.query else rows(unpaged[path])

    for path in unpaged:
        library.places[path] = plain(path)
    changes, _ = told(source())
    assert "article:100" in changes
    assert sum("per_page" in request.query for request in library.asked) == 1, "it is tried once"


def test_a_folder_that_lists_its_inner_ones_beside_it_does_not_open_them(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    library.places["GET /solutions/categories/10/folders"] = [folder(40, parent_folder_id=30), folder(20, sub_folders_count=1)]
    assert told(source())[0]["article:102"].audience == "internal"


def test_translations_are_read_in_the_languages_of_the_account(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    library.places |= {
        "GET /settings/helpdesk": {"primary_language": "en", "supported_languages": ["fr", "de", "../x"]},
        "GET /solutions/folders/20/articles/fr": [article(100, 20, title="Vanne")],
        "GET /solutions/folders/20/articles/de": [article(100, 20)],
    }
    changes, cursor = told(source())
    assert changes["article:100:fr"].language == "fr"
    assert changes["article:100:fr"].url.endswith("/fr/support/solutions/articles/100")
    assert changes["article:100"].language == "en"
    assert "article:100:de" not in changes, "the original again is no translation"
    only, _ = told(source(locales=["fr"]))
    assert {id for id in only if "100" in id} == {"article:100:fr"}
    library.places["GET /solutions/folders/20/articles/fr"] = []
    assert told(source(), cursor)[0] == {"article:100:fr": Gone("freshdesk:fresh:article:100:fr")}


def test_canned_responses_are_for_agents(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    library.places |= {
        "GET /canned_response_folders": [{"id": 50, "personal": False}, {"id": 51, "personal": True}],
        "GET /canned_response_folders/50/responses": [{"id": 60, "title": "Hi", "folder_id": 50, "visibility": 0}],
        "GET /canned_response_folders/51/responses": [{"id": 61, "title": "Mine", "content": "Mine", "visibility": 0}],
        "GET /canned_responses/60": {"id": 60, "title": "Hi", "content_html": "<p>Hello</p>", "visibility": 0},
    }
    changes, _ = told(source(articles=False, macros=True))
    assert {id: (change.audience, change.markdown) for id, change in changes.items()} == {"macro:60": ("internal", "Hello")}


def test_parts_are_categories_and_resume_after_the_folders_that_were_read(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    assert [(part.key, part.title) for part in source().parts()] == [("10", "All")]
    first = next(source().pull_part("10", None))
    second = json.loads(json.dumps(next(iter(list(source().pull_part("10", first.cursor)))).cursor))
    before = len(library.asked)
    left = {change.id for page in source().pull_part("10", second) for change in page.changes}
    assert "freshdesk:fresh:article:100" not in left
    assert "GET /solutions/folders/20/articles" not in library.paths()[before:]


@pytest.mark.parametrize("cursor", [{}, {"v": 2}, {"v": 1, "known": []}, {"v": 1, "known": {}, "told_at": "x", "done": None}])
def test_a_cursor_of_another_shape_is_expired(source: Callable[..., Freshdesk], cursor: Cursor) -> None:
    with pytest.raises(CursorExpired):
        list(source().pull(cursor))
    with pytest.raises(CursorExpired):
        list(source().tickets(cursor, NOW))


def test_a_listing_during_which_a_folder_vanishes_is_none(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    del library.places["GET /solutions/folders/40/articles"]
    with pytest.raises(Transient):
        list(source().list_ids())
    told(source())


def test_a_wrong_key_is_one_request_and_one_sentence(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    refusal = {"code": "invalid_credentials", "message": "You have to be logged in to perform this action."}
    for path in list(library.places):
        library.places[path] = lambda _: Response(401, refusal)
    for call in (lambda: source().check(), lambda: list(source().pull(None))):
        before = len(library.asked)
        with pytest.raises(ConfigProblem, match="auth"):
            call()
        assert len(library.asked) - before == 1


def test_check_names_what_the_agent_may_not_and_warns_of_a_narrow_scope(library: Vendor, source: Callable[..., Freshdesk]) -> None:
    library.places["GET /tickets"] = []
    found = source()
    found.check()
    assert found.warnings() == ()
    library.places["GET /agents/me"] = {"id": BOT, "ticket_scope": 3}
    found.check()
    assert "global" in found.warnings()[0]
    library.places["GET /solutions/categories"] = lambda _: Response(403, {"code": "access_denied", "message": "Not authorized."})
    with pytest.raises(ConfigProblem, match="solutions cannot be read"):
        found.check()


# --- tickets ---


class Desk:
    """A ticket list as Freshdesk has it: inclusive by the second, whole pages by number, and a last page."""

    def __init__(self, vendor: Vendor, last_page: int = 300) -> None:
        self.vendor, self.last_page = vendor, last_page
        self.times: dict[int, datetime] = {}
        self.aside: dict[str, list[dict[str, Any]]] = {"deleted": [], "spam": []}
        self.then: Callable[[], None] = lambda: None
        vendor.places["GET /tickets"] = self.answer

    def answer(self, request: Request) -> Response:
        if "filter" in request.query:
            return rows(self.aside[request.query["filter"]])
        assert request.query["order_by"] == "updated_at"
        assert request.query["order_type"] == "asc"
        if int(request.query.get("page", "1")) > self.last_page:
            error = {"field": "page", "message": "You cannot access tickets beyond the 300th page.", "code": "invalid_value"}
            return Response(400, {"description": "Validation failed", "errors": [error]})
        since = request.query["updated_since"]
        found = sorted((stamp(at), id) for id, at in self.times.items() if stamp(at) >= since)
        answered = self.vendor.page(request, [{"id": id, "status": 2, "updated_at": at} for at, id in found])
        self.then()
        return answered


def moved(source: Freshdesk, cursor: Cursor | None = None) -> tuple[list[str], Cursor]:
    refs: list[str] = []
    for page in source.tickets(cursor, NOW - timedelta(days=1)):
        refs += [f"{ref.id} {ref.status}" for ref in page.tickets]
        cursor = json.loads(json.dumps(page.cursor))
        if page.caught_up:
            return refs, cursor
    raise AssertionError("no end")


def test_tickets_beyond_the_last_page_are_reached(vendor: Vendor, source: Callable[..., Freshdesk]) -> None:
    desk = Desk(vendor, last_page=3)
    vendor.size = 10
    desk.times = {id: NOW - timedelta(hours=20) + timedelta(seconds=id // 4) for id in range(1, 400)}
    refs, _ = moved(source())
    assert {ref.split()[0] for ref in refs} == {str(id) for id in desk.times}
    assert max(int(request.query.get("page", "1")) for request in vendor.asked) <= 3


def test_one_second_of_more_tickets_than_a_page_is_read_by_pages(vendor: Vendor, source: Callable[..., Freshdesk]) -> None:
    desk = Desk(vendor)
    vendor.size = 10
    desk.times = {id: NOW - timedelta(hours=2) for id in range(1, 96)} | {999: NOW - timedelta(hours=1)}
    refs, _ = moved(source())
    assert {ref.split()[0] for ref in refs} == {str(id) for id in desk.times}


def test_more_tickets_in_one_second_than_there_are_pages_stop_no_later_one(vendor: Vendor, source: Callable[..., Freshdesk]) -> None:
    desk = Desk(vendor, last_page=3)
    vendor.size = 10
    desk.times = {id: NOW - timedelta(hours=2) for id in range(1, 96)} | {999: NOW - timedelta(hours=1)}
    refs, _ = moved(source())
    assert "999 open" in refs


def test_rows_that_move_up_between_two_pages_are_not_lost(vendor: Vendor, source: Callable[..., Freshdesk]) -> None:
    desk = Desk(vendor)
    vendor.size = 10
    desk.times = {id: NOW - timedelta(hours=10) + timedelta(seconds=id) for id in range(1, 60)}
    touched = iter(range(1, 60))

    def touch() -> None:
        for _, id in zip(range(3), touched, strict=False):
            desk.times[id] = NOW

    desk.then = touch
    refs, _ = moved(source())
    assert {ref.split()[0] for ref in refs} == {str(id) for id in range(1, 60)}


def test_what_was_told_is_told_again_only_when_it_moves(vendor: Vendor, source: Callable[..., Freshdesk]) -> None:
    desk = Desk(vendor)
    desk.times = {1: NOW - timedelta(minutes=5), 2: NOW - timedelta(minutes=4)}
    refs, cursor = moved(source())
    assert refs == ["1 open", "2 open"]
    before = len(vendor.asked)
    assert moved(source(), cursor)[0] == []
    assert len(vendor.asked) - before == 3, "one request per list"
    desk.times[1] = NOW - timedelta(minutes=4)
    assert moved(source(), cursor)[0] == ["1 open"]


def test_deleted_and_spam_tickets_are_told_as_deleted_once(vendor: Vendor, source: Callable[..., Freshdesk]) -> None:
    desk = Desk(vendor)
    desk.aside = {
        "deleted": [{"id": 5, "status": 2, "updated_at": stamp(NOW - timedelta(minutes=9)), "deleted": True}],
        "spam": [{"id": 6, "status": 2, "updated_at": stamp(NOW - timedelta(minutes=9)), "spam": True}],
    }
    refs, cursor = moved(source())
    assert refs == ["5 deleted", "6 deleted"]
    assert moved(source(), cursor)[0] == []


def test_lists_that_the_agent_may_not_see_keep_no_ticket_waiting(vendor: Vendor, source: Callable[..., Freshdesk]) -> None:
    desk = Desk(vendor)
    desk.times = {1: NOW - timedelta(minutes=5)}
    plain = desk.answer
    denied = Response(403, {"code": "access_denied", "message": "You are not authorized to perform this action."})
    vendor.places["GET /tickets"] = lambda request: denied if "filter" in request.query else plain(request)
    assert moved(source())[0] == ["1 open"]


# --- one ticket, and writing ---


@pytest.fixture
def standing(vendor: Vendor) -> dict[str, Any]:
    """Ticket 7, its answers kept in what is returned."""
    row: dict[str, Any] = {"id": 7, "subject": "Valve", "status": 2, "source": 2, "requester_id": CUSTOMER, "tags": ["vip"], "spam": False}
    row |= {"description": "<div>How?</div>", "created_at": "2026-03-01T09:00:00Z", "updated_at": "2026-03-01T09:00:00Z"}
    vendor.places |= {
        "GET /tickets/7": row,
        "GET /tickets/7/conversations": [],
        f"GET /contacts/{CUSTOMER}": {"id": CUSTOMER, "name": "Anna", "email": None, "language": "fr"},
        "POST /tickets/7/notes": lambda request: Response(201, {"id": 71, "private": True, "body": request.json()["body"]}),
        "POST /tickets/7/reply": lambda request: Response(201, {"id": 72, "body": request.json()["body"]}),
        "PUT /tickets/7": lambda request: Response(200, {**row, **request.json()}),
    }
    return row


def version(source: Freshdesk) -> str:
    found = source.ticket("7")
    assert found is not None
    return found.version


def test_a_ticket_is_read_in_three_requests_with_all_its_conversations(
    vendor: Vendor, source: Callable[..., Freshdesk], standing: dict[str, Any]
) -> None:
    many = [{"id": 100 + n, "user_id": AGENT, "body_text": "x", "incoming": False, "private": True} for n in range(12)]
    vendor.places["GET /tickets/7/conversations"] = many
    found = source().ticket("7")
    assert found is not None
    assert (len(found.comments), found.language, found.requester_email, found.requester_name) == (13, "fr", None, "Anna")
    assert len(vendor.asked) == 4, "ticket, conversations, requester, and once whose key it is"


def test_a_note_is_private_and_a_reply_is_not_a_note(vendor: Vendor, source: Callable[..., Freshdesk], standing: dict[str, Any]) -> None:
    found = source()
    assert found.post_reply("7", Reply("<p>So.</p>", public=False), KEY, version(found)).id == "71"
    assert found.post_reply("7", Reply("<p>So.</p>", public=True), KEY, version(found)).id == "72"
    (note, sent), (reply, mailed) = vendor.writes()
    assert (note, sent["private"], KEY in sent["body"]) == ("/tickets/7/notes", True, True)
    assert (reply, sorted(mailed), KEY in mailed["body"]) == ("/tickets/7/reply", ["body"], True)


def test_a_reply_that_stands_already_is_not_written_again(
    vendor: Vendor, source: Callable[..., Freshdesk], standing: dict[str, Any]
) -> None:
    found = source()
    seen = version(found)
    vendor.places["POST /tickets/7/notes"] = lambda _: Response(500, "<html>oops</html>", {"content-type": "text/html"})
    with pytest.raises(Transient):
        found.post_reply("7", Reply("<p>So.</p>", public=False), KEY, seen)
    body = vendor.writes()[0][1]["body"]
    assert found.find_reply("7", KEY) is None
    vendor.places["GET /tickets/7/conversations"] = [{"id": 71, "user_id": BOT, "body": body, "incoming": False, "private": True}]
    ref = found.find_reply("7", KEY)
    assert ref is not None
    assert ref.id == "71"
    assert found.post_reply("7", Reply("<p>So.</p>", public=False), KEY, seen).id == "71"
    assert len(vendor.writes()) == 1


def test_nothing_is_written_on_a_ticket_that_changed(vendor: Vendor, source: Callable[..., Freshdesk], standing: dict[str, Any]) -> None:
    found = source()
    seen = version(found)
    vendor.places["GET /tickets/7/conversations"] = [{"id": 70, "user_id": CUSTOMER, "body_text": "Never mind", "incoming": True}]
    with pytest.raises(Outdated):
        found.post_reply("7", Reply("<p>So.</p>", public=True), KEY, seen)
    assert vendor.writes() == []


@pytest.mark.parametrize("change", [{"status": 5}, {"spam": True}, {"deleted": True}])
def test_a_closed_or_deleted_ticket_takes_no_reply(
    vendor: Vendor, source: Callable[..., Freshdesk], standing: dict[str, Any], change: dict[str, Any]
) -> None:
    found = source()
    seen = version(found)
    standing |= change
    with pytest.raises(Refused):
        found.post_reply("7", Reply("<p>So.</p>", public=True), KEY, seen)
    assert vendor.writes() == []


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 415])
def test_a_write_that_is_never_taken_is_refused(
    vendor: Vendor, source: Callable[..., Freshdesk], standing: dict[str, Any], status: int
) -> None:
    found = source()
    seen = version(found)
    vendor.places["POST /tickets/7/notes"] = lambda _: Response(status)
    with pytest.raises(Refused):
        found.post_reply("7", Reply("<p>So.</p>", public=False), KEY, seen)


def test_too_many_calls_wrote_nothing_and_say_how_long_to_wait(
    vendor: Vendor, source: Callable[..., Freshdesk], standing: dict[str, Any]
) -> None:
    found = source()
    seen = version(found)
    limits = {"x-ratelimit-total": "50.0", "x-ratelimit-remaining": "0.0", "retry-after": "38"}
    vendor.places["POST /tickets/7/notes"] = lambda _: Response(429, "slow down", limits)
    with pytest.raises(RateLimited) as told_:
        found.post_reply("7", Reply("<p>So.</p>", public=False), KEY, seen)
    assert told_.value.retry_after == 38


def test_tags_are_merged_and_written_only_when_one_is_missing(
    vendor: Vendor, source: Callable[..., Freshdesk], standing: dict[str, Any]
) -> None:
    source().add_tags("7", ("draftdesk-note", "vip"))
    assert vendor.writes() == [("/tickets/7", {"tags": ["vip", "draftdesk-note"]})]
    standing["tags"] = ["vip", "draftdesk-note"]
    source().add_tags("7", ("draftdesk-note",))
    source().add_tags("7", ())
    assert len(vendor.writes()) == 1


def test_a_ticket_that_is_not_there_is_none_though_its_404_has_no_body(vendor: Vendor, source: Callable[..., Freshdesk]) -> None:
    assert source().ticket("8") is None
    assert source().find_reply("8", KEY) is None
    with pytest.raises(Refused):
        source().add_tags("8", ("x",))
    for odd in ("8/../agents", "", "٣"):
        with pytest.raises(ConfigProblem):
            source().ticket(odd)
