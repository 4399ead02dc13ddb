"""What the stage says is true is what a plain reading over HTTP finds, whatever its people did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sandbox.google_docs.stage import KNOWN, PREFIX, GoogleStage

ACTS = ("create", "edit", "delete", "restore", "hide", "show", "move", "spoil", "mend", "expire")
WITHOUT = "PREVIEW_WITHOUT_SUGGESTIONS"


def meant(api: Any, file: dict[str, Any]) -> dict[str, Any] | None:
    """The file itself or, of a shortcut, its target, where that can be read."""
    if not file["mimeType"].endswith(".shortcut"):
        return file
    target = api(f"/drive/v3/files/{file['shortcutDetails']['targetId']}", fields="*")
    return None if target.status_code == 404 or target.json()["trashed"] else dict(target.json())


def read(api: Any) -> dict[str, str | None]:
    """Document id -> its text, None where it cannot be read; shortcuts followed."""
    found: dict[str, str | None] = {}
    waiting = [KNOWN]
    while waiting:
        answer = api.ok("/drive/v3/files", q=f"'{waiting.pop()}' in parents and trashed = false", pageSize=1000, fields="files")
        for listed in answer["files"]:
            file = meant(api, listed)
            if file is None:
                continue
            if file["mimeType"].endswith(".folder"):
                waiting.append(file["id"])
                continue
            document = api(f"/docs/v1/documents/{file['id']}", suggestionsViewMode=WITHOUT)
            found[PREFIX + file["id"]] = document.text if document.status_code == 200 else None
    return found


@pytest.fixture(params=[False, True], ids=["plain", "with shortcuts"])
def shortcuts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, session: Any, api: Any) -> Callable[[GoogleStage], Any]:
    """A signed-in client of a stage; signing is not what is tried here."""

    def sign_in(stage: GoogleStage) -> Any:
        from connectors.sandbox.google_docs.sign_in import ACCOUNT, Token

        ends = stage.now().timestamp() + 10**9
        stage.site.sign_in._tokens["ya29.stage"] = Token(ACCOUNT, frozenset({"drive.readonly"}), ends)
        return type(api)(stage.site.url, session, "ya29.stage")

    return sign_in


def test_truth_is_what_a_plain_reading_finds(reader: Callable[[GoogleStage], Any], shortcuts: bool) -> None:
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 4)), max_size=25))
    def play(history: list[tuple[str, int]]) -> None:
        stage = GoogleStage(shortcuts=shortcuts)
        try:
            ids = [stage.create(f"first{n}") for n in range(3)]
            for number, (act, which) in enumerate(history):
                id = ids[which % len(ids)]
                if act == "create":
                    ids.append(stage.create(f"mark{number}"))
                elif act == "edit":
                    stage.edit(id, f"mark{number}")
                elif act == "expire":
                    stage.expire()
                else:
                    getattr(stage, act)(id)
            told, truth = read(reader(stage)), stage.truth()
            assert told.keys() == truth.keys()
            for id, shown in truth.items():
                text = told[id]
                assert (text is not None) == shown.readable
                assert text is None or shown.marker in text
        finally:
            stage.close()

    play()


def test_each_move_ends_back_in_the_folder_that_is_read() -> None:
    stage = GoogleStage()
    try:
        id = stage.create("mark")
        seen = []
        for _ in range(4):
            stage.move(id)
            seen.append(id in stage.truth())
        assert seen == [True, False, False, True]
    finally:
        stage.close()
