"""HTML to Markdown that keeps what carries meaning (headings, lists, tables, code, links) and drops what a reader never sees.

Emphasis marks and escapes are left out on purpose: the text is searched and quoted word by word, and must
stand there as the author wrote it. What was struck out is dropped: it is no longer true.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString
from markdownify import MarkdownConverter

from connectors.tables import flatten_tables

LONGEST_COUNT = 1000  # nodes of a numbered list: to number an item, the converter counts all those before it
DEEPEST = 60  # levels of nesting that are kept; beyond it only the text (the converter recurses)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_DROPPED = frozenset({
    "script", "style", "template", "noscript", "head", "title", "meta", "link", "base", "svg", "canvas", "iframe",
    "object", "embed", "video", "audio", "map", "area", "input", "select", "option", "datalist", "textarea",
    "progress", "meter", "nav", "del", "s", "strike"
})
_KEPT = frozenset({
    "p", "br", "hr", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "td", "th",
    "caption", "pre", "code", "kbd", "samp", "blockquote", "a", "div", "h1", "h2", "h3", "h4", "h5", "h6", "q",
    "figcaption"
})
_BLOCKS = frozenset({
    "section", "article", "header", "footer", "main", "aside", "details", "summary", "figure", "address", "fieldset",
    "legend", "center", "form", "body", "html"
})
_LINES = re.compile("^(p|li|dt|dd|tr|pre|blockquote|div|h[1-6]|table|caption|br|hr)$")
_ANY_BLANK = re.compile(r"\s+")
_HIDDEN = re.compile(
    r"display:none|visibility:(hidden|collapse)|font-size:0(?![.\d]*[1-9])|opacity:0(?![.\d]*[1-9])|(max-)?(height|width):0(?![.\d]*[1-9])[^;]*;.*"
    r"overflow:hidden|(left|right|top|text-indent|margin-left):-\d{3,}|clip:rect\(0|mso-hide:all"
)
_LINKED = re.compile(r"(https?://|mailto:|tel:)[^\s]", re.IGNORECASE)
_FILE_NAME = re.compile(r"\S+\.(png|jpe?g|gif|svg|webp|bmp|tiff?|heic)", re.IGNORECASE)
_NO_MEANING = re.compile(
    r"(image|img|picture|photo|screen ?shot|logo|icon|figure|untitled|null|undefined|bild|capture)?[\s_\-\d.()]*", re.IGNORECASE
)
_LANGUAGE = re.compile(r"(?:language|lang|highlight-source)-([\w+#-]+)|brush:\s*([\w+#-]+)")
_ANCHOR_SIGNS = {"", "#", "¶", "§", "🔗"}


def to_markdown(html: str | None, base_url: str) -> str:
    """Markdown of an HTML fragment or page; "" for None. Relative links become absolute with `base_url`, or plain text without one."""
    soup = _visible(html)
    for link in soup.find_all("a"):
        _settle_link(link, base_url)
    flatten_tables(soup)
    _settle_lists(soup)
    return _tidy(_Converter().convert_soup(soup))


def plain(html: str | None) -> str:
    """The visible text of HTML, one line per block, list items after a dash; "" for None."""
    lines = (" ".join(line.split()) for line in clean("".join(_spoken(_visible(html)))).split("\n"))
    return "\n".join(line for line in lines if line not in {"", "-"})


def clean(text: str) -> str:
    """Text without control, zero-width, bidirectional, tag and other invisible characters; line ends are \\n, blanks are blanks."""
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", _BLANK.sub(" ", _LINE_END.sub("\n", text))))


def _spoken(tag: Tag, as_is: bool = False) -> Iterator[str]:
    """The text in a tree (at most DEEPEST levels), with line ends around blocks; only preformatted text keeps its own."""
    for child in tag.children:
        if isinstance(child, Tag):
            around = "\n" if _LINES.match(child.name) else " " if child.name in {"td", "th"} else ""
            yield f"{around}- " if child.name == "li" else around
            yield from _spoken(child, as_is or child.name == "pre")
            yield around
        else:
            yield str(child) if as_is else _ANY_BLANK.sub(" ", str(child))


def _visible(html: str | None) -> BeautifulSoup:
    """The tree of what a reader sees, made of known elements only, at most DEEPEST levels deep."""
    # Within an element of ours the parser neither guesses at XML nor takes a bare sentence for a file name.
    soup = BeautifulSoup(f"<div>{clean(html or '')}</div>", "lxml")
    waiting: list[Tag] = [soup]
    while waiting:
        for child in list(waiting.pop().children):
            if isinstance(child, PreformattedString):
                child.extract()
            elif isinstance(child, Tag):
                _settle_tag(child)
                waiting.append(child)
    for tag, depth in list(_depths(soup)):
        if depth == DEEPEST:
            tag.string = tag.get_text(" ")
    soup.smooth()
    return soup


def _settle_tag(tag: Tag) -> None:
    """Empties what is not seen, and turns unknown elements into known ones or into a span, which says nothing by itself.

    Nothing is taken out of the tree: finding its place there takes as long as it has siblings.
    """
    if _unseen(tag):
        tag.clear()
        tag.name = "span"
    elif tag.name == "img":
        tag.string = _alternative(tag)
        tag.name = "span"
    elif tag.name == "sup" and _beside(next(tag.children, None)).strip()[:1].isdigit():
        tag.insert(0, "^")  # 10 to the power of 2 is not 102
        tag.name = "span"
    elif tag.name in _BLOCKS:
        tag.name = "div"
    elif tag.name not in _KEPT:
        tag.name = "span"


def _unseen(tag: Tag) -> bool:
    if tag.name in _DROPPED or tag.has_attr("hidden"):
        return True
    style = re.sub(r"/\*.*?\*/|\s|\\", "", str(tag.get("style") or "").lower())
    return bool(style) and _HIDDEN.search(style) is not None


def _alternative(image: Tag) -> str:
    """The text an image stands for; "" where it is a file name or says only that there is an image."""
    words = " ".join(str(image.get("alt") or "").split())
    if _NO_MEANING.fullmatch(words) or _FILE_NAME.fullmatch(words):
        return ""
    before, after = _beside(image.previous_sibling), _beside(image.next_sibling)
    return ("" if before[-1:].isspace() else " ") + words + ("" if after[:1] in " \n.,;:!?)" else " ")


def _beside(node: PageElement | None) -> str:
    """A neighbour's text: a blank where there is none, a letter for an element (which may be long to write out)."""
    return str(node) if isinstance(node, NavigableString) else "x" if node else " "


