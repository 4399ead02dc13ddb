"""A file's bytes to a title, Markdown and what its front matter says. Pure: nothing is opened here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from urllib.parse import urljoin

import yaml

from connectors.base import Audience, Document
from connectors.markdown import clean, to_markdown

MARKDOWN = frozenset({".md", ".markdown"})
HTML = frozenset({".html", ".htm"})
TEXT = frozenset({".txt", ".text"})
_FRONT = re.compile(r"---[ \t]*\n(.{0,65536}?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{1,30})", re.IGNORECASE)
_HTML_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_HTML_LANGUAGE = re.compile(r"<html[^>]{0,300}\blang\s*=\s*[\"']?([A-Za-z]{2})\b", re.IGNORECASE)
# Code is matched first and left alone. The bounds keep a hostile file from costing more than its length.
_CODE = r"(?P<code>^(?P<fence>`{3,9}|~{3,9})[^\n]*\n.*?(?:^(?P=fence)[^\n]*$|\Z)|(?P<tick>`{1,5})[^`\n]{1,1000}(?P=tick))"
_FLAGS = re.DOTALL | re.MULTILINE | re.IGNORECASE
_UNSEEN = re.compile(
    _CODE + r"|<!--.*?(?:-->|\Z)|<(?P<tag>script|style|template|noscript|iframe|svg|del|s|strike)\b.*?(?:</(?P=tag)\s*>|\Z)"
    r"|<(?!(?:input|img|br|hr|link|meta)\b)(?P<box>[a-z][a-z0-9]{0,15})\b[^<>]{0,500}"
    r"(?:\shidden[\s>=/]|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0)[^<>]{0,500}>?.*?(?:</(?P=box)\s*>|\Z)"
    r"|!\[(?P<alt>[^\[\]\n]{0,500})\](?:\([^()\n]{0,2000}\)|\[[^\[\]\n]{0,100}\])|~~[^~\n]{1,500}~~"
    r"|</?(?:a|div|span|p|br|details|summary|section|center|font|img|figure|figcaption|sub|sup|u|kbd|hr|b|i|em|strong|input)\b[^<>\n]{0,500}>",
    _FLAGS,
)
_UNDERLINED = re.compile(_CODE + r"|^(?P<title>[^\s#>|\-*+=`~][^\n|]{0,300})\n(?P<line>=+|-{2,})[ \t]*$", _FLAGS)
_LINK = re.compile(_CODE + r"|\[(?P<words>[^\[\]\n]{0,500})\]\((?P<href>[^()\s]{0,2000})(?:[ \t][^()\n]{0,300})?\)", _FLAGS)
_MARKED = re.compile(
    _CODE + r"|(?P<link>\]\([^()\n]{0,2000}\)|https?://[^\s)]+)|(?P<bold>\*\*|__)(?=\S)(?P<strong>[^*_\n]{1,500}?)(?<=\S)(?P=bold)"
    r"|(?<![\w*_\\])(?P<mark>[*_])(?=[^\s*_])(?P<soft>[^*_\n]{1,500}?)(?<=\S)(?P=mark)(?![\w*_])|\\(?P<escaped>[!-/:-@\[-`{-~])",
    _FLAGS,
)
_HEADING = re.compile(_CODE + r"|^#{1,6}[ \t]+(?P<words>[^\n]{1,500}?)[ \t]*#*$", _FLAGS)


class Illegible(Exception):
    """The file cannot be read as text; the message says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file stands: all that is known of it without reading it."""

    id: str
    relative: str  # posix separators
    url: str
    modified: datetime | None


def parse(content: bytes, place: Place, audience: Audience) -> Document:
    """One file as a Document. `audience` is the widest the configuration allows. Raises Illegible."""
    suffix = PurePosixPath(place.relative).suffix.lower()
    front, text = _split(_decode(content, html=suffix in HTML))
    url = _url(front.get("url")) or place.url
    if suffix in HTML:
        markdown, spoken = to_markdown(text, url), _first(_HTML_LANGUAGE, text)
        title = " ".join(to_markdown(_first(_HTML_TITLE, text), "").split()) or _heading(markdown)
    elif suffix in MARKDOWN:
        markdown, spoken = _markdown(text, url), ""
        title = _heading(markdown)
    else:
        markdown, spoken, title = clean(text).strip("\n"), "", ""
    return Document(
        id=place.id,
        title=_words(front.get("title")) or title or _named(place.relative),
        markdown=markdown,
        url=url,
        updated_at=_moment(front.get("updated")) or place.modified,
        created_at=_moment(front.get("created")),
        audience=_narrowed(front, audience),
        language=_language(front.get("language") or front.get("lang") or spoken),
    )


def _decode(content: bytes, *, html: bool) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    else:
        declared = _CHARSET.search(content[:2048]) if html else None
        charset = declared[1].decode("ascii") if declared else "utf-8-sig"
    for name in dict.fromkeys(("utf-8-sig", charset) if charset != "utf-16" else (charset,)):
        try:
            text = content.decode(name)
        except (UnicodeError, LookupError):
            continue
        if "\x00" in text:
            raise Illegible("it is not a text file")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    raise Illegible("its letters are not UTF-8; save it as UTF-8")


def _split(text: str) -> tuple[Mapping[str, object], str]:
    """Front matter and the rest. What looks like front matter but is no mapping is text."""
    match = _FRONT.match(text)
    if match is None:
        return {}, text
    try:
        # BaseLoader makes strings, lists and mappings only: nothing in a file can be turned into anything else, or fail to be.
        front = yaml.load(match[1], Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError):
        raise Illegible("its front matter (between the --- lines) is not valid YAML, so who may read it is unknown") from None
    return ({str(key).lower(): value for key, value in front.items()}, text[match.end() :]) if isinstance(front, dict) else ({}, text)


def _markdown(text: str, url: str) -> str:
    """Markdown as `to_markdown` would write it: no comments, hidden elements, images or emphasis, # headings, absolute links."""
    text = _UNSEEN.sub(lambda m: m["code"] or m["alt"] or ("\n" if m[0][:3].lower() == "<br" else ""), clean(text))
    text = _UNDERLINED.sub(lambda m: m["code"] or f"{'#' if m['line'][0] == '=' else '##'} {m['title']}", text)
    text = _LINK.sub(lambda m: m["code"] or _link(m["words"], m["href"], url), text)
    text = _MARKED.sub(lambda m: m["code"] or m["link"] or m["strong"] or m["soft"] or m["escaped"], text)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in clean(text).split("\n"))).strip("\n")


