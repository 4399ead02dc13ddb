"""HTML becomes Markdown that says the same, and nothing a reader would not see."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.markdown import clean, plain, to_markdown

BASE = "https://acme.zendesk.com/hc/en-us/articles/1-Refunds"


def md(html: str) -> str:
    return to_markdown(html, BASE)


def test_a_null_body_is_an_empty_text() -> None:
    assert (to_markdown(None, BASE), plain(None), md(""), md("  \n ")) == ("", "", "", "")


def test_headings_keep_their_level_and_lose_their_anchor_sign() -> None:
    assert md('<h1>A <a href="#a">#</a></h1><p>x</p><h3>B</h3>') == "# A\n\nx\n\n### B"


def test_nested_lists_keep_their_nesting_and_numbers() -> None:
    html = "<ul><li>one<ol start=3><li>x</li><li>y</li></ol></li><ul><li>astray</li></ul><li>two</li></ul>"
    assert md(html) == "- one\n  3. x\n  4. y\n  - astray\n- two"


def test_a_table_keeps_every_cell_under_its_heading() -> None:
    html = (
        "<table><caption>Prices</caption><thead><tr><th>Plan</th><th colspan=2>Price</th></tr></thead>"
        "<tr><td rowspan=2>Pro</td><td>10|20</td><td>a</td></tr><tr><td>30</td><td><ul><li>b</li><li>c</li></ul></td></tr></table>"
    )
    assert md(html) == ("Prices\n\n| Plan | Price | Price |\n| --- | --- | --- |\n| Pro | 10\\|20 | a |\n| Pro | 30 | - b - c |")


def test_a_table_without_headings_gets_an_empty_heading_row() -> None:
    assert md("<table><tr><td>a</td><td>b</td></tr><tr><td colspan=2>c</td></tr></table>") == (
        "|  |  |\n| --- | --- |\n| a | b |\n| c |  |"
    )


def test_a_table_within_a_table_and_a_table_for_layout_become_text() -> None:
    assert "c in, ner; x" in md("<table><tr><td>c<table><tr><td>in</td><td>ner</td></tr><tr><td>x</table></td><td>d</td></tr></table>")
    assert md("<table><tr><td><h2>Title</h2><p>text</p></td></tr></table>") == "## Title\n\ntext"


@pytest.mark.parametrize(
    "html",
    [
        '<pre><code class="hljs language-python">x = 1\n  y</code></pre>',
        '<pre class="lang-python">x = 1\n  y</pre>',
        '<pre class="brush: python; gutter: true">x = 1\n  y</pre>',
        '<pre data-language="Python">x = 1\n  y</pre>',
    ],
)
def test_a_code_block_keeps_its_lines_and_language(html: str) -> None:
    assert md(html) == "```python\nx = 1\n  y\n```"


def test_a_fence_is_longer_than_any_within_it() -> None:
    assert md("<pre>a ``` b</pre>") == "````\na ``` b\n````"


def test_links_are_absolute_and_only_of_kinds_a_person_follows() -> None:
    html = '<a href="/hc/x (1)">a</a> <a href="../b" title="hidden words">b</a> <a href="#c">c</a> <a href="javascript:x">d</a>'
    assert md(html) == (
        "[a](https://acme.zendesk.com/hc/x%20%281%29) [b](https://acme.zendesk.com/hc/en-us/b) "
        "[c](https://acme.zendesk.com/hc/en-us/articles/1-Refunds#c) d"
    )
    assert to_markdown('<a href="other.html">see</a> <a href="http://[bad">bad</a>', "") == "see bad"


def test_quotes_and_definitions_survive() -> None:
    assert md("<blockquote><p>a</p><p>b</p></blockquote><dl><dt>Term</dt><dd>Meaning</dd></dl>") == "> a\n>\n> b\n\nTerm\n:   Meaning"


def test_words_stand_as_they_were_written() -> None:
    assert md("<p>Order <b>A_1001</b>, 5 * 3, within <em>30&nbsp;days</em><br>next 10<sup>2</sup></p>") == (
        "Order A_1001, 5 * 3, within 30 days\nnext 10^2"
    )


@pytest.mark.parametrize(
    "html",
    [
        "<script>SECRET</script>",
        "<style>SECRET</style>",
        "<!-- SECRET -->",
        "<![CDATA[SECRET]]>",
        "<?php SECRET ?>",
        "<template>SECRET</template>",
        "<noscript>SECRET</noscript>",
        '<img src="https://evil.example/SECRET">',
        '<img alt="SECRET.png" src="x">',
        "<title>SECRET</title>",
        "<div hidden>SECRET</div>",
        '<div hidden=""><p>SECRET</p></div>',
        '<p style="DISPLAY : none !important">SECRET</p>',
        '<p style="display:/**/none">SECRET</p>',
        '<span style="visibility:hidden">SECRET</span>',
        '<span style="font-size:0">SECRET</span>',
        '<span style="font-size: 0.0px">SECRET</span>',
        '<span style="opacity:0">SECRET</span>',
        '<div style="max-height:0;overflow:hidden">SECRET</div>',
        '<span style="position:absolute;left:-9999px">SECRET</span>',
        '<a href="https://a.example" title="SECRET">x</a>',
        "<del>SECRET</del>",
        '<iframe src="https://a.example">SECRET</iframe>',
        "<svg><text>SECRET</text></svg>",
        "<select><option>SECRET</option></select>",
    ],
)
def test_what_nobody_sees_is_not_learned(html: str) -> None:
    whole = f"<p>before</p>{html}<p>after</p>"
    for text in (md(whole), plain(whole)):
        assert "SECRET" not in text
        assert "before" in text
        assert "after" in text


@pytest.mark.parametrize("style", ["font-size:0.9em", "opacity:0.5", "display:block", "max-height:0.5em;overflow:hidden", "left:-1px"])
def test_what_is_styled_but_seen_is_kept(style: str) -> None:
    assert md(f'<p style="{style}">seen</p>') == "seen"


def test_an_images_text_is_kept_only_where_it_says_something() -> None:
    assert md('<p>Press <img alt="the red button">.<img alt="Screenshot 12"><img alt="IMG_0042.png"><img alt="image"></p>') == (
        "Press the red button."
    )


def test_unknown_elements_give_their_text_whatever_their_name() -> None:
    assert md("<soup>a</soup> <fn_cache>b</fn_cache> <h99>c</h99> <ac:x>d</ac:x> <hn>e</hn>") == "a b c d e"
    assert md("<h" + "9" * 5000 + ">x") == "x"


def test_numbers_that_only_look_like_numbers_do_no_harm() -> None:
    assert "x" in md("<ol start='²'><li>x</ol><table><tr><td colspan='²' rowspan='99999'>y<td colspan=99999>z</table>")


def test_depth_is_bounded_and_the_text_is_kept() -> None:
    assert md("<div>" * 200 + "deep" + "</div>" * 200) == "deep"
    assert md("<ul><li>" * 100 + "deep").endswith("deep")
    assert md("<blockquote>" * 3000 + "x") is not None


def test_plain_text_has_a_line_per_block_and_a_dash_per_item() -> None:
    assert plain(
        "<div>Hello<br>Anna,</div><ul><li>one</li><li>two\n words</li></ul><table><tr><td>a</td><td>b</td></tr></table><pre>x\ny</pre>"
    ) == ("Hello\nAnna,\n- one\n- two words\na b\nx\ny")


def test_invisible_letters_are_removed_and_visible_ones_kept() -> None:
    assert clean("a\u200bb\u202ec\ufeff\U000e0041\u00add e\u202ff\r\ng\u2028h\x00\ud800") == "abcd e f\ng\nh"
    assert clean("عربي ☃ 😀 e\u0301") == "عربي ☃ 😀 é"


tags = [
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "table",
    "tr",
    "td",
    "th",
    "pre",
    "code",
    "a href='/x'",
    "a",
    "h1",
    "h3",
    "b",
    "br",
    "img alt='y y y'",
    "dl",
    "dt",
    "dd",
    "blockquote",
    "sup",
    "thead",
    "tbody",
    "caption",
    "span style='display:none'",
    "q",
    "!--",
    "![CDATA[",
    "?xml",
    "svg",
    "html",
    "td colspan=3 rowspan=2",
    "head",
    "hr",
    "kbd",
    "soup",
    "form",
]
fragments = st.lists(
    st.sampled_from([f"<{tag}>" for tag in tags] + [f"</{tag.split()[0]}>" for tag in tags]) | st.text(max_size=8) | st.just("text"),
    max_size=30,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(fragments | st.text())
def test_any_input_gives_clean_text_and_no_exception(html: str) -> None:
    for text in (to_markdown(html, BASE), plain(html)):
        assert clean(text) == text
        assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cs"} and c != "\n"]
        assert not set(text) & set("\u200b\u200c\u200d\u202e\u2066\ufeff\u00ad\U000e0041")
        assert "\n\n\n" not in text


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
