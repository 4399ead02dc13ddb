"""The company's Drive: what a complete reading holds, where the canaries are, and that the questions can be answered."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
import yaml

from connectors.sandbox.google_docs.content import Content, ContentFault, fill
from connectors.sandbox.google_docs.items import DOCUMENT, FOLDER, SHORTCUT
from connectors.sandbox.google_docs.sign_in import ACCOUNT
from connectors.sandbox.google_docs.site import GoogleSite
from connectors.sandbox.google_docs.tree import Tree

WITHOUT = "PREVIEW_WITHOUT_SUGGESTIONS"


@pytest.fixture
def content() -> None:
    """The company's own Drive."""


@pytest.fixture
def expected() -> dict[str, Any]:
    text = (files("connectors.sandbox") / "company" / "expected_google_docs.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def reading(site: GoogleSite, roots: list[str]) -> set[str]:
    """The documents below the roots, shortcuts followed, as the account may see them."""
    found, waiting, known = set(), list(roots), set[str]()
    while waiting:
        item = site.tree.items[waiting.pop()]
        if item.id in known or site.tree.role(item, ACCOUNT) is None or site.tree.in_trash(item):
            continue
        known.add(item.id)
        if item.mime == SHORTCUT and item.target:
            waiting.append(item.target)
        elif item.mime == FOLDER:
            waiting += [child.id for child in site.tree.children(item.id)]
        elif item.mime == DOCUMENT:
            found.add(item.id)
    return found


def words(api: Any, document: str) -> str:
    told = api.ok(f"/docs/v1/documents/{document}", includeTabsContent="true", suggestionsViewMode=WITHOUT)
    return json.dumps(told, ensure_ascii=False)


def text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(text(one) for one in content)
    if isinstance(content, dict):
        return content["content"] if isinstance(content.get("content"), str) else "".join(text(one) for one in content.values())
    return ""


@pytest.mark.parametrize("audience", ["public", "internal"])
def test_a_complete_reading_holds_what_is_expected(site: GoogleSite, expected: dict[str, Any], audience: str) -> None:
    told = expected[audience]
    roots = [*told["folders"], *told.get("shared_drives", ())]
    assert reading(site, roots) == set(expected["documents"][audience])


def test_each_canary_stands_where_it_is_said_to_and_in_no_public_reading(site: GoogleSite, api: Any, expected: dict[str, Any]) -> None:
    public = {document: words(api, document) for document in expected["documents"]["public"]}
    for canary in expected["canaries"]:
        holder = site.tree.items[canary["document"]]
        assert canary["text"] in f"{holder.sheets}{holder.remarks}"
        assert [document for document, told in public.items() if canary["text"] in told] == []


def test_each_question_is_answered_by_its_document(api: Any, expected: dict[str, Any]) -> None:
    for question in expected["questions"]:
        told = text(api.ok(f"/docs/v1/documents/{question['document']}", includeTabsContent="true", suggestionsViewMode=WITHOUT))
        for fact in question["facts"]:
            assert fact in told, (question["id"], fact)


def test_one_answer_stands_in_a_nested_tab_only(api: Any) -> None:
    first = text(api.ok("/docs/v1/documents/1TwInstallerHandoutDocAAAAAAAAAAA"))
    assert "8 bar" not in first


def test_the_shortcuts_make_a_cycle(site: GoogleSite) -> None:
    shortcut = site.tree.items["1TwShortcutToTheTopAAAAAAAAAAAAAA"]
    assert shortcut.target in [place.id for place in site.tree.above(shortcut)]


def test_no_canary_is_public_in_the_help_center(expected: dict[str, Any]) -> None:
    articles = (files("connectors.sandbox") / "company" / "articles.yaml").read_text(encoding="utf-8")
    assert [canary["text"] for canary in expected["canaries"] if canary["text"] in articles] == []


@pytest.mark.parametrize(
    "items",
    [
        [{"folder": "X", "colour": "red"}],
        [{"what": "X"}],
        [{"shortcut": "X", "to": "nowhere"}],
        [{"doc": "X", "text": "x", "updated": "soon"}],
    ],
)
def test_content_that_contradicts_itself_is_told(clock: Any, items: list[dict[str, Any]]) -> None:
    import threading

    tree = Tree(clock, threading.RLock(), ["mira@tidewell.example", ACCOUNT])
    with pytest.raises(ContentFault):
        fill(tree, Content(("mira@tidewell.example",), tuple(items)))
