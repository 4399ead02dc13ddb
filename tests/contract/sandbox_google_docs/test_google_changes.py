"""The feed of changes: what it tells, what it leaves out, and its tokens."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox.google_docs.items import Grant
from connectors.sandbox.google_docs.sign_in import ACCOUNT
from connectors.sandbox.google_docs.site import GoogleSite


def test_nothing_changed_is_an_empty_page_with_the_same_token(feed: Any) -> None:
    token = feed.start()
    assert feed.read(token) == ({}, token)


def test_an_edit_a_move_and_the_trash_are_told_with_the_file_as_it_stands(site: GoogleSite, feed: Any) -> None:
    token = feed.start()
    before = site.tree.items["returns"].modified
    site.tree.edit("handout", text="New")
    site.tree.move("returns", "below")
    site.tree.trash("inner")
    rows, following = feed.read(token)
    assert set(rows) == {"handout", "returns", "inner"}
    assert rows["returns"]["file"]["parents"] == ["below"]
    assert site.tree.items["returns"].modified == before
    assert (rows["inner"]["removed"], rows["inner"]["file"]["trashed"]) == (False, True)
    assert feed.read(following) == ({}, following)


def test_of_several_changes_of_a_file_the_last_is_told(site: GoogleSite, feed: Any) -> None:
    token = feed.start()
    for number in range(3):
        site.tree.edit("returns", text=f"Edition {number}")
    site.tree.edit("handout", text="x")
    assert list(feed.read(token)[0]) == ["returns", "handout"]


@pytest.mark.parametrize("act", ["trash", "move", "limit"])
def test_what_is_in_a_folder_gets_no_rows_when_the_folder_changes(site: GoogleSite, api: Any, feed: Any, act: str) -> None:
    token = feed.start()
    if act == "move":
        site.tree.move("below", site.tree.root_of("mira@tidewell.example"))
    else:
        getattr(site.tree, act)("below")
    rows, _ = feed.read(token)
    assert set(rows) == {"below"}
    assert rows["below"]["removed"] == (act != "trash")
    if act == "trash":
        told = api.ok("/drive/v3/files/inner", fields="trashed,explicitlyTrashed")
        assert told == {"trashed": True, "explicitlyTrashed": False}


def test_deleted_for_ever_and_no_longer_shared_look_the_same(site: GoogleSite, feed: Any) -> None:
    site.tree.share("private", ACCOUNT)
    token = feed.start()
    site.tree.delete("handout")
    site.tree.unshare("private", ACCOUNT)
    site.tree.edit("private", text="Nobody is told of this")
    rows, _ = feed.read(token)
    assert set(rows) == {"handout", "private"}
    assert all(row["removed"] and "file" not in row for row in rows.values())
    assert feed.read(token, includeRemoved="false")[0] == {}


def test_what_the_caller_never_saw_is_not_told(site: GoogleSite, feed: Any) -> None:
    token = feed.start()
    site.tree.edit("private", text="x")
    site.tree.edit("plans", text="x")
    site.tree.edit("hidden", text="x")
    assert feed.read(token)[0] == {}


def test_what_comes_to_be_shared_is_told(site: GoogleSite, feed: Any) -> None:
    token = feed.start()
    site.tree.share("private", ACCOUNT)
    assert feed.read(token)[0]["private"]["file"]["name"] == "Private"


def test_restored_files_keep_their_time_and_raise_their_version(site: GoogleSite, feed: Any, clock: Any) -> None:
    before = site.tree.items["old"].modified
    token = feed.start()
    clock.advance(60)
    site.tree.untrash("old")
    row = feed.read(token)[0]["old"]
    assert (row["file"]["trashed"], row["file"]["version"], site.tree.items["old"].modified) == (False, "2", before)


def test_shared_drives_are_in_the_feed_with_the_flags_only(site: GoogleSite, api: Any, feed: Any) -> None:
    token = feed.start()
    site.tree.edit("manual", text="x")
    assert feed.read(token)[0]["manual"]["driveId"] == "0Adrive"
    assert api.ok("/drive/v3/changes", pageToken=token)["changes"] == []


def test_a_drive_has_a_feed_of_its_own(site: GoogleSite, feed: Any) -> None:
    token = feed.start(driveId="0Adrive")
    site.tree.edit("manual", text="x")
    site.tree.edit("returns", text="x")
    rows, following = feed.read(token, driveId="0Adrive")
    assert set(rows) == {"manual"}
    site.tree.move("manual", "knowledge")
    rows, _ = feed.read(following, driveId="0Adrive")
    assert (rows["manual"]["removed"], "file" in rows["manual"]) == (True, False)
    kept, _ = feed.read(following, driveId="0Adrive", includeCorpusRemovals="true")
    assert kept["manual"]["file"]["parents"] == ["knowledge"]


def test_a_drive_that_one_leaves_is_told_as_a_drive(site: GoogleSite, feed: Any) -> None:
    token = feed.start()
    site.tree.add_drive("New", [Grant(ACCOUNT)], id="0Anew")
    site.tree.unshare("0Adrive", ACCOUNT)
    rows, _ = feed.read(token)
    assert {id: (row["changeType"], row["removed"]) for id, row in rows.items()} == {"0Anew": ("drive", False), "0Adrive": ("drive", True)}


def test_pages_end_with_the_next_token_and_overlap_with_nothing(site: GoogleSite, api: Any, feed: Any) -> None:
    token = feed.start()
    made = [site.tree.document(f"Doc {n}", "x", "knowledge").id for n in range(5)]
    seen: list[str] = []
    while True:
        answer = api.ok("/drive/v3/changes", pageToken=token, pageSize=2)
        seen += [row["fileId"] for row in answer["changes"]]
        if "newStartPageToken" in answer:
            assert "nextPageToken" not in answer
            break
        token = answer["nextPageToken"]
    assert seen == made


@pytest.mark.parametrize(("token", "status"), [("made-up", 400), ("99999999999", 400), ("", 400)])
def test_a_token_that_was_never_given_is_refused(api: Any, token: str, status: int) -> None:
    answer = api("/drive/v3/changes", pageToken=token)
    assert (answer.status_code, answer.json()["error"]["errors"][0]["location"]) == (status, "pageToken")


@pytest.mark.parametrize("code", [400, 404, 410])
def test_forgotten_tokens_are_refused_and_new_ones_are_not(site: GoogleSite, api: Any, feed: Any, code: int) -> None:
    token = feed.start()
    site.world.forget_tokens(code)
    assert api("/drive/v3/changes", pageToken=token).status_code == code
    assert feed.read(feed.start())[0] == {}


def test_an_empty_page_in_the_middle_is_not_the_end(site: GoogleSite, api: Any, feed: Any) -> None:
    token = feed.start()
    site.tree.edit("returns", text="x")
    site.faults.add("empty_page", "/drive/v3/changes")
    empty = api.ok("/drive/v3/changes", pageToken=token)
    assert (empty["changes"], "newStartPageToken" in empty) == ([], False)
    assert [row["fileId"] for row in api.ok("/drive/v3/changes", pageToken=empty["nextPageToken"])["changes"]] == ["returns"]
