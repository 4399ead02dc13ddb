"""A checked draft as the customer will see it, text and HTML; and the last look at it before it may leave."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import groupby

from bot.answer.check import Verdict
from bot.answer.courtesy import is_courtesy
from bot.answer.links import address_key, carried_links, links
from bot.answer.write import Draft, Sentence

TAGS = frozenset({"p", "br", "b", "strong", "em", "ul", "ol", "li", "a", "code", "pre", "blockquote", "h3", "h4"})
SCHEMES = frozenset({"https", "mailto"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """No citation markers: those belong to the agent's note. `html` holds no attribute but `href`."""

    text: str
    html: str


class Blocked(Exception):
    """The reply must not leave; `reason` says why, to the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def render(
    draft: Draft, verdict: Verdict, language: str, allowed_links: Sequence[str] = (), courtesies: frozenset[str] = frozenset()
) -> Rendered:
    """Raises Blocked when the verdict is not on this draft or not favourable, or an address in the result is nobody's."""
    if [(sentence.text, sentence.kind) for sentence in draft.sentences] != [(judged.text, judged.kind) for judged in verdict.sentences]:
        raise Blocked("the draft is not the one that was checked")
    unsupported = [judged.why for judged in verdict.sentences if not judged.supported]
    if unsupported or not verdict.supported:
        raise Blocked(f"the draft is not proved: {unsupported[0] if unsupported else 'it says nothing'}")
    ours = (sentence for sentence in draft.sentences if sentence.kind == "courtesy" and sentence.text not in courtesies)
    if any(not is_courtesy(sentence.text, language) for sentence in ours):
        raise Blocked(f"a courtesy is not in the ticket's language ({language})")
    used = {marker for sentence in draft.sentences for marker in sentence.citations}
    carried = carried_links((passage.text for at, passage in enumerate(draft.citations, start=1) if at in used), allowed_links)
    rendered = Rendered(_text(draft.sentences), clean("".join(_html(draft.sentences))))
    inspect(rendered, carried)
    return rendered


def clean(markup: str) -> str:
    """Only the listed tags, no attribute but a link's https or mailto target."""
    import nh3

    return nh3.clean(
        markup,
        tags=set(TAGS),
        clean_content_tags={"script", "style"},
        attributes={"a": {"href"}},
        url_schemes=set(SCHEMES),
        link_rel=None,
        url_relative="deny",
        strip_comments=True,
    )


@dataclass
class _Reader(HTMLParser):
    """Collects what a mail client would show and follow."""

    targets: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.faults.append(f"a <{tag}> element")
        for name, value in attrs:
            if (tag, name) != ("a", "href"):
                self.faults.append(f"the attribute {name}")
            elif (value or "").partition(":")[0].casefold() not in SCHEMES:
                self.faults.append("a link that is neither https nor mailto")
            self.targets.append(value or "")
        self._open = next((value for name, value in attrs if name == "href"), None) if tag == "a" else self._open
        self.shown.append(" " if tag in ("p", "li", "br", "h3", "h4", "pre", "ul", "ol") else "")

    def handle_endtag(self, tag: str) -> None:
        self._open = None if tag == "a" else self._open
        self.shown.append(" " if tag in ("p", "li", "h3", "h4", "pre", "ul", "ol") else "")

    def handle_data(self, text: str) -> None:
        self.shown.append(text)
        if self._open is not None:
            self.labels.append((text, self._open))


def inspect(rendered: Rendered, carried: frozenset[str]) -> None:
    """Raises Blocked unless every address in the final text and HTML is one of `carried`, and each label tells the truth."""
    reader = _Reader()
    reader.feed(rendered.html)
    reader.close()
    if reader.faults:
        raise Blocked(f"the reply would carry {reader.faults[0]}")
    unnumbered = re.sub(r"(?m)^\d+\. ", "", rendered.text)
    seen = (
        links(unnumbered)
        | links("".join(reader.shown))
        | links(" ".join(reader.shown))
        | {address_key(target) for target in reader.targets}
    )
    foreign = sorted(seen - carried)
    if foreign:
        raise Blocked(f"{foreign[0]} stands in no cited passage and not in policy.allowed_links")
    for label, target in reader.labels:
        if links(label) - {address_key(target)}:
            raise Blocked(f"a link shows {label.strip()[:80]} and leads elsewhere")


