"""Documents of the Docs API as Markdown."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.google_docs.document import markdown, title

MONO = {"weightedFontFamily": {"fontFamily": "Roboto Mono"}}


def run(text: str, **style: Any) -> dict[str, Any]:
    return {"textRun": {"content": text, "textStyle": style}}


def paragraph(*elements: dict[str, Any], style: str = "NORMAL_TEXT", bullet: dict[str, Any] | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"elements": list(elements), "paragraphStyle": {"namedStyleType": style}}
    return {"paragraph": {**told, **({"bullet": bullet} if bullet is not None else {})}}


def cell(*texts: str, **style: int) -> dict[str, Any]:
    return {"content": [paragraph(run(f"{text}\n")) for text in texts], "tableCellStyle": style}


def table(*lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {"table": {"tableRows": [{"tableCells": line} for line in lines]}}


def tab(name: str, *content: dict[str, Any], below: tuple[dict[str, Any], ...] = (), **maps: Any) -> dict[str, Any]:
    return {"tabProperties": {"title": name}, "documentTab": {"body": {"content": list(content)}, **maps}, "childTabs": list(below)}


def read(*content: dict[str, Any], **maps: Any) -> str:
    found = markdown({"tabs": [tab("Tab 1", *content, **maps)]})
    assert found is not None
    return found


def levels(*glyphs: dict[str, Any]) -> dict[str, Any]:
    return {"listProperties": {"nestingLevels": list(glyphs)}}


def test_every_tab_is_read_and_nested_ones_stand_below_theirs() -> None:
    inner = tab("Inner", paragraph(run("deepest\n"), style="HEADING_1"), paragraph(run("third level\n")))
    middle = tab("Middle", paragraph(run("second level\n")), below=(inner,))
    found = markdown({"tabs": [tab("First", paragraph(run("first level\n")), below=(middle,)), tab("Last", paragraph(run("last\n")))]})
    assert found == (
        "# First\n\nfirst level\n\n## Middle\n\nsecond level\n\n### Inner\n\n#### deepest\n\nthird level\n\n# Last\n\nlast"
    )


def test_a_single_tab_adds_no_heading_of_its_own() -> None:
    assert read(paragraph(run("Fees\n"), style="HEADING_2"), paragraph(run("none\n"))) == "## Fees\n\nnone"


def test_an_answer_of_the_older_kind_is_read_too() -> None:
    assert markdown({"title": "x", "body": {"content": [paragraph(run("plain\n"))]}}) == "plain"


def test_an_answer_that_is_no_document_is_told_as_none() -> None:
    answers: tuple[Any, ...] = (None, [], {}, {"tabs": []}, {"error": {"code": 500}})
    assert [markdown(answer) for answer in answers] == [None] * 5


def test_runs_that_were_split_within_a_word_are_joined() -> None:
    assert read(paragraph(run("war"), run("ran", bold=True), run("ty\n"))) == "warranty"


def test_links_code_and_chips_keep_their_words() -> None:
    found = read(
        paragraph(
            run("Ask "),
            {"person": {"personProperties": {"name": "Tom Ashby", "email": "tom@tidewell.example"}}},
            run(" by "),
            {"dateElement": {"dateElementProperties": {"displayText": "Mar 1, 2026", "timestamp": "2026-03-01T12:00:00Z"}}},
            run(", see "),
            {"richLink": {"richLinkProperties": {"title": "the list", "uri": "https://docs.google.com/document/d/1x/edit"}}},
            run(" or "),
            run("the ", link={"url": "https://www.google.com/url?q=https://help.example/a%20b&sa=D"}),
            run("guide", link={"url": "https://www.google.com/url?q=https://help.example/a%20b&sa=D"}, bold=True),
            run(", and type "),
            run("tidewell log", **MONO),
            run(".\n"),
        )
    )
    assert found == (
        "Ask Tom Ashby by Mar 1, 2026, see [the list](https://docs.google.com/document/d/1x/edit) or "
        "[the guide](https://help.example/a%20b), and type `tidewell log`."
    )


def test_a_link_that_would_run_something_is_plain_text() -> None:
    assert read(paragraph(run("here", link={"url": "javascript:alert(1)"}), run("\n"))) == "here"


def test_what_is_only_proposed_or_struck_out_is_not_read() -> None:
    proposed = {"textRun": {"content": "FREE ", "suggestedInsertionIds": ["s1"]}}
    standing = {"textRun": {"content": "30 days", "suggestedDeletionIds": ["s2"]}}
    assert read(paragraph(proposed, standing, run(" or 14", strikethrough=True), run(".\n"))) == "30 days."


def test_lists_are_numbered_nested_and_go_on_after_an_interruption() -> None:
    lists = {"a": levels({"glyphType": "DECIMAL"}, {"glyphSymbol": "●"}), "b": levels({"glyphType": "GLYPH_TYPE_UNSPECIFIED"})}
    found = read(
        paragraph(run("one\n"), bullet={"listId": "a"}),
        paragraph(run("inner\n"), bullet={"listId": "a", "nestingLevel": 1}),
        paragraph(run("two\n"), bullet={"listId": "a"}),
        paragraph(run("between\n")),
        paragraph(run("three\n"), bullet={"listId": "a"}),
        paragraph(run("box\n"), bullet={"listId": "b"}),
        lists=lists,
    )
    assert found == "1. one\n   - inner\n2. two\n\nbetween\n\n3. three\n- box"


def test_a_list_begins_with_the_number_it_says() -> None:
    lists = {"a": levels({"glyphType": "ALPHA", "startNumber": 4})}
    assert read(paragraph(run("d\n"), bullet={"listId": "a"}), lists=lists) == "4. d"


def test_a_table_has_one_heading_row_and_merged_cells_are_filled_in() -> None:
    found = read(table([cell("Place", rowSpan=2), cell("Price | VAT", columnSpan=2), cell("")], [cell(""), cell("net"), cell("gross")]))
    assert found == "| Place | Price \\| VAT | Price \\| VAT |\n| --- | --- | --- |\n| Place | net | gross |"


def test_a_table_of_one_cell_is_its_content() -> None:
    assert read(table([{"content": [paragraph(run("let x = 1\n", **MONO)), paragraph(run("let y = 2\n", **MONO))]}])) == (
        "```\nlet x = 1\nlet y = 2\n```"
    )


def test_placeholders_of_building_blocks_do_not_break_code() -> None:
    assert read(paragraph(run("\ue907"), run("ls -l\n", **MONO))) == "```\nls -l\n```"


def test_footnotes_stand_at_the_end_in_the_order_they_are_met() -> None:
    notes = {"f2": {"content": [paragraph(run(" by post\n"))]}, "f1": {"content": [paragraph(run(" in euros\n"))]}}
    mark = [{"footnoteReference": {"footnoteId": id, "footnoteNumber": number}} for id, number in (("f1", "1"), ("f2", "2"))]
    found = read(paragraph(run("85"), mark[0], run(" back"), mark[1], run(".\n")), footnotes=notes)
    assert found == "85[^1] back[^2].\n\n[^1]: in euros\n\n[^2]: by post"


def test_pictures_leave_their_description_and_never_an_address() -> None:
    image = {"imageProperties": {"contentUri": "https://lh7.example/signed"}, "description": "the red pin"}
    objects = {"o": {"inlineObjectProperties": {"embeddedObject": image}}}
    element = {"inlineObjectElement": {"inlineObjectId": "o"}}
    assert read(paragraph(run("Find "), element, run("\n")), inlineObjects=objects) == "Find the red pin"


def test_contents_empty_headings_and_breaks_leave_nothing() -> None:
    contents = {"tableOfContents": {"content": [paragraph(run("Fees\n"))]}}
    assert read({"sectionBreak": {}}, contents, paragraph(run("\n"), style="HEADING_1"), paragraph({"equation": {}}, run("x\v\n"))) == "x"


def test_a_title_is_one_line() -> None:
    assert title({"title": " Fees\n2026 "}) == "Fees 2026"


NAMES = [
    *("tabs", "tabProperties", "documentTab", "childTabs", "body", "content", "paragraph", "elements", "textRun", "textStyle", "link"),
    *("bullet", "listId", "nestingLevel", "lists", "listProperties", "nestingLevels", "glyphType", "startNumber", "table", "tableRows"),
    *("tableCells", "tableCellStyle", "rowSpan", "columnSpan", "footnotes", "footnoteReference", "footnoteId", "inlineObjects", "person"),
    *("personProperties", "name", "richLink", "richLinkProperties", "uri", "paragraphStyle", "namedStyleType", "dropdown", "title", "url"),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(allow_nan=False) | st.text(max_size=6)
    | st.sampled_from(["HEADING_1", "TITLE", "DECIMAL", "http://[", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=30,
)


@given(values)
def test_no_shape_is_an_exception(answer: Any) -> None:
    found = markdown(answer)
    assert found is None or isinstance(found, str)
    assert isinstance(title(answer), str)


@given(st.data())
def test_a_document_with_any_member_spoilt_is_no_exception(data: st.DataObject) -> None:
    item = paragraph(run("x\n", link={"url": "https://a.example"}), bullet={"listId": "a"})
    lists = {"a": levels({"glyphType": "DECIMAL", "startNumber": 2})}
    whole = {"tabs": [tab("T", item, table([cell("a", rowSpan=2), cell("b")]), lists=lists)]}
    spoilt = json.loads(json.dumps(whole))
    place: Any = spoilt
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(values)
            break
        place = place[key]
    assert markdown(spoilt) is None or isinstance(markdown(spoilt), str)
