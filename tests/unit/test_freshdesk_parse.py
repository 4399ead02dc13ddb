"""Freshdesk's articles and canned responses: what is public, what is told, and that nothing malformed is an exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Document, Gone, Transient, Unreadable
from connectors.fields import moment, number
from connectors.freshdesk.client import next_page
from connectors.freshdesk.parse import Place, Shelf, Text, article, code, language, listed, macro
from connectors.freshdesk.readers import Readers
from connectors.freshdesk.walk import is_translation

PLACE = Place("fresh", "https://acme.freshdesk.com")
OPEN, STAFF = Shelf("7", Readers(public=True)), Shelf("7", Readers())
PARTNERS = Shelf("7", Readers(groups=frozenset({"segment:signed-in"})))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def row(**more: Any) -> dict[str, Any]:
    return {
        "id": 42,
        "status": 2,
        "folder_id": 7,
        "title": " The  valve ",
        "description": "<p>It <b>closes</b>.</p>",
        "updated_at": "2026-03-01T10:00:00Z",
        "created_at": "2025-03-01T10:00:00Z",
        "hierarchy": [{"level": 0, "type": "category", "data": {"id": 1, "name": "All", "language": "en"}}],
        **more,
    }


def told(text: Text) -> Document:
    found = article(PLACE, text)
    assert isinstance(found, Document)
    return found


def test_a_published_article_in_an_open_folder_is_public() -> None:
    found = told(Text(row(), OPEN))
    assert (found.id, found.title, found.markdown) == ("freshdesk:fresh:article:42", "The valve", "It closes.")
    assert (found.audience, found.language) == ("public", "en")
    assert found.url == "https://acme.freshdesk.com/support/solutions/articles/42"


def test_a_translation_is_a_document_of_its_own() -> None:
    found = told(Text(row(), OPEN, "pt-BR"))
    assert (found.id, found.language) == ("freshdesk:fresh:article:42:pt-br", "pt")


@pytest.mark.parametrize("status", [1, 3, "1", 0, "draft", [2]])
def test_what_is_not_published_is_not_read(status: Any) -> None:
    assert isinstance(article(PLACE, Text(row(status=status), OPEN)), Gone)


def test_an_article_that_tells_no_status_is_for_agents_only() -> None:
    bare = row()
    del bare["status"]
    assert told(Text(bare, OPEN)).audience == "internal"


@pytest.mark.parametrize("shelf", [STAFF, None, Shelf("8", Readers(public=True))])
def test_an_article_elsewhere_than_in_a_known_open_folder_is_for_agents_only(shelf: Shelf | None) -> None:
    assert told(Text(row(), shelf)).audience == "internal"


def test_an_article_for_some_customers_is_internal_and_names_them() -> None:
    found = told(Text(row(), PARTNERS))
    assert (found.audience, found.segments) == ("internal", (f"freshdesk:{PLACE.name}:segment:signed-in",))
    assert told(Text(row(), OPEN)).segments == ()
    assert told(Text(row(folder_id=8), PARTNERS)).segments == (), "it lies elsewhere"
    bare = row()
    del bare["status"]
    assert told(Text(bare, PARTNERS)).segments == (), "who knows whether it is published"


@pytest.mark.parametrize("broken", [{"title": 7}, {"description": {"a": 1}}, {"description": ["x"]}])
def test_a_misshapen_article_is_unreadable(broken: dict[str, Any]) -> None:
    assert isinstance(article(PLACE, Text(row(**broken), OPEN)), Unreadable)


def test_a_change_of_the_audience_alone_is_a_change() -> None:
    assert Text(row(), OPEN).digest() != Text(row(), STAFF).digest()
    assert Text(row(), PARTNERS).digest() != Text(row(), STAFF).digest()
    assert Text(row(), OPEN).digest() != Text(row(folder_id=8), OPEN).digest()


def test_counters_are_no_change() -> None:
    assert Text(row(hits=1, thumbs_up=0), OPEN).digest() == Text(row(hits=9, thumbs_up=3), OPEN).digest()


def test_the_original_in_a_list_of_translations_is_none() -> None:
    assert is_translation(row(title="La vanne"), "fr", {}) is False, "its hierarchy says English"
    bare = row()
    del bare["hierarchy"]
    assert is_translation({**bare, "title": "La vanne"}, "fr", {"42": bare})
    assert not is_translation(bare, "fr", {"42": bare}), "the very same text"


def test_a_canned_response_is_for_agents_only_and_one_agents_own_is_not_read() -> None:
    shared = macro(PLACE, {"id": 5, "title": "Hi", "content_html": "<p>Hello</p>", "visibility": 0})
    assert isinstance(shared, Document)
    assert (shared.id, shared.audience, shared.markdown) == ("freshdesk:fresh:macro:5", "internal", "Hello")
    assert isinstance(macro(PLACE, {"id": 5, "title": "Hi", "content": "Hello", "visibility": 1}), Gone)


@given(st.dictionaries(st.sampled_from(sorted(row())), anything), st.sampled_from([OPEN, STAFF, None]))
def test_no_article_is_an_exception(strange: dict[str, Any], shelf: Shelf | None) -> None:
    text = Text({**row(), **strange}, shelf)
    assert text.digest()
    found = article(PLACE, text)
    assert not (isinstance(found, Document) and found.audience == "public" and shelf != OPEN)


@given(anything)
def test_no_value_is_an_exception(value: Any) -> None:
    for read in (moment, number, code, language):
        read(value)
    macro(PLACE, {"id": 1, "title": value, "content": value, "content_html": value, "visibility": value})


def test_a_list_answer_that_is_no_list_is_not_empty() -> None:
    assert listed([{"id": 1}, "x", None], "/x") == [{"id": 1}]
    answers: list[Any] = [{}, {"results": []}, None, "x"]
    for strange in answers:
        with pytest.raises(Transient):
            listed(strange, "/x")


@pytest.mark.parametrize(
    ("link", "following"),
    [
        ("", None),
        ('<https://acme.freshdesk.com/api/v2/x?page=3>; rel="next"', 3),
        ("<https://elsewhere.example/api/v2/x?per_page=100&page=3>; rel=next", 3),
        ('<https://acme.freshdesk.com/x?page=1>; rel="prev", <https://acme.freshdesk.com/x?page=3>; rel="next"', 3),
        ('<https://acme.freshdesk.com/x>; rel="next"', 3),
        ('<https://acme.freshdesk.com/x?page=1>; rel="prev"', None),
    ],
)
def test_only_the_number_of_a_next_link_is_read(link: str, following: int | None) -> None:
    assert next_page({"link": link}, 2) == following


def test_a_next_link_that_leads_back_is_no_end() -> None:
    with pytest.raises(Transient):
        next_page({"link": '<https://acme.freshdesk.com/x?page=2>; rel="next"'}, 2)