def _depths(root: Tag) -> Iterator[tuple[Tag, int]]:
    waiting = [(root, 0)]
    while waiting:
        tag, depth = waiting.pop()
        yield tag, depth
        if depth < DEEPEST:
            waiting.extend((child, depth + 1) for child in tag.children if isinstance(child, Tag))


def _settle_link(link: Tag, base_url: str) -> None:
    """Makes a link absolute and safe to write in Markdown, or leaves its text alone."""
    words = link.get_text().strip()
    if words in _ANCHOR_SIGNS and link.find_parent(re.compile("^h[1-6]$")) is not None:
        link.clear()
        link.name = "span"
        return
    try:
        href = urljoin(base_url, str(link.get("href") or "").strip())
        urlsplit(href)
    except ValueError:
        href = ""
    if not words or not _LINKED.match(href):
        link.name = "span"
        return
    link.attrs = {"href": quote(href, safe="!#$%&'*+,/:;=?@[]~")}


def _settle_lists(soup: BeautifulSoup) -> None:
    """Puts a list that stands directly in a list into the item before it, and drops numbers the converter cannot read."""
    for inner in soup.find_all(["ul", "ol"]):
        if not re.fullmatch(r"[0-9]{1,6}", str(inner.get("start") or "")):
            del inner["start"]
        if inner.name == "ol" and len(inner.contents) > LONGEST_COUNT:
            inner.name = "ul"
        if inner.parent is not None and inner.parent.name in {"ul", "ol"}:
            before = inner.find_previous_sibling("li")
            if before is not None:
                before.append(inner.extract())


def _tidy(markdown: str) -> str:
    lines = "\n".join(line.rstrip() for line in clean(markdown).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


class _Converter(MarkdownConverter):
    """markdownify with our code blocks, cells and line breaks. The signatures are the library's."""

    class Options:
        heading_style = "atx"
        bullets = "-"
        autolinks = False
        escape_asterisks = False
        escape_underscores = False

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return " " if "_inline" in parent_tags else "\n"

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        code = text.strip("\n")
        if "_inline" in parent_tags:
            return f" `{' '.join(code.split())}` " if code.strip() else ""
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", code)), default=0))
        return f"\n\n{fence}{_language(el)}\n{code}\n{fence}\n\n" if code.strip() else ""

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f" {' '.join(text.split()).replace('|', chr(92) + '|')} |"

    convert_th = convert_td


def _language(pre: Tag) -> str:
    """The language a code block names, in its own or its code element's attributes."""
    for tag in (pre, pre.find("code")):
        if isinstance(tag, Tag):
            named = tag.get("data-language") or tag.get("data-lang")
            match = _LANGUAGE.search(" ".join(_words(tag.get("class"))))
            found = str(named) if named else (match[1] or match[2] if match else "")
            if re.fullmatch(r"[\w+#-]{1,30}", found):
                return found.lower()
    return ""


def _words(value: Any) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else [str(value or "")]
