"""Confluence: what is asked and what is told, by a small server of both flavours that shares nothing with the emulated site."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from connectors.base import ConfigProblem, Cursor, CursorExpired, Document, Gone, Transient, Unreadable
from connectors.confluence import Settings
from connectors.confluence.connector import Confluence
from connectors.http import HttpClient
from connectors.sandbox.server import Server
from connectors.sandbox.wire import Request, Response

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SPACES = {"KB": 11, "ENG": 12, "HR": 13}
HTML = {"content-type": "text/html;charset=UTF-8"}
both = pytest.mark.parametrize("flavour", ["cloud", "datacenter"])


@dataclass
class Leaf:
    id: int
    body: str = ""
    space: str = "KB"
    above: tuple[int, ...] = ()
    title: str = ""
    version: int = 1
    status: str = "current"
    readers: tuple[str, ...] | None = ()  # None: the answer does not say
    labels: tuple[str, ...] = ()
    at: datetime = NOW - timedelta(days=30)
    fails: bool = False

    def __post_init__(self) -> None:
        self.title = self.title or f"Page {self.id}"
        self.body = self.body or f"<p>Text {self.id}</p>"


@dataclass
class Vendor:
    """`cap`: rows of a list at most. `zone`: hours that the account's clock is ahead of UTC. `root`: in front of all paths."""

    flavour: str
    root: str
    pages: dict[int, Leaf] = field(default_factory=dict)
    cap: int = 1000
    zone: int = 0
    folders: set[int] = field(default_factory=set)
    hidden: dict[int, int] = field(default_factory=dict)  # restrictions that are answered with this status
    refused: dict[str, int] = field(default_factory=dict)  # by a part of the path: the status
    unlisted: set[int] = field(default_factory=set)  # left out of lists, though they are there
    unindexed: bool = False  # searching finds nothing
    blank: bool = False  # the first answer of a list is an empty one with a next link
    away: str = ""  # host that next links lead to
    macros: bool = True  # whether searching by macro is known
    asked: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Server(0, self.answer)

    def add(self, id: int, body: str = "", **more: Any) -> Leaf:
        self.pages[id] = Leaf(id, body, **more)
        return self.pages[id]

    def paths(self) -> list[str]:
        return [request.path.removeprefix(self.root) for request in self.asked]

    # --- answers ---

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        path = request.path.removeprefix(self.root)
        for part, status in self.refused.items():
            if part in path:
                return Response(status, {"code": status, "message": "Unauthorized; scope does not match"})
        if not request.path.startswith(self.root):
            return Response(404, "<html>Not Found</html>", HTML)
        v2, v1 = path.removeprefix("/api/v2"), path.removeprefix("/rest/api")
        found = self.newer(request, v2) if v2 != path and self.flavour == "cloud" else self.older(request, v1)
        return found or Response(404, {"statusCode": 404, "message": "not found"})

    def newer(self, request: Request, path: str) -> Response | None:
        if path == "/spaces":
            keys = request.query.get("keys", "").split(",")
            return self.listed(request, [{"id": str(SPACES[key]), "key": key, "name": key} for key in keys if key in SPACES])
        if path.endswith("/ancestors"):
            page = self.pages.get(int(path.split("/")[2]))
            return Response(200, {"results": [{"id": str(id), "type": "page"} for id in page.above], "_links": {}}) if page else None
        assert request.query["status"] == "current", "the default would show archived pages"
        rows = [page for page in self.current() if self.asked_for(request, page)]
        if path.endswith("/pages") and path.startswith("/spaces/"):
            rows = [page for page in rows if str(SPACES[page.space]) == path.split("/")[2] and page.id not in self.unlisted]
        body = request.query.get("body-format")
        if body and any(page.fails for page in rows):
            return Response(500, "<html>It broke.</html>", HTML)
        return self.listed(request, [self.page_v2(page, bool(body)) for page in rows])

    def asked_for(self, request: Request, page: Leaf) -> bool:
        ids, space = request.query.get("id"), request.query.get("space-id")
        fits = ids is None or str(page.id) in ids.split(",")
        return fits and space in (None, str(SPACES[page.space])) and request.query.get("title") in (None, page.title)

    def older(self, request: Request, path: str) -> Response | None:
        if path == "/space":
            keys = [value for name, value in request.pairs if name == "spaceKey"]
            return self.listed(request, [{"id": SPACES[key], "key": key, "name": key, "type": "global"} for key in keys if key in SPACES])
        if path == "/content/search":
            return self.searched(request)
        if match := re.fullmatch(r"/content/(\d+)/restriction/byOperation/read", path):
            return self.restricted(int(match[1]))
        rows = [page for page in self.current() if request.query.get("spaceKey") == page.space and page.id not in self.unlisted]
        if path == "/content":
            rows = [page for page in rows if request.query.get("title") in (None, page.title)]
            return self.expanded(request, rows)
        page = self.pages.get(int(path.rpartition("/")[2])) if re.fullmatch(r"/content/\d+", path) else None
        if page is None or page.status != "current":
            return None
        return Response(500, "<html>It broke.</html>", HTML) if page.fails else Response(200, self.page_v1(page, request))

    def searched(self, request: Request) -> Response:
        cql = request.query["cql"]
        if "macro" in cql and not self.macros:
            return Response(400, {"statusCode": 400, "message": "No field exists with name 'macro'"})
        rows = [page for page in self.pages.values() if page.status in ("current", "archived") and not self.unindexed]
        if match := re.search(r"id in \(([^)]*)\)", cql):
            rows = [page for page in rows if str(page.id) in match[1].split(",")]
        if match := re.search(r'space in \(([^)]*)\)', cql):
            rows = [page for page in rows if f'"{page.space}"' in match[1].split(",")]
        if match := re.search(r'lastmodified >= "([^"]*)"', cql):
            since = datetime.strptime(match[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC) - timedelta(hours=self.zone)
            rows = [page for page in rows if page.at >= since]
        if "macro" in cql:
            rows = [page for page in rows if 'ac:name="include"' in page.body]
        return self.expanded(request, rows)

    def expanded(self, request: Request, rows: list[Leaf]) -> Response:
        if "body.storage" in request.query.get("expand", "") and any(page.fails for page in rows):
            return Response(500, "<html>It broke.</html>", HTML)
        return self.listed(request, [self.page_v1(page, request) for page in rows])

    def restricted(self, id: int) -> Response | None:
        if id in self.hidden:
            return Response(self.hidden[id], {"statusCode": self.hidden[id], "message": "No content found, or no permission"})
        if id in self.folders:
            return Response(200, {"operation": "read", "restrictions": {"user": self.named(()), "group": self.named(())}})
        return Response(200, self.read(self.pages[id])) if id in self.pages else None

    def named(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {"results": [{"type": "group", "name": name} for name in names], "start": 0, "limit": 200, "size": len(names)}

    def read(self, page: Leaf) -> dict[str, Any]:
        told: dict[str, Any] = {"operation": "read"}
        return told if page.readers is None else {**told, "restrictions": {"user": self.named(()), "group": self.named(page.readers)}}

    def current(self) -> list[Leaf]:
        return sorted((page for page in self.pages.values() if page.status == "current"), key=lambda page: page.id)

    def page_v2(self, page: Leaf, body: bool) -> dict[str, Any]:
        stamp = page.at.isoformat().replace("+00:00", "Z")
        told: dict[str, Any] = {"id": str(page.id), "status": page.status, "title": page.title, "spaceId": str(SPACES[page.space])}
        told |= {"parentId": str(page.above[-1]) if page.above else None, "createdAt": stamp}
        told |= {"version": {"number": page.version, "createdAt": stamp}, "body": {}, "_links": {"webui": f"/spaces/KB/pages/{page.id}/T"}}
        return {**told, "body": {"storage": {"representation": "storage", "value": page.body}}} if body else told

    def page_v1(self, page: Leaf, request: Request) -> dict[str, Any]:
        wanted = request.query.get("expand", "")
        told: dict[str, Any] = {"id": str(page.id), "type": "page", "status": page.status, "title": page.title, "_links": {"webui": "/x"}}
        if "version" in wanted:
            told["version"] = {"number": page.version, "when": page.at.isoformat()}
        if "space" in wanted:
            told["space"] = {"id": SPACES[page.space], "key": page.space}
        if "ancestors" in wanted:
            told["ancestors"] = [{"id": str(id), "type": "page"} for id in page.above]
        if "restrictions" in wanted:
            told["restrictions"] = {"read": self.read(page)}
        if "metadata.labels" in wanted:
            rows = [{"prefix": "global", "name": name, "id": "5"} for name in page.labels]
            told["metadata"] = {"labels": {"results": rows, "start": 0, "limit": 200, "size": len(rows)}}
        if "body.storage" in wanted:
            told["body"] = {"storage": {"value": page.body, "representation": "storage"}}
        return told

    def listed(self, request: Request, rows: list[dict[str, Any]]) -> Response:
        """Cloud: a cursor in the middle of the link, with signs that must stay as they are. Data Center: an offset that skips pages."""
        limit = min(int(request.query.get("limit", "25")), self.cap)
        cursor = request.query.get("cursor", "")
        start = int(request.query.get("start", "0")) if self.flavour != "cloud" else int(base64.b64decode(cursor)[4:] or 0) if cursor else 0
        if self.blank:
            self.blank, limit, asked = False, 0, 0
        else:
            asked = int(request.query.get("limit", "25"))
        links: dict[str, str] = {"base": f"{self.server.url}/wiki"}
        if len(rows) > start + limit:
            rest = "&".join(f"{name}={quote(value, safe=',=')}" for name, value in request.pairs if name not in ("cursor", "start"))
            if self.flavour == "cloud":
                word = base64.b64encode(b"\xfb\xef\xbe>" + str(start + limit).encode()).decode()
                path = request.path.removeprefix(self.root)
                assert "+" in word
                path = f"/wiki{path}" if "/api/v2" in path else path
                links["next"] = f"{self.away}{path}?cursor={quote(word, safe='=')}&{rest}"
            else:
                links["next"] = f"{self.away}{request.path}?{rest}&start={start + asked}"
        return Response(200, {"results": rows[start : start + limit], "start": start, "limit": limit, "_links": links})


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Vendor]]:
    monkeypatch.setenv("CF_TEST_TOKEN", "t0ken")
    made: list[Vendor] = []

    def vendor(flavour: str = "cloud", root: str | None = None) -> Vendor:
        made.append(Vendor(flavour, root if root is not None else "/wiki" if flavour == "cloud" else "/docs"))
        return made[-1]

    yield vendor
    for one in made:
        one.server.close()


