"""The words of one paragraph of a document: runs, links, code, chips, footnote marks. Pure; nothing raises.

Emphasis is left out and what was struck out is dropped, as everywhere in what is learnt. What is only proposed is left out too, in case
that an answer holds suggestions although they were not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from connectors.google_docs.parse import Row, mapping, rows, text

MONOSPACE = {
    "roboto mono", "courier new", "courier", "consolas", "source code pro", "inconsolata", "monaco", "menlo", "ubuntu mono", "fira code",
    "fira mono", "jetbrains mono", "ibm plex mono", "space mono", "pt mono", "cousine", "noto sans mono", "dm mono", "anonymous pro",
    "lucida console", "overpass mono", "oxygen mono", "red hat mono", "google sans mono", "google sans code", "cutive mono"
}
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010fffd]")  # placeholders of the editor's building blocks
_LINKED = re.compile(r"(https?://|mailto:|tel:)[^\s]", re.IGNORECASE)
_FILE_NAME = re.compile(r"\S+\.(png|jpe?g|gif|svg|webp|bmp|tiff?|heic)", re.IGNORECASE)


@dataclass(slots=True)
class Tab:
    """One tab while it is read: its maps, and which footnotes were met, in order."""

    lists: Row
    footnotes: Row
    objects: Row
    notes: dict[str, str] = field(default_factory=dict)  # footnote id -> its number
    counts: dict[tuple[str, int], int] = field(default_factory=dict)  # (list id, level) -> number of its last item


class Piece(NamedTuple):
    text: str
    code: bool = False
    link: str | None = None


def proposed(element: Row) -> bool:
    """Whether it stands there as a suggestion only."""
    return bool(element.get("suggestedInsertionIds"))


def words(elements: Any, tab: Tab) -> str:
    """The paragraph in Markdown, its own line break at the end taken off; line breaks within it stay."""
    pieces = [piece for element in rows(elements) for piece in _pieces(element, tab) if piece.text]
    merged = (
        Piece("".join(piece.text for piece in group), code, link)
        for (code, link), group in groupby(pieces, key=lambda piece: (piece.code, piece.link))
    )
    return "".join(_written(piece) for piece in merged).strip("\n")


def code_line(elements: Any) -> str | None:
    """The paragraph's text where all of it is set in a monospaced font; None where it is not."""
    runs = []
    for element in rows(elements):
        run = mapping(element.get("textRun"))
        if not run:
            if set(element) & {"startIndex", "endIndex"} == set(element):
                continue
            return None
        if not proposed(run):
            runs.append(run)
    said = "".join(_bare(run) for run in runs)
    plain = [run for run in runs if _bare(run).strip() and not _monospaced(mapping(run.get("textStyle")))]
    marked = any(_monospaced(mapping(run.get("textStyle"))) for run in runs)
    return said.rstrip("\n") if marked and not plain else None


def _bare(run: Row) -> str:
    return _PRIVATE.sub("", text(run.get("content"))).replace("\v", "\n")


def _pieces(element: Row, tab: Tab) -> Iterator[Piece]:
    for name, read in _READERS.items():
        told = element.get(name)
        if isinstance(told, dict):
            if not proposed(told) and mapping(told.get("textStyle")).get("strikethrough") is not True:
                yield read(told, tab)
            return


def _run(run: Row, tab: Tab) -> Piece:
    style, said = mapping(run.get("textStyle")), _bare(run)
    if style.get("baselineOffset") == "SUPERSCRIPT" and said[:1].isdigit():
        said = f"^{said}"  # 10 to the power of 2 is not 102
    return Piece(said, _monospaced(style), address(mapping(style.get("link")).get("url")))


def _person(told: Row, tab: Tab) -> Piece:
    of = mapping(told.get("personProperties"))
    return Piece(text(of.get("name")) or text(of.get("email")))


def _rich_link(told: Row, tab: Tab) -> Piece:
    of = mapping(told.get("richLinkProperties"))
    link = address(of.get("uri"))
    return Piece(" ".join(text(of.get("title")).split()) or link or "", link=link)


def _date(told: Row, tab: Tab) -> Piece:
    of = mapping(told.get("dateElementProperties"))
    return Piece(text(of.get("displayText")) or text(of.get("timestamp")).partition("T")[0])


def _choice(told: Row, tab: Tab) -> Piece:
    return Piece(text(mapping(told.get("dropdownProperties")).get("displayValue")))


def _footnote(told: Row, tab: Tab) -> Piece:
    identity = text(told.get("footnoteId"))
    number = tab.notes.setdefault(identity, text(told.get("footnoteNumber")) or str(len(tab.notes) + 1))
    return Piece(f"[^{number}]")


def _image(told: Row, tab: Tab) -> Piece:
    """What a picture stands for, as its author wrote it; never its address, which is signed and lets anybody in."""
    found = mapping(mapping(mapping(tab.objects.get(text(told.get("inlineObjectId")))).get("inlineObjectProperties")).get("embeddedObject"))
    said = " ".join((text(found.get("description")) or text(found.get("title"))).split())
    return Piece("" if _FILE_NAME.fullmatch(said) else said)


def _break(told: Row, tab: Tab) -> Piece:
    return Piece("\n")


_READERS = {
    "textRun": _run,
    "person": _person,
    "richLink": _rich_link,
    "dateElement": _date,
    "dropdown": _choice,
    "footnoteReference": _footnote,
    "inlineObjectElement": _image,
    "pageBreak": _break,
    "columnBreak": _break,
    "horizontalRule": _break,
}


def _monospaced(style: Row) -> bool:
    return text(mapping(style.get("weightedFontFamily")).get("fontFamily")).lower() in MONOSPACE


def address(value: Any) -> str | None:
    """A link that may stand in Markdown, Google's own redirect taken off; None for what leads nowhere."""
    href = text(value).strip()
    try:
        parts = urlsplit(href)
        if parts.hostname in ("www.google.com", "google.com") and parts.path == "/url":
            query = parse_qs(parts.query)
            href = (query.get("q") or query.get("url") or [""])[0]
            urlsplit(href)
    except ValueError:
        return None
    return quote(href, safe="!#$%&'*+,/:;=?@[]~") if _LINKED.match(href) else None


def _written(piece: Piece) -> str:
    said = piece.text.strip()
    if not said or not (piece.code or piece.link):
        return piece.text
    start = piece.text.index(said)
    before, after = piece.text[:start], piece.text[start + len(said) :]
    said = " ".join(said.split("\n"))
    if piece.code:
        ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", said)), default=0))
        said = f"{ticks}{said}{ticks}" if len(ticks) == 1 else f"{ticks} {said} {ticks}"
    return f"{before}{f'[{said}]({piece.link})' if piece.link else said}{after}"
