"""Google Docs: what is asked of Drive and Docs, what of the answers is told, and shortcuts under the contract's rules."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.base import ConfigProblem, Cursor, CursorExpired, Gone, RateLimited, Transient, Unreadable
from connectors.conformance import Conformance
from connectors.google_docs import Settings, connect
from connectors.google_docs.connector import GoogleDocs
from connectors.http import HttpClient
from connectors.sandbox.google_docs.site import GoogleSite
from connectors.sandbox.google_docs.stage import GoogleStage
from connectors.sandbox.google_docs.world import Quotas
from connectors.sandbox.server import Server
from connectors.sandbox.wire import Request, Response


class TestGoogleDocsWithShortcuts(Conformance):
    stage = staticmethod(partial(GoogleStage, shortcuts=True))


# --- against answers as they are written in Google's documentation, by a server that shares nothing with the emulated one ---

DOC, FOLDER, LINK = (f"application/vnd.google-apps.{kind}" for kind in ("document", "folder", "shortcut"))
Handler = Callable[[Request], Response]


def refusal(reason: str, code: int = 403) -> Response:
    line = {"domain": "global", "reason": reason, "message": f"about {reason}"}
    return Response(code, {"error": {"code": code, "message": f"about {reason}", "errors": [line]}})


class Vendor:
    """Files by id, answers by path (`stubs`, the first that fits the path's end), and every request in `asked`."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {"R": {"id": "R", "name": "Root", "mimeType": FOLDER, "parents": ["0Aowner"]}}
        self.rows: list[dict[str, Any]] = []
        self.stubs: dict[str, Handler] = {}
        self.asked: list[Request] = []
        self.server = Server(0, self.answer)
        self.tokens = 0

    def add(self, id: str, mime: str, parent: str = "R", **more: Any) -> None:
        stamp = "2026-03-01T10:00:00.123Z"
        self.files[id] = {"id": id, "name": id, "mimeType": mime, "parents": [parent], "modifiedTime": stamp, "createdTime": stamp, **more}

    def change(self, id: str, **changed: Any) -> None:
        self.files[id].update(changed)
        self.rows.append({"changeType": "file", "removed": False, "fileId": id, "file": dict(self.files[id])})

    def remove(self, id: str) -> None:
        del self.files[id]
        self.rows.append({"changeType": "file", "removed": True, "fileId": id})

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]

    def answer(self, request: Request) -> Response:
        self.asked.append(request)
        stub = next((stub for end, stub in self.stubs.items() if request.path.endswith(end)), None)
        if stub is not None:
            return stub(request)
        if request.path == "/token":
            self.tokens += 1
            return Response(200, {"access_token": f"ya29.{self.tokens}", "expires_in": 3599, "token_type": "Bearer"})
        place, _, id = request.path.rpartition("/")
        if place == "/docs/v1/documents":
            text = {"paragraph": {"elements": [{"textRun": {"content": f"text of {id}\n"}}]}}
            return Response(200, {"documentId": id, "title": id, "tabs": [{"documentTab": {"body": {"content": [text]}}}]})
        if request.path == "/drive/v3/changes/startPageToken":
            return Response(200, {"startPageToken": str(len(self.rows))})
        if request.path == "/drive/v3/changes":
            since = int(request.query["pageToken"])
            return Response(200, {"changes": self.rows[since:], "newStartPageToken": str(len(self.rows))})
        if request.path == "/drive/v3/files":
            wanted = re.findall(r"'(\w+)' in parents", request.query["q"])
            found = [file for file in self.files.values() if file["parents"][0] in wanted and not self.trashed(file)]
            return Response(200, {"files": found})
        file = self.files.get(id)
        return Response(200, {**file, "trashed": self.trashed(file)}) if file else refusal("notFound", 404)

    def trashed(self, file: dict[str, Any] | None) -> bool:
        return file is not None and (file.get("trashed") is True or self.trashed(self.files.get(file["parents"][0])))


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    try:
        yield made
    finally:
        made.server.close()


@pytest.fixture(scope="module")
def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


@pytest.fixture
def connected(vendor: Vendor, pem: str, monkeypatch: pytest.MonkeyPatch) -> GoogleDocs:
    monkeypatch.setenv("KEY", json.dumps({"type": "service_account", "client_email": "bot@p.iam.gserviceaccount.com", "private_key": pem}))
    url = vendor.server.url
    settings = {
        "name": "docs",
        "type": "google_docs",
        "auth": {"service_account": "env:KEY"},
        "endpoints": {"token": f"{url}/token", "drive": f"{url}/drive/v3", "docs": f"{url}/docs/v1"},
        "knowledge": {"folders": ["R"]},
    }
    return connect(Settings.model_validate(settings), partial(HttpClient, sleep=lambda _: None))


