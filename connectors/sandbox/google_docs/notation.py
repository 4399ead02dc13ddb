"""The small notation in which the company's documents are written, read into blocks.

Lines: ``# heading`` (to ######), ``@title``, ``@subtitle``, ``- item``, ``1. item``, ``[ ] item`` (two blanks indent one level),
``| cell | cell |`` (``<<`` is merged into the cell on its left, ``^^`` into the one above, `` // `` begins a new paragraph),
a fence of three backquotes, ``---``, ``[toc]``, ``[page break]``, ``@header``, ``@footer``, ``[^1]: footnote``; other lines are a
paragraph until the next empty line, a backslash at the end of a line being a soft break.
Inside: ``**bold**``, ``*italic*``, ``~~struck~~``, ```` `code` ````, ``[text](url)``, ``[text](#Heading)``, ``[^1]``, ``{++proposed++}``,
``{--to be deleted--}``, ``{|}`` (the run is split here), ``{person: Name <email>}``, ``{date: 2026-11-30 | Nov 30, 2026}``,
``{link: Title | uri | mime type}``, ``{image: alternative text | source}``, ``{dropdown: Value}``, ``{equation}``, ``{page number}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Listing = Literal["bullet", "number", "check"]
INLINE = re.compile(
    r"\*\*(?P<bold>.+?)\*\*|\*(?P<italic>[^*]+)\*|~~(?P<strikethrough>.+?)~~|`(?P<code>[^`]+)`|\[\^(?P<footnote>\w+)\]"
    r"|\[(?P<text>[^\]]+)\]\((?P<link>[^)]+)\)|\{\+\+(?P<inserted>.+?)\+\+\}|\{--(?P<deleted>.+?)--\}|(?P<split>\{\|\})"
    r"|\{(?P<chip>person|date|link|image|dropdown|equation|page number)(?::\s*(?P<of>[^}]*))?\}",
    re.S,
)
ITEM = re.compile(r"^(?P<indent> *)(?:(?P<bullet>-)|(?P<number>\d+\.)|(?P<check>\[ \])) (?P<text>.+)$")
HEADING = re.compile(r"^(#{1,6}) (.*)$")
NAMED = {"@title ": "TITLE", "@subtitle ": "SUBTITLE"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text or, with `chip`, one element; `proposal` names the suggestion it belongs to ("inserted" or "deleted")."""

    text: str = ""
    marks: frozenset[str] = frozenset()
    link: str | None = None
    proposal: str | None = None
    chip: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    pieces: tuple[Piece, ...] = ()
    style: str = "NORMAL_TEXT"
    listed: tuple[int, int, Listing] | None = None  # number of the list in its text, level, kind

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces if piece.chip is None)


@dataclass(frozen=True, slots=True)
class Cell:
    paragraphs: tuple[Paragraph, ...] = (Paragraph(),)
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """The table of contents: repeats the headings."""


Block = Paragraph | Table | Contents


@dataclass(frozen=True, slots=True)
class Text:
    """What one tab holds."""

    blocks: tuple[Block, ...] = ()
    footnotes: dict[str, Paragraph] = field(default_factory=dict)
    header: Paragraph | None = None
    footer: Paragraph | None = None


def read(source: str) -> Text:
    """Raises ValueError for a fence that is not closed."""
    blocks: list[Block] = []
    footnotes: dict[str, Paragraph] = {}
    edges: dict[str, Paragraph] = {}
    lines = source.strip("\n").split("\n")
    at = lists = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("```"):
            end = lines.index("```", at + 1)
            blocks.append(_code(lines[at + 1 : end]))
            at = end + 1
        elif line.startswith("|"):
            end = _while(lines, at, lambda text: text.startswith("|"))
            blocks.append(_table(lines[at:end]))
            at = end
        elif ITEM.match(line):
            end = _while(lines, at, lambda text: ITEM.match(text) is not None)
            lists += 1
            blocks += [_item(text, lists) for text in lines[at:end]]
            at = end
        elif line.startswith("[^") and "]:" in line:
            name, _, text = line[2:].partition("]:")
            footnotes[name] = Paragraph(pieces(text.strip()))
            at += 1
        elif line.startswith(("@header ", "@footer ")):
            edges[line[1:7]] = Paragraph(pieces(line[8:]))
            at += 1
        elif single := _single(line):
            blocks.append(single)
            at += 1
        elif not line.strip():
            at += 1
        else:
            end = _while(lines, at, _goes_on)
            blocks.append(Paragraph(pieces(_flowing(lines[at:end]))))
            at = end
    return Text(tuple(blocks), footnotes, edges.get("header"), edges.get("footer"))


