"""Lists of files, what is seen of shared drives, exports, and refusals with their reasons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connectors.sandbox.google_docs.items import Grant
from connectors.sandbox.google_docs.site import GoogleSite

IN_KNOWLEDGE = "'knowledge' in parents"


def test_trashed_files_are_listed_unless_one_asks_not_to(api: Any) -> None:
    assert api.names(q=IN_KNOWLEDGE) == {"Returns", "Handout", "Below", "Old", "Paper.docx"}
    assert api.names(q=f"{IN_KNOWLEDGE} and trashed = false") == {"Returns", "Handout", "Below", "Paper.docx"}


def test_parents_are_not_recursive_and_several_are_joined_by_or(api: Any) -> None:
    assert api.names(q="('knowledge' in parents or 'below' in parents) and mimeType = 'application/vnd.google-apps.document'") == {
        *("Returns", "Handout", "Old", "Inner")
    }
    assert api.names(q="'root' in parents") == set()


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("name contains 'hand'", {"Handout"}),
        ("name contains 'out'", set()),
        ("not mimeType contains 'application/vnd.google-apps'", {"Paper.docx"}),
        ("modifiedTime > '2026-11-21T13:00:00'", {"Inner"}),
        ("shortcutDetails.targetId = 'knowledge'", {"Up"}),
        ("sharedWithMe", {"Knowledge"}),
        ("name = 'It\\'s' or name = 'Old'", {"Old"}),
        ("'mira@tidewell.example' in owners and name != 'Old' and trashed = true", set()),
    ],
)
def test_q_selects(api: Any, q: str, names: set[str]) -> None:
    assert api.names(q=q) == names


@pytest.mark.parametrize("q", ["'x' in", "name ~ 'x'", "trashed = maybe", "(name = 'x'", "name = 'x' and", "colour = 'red'", "'x"])
def test_a_bad_q_is_refused(api: Any, q: str) -> None:
    answer = api("/drive/v3/files", q=q).json()["error"]
    assert (answer["code"], answer["errors"][0]["reason"], answer["errors"][0]["location"]) == (400, "invalid", "q")


def test_pages_hold_everything_once_and_the_last_has_no_token(api: Any) -> None:
    whole, token, pages = [], None, 0
    while pages == 0 or token:
        answer = api.ok("/drive/v3/files", pageSize=2, orderBy="name", **({"pageToken": token} if token else {}))
        whole += [file["name"] for file in answer["files"]]
        token, pages = answer.get("nextPageToken"), pages + 1
    assert (pages, whole) == (4, sorted(whole, key=str.lower))
    assert len(set(whole)) == 8


def test_a_page_token_is_for_its_own_question_and_for_some_hours(api: Any, clock: Any) -> None:
    token = api.ok("/drive/v3/files", pageSize=1)["nextPageToken"]
    assert api.reason("/drive/v3/files", q=IN_KNOWLEDGE, pageToken=token) == (400, "invalid")
    assert api.reason("/drive/v3/files", pageToken="made-up") == (400, "invalid")
    clock.advance(1800)
    api.ok("/drive/v3/files", pageToken=token)


def test_without_the_token_in_the_mask_paging_ends_silently(api: Any) -> None:
    assert set(api.ok("/drive/v3/files", pageSize=1, fields="files(id)")) == {"files"}
    answer = api.ok("/drive/v3/files", pageSize=1, fields="nextPageToken,files(id,owners/emailAddress,capabilities(canDownload))")
    assert "nextPageToken" in answer
    assert set(answer["files"][0]) == {"id", "owners", "capabilities"}
    assert set(answer["files"][0]["owners"][0]) == {"emailAddress"}


def test_few_fields_are_told_where_none_are_asked_for_and_unknown_ones_are_refused(api: Any) -> None:
    assert set(api.ok("/drive/v3/files/returns")) == {"kind", "id", "name", "mimeType"}
    assert api.ok("/drive/v3/files/returns", fields="*")["parents"] == ["knowledge"]
    wrong = api("/drive/v3/files/returns", fields="id,colour").json()["error"]
    assert (wrong["message"], wrong["errors"][0]["reason"]) == ("Invalid field selection colour", "invalidParameter")


def test_a_shared_drive_is_invisible_without_the_flags(api: Any, shared: dict[str, str]) -> None:
    assert api.names(q="'0Adrive' in parents") == set()
    assert api.names(q="'0Adrive' in parents", supportsAllDrives="true") == set()
    assert api.names(q="'0Adrive' in parents", **shared) == {"Manual"}
    assert api.names(corpora="drive", driveId="0Adrive", **shared) == {"Manual"}
    assert api.reason("/drive/v3/files", includeItemsFromAllDrives="true") == (403, "supportsTeamDrivesRequired")
    assert api.reason("/drive/v3/files/manual") == (404, "notFound")
    assert api.ok("/drive/v3/files/manual", supportsAllDrives="true")["driveId"] == "0Adrive"
    assert api.reason("/drive/v3/files", corpora="drive", driveId="0Aboard", **shared) == (404, "notFound")


def test_a_search_over_all_drives_may_say_that_it_is_incomplete(site: GoogleSite, api: Any, shared: dict[str, str]) -> None:
    site.world.incomplete = True
    assert api.ok("/drive/v3/files", corpora="allDrives", **shared)["incompleteSearch"] is True
    assert api.ok("/drive/v3/files", **shared)["incompleteSearch"] is False


def test_drives_come_ten_to_a_page_and_only_ones_own(site: GoogleSite, api: Any) -> None:
    assert [drive["name"] for drive in api.ok("/drive/v3/drives")["drives"]] == ["Field"]
    for number in range(12):
        site.tree.add_drive(f"Drive {number}", [Grant("draftdesk-bot@tidewell-knowledge.iam.gserviceaccount.com")])
    first = api.ok("/drive/v3/drives")
    assert len(first["drives"]) == 10
    assert len(api.ok("/drive/v3/drives", pageToken=first["nextPageToken"])["drives"]) == 3


@pytest.mark.parametrize("file", ["private", "hidden", "never-was"])
def test_what_may_not_be_read_is_not_found(api: Any, file: str) -> None:
    answer = api(f"/drive/v3/files/{file}").json()["error"]
    assert (answer["code"], answer["message"], "status" in answer) == (404, f"File not found: {file}.", False)


def test_a_document_is_exported_and_not_downloaded(api: Any) -> None:
    plain = api("/drive/v3/files/returns/export", mimeType="text/plain").content
    assert plain.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in plain
    assert api.reason("/drive/v3/files/returns", alt="media") == (403, "fileNotDownloadable")
    assert api("/drive/v3/files/paper", alt="media").text == "words"
    assert api.reason("/drive/v3/files/paper/export", mimeType="text/plain") == (403, "fileNotExportable")
    assert api.reason("/drive/v3/files/up/export", mimeType="text/plain") == (403, "fileNotExportable")
    assert api.reason("/drive/v3/files/returns/export", mimeType="image/png") == (400, "badRequest")


def test_more_than_ten_megabytes_are_not_exported_with_pictures(api: Any) -> None:
    assert api.reason("/drive/v3/files/manual/export", mimeType="text/markdown") == (403, "exportSizeLimitExceeded")
    assert api("/drive/v3/files/manual/export", mimeType="text/plain").status_code == 200


def test_markdown_embeds_its_pictures(site: GoogleSite, api: Any) -> None:
    site.tree.items["manual"].weight = 0
    assert "<data:image/png;base64," in api("/drive/v3/files/manual/export", mimeType="text/markdown").text


def test_who_may_not_download_may_not_export(site: GoogleSite, api: Any) -> None:
    site.tree.forbid_download("returns")
    assert api.ok("/drive/v3/files/returns", fields="capabilities/canDownload") == {"capabilities": {"canDownload": False}}
    assert api.reason("/drive/v3/files/returns/export", mimeType="text/plain") == (403, "cannotExportFile")


def test_a_shortcut_names_its_target(api: Any) -> None:
    told = api.ok("/drive/v3/files/up", fields="mimeType,shortcutDetails")
    assert told["shortcutDetails"] == {"targetId": "knowledge", "targetMimeType": "application/vnd.google-apps.folder"}


def test_only_who_may_share_reads_the_permissions(signed_in: Callable[..., Any], api: Any) -> None:
    assert api.reason("/drive/v3/files/returns/permissions") == (403, "insufficientFilePermissions")
    mira = signed_in(sub="mira@tidewell.example")
    assert [line["role"] for line in mira.ok("/drive/v3/files/returns/permissions")["permissions"]] == ["owner", "commenter"]


@pytest.mark.parametrize("path", ["/drive/v3/about", "/drive/v3/files/returns/comments"])
def test_some_methods_want_a_mask(api: Any, path: str) -> None:
    assert api.reason(path) == (400, "required")
    api.ok(path, fields="*")


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        *(("rateLimitExceeded", 403), ("userRateLimitExceeded", 403), ("domainPolicy", 403), ("accessNotConfigured", 403)),
        *(("appNotAuthorizedToFile", 403), ("insufficientFilePermissions", 403), ("backendError", 500)),
    ],
)
def test_a_refusal_is_told_by_its_reason_as_often_as_asked(site: GoogleSite, api: Any, reason: str, status: int) -> None:
    api.session.post(f"{site.url}/_sandbox/refusals", json={"reason": reason, "file_id": "returns", "times": 1}, timeout=10)
    api.ok("/drive/v3/files/handout")
    assert api.reason("/drive/v3/files/returns") == (status, reason)
    api.ok("/drive/v3/files/returns")


def test_too_many_units_in_a_minute_are_refused(site: GoogleSite, api: Any, clock: Any) -> None:
    site.world.quotas = type(site.world.quotas)(drive_units=250, docs_reads=1)
    api.ok("/drive/v3/files")
    api.ok("/drive/v3/files")
    assert api.reason("/drive/v3/files") == (403, "userRateLimitExceeded")
    api.ok("/docs/v1/documents/returns")
    assert api("/docs/v1/documents/returns").json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    clock.advance(60)
    api.ok("/drive/v3/files")


def test_paging_faults_show(site: GoogleSite, api: Any) -> None:
    site.faults.add("empty_page", "/drive/v3/files")
    first = api.ok("/drive/v3/files")
    assert first["files"] == []
    assert len(api.ok("/drive/v3/files", pageToken=first["nextPageToken"])["files"]) == 8
    site.faults.add("duplicate_page", "/drive/v3/files")
    twice = api.ok("/drive/v3/files")
    assert api.ok("/drive/v3/files", pageToken=twice["nextPageToken"])["files"] == twice["files"]


def test_nothing_can_be_written(site: GoogleSite, api: Any) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    answer = api.session.post(f"{site.url}/drive/v3/files", json={"name": "x"}, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (403, "insufficientPermissions")
