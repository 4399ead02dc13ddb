"""Storage format to Markdown: what people write into pages, and what must not come out of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.confluence.storage import Reading, Target, markdown

SITE = "https://wiki.acme.example/wiki"
PAGES = {
    Target("Shared steps", "KB"): "<p>Turn the key twice.</p>",
    Target("Facts", "KB", True): '<p>Before.</p><ac:structured-macro ac:name="excerpt"><ac:rich-text-body><p>It holds 12 litres.</p>'
    "</ac:rich-text-body></ac:structured-macro><p>After.</p>",
    Target("Round", "KB"): '<ac:structured-macro ac:name="include"><ac:parameter ac:name=""><ac:link><ri:page ri:content-title="Round"/>'
    "</ac:link></ac:parameter></ac:structured-macro><p>Once.</p>",
}


def read(body: str, unknown: Counter[str] | None = None) -> str:
    return markdown(body, Reading(SITE, "KB", PAGES.get, Counter() if unknown is None else unknown))


def macro(name: str, inner: str = "", **parameters: str) -> str:
    told = "".join(f'<ac:parameter ac:name="{key}">{value}</ac:parameter>' for key, value in parameters.items())
    return f'<ac:structured-macro ac:name="{name}">{told}{inner}</ac:structured-macro>'


def rich(html: str) -> str:
    return f"<ac:rich-text-body>{html}</ac:rich-text-body>"


def include(name: str, title: str) -> str:
    page = f'<ac:link><ri:page ri:content-title="{title}"/></ac:link>'
    return f'<ac:structured-macro ac:name="{name}"><ac:parameter ac:name="">{page}</ac:parameter></ac:structured-macro>'


@pytest.mark.parametrize(
    ("body", "held"),
    [
        (macro("code", "<ac:plain-text-body><![CDATA[if a < b && c:\n    go()]]></ac:plain-text-body>"), "if a < b && c:\n    go()"),
        (macro("info", rich("<p>Mind the step.</p>")), "Mind the step."),
        (macro("warning", rich("<p>Hot.</p>"), title="Careful"), "Careful"),
        (macro("panel", rich("<p>In a panel.</p>"), title="Panel's title"), "Panel's title"),
        (macro("expand", rich("<p>Folded away.</p>"), title="More"), "Folded away."),
        (macro("status", title="DONE", colour="Green"), "DONE"),
        (macro("excerpt", rich("<p>In short.</p>")), "In short."),
        (include("include", "Shared steps"), "Turn the key twice."),
        (include("excerpt-include", "Facts"), "It holds 12 litres."),
        ("<ac:task-list><ac:task><ac:task-status>complete</ac:task-status><ac:task-body>Drain it</ac:task-body></ac:task></ac:task-list>",
         "[x] Drain it"),
        ('<ac:link><ri:page ri:content-title="Lime"/><ac:plain-text-link-body><![CDATA[descaling]]></ac:plain-text-link-body></ac:link>',
         "[descaling]"),
        ('<ac:link><ri:attachment ri:filename="plan.pdf"/></ac:link>', "plan.pdf"),
        ("<p>Fish &amp; chips, 3 &lt; 4 &nbsp;&eacute;</p>", "Fish & chips, 3 < 4"),
        ("<p>R & D costs</p>", "R & D costs"),
        (f"{'<div>' * 300}<p>At the bottom.</p>{'</div>' * 300}<p>Behind it.</p>", "Behind it."),
    ],
)  # fmt: skip
def test_what_people_write_is_read(body: str, held: str) -> None:
    assert held in read(body)


def test_only_the_excerpt_of_an_excerpt_include_comes() -> None:
    said = read(include("excerpt-include", "Facts"))
    assert "Before." not in said
    assert "After." not in said


def test_a_page_that_includes_itself_ends() -> None:
    assert read(PAGES[Target("Round", "KB")]).count("Once.") == 2


def test_an_include_that_may_not_be_shown_leaves_nothing() -> None:
    assert read(f"<p>Here.</p>{include('include', 'Secret')}") == "Here."


def test_an_unknown_macro_keeps_its_body_and_is_counted() -> None:
    unknown: Counter[str] = Counter()
    assert "Inside." in read(macro("our-own", rich("<p>Inside.</p>")), unknown)
    assert unknown == {"our-own": 1}


def test_the_fallback_of_an_extension_does_not_double_it() -> None:
    body = (
        '<ac:adf-extension><ac:adf-node type="panel"><ac:adf-content><p>Said once.</p></ac:adf-content></ac:adf-node>'
        "<ac:adf-fallback><div><p>Said once.</p></div></ac:adf-fallback></ac:adf-extension>"
    )
    assert read(body).count("Said once.") == 1


def test_hints_of_the_editor_are_not_read() -> None:
    assert read("<p><ac:placeholder>Write the CANARY here</ac:placeholder>Text.</p>") == "Text."


@given(body=st.text(alphabet='<>/&;"= acri:pd-CDATA[]!\n', max_size=200))
def test_any_text_is_read_without_an_exception(body: str) -> None:
    read(body)