_INLINE = re.compile(
    r"(?P<code>`[^`]+`)|\[(?P<label>[^\[\]]+)\]\(\s*<?(?P<target>[^\s)>]+)>?(?:\s+\"[^\"]*\")?\s*\)|<(?P<auto>(?:https?://|mailto:)[^\s<>]+|[\w.+-]+@[\w.-]+)>"
    r"|(?<!\w)\*\*(?P<bold>\S(?:.*?\S)?)\*\*(?!\w)|(?<!\w)__(?P<bold2>\S(?:.*?\S)?)__(?!\w)"
    r"|(?<![\w*])\*(?P<em>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*])|\\(?P<escaped>[\\`*_{}\[\]()#+\-.!|>~])"
)


def inline_html(text: str) -> str:
    """Inline Markdown as escaped HTML; a link that may not be followed keeps its label, an absolute one its address in words."""
    made, start = [], 0
    for matched in _INLINE.finditer(text):
        made.append(html.escape(text[start : matched.start()]))
        made.append(_inline_piece(matched))
        start = matched.end()
    return "".join([*made, html.escape(text[start:])])


def _inline_piece(matched: re.Match[str]) -> str:
    groups = matched.groupdict()
    if groups["code"]:
        return f"<code>{html.escape(groups['code'][1:-1])}</code>"
    if groups["label"]:
        return _anchor(groups["label"], groups["target"])
    if groups["auto"]:
        return html.escape(groups["auto"].removeprefix("mailto:"))
    bold = groups["bold"] or groups["bold2"]
    if bold:
        return f"<strong>{inline_html(bold)}</strong>"
    return f"<em>{inline_html(groups['em'])}</em>" if groups["em"] else html.escape(groups["escaped"])


def _anchor(label: str, target: str) -> str:
    scheme = target.partition(":")[0].casefold() if ":" in target else ""
    if scheme in SCHEMES:
        return f'<a href="{html.escape(target)}">{inline_html(label)}</a>'
    return f"{inline_html(label)} ({html.escape(target)})" if scheme == "http" else inline_html(label)


def inline_text(text: str) -> str:
    """Inline Markdown as plain text, a followable link's address in brackets after its label."""

    def piece(matched: re.Match[str]) -> str:
        groups = matched.groupdict()
        if groups["label"]:
            label, target = inline_text(groups["label"]), groups["target"]
            address = target.removeprefix("mailto:")
            followable = target.partition(":")[0].casefold() in {*SCHEMES, "http"} and ":" in target
            return f"{label} ({address})" if followable and label != address else label
        shown = groups["bold"] or groups["bold2"] or groups["em"]
        return (
            inline_text(shown)
            if shown
            else (groups["code"] or "")[1:-1] or (groups["auto"] or "").removeprefix("mailto:") or groups["escaped"] or ""
        )

    return _INLINE.sub(piece, text)


def _paragraphs(sentences: Sequence[Sentence]) -> Iterator[tuple[str, list[Sentence]]]:
    """(kind, sentences) of each paragraph; statements resting on the same passages run together, code stands alone."""

    def key(sentence: Sentence) -> tuple[object, ...]:
        if sentence.kind in ("courtesy", "heading") or sentence.text.lstrip().startswith(("```", "~~~")):
            return (sentence.kind, id(sentence))
        return (sentence.kind, sentence.citations)

    for _, group in groupby(sentences, key=key):
        part = list(group)
        yield ("code" if part[0].text.lstrip().startswith(("```", "~~~")) else part[0].kind), part


def _code(text: str) -> str:
    lines = text.strip().split("\n")
    return "\n".join(line for line in lines if not line.strip().startswith(("```", "~~~")))


def _html(sentences: Sequence[Sentence]) -> Iterator[str]:
    for kind, part in _paragraphs(sentences):
        if kind in ("step", "row"):
            tag = "ol" if kind == "step" else "ul"
            yield f"<{tag}>{''.join(f'<li>{inline_html(sentence.text)}</li>' for sentence in part)}</{tag}>"
        elif kind == "heading":
            yield f"<p><strong>{inline_html(part[0].text)}</strong></p>"
        elif kind == "code":
            yield f"<pre><code>{html.escape(_code(part[0].text))}</code></pre>"
        else:
            yield f"<p>{' '.join(inline_html(sentence.text) for sentence in part)}</p>"


def _text(sentences: Sequence[Sentence]) -> str:
    blocks = []
    for kind, part in _paragraphs(sentences):
        if kind == "step":
            blocks.append("\n".join(f"{at}. {inline_text(sentence.text)}" for at, sentence in enumerate(part, start=1)))
        elif kind == "row":
            blocks.append("\n".join(f"- {inline_text(sentence.text)}" for sentence in part))
        elif kind == "code":
            blocks.append(_code(part[0].text))
        else:
            blocks.append(" ".join(inline_text(sentence.text) for sentence in part))
    return "\n\n".join(blocks)