def connected(
    vendor: Vendor, now: datetime = NOW, audience: dict[str, str] | None = None, labels: tuple[str, ...] = ()
) -> Confluence:
    auth = {"email": "bot@acme.example", "api_token": "env:CF_TEST_TOKEN"} if vendor.flavour == "cloud" else {"token": "env:CF_TEST_TOKEN"}
    block = {"name": "wiki", "type": "confluence", "base_url": f"{vendor.server.url}{vendor.root}", "flavour": vendor.flavour, "auth": auth}
    knowledge = {"spaces": ["KB", "ENG"], "audience": {"KB": "public"} if audience is None else audience, "internal_labels": labels}

    def http(origin: str, authorize: Any = None, **more: Any) -> HttpClient:
        return HttpClient(origin, authorize, sleep=lambda _: None, now=lambda: now, **more)

    return Confluence(Settings.model_validate({**block, "knowledge": knowledge}), http, now=lambda: now)


def told(source: Confluence, cursor: Cursor | None = None) -> tuple[dict[int, Any], Cursor]:
    """What a pull tells, by the page's number, and its last cursor."""
    changes: dict[int, Any] = {}
    last: Cursor = {}
    for page in source.pull(cursor):
        changes |= {int(change.id.rpartition(":")[2]): change for change in page.changes}
        last = json.loads(json.dumps(page.cursor))
    return changes, last


