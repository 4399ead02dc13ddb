"""What people do can be asked for over HTTP as well."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox.google_docs.site import GoogleSite


@pytest.fixture
def door(site: GoogleSite, session: Any) -> Any:
    return lambda path, **asked: session.post(f"{site.url}/_sandbox/{path}", json=asked, timeout=10)


def test_documents_are_made_edited_moved_and_trashed(site: GoogleSite, door: Any, feed: Any) -> None:
    token = feed.start()
    made = door("files", action="document", name="New", text="# New", parent="knowledge").json()["id"]
    door("files", action="edit", id=made, text="# Newer")
    door("files", action="move", id=made, parent="below")
    door("files", action="trash", id=made)
    rows, _ = feed.read(token)
    assert (rows[made]["file"]["parents"], rows[made]["file"]["trashed"]) == (["below"], True)


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "explode", "id": "returns"},
        {"action": "move", "id": "below", "parent": "below"},
        {"action": "edit", "id": "never-was"},
        {"action": "share", "id": "returns", "who": "x@y.example", "role": "king"},
    ],
)
def test_what_cannot_be_done_is_a_bad_request(door: Any, asked: dict[str, str]) -> None:
    assert door("files", **asked).status_code == 400


def test_tokens_are_forgotten(door: Any, api: Any, feed: Any) -> None:
    token = feed.start()
    door("tokens", forget="pages", code=410)
    assert api("/drive/v3/changes", pageToken=token).status_code == 410
    door("tokens", forget="access")
    assert api("/drive/v3/files").status_code == 401


def test_the_state_says_who_reads_what(site: GoogleSite, session: Any) -> None:
    items = {item["id"]: item for item in session.get(f"{site.url}/_sandbox/state", timeout=10).json()["items"]}
    assert len(items["returns"]["readers"]) == 2
    assert items["private"]["readers"] == ["mira@tidewell.example"]
