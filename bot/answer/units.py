# ruff: noqa: E501 (patterns read better unbroken)
"""A passage's Markdown as claim units: what can be quoted whole without bending its sense."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bot.answer.words import fold, sentences

UnitKind = Literal["sentence", "step", "row", "heading", "code"]


@dataclass(frozen=True, slots=True)
class Unit:
    """`text` is inline Markdown on one line (a code unit keeps its lines); units of one `block` belong together.

    `under` is the nearest heading above it within the same text ("": none), `section` that heading's block (-1: none).
    """

    kind: UnitKind
    text: str
    block: int
    ordered: bool = False
    under: str = ""
    section: int = -1


_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"^(\s*)(?:([-*+•])|(\d{1,3})[.)])\s+(.*)$")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?")
# How a sentence begins that is not understood without the one before it; on folded text.
LEANS = re.compile(
    r"^(?:this|it|they|these|those|that|however|but|otherwise|then|also|in (?:this|that|such) case|if so|if not|for example|instead|unless|except|note|please note|"
    r"cela|cette|ce|ces|il|elle|toutefois|cependant|sinon|dans ce cas|dies|diese|es|sie|jedoch|andernfalls|esto|este|sin embargo|en ese caso)\b"
)
# A yes or no answers a question that stands elsewhere; on folded text.
ANSWERS = re.compile(
    r"^(?:yes|yep|no|nope|correct|right|sure|absolutely|certainly|of course|definitely|not yet|oui|si|non|bien sur|ja|nein|doch|naturlich|claro)"
    r"(?:\s*[.!,:;\u2013\u2014-]|\s+(?:but|it|they|you|we|this|that|mais|aber|pero)\b|\s*$)"
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def is_bare_answer(text: str) -> bool:
    """A yes or no and nothing else."""
    return len(text.split()) <= 3 and bool(ANSWERS.match(fold(text)))


def units(markdown: str) -> tuple[Unit, ...]:
    """In reading order. Images and comments are left out; list items and table rows are units of their own."""
    lines = _IMAGE.sub("", _COMMENT.sub("", markdown)).split("\n")
    found: list[Unit] = []
    under, section = "", -1
    for block, (kind, part) in enumerate(_blocks(lines)):
        for unit in _block_units(kind, part, block):
            if unit.kind == "heading":
                under, section = unit.text, block
            found.append(replace(unit, under=under, section=section))
    return tuple(unit for unit in found if unit.text.strip(" |:-"))


def _block_units(kind: str, lines: list[str], block: int) -> Iterator[Unit]:
    if kind == "heading":
        matched = _HEADING.match(lines[0])
        yield Unit("heading", matched.group(1) if matched else lines[0], block)
    elif kind == "code":
        yield Unit("code", "\n".join(lines), block)
    elif kind == "table":
        for text in _rows(lines):
            yield Unit("row", text, block)
    elif kind == "list":
        yield from _items(lines, block)
    else:
        for text in sentences(_joined(lines)):
            yield Unit("sentence", text, block)


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(line.strip().removeprefix(">").strip() for line in lines).split())


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """(kind, lines) of each paragraph, list, table, heading and fenced code."""
    kind, part = "", []
    fenced = False
    for line in lines:
        if fenced:
            part.append(line)
            fenced = not _FENCE.match(line)
            continue
        here = _line_kind(line, kind)
        if here == "blank" and kind == "list":
            part.append(line)
            continue
        if here != kind or here in ("heading", "code"):
            if part and kind not in ("", "blank"):
                yield kind, part
            kind, part = here, []
        part.append(line)
        fenced = here == "code"
    if part and kind not in ("", "blank"):
        yield kind, part


def _line_kind(line: str, current: str) -> str:
    if not line.strip():
        return "blank"
    if _FENCE.match(line) and current != "list":
        return "code"
    if _HEADING.match(line):
        return "heading"
    if _ROW.match(line):
        return "table"
    if _ITEM.match(line) or (current == "list" and line.startswith((" ", "\t"))):
        return "list"
    return "text"


def _items(lines: list[str], block: int) -> Iterator[Unit]:
    """Each item whole, with its continuation lines; nested items follow as items of their own."""
    text: list[str] = []
    ordered = False
    for line in lines:
        matched = _ITEM.match(line)
        if matched and text:
            yield Unit("step", _joined(text), block, ordered)
            text = []
        if matched:
            ordered = matched.group(3) is not None
            text.append(matched.group(4))
        elif line.strip():
            text.append(line)
    if text:
        yield Unit("step", _joined(text), block, ordered)


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))]


def _rows(lines: list[str]) -> Iterator[str]:
    """Rows as "Header: value; Header: value", taken literally; without a header row, the cells joined by " | "."""
    rows = [_cells(line) for line in lines if not _RULE.match(line)]
    headed = len(lines) > 1 and bool(_RULE.match(lines[1]))
    if not headed:
        yield from (" | ".join(cell for cell in row if cell) for row in rows)
        return
    header = rows[0] if rows else []
    for row in rows[1:]:
        pairs = [f"{name}: {value}" if name else value for name, value in zip(header, row, strict=False) if value]
        yield "; ".join(pairs)