def _link(words: str, href: str, url: str) -> str:
    """A link that leads somewhere for whoever reads it; otherwise its words."""
    try:
        target = urljoin(url, href.strip("<>"))
    except ValueError:
        return words
    return f"[{words}]({target})" if words and re.match("(https?://|mailto:|tel:)[^ ]", target) else words


def _heading(markdown: str) -> str:
    words = next((m["words"] for m in _HEADING.finditer(markdown) if m["words"]), "")
    return _words(re.sub(r"\[([^\]]*)\]\([^)]*\)|`", r"\1", words))


def _named(relative: str) -> str:
    return clean(re.sub(r"[-_\s]+", " ", PurePosixPath(relative).stem)).strip() or "Untitled"


def _narrowed(front: Mapping[str, object], audience: Audience) -> Audience:
    """A file may keep itself from customers, never show itself to them; drafts and words we do not know keep it, too."""
    said = _words(front.get("audience")).lower()
    draft = _words(front.get("draft")).lower() in {"true", "yes"} or _words(front.get("published")).lower() in {"false", "no"}
    return audience if said in {"", "public"} and not ("audience" in front and not said) and not draft else "internal"


def _language(value: object) -> str | None:
    code = _words(value)[:2].lower()
    return code if re.fullmatch("[a-z]{2}", code) else None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_words(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _url(value: object) -> str:
    url = _words(value)
    return url if re.fullmatch(r"https?://[^\s<>\"]+", url) else ""


def _words(value: object) -> str:
    return " ".join(clean(value).split())[:500] if isinstance(value, str) else ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