def _while(lines: list[str], at: int, holds: object) -> int:
    assert callable(holds)
    end = at + 1
    while end < len(lines) and holds(lines[end]):
        end += 1
    return end


def _goes_on(line: str) -> bool:
    return bool(line.strip()) and not line.startswith(("|", "```", "@", "[^")) and not ITEM.match(line) and _single(line) is None


def _single(line: str) -> Block | None:
    if match := HEADING.match(line):
        return Paragraph(pieces(match[2]), f"HEADING_{len(match[1])}")
    for prefix, style in NAMED.items():
        if line.startswith(prefix):
            return Paragraph(pieces(line.removeprefix(prefix)), style)
    if line == "[toc]":
        return Contents()
    if line in ("---", "[page break]"):
        return Paragraph((Piece(chip="rule" if line == "---" else "page break"),))
    return None


def _flowing(lines: list[str]) -> str:
    """Lines joined by blanks, or by a soft break where one ends in a backslash."""
    return "".join(line[:-1] + "\v" if line.endswith("\\") else line + " " for line in lines).rstrip(" ")


def _item(line: str, number: int) -> Paragraph:
    match = ITEM.match(line)
    assert match is not None
    kind: Listing = "bullet" if match["bullet"] else "number" if match["number"] else "check"
    return Paragraph(pieces(match["text"]), listed=(number, len(match["indent"]) // 2, kind))


def _code(lines: list[str]) -> Table:
    """A code block is a table of one cell in a monospace font."""
    return Table(((Cell(tuple(Paragraph((Piece(line, frozenset({"code"})),)) for line in lines)),),))


def _table(lines: list[str]) -> Table:
    texts = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return Table(tuple(tuple(_cell(texts, y, x) for x in range(len(row))) for y, row in enumerate(texts)))


def _cell(texts: list[list[str]], y: int, x: int) -> Cell:
    text = texts[y][x]
    if text in ("<<", "^^"):
        return Cell()
    columns = rows = 1
    while x + columns < len(texts[y]) and texts[y][x + columns] == "<<":
        columns += 1
    while y + rows < len(texts) and x < len(texts[y + rows]) and texts[y + rows][x] == "^^":
        rows += 1
    return Cell(tuple(Paragraph(pieces(part)) for part in text.split(" // ")), columns, rows)


def pieces(text: str, inside: Piece | None = None) -> tuple[Piece, ...]:
    return tuple(_pieces(text, inside or Piece()))


def _pieces(text: str, outer: Piece) -> Iterator[Piece]:
    at = 0
    for match in INLINE.finditer(text):
        if match.start() > at:
            yield Piece(text[at : match.start()], outer.marks, outer.link, outer.proposal)
        yield from _marked(match, outer)
        at = match.end()
    if at < len(text):
        yield Piece(text[at:], outer.marks, outer.link, outer.proposal)


def _marked(match: re.Match[str], outer: Piece) -> Iterator[Piece]:
    found = {name: text for name, text in match.groupdict().items() if text is not None}
    if "split" in found:
        return
    if "chip" in found:
        yield Piece(found.get("of", ""), outer.marks, outer.link, outer.proposal, found["chip"])
    elif "footnote" in found:
        yield Piece(found["footnote"], outer.marks, None, outer.proposal, "footnote")
    elif "link" in found:
        yield from _pieces(found["text"], Piece("", outer.marks, found["link"], outer.proposal))
    else:
        name, text = next(iter(found.items()))
        if name in ("inserted", "deleted"):
            yield from _pieces(text, Piece("", outer.marks, outer.link, name))
        else:
            yield from _pieces(text, Piece("", outer.marks | {name}, outer.link, outer.proposal))
