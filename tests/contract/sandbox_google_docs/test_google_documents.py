"""documents.get: tabs, suggestions, indices, and the shapes of what stands in a document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.google_docs.notation import read
from connectors.sandbox.google_docs.rendering import content_of
from connectors.sandbox.google_docs.site import GoogleSite

WITHOUT = "PREVIEW_WITHOUT_SUGGESTIONS"
RICH = """
@title Head
# A heading
Text with **bold** and a [link](https://x.example) to [A heading](#A heading)\\
after a soft break.
1. one
  - below
[ ] tick
---
{person: Mira L <mira@tidewell.example>} {date: 2026-11-30 | Nov 30, 2026} {link: T | https://t.example | text/html}
{dropdown: Open} {equation}{image: alt | https://p.example}
[toc]
```
a | b
```
"""


def text_of(content: Any) -> str:
    """All text runs below it, in order."""
    if isinstance(content, list):
        return "".join(text_of(one) for one in content)
    if isinstance(content, dict):
        return content["content"] if isinstance(content.get("content"), str) else "".join(text_of(one) for one in content.values())
    return ""


def test_without_tabs_only_the_first_is_told_and_with_them_body_is_absent(api: Any) -> None:
    first = api.ok("/docs/v1/documents/handout")
    assert "First tab" in text_of(first["body"])
    assert "8 bar" not in json.dumps(first)
    assert "tabs" not in first
    whole = api.ok("/docs/v1/documents/handout", includeTabsContent="true")
    assert "body" not in whole
    deepest = whole["tabs"][1]["childTabs"][0]["childTabs"][0]
    assert deepest["tabProperties"] == {"tabId": "t.deeper", "title": "Deeper", "index": 0, "parentTabId": "t.deep", "nestingLevel": 2}
    assert text_of(deepest["documentTab"]["body"]) == "Press 8 bar.\n"
    assert [text_of(note) for note in deepest["documentTab"]["footnotes"].values()] == ["Cold water.\n"]


def test_a_mask_that_names_tabs_asks_for_them_and_must_not_name_both(api: Any) -> None:
    assert set(api.ok("/docs/v1/documents/handout", fields="title,tabs(tabProperties/tabId)")) == {"title", "tabs"}
    assert api("/docs/v1/documents/handout", fields="tabs,body").status_code == 400
    bad = api("/docs/v1/documents/handout", fields="colour").json()["error"]
    assert (bad["status"], bad["details"][0]["fieldViolations"][0]["field"]) == ("INVALID_ARGUMENT", "colour")


def test_who_may_comment_sees_proposals_unless_he_asks_not_to(api: Any) -> None:
    inline = api.ok("/docs/v1/documents/returns")
    assert inline["suggestionsViewMode"] == "SUGGESTIONS_INLINE"
    assert "Send it back soonnever: PIER within" in text_of(inline["body"])
    assert "suggestedInsertionIds" in json.dumps(inline)
    clean = api.ok("/docs/v1/documents/returns", suggestionsViewMode=WITHOUT)
    assert "Send it back soon within 30 days." in text_of(clean["body"])
    assert "PIER" not in json.dumps(clean)
    taken = api.ok("/docs/v1/documents/returns", suggestionsViewMode="PREVIEW_SUGGESTIONS_ACCEPTED")
    assert "Send it back never: PIER within" in text_of(taken["body"])


def test_who_only_reads_sees_no_proposals_and_may_not_ask_for_them(site: GoogleSite, api: Any) -> None:
    site.tree.share("knowledge", "draftdesk-bot@tidewell-knowledge.iam.gserviceaccount.com", "reader")
    assert api.ok("/docs/v1/documents/returns")["suggestionsViewMode"] == WITHOUT
    assert api("/docs/v1/documents/returns", suggestionsViewMode="SUGGESTIONS_INLINE").status_code == 403


@pytest.mark.parametrize(
    ("document", "status", "said"),
    [("never-was", 404, "NOT_FOUND"), ("private", 403, "PERMISSION_DENIED"), ("paper", 400, "FAILED_PRECONDITION")],
)
def test_a_document_that_cannot_be_had(api: Any, document: str, status: int, said: str) -> None:
    error = api(f"/docs/v1/documents/{document}").json()["error"]
    assert (error["code"], error["status"], "errors" in error) == (status, said, False)
    assert "errors" in api(f"/docs/v1/documents/{document}", **{"$.xgafv": "1"}).json()["error"]


def test_an_unknown_parameter_is_refused(api: Any) -> None:
    assert "supportsAllDrives" in api("/docs/v1/documents/returns", supportsAllDrives="true").json()["error"]["message"]


def test_a_refusal_says_itself_as_docs_does(site: GoogleSite, api: Any) -> None:
    api.session.post(f"{site.url}/_sandbox/refusals", json={"reason": "rateLimitExceeded", "times": 1}, timeout=10)
    assert api("/docs/v1/documents/returns").json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    api.session.post(f"{site.url}/_sandbox/refusals", json={"reason": "accessNotConfigured"}, timeout=10)
    assert api("/docs/v1/documents/returns").json()["error"]["details"][0]["reason"] == "SERVICE_DISABLED"


def test_merged_cells_are_there_and_empty(api: Any) -> None:
    table = api.ok("/docs/v1/documents/handout", includeTabsContent="true")["tabs"][1]["documentTab"]["body"]["content"][1]["table"]
    wide = table["tableRows"][0]["tableCells"]
    assert (table["rows"], table["columns"], [text_of(cell["content"]) for cell in wide]) == (2, 3, ["Wide\n", "\n", "x\n"])
    assert wide[0]["tableCellStyle"] == {"rowSpan": 2, "columnSpan": 2}
    assert len(table["tableRows"][1]["tableCells"][2]["content"]) == 2


def test_every_kind_of_element_is_written_as_the_vendor_writes_it() -> None:
    told = content_of(read(RICH), "PREVIEW_WITHOUT_SUGGESTIONS", "seed", "t.0")
    flat = json.dumps(told)
    for name in ("person", "dateElement", "richLink", "dropdown", "equation", "inlineObjectElement", "horizontalRule", "tableOfContents"):
        assert f'"{name}"' in flat
    paragraphs = [element["paragraph"] for element in told["body"]["content"] if "paragraph" in element]
    assert [paragraph["paragraphStyle"]["namedStyleType"] for paragraph in paragraphs[:2]] == ["TITLE", "HEADING_1"]
    heading = paragraphs[1]["paragraphStyle"]["headingId"]
    assert {"heading": {"id": heading, "tabId": "t.0"}} in [run["textRun"]["textStyle"].get("link") for run in paragraphs[2]["elements"]]
    assert "\v" in text_of(paragraphs[2])
    below = next(paragraph["bullet"] for paragraph in paragraphs if paragraph.get("bullet", {}).get("nestingLevel"))
    levels = told["lists"][below["listId"]]["listProperties"]["nestingLevels"]
    assert (levels[0].get("glyphType"), levels[1]["glyphSymbol"], len(levels)) == ("GLYPH_TYPE_UNSPECIFIED", "●", 9)
    (image,) = told["inlineObjects"].values()
    assert image["inlineObjectProperties"]["embeddedObject"]["description"] == "alt"
    legacy = content_of(read(RICH), "PREVIEW_WITHOUT_SUGGESTIONS", "seed", None)
    assert f'"headingId": "{heading}"' in json.dumps(legacy["body"])


def spans(content: Any) -> Iterator[tuple[int, int, str | None]]:
    if isinstance(content, list):
        for one in content:
            yield from spans(one)
    elif isinstance(content, dict):
        if "endIndex" in content:
            yield content.get("startIndex", 0), content["endIndex"], content["textRun"]["content"] if "textRun" in content else None
        for one in content.values():
            yield from spans(one)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20), max_size=6))
def test_indices_count_utf_16_units_whatever_is_written(lines: list[str]) -> None:
    told = content_of(read("\n\n".join(lines)), "SUGGESTIONS_INLINE", "seed", "t.0")
    for start, end, run in spans(told["body"]):
        assert start < end
        assert run is None or len(run.encode("utf-16-le")) // 2 == end - start
    edges = [(element.get("startIndex", 0), element["endIndex"]) for element in told["body"]["content"]]
    assert all(one[1] == other[0] for one, other in pairwise(edges))


def test_runs_are_split_in_the_middle_of_words(api: Any) -> None:
    content = api.ok("/docs/v1/documents/handout")["body"]["content"]
    assert "startIndex" not in content[0]
    runs = [element["textRun"] for element in content[1]["paragraph"]["elements"]]
    assert [run["content"] for run in runs] == ["First tab 😀 ", "bo", "ld\n"]
    assert [element["startIndex"] for element in content[1]["paragraph"]["elements"]] == [1, 14, 16]


def test_the_revision_is_for_those_who_may_edit(signed_in: Callable[..., Any], api: Any) -> None:
    mira = signed_in(sub="mira@tidewell.example")
    assert "revisionId" not in api.ok("/docs/v1/documents/returns")
    assert "revisionId" in mira.ok("/docs/v1/documents/returns")