def later(vendor: Vendor, cursor: Cursor, **by: float) -> tuple[dict[int, Any], Cursor, list[str]]:
    """A turn some time after; what it told, its cursor, and what it asked."""
    vendor.asked.clear()
    changes, cursor = told(connected(vendor, NOW + timedelta(**by)), cursor)
    return changes, cursor, vendor.paths()


def include(title: str, space: str | None = None) -> str:
    key = f' ri:space-key="{space}"' if space else ""
    page = f'<ac:link><ri:page ri:content-title="{title}"{key}/></ac:link>'
    return f'<ac:structured-macro ac:name="include"><ac:parameter ac:name="">{page}</ac:parameter></ac:structured-macro>'


# --- who may read it ---


@both
def test_restricted_here_or_above_or_unknown_is_for_agents_only(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    vendor.add(1)
    vendor.add(2, readers=("staff",))
    vendor.add(3, above=(2,))
    vendor.add(4, above=(1, 2))
    vendor.add(5, above=(1,))
    vendor.add(6, readers=None)
    vendor.add(7, space="ENG")
    found, _ = told(connected(vendor))
    assert {id: change.audience for id, change in found.items()} == {
        **{1: "public", 2: "internal", 3: "internal", 4: "internal"},
        **{5: "public", 6: "internal", 7: "internal"},
    }


@both
def test_a_label_that_the_operator_names_keeps_a_page_in(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    vendor.add(1, labels=("howto", "staff-only"))
    vendor.add(2, labels=("howto",), above=(1,))
    source = connected(vendor, labels=("Staff-Only",))
    found, cursor = told(source)
    assert {id: change.audience for id, change in found.items()} == {1: "internal", 2: "public"}
    vendor.pages[1].labels, vendor.pages[2].labels = ("howto",), ("staff-only",)
    found, cursor = told(connected(vendor, NOW + timedelta(minutes=15), labels=("staff-only",)), cursor)
    assert {id: change.audience for id, change in found.items()} == {1: "public", 2: "internal"}
    found, _ = told(connected(vendor, NOW + timedelta(minutes=30)), cursor)
    assert {id: change.audience for id, change in found.items()} == {2: "public"}, "a setting that is lifted holds from the next turn"


def test_a_page_whose_labels_nobody_tells_is_kept_in(make: Callable[..., Vendor]) -> None:
    vendor = make()
    vendor.unindexed = True
    vendor.add(1)
    found, _ = told(connected(vendor, labels=("staff-only",)))
    assert found[1].audience == "internal"


@pytest.mark.parametrize("status", [403, 404])
def test_what_may_not_be_asked_about_counts_as_restricted(make: Callable[..., Vendor], status: int) -> None:
    vendor = make()
    vendor.unindexed = True
    vendor.folders |= {8, 9}
    vendor.hidden = {9: status, 3: status}
    vendor.add(1, above=(8,))
    vendor.add(2, above=(9,))
    vendor.add(3)
    found, _ = told(connected(vendor))
    assert [found[id].audience for id in (1, 2, 3)] == ["public", "internal", "internal"]


@both
def test_only_current_pages_are_read(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    for id, status in enumerate(("current", "archived", "trashed", "draft"), start=1):
        vendor.add(id, status=status, at=NOW)
    source = connected(vendor)
    assert list(told(source)[0]) == [1]
    assert list(source.list_ids()) == ["confluence:wiki:page:1"]


def test_a_space_that_the_settings_close_is_closed_at_the_next_turn(make: Callable[..., Vendor]) -> None:
    vendor = make()
    for id in range(1, 206):
        vendor.add(id)
    _, cursor = told(connected(vendor))
    found, _ = told(connected(vendor, NOW + timedelta(minutes=1), audience={}), cursor)
    assert len(found) == 205
    assert {change.audience for change in found.values()} == {"internal"}


# --- paging ---


@both
@pytest.mark.parametrize("cap", [2, 3])
def test_every_page_is_met_however_small_the_lists_are_cut(make: Callable[..., Vendor], flavour: str, cap: int) -> None:
    vendor = make(flavour)
    vendor.cap = cap
    for id in range(1, 12):
        vendor.add(id, readers=("staff",) if id == 11 else ())
    found, _ = told(connected(vendor))
    assert sorted(found) == list(range(1, 12))
    assert found[11].audience == "internal"
    assert len(list(connected(vendor).list_ids())) == 11


@pytest.mark.parametrize("root", ["/wiki", "/ex/confluence/5f0c2a7e/wiki"])
def test_next_links_are_joined_to_the_configured_path(make: Callable[..., Vendor], root: str) -> None:
    vendor = make("cloud", root)
    vendor.cap = 2
    for id in range(1, 6):
        vendor.add(id)
    assert sorted(told(connected(vendor))[0]) == [1, 2, 3, 4, 5]
    assert all(request.path.startswith(f"{root}/") for request in vendor.asked)
    assert not any("/wiki/wiki" in request.path for request in vendor.asked)


@both
def test_an_empty_answer_with_a_next_link_is_not_the_end(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    vendor.add(1)
    source = connected(vendor)
    source.check()
    vendor.blank = True
    assert list(source.list_ids()) == ["confluence:wiki:page:1"]


@both
def test_credentials_follow_no_link_to_another_host(make: Callable[..., Vendor], flavour: str) -> None:
    asked: list[Request] = []

    def other(request: Request) -> Response:
        asked.append(request)
        return Response(200, {"results": [], "_links": {}})

    elsewhere = Server(0, other)
    vendor = make(flavour)
    vendor.cap, vendor.away = 2, elsewhere.url
    for id in range(1, 6):
        vendor.add(id)
    if flavour == "cloud":
        with pytest.raises(ConfigProblem):
            told(connected(vendor))
    else:
        assert sorted(told(connected(vendor))[0]) == [1, 2, 3, 4, 5]  # offsets are reckoned, links not followed
    elsewhere.close()
    assert asked == []


# --- signing in ---


@pytest.mark.parametrize(
    ("flavour", "status", "body"),
    [
        ("cloud", 403, {"statusCode": 403, "message": "Request rejected because caller cannot access Confluence"}),
        ("cloud", 401, "<html><body>HTTP Status 401</body></html>"),
        ("datacenter", 401, "<html><body>Log in</body></html>"),
        ("datacenter", 200, "<html><body>Log in</body></html>"),
    ],
)
def test_a_wrong_credential_is_one_request_and_one_sentence(make: Callable[..., Vendor], flavour: str, status: int, body: Any) -> None:
    vendor = make(flavour)

    def refuse(request: Request) -> Response:
        vendor.asked.append(request)
        return Response(status, body, HTML if isinstance(body, str) else {})

    vendor.server.answer = refuse
    for call in (lambda s: s.check(), lambda s: list(s.pull(None)), lambda s: list(s.list_ids())):
        vendor.asked.clear()
        with pytest.raises((ConfigProblem, Transient)):
            call(connected(vendor))
        assert len(vendor.asked) == 1


@both
def test_the_credential_is_sent_as_the_flavour_wants_it(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    vendor.add(1)
    connected(vendor).check()
    basic = "Basic " + base64.b64encode(b"bot@acme.example:t0ken").decode()
    assert {request.headers["authorization"] for request in vendor.asked} == {basic if flavour == "cloud" else "Bearer t0ken"}


@pytest.mark.parametrize(
    ("part", "scope"),
    [
        ("/content/search", "search:confluence"),
        ("/api/v2/pages", "read:page:confluence"),
        ("/restriction/", "read:content.restriction:confluence"),
    ],
)
@pytest.mark.parametrize("status", [401, 403])
def test_check_names_the_scope_that_is_missing(make: Callable[..., Vendor], part: str, scope: str, status: int) -> None:
    vendor = make()
    vendor.add(1)
    connected(vendor).check()
    vendor.refused = {part: status}
    with pytest.raises(ConfigProblem, match=scope):
        connected(vendor).check()


@both
def test_a_space_that_is_left_out_is_named(make: Callable[..., Vendor], flavour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = make(flavour)
    monkeypatch.delitem(SPACES, "ENG")
    for call in (lambda s: s.check(), lambda s: list(s.pull(None)), lambda s: list(s.list_ids())):
        with pytest.raises(ConfigProblem, match="ENG"):
            call(connected(vendor))


# --- what changed ---


@both
def test_nothing_new_is_one_request_for_many_pages_and_a_few_for_few(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    for id in range(1, 301):
        vendor.add(id)
    _, cursor = told(connected(vendor))
    found, cursor, asked = later(vendor, cursor, minutes=15)
    assert (found, asked) == ({}, ["/rest/api/content/search"])
    found, cursor, asked = later(vendor, cursor, minutes=50)
    assert found == {}
    assert len(asked) <= 1 + 2 + 2 + 1
    for id in range(101, 301):
        vendor.pages[id].status = "trashed"
    _, cursor, _ = later(vendor, cursor, minutes=100)
    assert len(later(vendor, cursor, minutes=101)[2]) == (4 if flavour == "cloud" else 3)


def test_nothing_new_is_one_request_where_no_list_tells_who_may_read(make: Callable[..., Vendor]) -> None:
    vendor = make()
    for id in range(1, 21):
        vendor.add(id)
    vendor.unindexed = True
    _, cursor = told(connected(vendor))
    _, cursor, asked = later(vendor, cursor, minutes=15)
    assert asked == ["/rest/api/content/search"]
    vendor.pages[3].readers = ("staff",)
    assert [change.audience for change in later(vendor, cursor, minutes=60)[0].values()] == ["internal"]


@both
@pytest.mark.parametrize(("number", "minutes"), [(20, 1), (300, 60)])
def test_a_restriction_is_seen_at_once_or_within_the_hour(make: Callable[..., Vendor], flavour: str, number: int, minutes: int) -> None:
    vendor = make(flavour)
    for id in range(1, number + 1):
        vendor.add(id, above=(2,) if id in (5, 6) else ())
    _, cursor = told(connected(vendor))
    vendor.pages[2].readers = ("staff",)
    seen: dict[int, Any] = {}
    for minute in range(15, minutes + 15, 15):
        changes, cursor, _ = later(vendor, cursor, minutes=minute)
        seen |= changes
    assert {id: change.audience for id, change in seen.items()} == {2: "internal", 5: "internal", 6: "internal"}
    vendor.pages[2].readers = ()
    assert {id: c.audience for id, c in later(vendor, cursor, minutes=minutes + 60)[0].items()} == {2: "public", 5: "public", 6: "public"}


@both
@pytest.mark.parametrize("zone", [-11, 0, 14])
def test_an_edit_is_found_whatever_the_accounts_time_zone(make: Callable[..., Vendor], flavour: str, zone: int) -> None:
    vendor = make(flavour)
    vendor.zone = zone
    for id in range(1, 210):
        vendor.add(id)
    _, cursor = told(connected(vendor))
    page = vendor.pages[7]
    page.version, page.body, page.at = 2, "<p>New</p>", NOW + timedelta(minutes=1)
    found, cursor, asked = later(vendor, cursor, minutes=15)
    assert {id: change.markdown for id, change in found.items()} == {7: "New"}
    assert len(asked) == (3 if flavour == "cloud" else 2)
    assert later(vendor, cursor, minutes=16)[0] == {}


@both
def test_what_left_is_told_as_gone_and_a_short_list_is_not_believed(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    for id in range(1, 31):
        vendor.add(id)
    _, cursor = told(connected(vendor))
    vendor.pages[1].status, vendor.pages[2].status, vendor.pages[3].space = "trashed", "archived", "HR"
    vendor.unlisted = {4, 5}
    found, cursor, _ = later(vendor, cursor, minutes=1)
    gone = {id: change.inferred for id, change in found.items() if isinstance(change, Gone)}
    assert gone == {1: False, 2: False, 3: False}
    assert later(vendor, cursor, minutes=2)[0].keys() <= {4, 5}
    vendor.unlisted = set()
    vendor.pages[1].status = "current"
    assert isinstance(later(vendor, cursor, minutes=3)[0][1], Document)


@both
def test_where_much_is_missing_at_once_a_listing_has_to_say_so(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    for id in range(1, 31):
        vendor.add(id)
    _, cursor = told(connected(vendor))
    for id in range(1, 11):
        vendor.pages[id].status = "trashed"
    found, _, _ = later(vendor, cursor, minutes=1)
    assert {id: change.inferred for id, change in found.items()} == dict.fromkeys(range(1, 11), True)


@pytest.mark.parametrize("cursor", [{}, {"v": 1, "since": "2026-03-01T00:00:00+00:00", "recent": {}, "walk": None}, {"v": 2, "since": 5}])
def test_a_cursor_of_another_shape_is_expired(make: Callable[..., Vendor], cursor: Cursor) -> None:
    with pytest.raises(CursorExpired):
        told(connected(make()), cursor)


# --- what fails ---


@both
def test_one_page_that_fails_stops_no_other_and_is_tried_again(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    for id in range(1, 61):
        vendor.add(id, fails=id in (7, 8, 33))
    found, cursor = told(connected(vendor))
    assert {id for id, change in found.items() if isinstance(change, Unreadable)} == {7, 8, 33}
    assert sum(isinstance(change, Document) for change in found.values()) == 57
    vendor.pages[33].fails = False
    found, _, _ = later(vendor, cursor, minutes=5)
    assert {id: type(change) for id, change in found.items()} == {7: Unreadable, 8: Unreadable, 33: Document}


@both
def test_where_every_page_fails_no_page_is_to_blame(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    for id in range(1, 31):
        vendor.add(id, fails=True)
    with pytest.raises(Transient):
        told(connected(vendor))


# --- what other pages contribute ---


@both
def test_what_not_all_may_read_does_not_come_by_an_include(make: Callable[..., Vendor], flavour: str) -> None:
    vendor = make(flavour)
    vendor.add(1, f"<p>Open.</p>{include('Shut')}{include('Plans', 'ENG')}{include('Pay', 'HR')}{include('Steps')}")
    vendor.add(2, "<p>CANARY-SHUT</p>", title="Shut", readers=("staff",))
    vendor.add(3, "<p>CANARY-PLANS</p>", title="Plans", space="ENG")
    vendor.add(4, "<p>CANARY-PAY</p>", title="Pay", space="HR")
    vendor.add(5, "<p>Turn twice.</p>", title="Steps")
    vendor.add(6, include("Plans"), space="ENG")
    found, _ = told(connected(vendor))
    assert "CANARY" not in found[1].markdown
    assert "Turn twice." in found[1].markdown
    assert "CANARY-PLANS" in found[6].markdown


@both
@pytest.mark.parametrize("many", [False, True])
def test_a_page_is_read_again_when_what_it_includes_changes(make: Callable[..., Vendor], flavour: str, many: bool) -> None:
    vendor = make(flavour)
    vendor.add(1, f"<p>Open.</p>{include('Steps')}")
    vendor.add(2, "<p>Turn once.</p>", title="Steps")
    for id in range(10, 230 if many else 12):
        vendor.add(id)
    _, cursor = told(connected(vendor))
    assert later(vendor, cursor, minutes=1)[0] == {}
    vendor.pages[2].version, vendor.pages[2].body, vendor.pages[2].at = 2, "<p>Turn twice.</p>", NOW
    found, cursor, _ = later(vendor, cursor, minutes=2)
    assert "Turn twice." in found[1].markdown
    vendor.pages[2].readers = ("staff",)
    found, cursor, _ = later(vendor, cursor, minutes=60)
    assert found[1].markdown == "Open."
    vendor.pages[2].readers = ()
    found, cursor, _ = later(vendor, cursor, minutes=120)
    assert "Turn twice." in found[1].markdown
    vendor.pages[2].status = "trashed"
    found, cursor, _ = later(vendor, cursor, minutes=180)
    assert found[1].markdown == "Open."
    assert later(vendor, cursor, minutes=240)[0] == {}


def test_an_extension_of_the_new_editor_is_read_once(make: Callable[..., Vendor]) -> None:
    vendor = make()
    node = '<ac:adf-node type="panel"><ac:adf-content><p>Mind the valve.</p></ac:adf-content></ac:adf-node>'
    vendor.add(1, f"<ac:adf-extension>{node}<ac:adf-fallback><p>Mind the valve.</p></ac:adf-fallback></ac:adf-extension>")
    assert told(connected(vendor))[0][1].markdown.count("Mind the valve.") == 1


# --- a first load in parts ---


@both
@pytest.mark.parametrize("macros", [True, False])
def test_what_changes_while_parts_are_read_is_read_again(make: Callable[..., Vendor], flavour: str, macros: bool) -> None:
    vendor = make(flavour)
    vendor.macros = macros
    vendor.add(1, include("Steps"))
    vendor.add(2, "<p>Turn once.</p>", title="Steps")
    vendor.add(3)
    vendor.add(4, readers=("staff",))
    vendor.add(5, space="ENG")
    source = connected(vendor)
    cursor = source.begin()
    assert [(part.key, part.expected) for part in source.parts()] == [("KB", 4), ("ENG", 1)]
    vendor.pages[4].readers = ()  # for as long as the part is read
    parts = {key: [change for page in source.pull_part(key, None) for change in page.changes] for key in ("KB", "ENG")}
    assert [len(changes) for changes in parts.values()] == [4, 1]
    vendor.pages[4].readers = ("staff",)
    vendor.pages[3].status = "trashed"
    found, cursor = told(connected(vendor), cursor)
    assert isinstance(found[3], Gone)
    assert found[4].audience == "internal"
    vendor.pages[2].version, vendor.pages[2].body = 2, "<p>Turn twice.</p>"
    found, _, _ = later(vendor, cursor, minutes=1)
    assert (1 in found) == macros
    assert [(part.key, part.expected) for part in source.parts()] == [("KB", 3), ("ENG", 1)]


def test_every_question_of_v2_keeps_its_cursor_as_it_was_given(make: Callable[..., Vendor]) -> None:
    vendor = make()
    vendor.cap = 1
    vendor.add(1)
    vendor.add(2)
    told(connected(vendor))
    cursors = [request.query["cursor"] for request in vendor.asked if "cursor" in request.query]
    assert cursors
    assert all(base64.b64decode(cursor, validate=True).startswith(b"\xfb\xef\xbe>") for cursor in cursors)