def read(source: GoogleDocs, cursor: Cursor | None = None) -> tuple[dict[str, Any], Cursor]:
    """What was told last of each document, by the vendor's id, and where it ended."""
    told: dict[str, Any] = {}
    for page in source.pull(cursor):
        told |= {change.id.rpartition(":")[2]: change for change in page.changes}
        cursor = json.loads(json.dumps(page.cursor))
    assert cursor is not None
    return told, cursor


def test_the_token_of_changes_is_taken_before_the_folders_are_read(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("d", DOC)
    read(connected)
    assert vendor.paths().index("/drive/v3/changes/startPageToken") < vendor.paths().index("/drive/v3/files")


def test_every_request_knows_shared_drives_and_asks_for_the_next_page(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("d", DOC)
    read(connected)
    lists = [request for request in vendor.asked if request.path in ("/drive/v3/files", "/drive/v3/changes")]
    assert lists
    for request in lists:
        assert (request.query["supportsAllDrives"], request.query["includeItemsFromAllDrives"]) == ("true", "true")
        assert "nextPageToken" in request.query["fields"]
    views = [request.query for request in vendor.asked if request.path.startswith("/docs/")]
    assert [(q["includeTabsContent"], q["suggestionsViewMode"]) for q in views] == [("true", "PREVIEW_WITHOUT_SUGGESTIONS")]


def test_a_resync_with_nothing_new_is_one_request(vendor: Vendor, connected: GoogleDocs) -> None:
    for number in range(30):
        vendor.add(f"d{number}", DOC)
    _, cursor = read(connected)
    before = len(vendor.asked)
    assert read(connected, cursor)[0] == {}
    assert vendor.paths()[before:] == ["/drive/v3/changes"]


def test_times_are_kept_to_the_millisecond(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("d", DOC)
    assert read(connected)[0]["d"].updated_at == datetime(2026, 3, 1, 10, 0, 0, 123_000, tzinfo=UTC)


def test_a_folder_in_the_trash_takes_all_that_is_in_it_and_brings_it_back(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("A", FOLDER)
    vendor.add("B", FOLDER, "A")
    vendor.add("d", DOC, "B")
    vendor.add("e", DOC)
    _, cursor = read(connected)
    vendor.change("A", trashed=True)
    told, cursor = read(connected, cursor)
    assert told == {"d": Gone("google_docs:docs:doc:d")}
    vendor.change("A", trashed=False)
    told, cursor = read(connected, cursor)
    assert {id: change.markdown for id, change in told.items()} == {"d": "text of d"}


def test_a_folder_that_is_moved_out_and_in_moves_all_that_is_in_it(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("A", FOLDER, "elsewhere")
    vendor.add("B", FOLDER, "A")
    vendor.add("d", DOC, "B")
    told, cursor = read(connected)
    assert told == {}
    vendor.change("A", parents=["R"])
    told, cursor = read(connected, cursor)
    assert told.keys() == {"d"}
    vendor.change("A", parents=["elsewhere"])
    told, _ = read(connected, cursor)
    assert told == {"d": Gone("google_docs:docs:doc:d")}


def test_a_folder_above_a_shortcuts_target_that_goes_takes_the_target(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("far", FOLDER, "0Asomebody")
    vendor.add("F", FOLDER, "far")
    vendor.add("d", DOC, "F")
    vendor.add("s", LINK, shortcutDetails={"targetId": "d", "targetMimeType": DOC})
    told, cursor = read(connected)
    assert told.keys() == {"d"}
    vendor.change("far", trashed=True)
    told, cursor = read(connected, cursor)
    assert told == {"d": Gone("google_docs:docs:doc:d")}
    vendor.change("far", trashed=False)
    assert read(connected, cursor)[0].keys() == {"d"}


def test_a_shortcut_to_a_folder_above_ends(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("A", FOLDER)
    vendor.add("s", LINK, "A", shortcutDetails={"targetId": "R", "targetMimeType": FOLDER})
    vendor.add("d", DOC, "A")
    assert read(connected)[0].keys() == {"d"}


def test_a_document_that_was_made_while_parts_were_read_and_then_removed_is_told(vendor: Vendor, connected: GoogleDocs) -> None:
    begun = json.loads(json.dumps(connected.begin()))
    vendor.add("d", DOC)
    vendor.change("d")
    told = [change.id for page in connected.pull_part("R", None) for change in page.changes]
    assert told == ["google_docs:docs:doc:d"]
    vendor.remove("d")
    assert read(connected, begun)[0] == {"d": Gone("google_docs:docs:doc:d")}


@pytest.mark.parametrize("reason", ["userRateLimitExceeded", "rateLimitExceeded", "dailyLimitExceeded"])
def test_too_many_calls_under_403_are_waited_for(vendor: Vendor, connected: GoogleDocs, reason: str) -> None:
    vendor.add("d", DOC)
    left = [refusal(reason)]
    vendor.stubs["/changes/startPageToken"] = lambda _: left.pop() if left else Response(200, {"startPageToken": "0"})
    assert read(connected)[0].keys() == {"d"}
    vendor.stubs["/documents/d"] = lambda _: refusal(reason)
    with pytest.raises(RateLimited):
        read(connected)


@pytest.mark.parametrize(
    ("reason", "words"),
    [("accessNotConfigured", "not enabled"), ("insufficientPermissions", "drive.readonly"), ("domainPolicy", "administrator")],
)
def test_a_403_about_everything_is_one_sentence(vendor: Vendor, connected: GoogleDocs, reason: str, words: str) -> None:
    vendor.stubs["/changes/startPageToken"] = lambda _: refusal(reason)
    with pytest.raises(ConfigProblem, match=words):
        read(connected)
    assert len(vendor.asked) == 2  # the token, and this


def test_a_docs_api_that_is_not_enabled_is_found_by_check(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("d", DOC)
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}
    error = {"code": 403, "message": "off", "status": "PERMISSION_DENIED", "details": [detail]}
    vendor.stubs["/documents/d"] = lambda _: Response(403, {"error": error})
    with pytest.raises(ConfigProblem, match="Docs API is not enabled"):
        connected.check()


@pytest.mark.parametrize(
    "answer",
    [
        refusal("exportSizeLimitExceeded"),
        refusal("cannotExportFile"),
        Response(403, {"error": {"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}}),
        Response(400, {"error": {"code": 400, "message": "not supported", "status": "FAILED_PRECONDITION"}}),
        Response(404, {"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}}),
        Response(200, {"documentId": "d"}),
    ],
)
def test_one_document_that_is_refused_stops_no_other(vendor: Vendor, connected: GoogleDocs, answer: Response) -> None:
    for id in ("c", "d", "e"):
        vendor.add(id, DOC)
    vendor.stubs["/documents/d"] = lambda _: answer
    told, _ = read(connected)
    assert [type(told[id]).__name__ for id in ("c", "d", "e")] == ["Document", "Unreadable", "Document"]
    assert set(connected.list_ids()) == {f"google_docs:docs:doc:{id}" for id in ("c", "d", "e")}


def test_a_document_that_fails_for_the_moment_is_tried_again_at_the_next_turn(vendor: Vendor, connected: GoogleDocs) -> None:
    for id in ("c", "d", "e"):
        vendor.add(id, DOC)
    vendor.stubs["/documents/d"] = lambda _: Response(500, {"error": {"code": 500}})
    told, cursor = read(connected)
    assert isinstance(told["d"], Unreadable)
    vendor.stubs.clear()
    assert read(connected, cursor)[0]["d"].markdown == "text of d"


def test_a_docs_api_that_is_down_is_no_matter_of_documents(vendor: Vendor, connected: GoogleDocs) -> None:
    for number in range(10):
        vendor.add(f"d{number}", DOC)
    vendor.stubs["/docs/v1/documents"] = lambda _: Response(503, {})
    for number in range(10):
        vendor.stubs[f"/documents/d{number}"] = lambda _: Response(503, {})
    with pytest.raises(Transient):
        read(connected)


def test_a_token_that_is_refused_is_renewed_once(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("d", DOC)
    _, cursor = read(connected)
    changes = Response(200, {"changes": [], "newStartPageToken": "1"})
    vendor.stubs["/changes"] = lambda request: changes if request.headers["authorization"] == "Bearer ya29.2" else refusal("authError", 401)
    read(connected, cursor)
    assert vendor.tokens == 2
    vendor.stubs["/changes"] = lambda _: refusal("authError", 401)
    with pytest.raises(ConfigProblem, match="401"):
        read(connected, cursor)
    assert vendor.tokens == 3


@pytest.mark.parametrize(
    ("status", "error", "said", "words"),
    [
        (400, "invalid_grant", "Invalid JWT Signature.", "revoked"),
        (400, "invalid_grant", "Invalid JWT: Token must be a short-lived token. Check your iat and exp values.", "clock"),
        (401, "unauthorized_client", "Client is unauthorized.", "domain-wide delegation"),
        (403, "admin_policy_enforced", "no", "administrator"),
    ],
)
def test_why_there_is_no_token_is_told(vendor: Vendor, connected: GoogleDocs, status: int, error: str, said: str, words: str) -> None:
    vendor.stubs["/token"] = lambda _: Response(status, {"error": error, "error_description": said})
    with pytest.raises(ConfigProblem, match=words):
        connected.check()
    assert len(vendor.asked) == 1


def test_no_document_at_all_is_a_loud_warning_with_the_accounts_address(vendor: Vendor, connected: GoogleDocs) -> None:
    assert read(connected)[0] == {}
    assert "bot@p.iam.gserviceaccount.com" in connected.warnings()[0]


def test_a_folder_that_is_not_shared_is_told_with_the_accounts_address(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.files.clear()
    assert read(connected)[0] == {}
    assert any("R cannot be seen" in warning and "bot@p.iam.gserviceaccount.com" in warning for warning in connected.warnings())
    for call in (connected.check, lambda: list(connected.list_ids())):
        with pytest.raises(ConfigProblem, match=r"bot@p\.iam\.gserviceaccount\.com"):
            call()


def test_a_folder_that_is_no_longer_shared_removes_nothing_by_itself(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("d", DOC)
    _, cursor = read(connected)
    kept = vendor.files["R"]
    vendor.remove("R")
    told, cursor = read(connected, cursor)
    assert told == {"d": Gone("google_docs:docs:doc:d", inferred=True)}
    vendor.files["R"] = kept
    assert read(connected, cursor)[0].keys() == {"d"}


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_token_of_changes_that_is_forgotten_is_an_expired_cursor(vendor: Vendor, connected: GoogleDocs, status: int) -> None:
    _, cursor = read(connected)
    vendor.stubs["/changes"] = lambda _: refusal("invalid", status)
    with pytest.raises(CursorExpired):
        read(connected, cursor)


def test_a_search_that_was_not_complete_is_no_listing(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.add("d", DOC)
    vendor.stubs["/drive/v3/files"] = lambda _: Response(200, {"files": [], "incompleteSearch": True})
    with pytest.raises(Transient, match="did not search everywhere"):
        list(connected.list_ids())


# --- shared drives, at the emulated company ---

DRIVE = "0ATwFieldServiceDriveUk9PVA"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleSite]:
    with GoogleSite(quotas=Quotas(10**9, 10**9)) as made:
        monkeypatch.setenv("KEY", made.service_account_key())
        yield made


def field_service(site: GoogleSite, **knowledge: list[str]) -> GoogleDocs:
    auth = {"service_account": "env:KEY"}
    settings = {"name": "docs", "type": "google_docs", "auth": auth, "endpoints": site.endpoints(), "knowledge": knowledge}
    return connect(Settings.model_validate(settings), partial(HttpClient, sleep=lambda _: None))


def test_a_shared_drive_is_read_and_followed_by_its_own_feed(site: GoogleSite) -> None:
    told, cursor = read(field_service(site, shared_drives=[DRIVE]))
    assert len(told) == 2
    made = site.tree.document("New", "new words", DRIVE)
    told, cursor = read(field_service(site, shared_drives=[DRIVE]), cursor)
    assert told[made.id].markdown == "new words"
    site.tree.trash(made.id)
    assert read(field_service(site, shared_drives=[DRIVE]), cursor)[0] == {made.id: Gone(f"google_docs:docs:doc:{made.id}")}
    lists = [request.query for request in site.requests if request.path == "/drive/v3/files"]
    assert lists
    assert all(f"driveId={DRIVE}" in query and "corpora=drive" in query for query in lists)


def test_what_moves_from_a_shared_drive_to_a_folder_that_is_read_stays(site: GoogleSite) -> None:
    folder = "1TwKnowledgeFolderAAAAAAAAAAAAAAA"
    source = field_service(site, shared_drives=[DRIVE], folders=[folder])
    made = site.tree.document("New", "new words", DRIVE)
    told, cursor = read(source)
    assert made.id in told
    site.tree.move(made.id, folder)
    told, cursor = read(source, cursor)
    assert not isinstance(told.get(made.id), Gone)
    site.tree.edit(made.id, text="other words")
    assert read(source, cursor)[0][made.id].markdown == "other words"


def test_a_folder_in_a_shared_drive_is_read_by_one_who_is_no_member(vendor: Vendor, connected: GoogleDocs) -> None:
    vendor.files["R"]["driveId"] = "0AD"
    vendor.add("d", DOC, driveId="0AD")
    found = {"files": [vendor.files["d"]]}
    vendor.stubs["/drive/v3/files"] = lambda request: refusal("notFound", 404) if "driveId" in request.query else Response(200, found)
    assert read(connected)[0].keys() == {"d"}
    assert [request.query["corpora"] for request in vendor.asked if request.path == "/drive/v3/files"] == ["drive", "allDrives"]
