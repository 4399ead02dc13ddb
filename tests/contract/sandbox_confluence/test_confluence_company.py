"""The company's wiki is sound, and its expectations speak of what is there."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
import yaml

from connectors.sandbox.confluence.api import ConfluenceApi
from connectors.sandbox.confluence.content import Content, load_content
from connectors.sandbox.confluence.records import Account, Item
from connectors.sandbox.confluence.rendering import tree
from connectors.sandbox.rows import CompanyFault

COMPANY = files("connectors.sandbox") / "company"
EXPECTED: dict[str, Any] = yaml.safe_load((COMPANY / "expected_confluence.yaml").read_text(encoding="utf-8"))
API = ConfluenceApi(lambda: datetime(2026, 11, 25, 12, tzinfo=UTC))
MACROS = (
    *("code", "info", "note", "warning", "tip", "panel", "expand", "excerpt", "excerpt-include", "include", "status"),
    *("children", "toc", "anchor", "tidewell-meter"),
)
ELEMENTS = (
    *("ac:task-list", "rowspan", "colspan", "ri:user", "ri:attachment", "ri:page", "ac:adf-extension", "]]]]><![CDATA[>"),
    *("<time ", "ac:placeholder", "ac:emoticon", "ac:layout", "ac:image", "ac:inline-comment-marker", "&eacute;"),
)
BOT = API.wiki.accounts[API.access.bot]


def seen(item: Item) -> bool:
    return item.kind == "page" and item.status == "current" and item.space in EXPECTED["spaces"] and API.wiki.admits(item, BOT)


def is_public(item: Item) -> bool:
    return EXPECTED["audience"].get(item.space) == "public" and not API.wiki.restricted(item)


def test_the_expected_documents_are_those_that_the_bot_sees() -> None:
    found = {"public": set[str](), "internal": set[str]()}
    for item in API.wiki.items.values():
        if seen(item):
            found["public" if is_public(item) else "internal"].add(str(item.id))
    assert found == {audience: set(ids) for audience, ids in EXPECTED["documents"].items()}
    assert len(found["public"]) >= 14


def test_every_body_is_storage_format() -> None:
    for item in API.wiki.items.values():
        for edition in item.editions:
            tree(edition.body)


def test_a_canary_stands_in_one_place_of_all_the_company() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in COMPANY.iterdir() if path.name.endswith(".yaml")}
    whole = "\n".join(text for name, text in texts.items() if not name.startswith("expected"))
    for canary in EXPECTED["canaries"]:
        assert whole.count(canary["text"]) == 1, canary


def test_a_canary_stands_on_its_page_and_nowhere_that_a_customer_reads() -> None:
    for canary in EXPECTED["canaries"]:
        item = API.wiki.items[int(canary["page"])]
        told = [edition.body for edition in item.editions] + [remark.body for remark in item.remarks]
        assert any(canary["text"] in text for text in told), canary
    open_pages = [item for item in API.wiki.items.values() if seen(item) and is_public(item)]
    for canary in EXPECTED["canaries"]:
        if canary["why"] != "a hint of the editor":
            assert [item.id for item in open_pages if canary["text"] in item.last.body] == [], canary


def test_questions_are_answered_on_a_public_page() -> None:
    for question in EXPECTED["questions"]:
        item = API.wiki.items[int(question["page"])]
        assert is_public(item)
        assert all(fact in item.last.body for fact in question["facts"]), question


@pytest.mark.parametrize("wanted", [*(f'ac:name="{name}"' for name in MACROS), *ELEMENTS])
def test_the_macros_that_people_use_are_there(wanted: str) -> None:
    assert any(wanted in item.last.body for item in API.wiki.items.values() if seen(item) and is_public(item))


def test_data_center_holds_the_same_with_pages_for_folders() -> None:
    other = ConfluenceApi(lambda: datetime(2026, 11, 25, 12, tzinfo=UTC), "datacenter")
    assert other.wiki.items.keys() == API.wiki.items.keys()
    assert {item.kind for item in other.wiki.items.values()} == {"page"}
    assert not other.wiki.items[98351].readers
    assert other.wiki.restricted(other.wiki.items[98351])


@pytest.mark.parametrize("page", [{"space": "NO"}, {"parent": 9}, {"colour": 1}, {"status": "lost"}, {"updated": "500d"}])
def test_a_reference_to_nothing_is_a_fault(page: dict[str, Any]) -> None:
    whole = {"id": 1, "space": "KB", "title": "x", **page}
    content = Content((Account("a", "k", "u", "N", "e"),), "a", ({"id": 1, "key": "KB", "name": "K", "readers": {}},), (whole,))
    with pytest.raises(CompanyFault, match="page x"):
        ConfluenceApi(lambda: datetime(2026, 11, 25, tzinfo=UTC), content=content)


def test_the_content_is_read_from_its_file() -> None:
    assert load_content().bot == BOT.id
