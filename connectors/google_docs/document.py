"""A document with all its tabs as Markdown. Pure; nothing raises, whatever the shape.

Structure as in the Docs API's reference (Document, Tab, StructuralElement). Tables of contents, headers and footers repeat what stands
elsewhere and are left out; pictures are left out but for their descriptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Literal, NamedTuple

from connectors.google_docs.parse import Row, mapping, rows, text, whole
from connectors.google_docs.prose import Tab, code_line, proposed, words
from connectors.markdown import clean

DEEPEST = 20  # levels of tabs, and of tables in tables
WIDEST = 50  # columns
_HEADING = re.compile(r"HEADING_([1-6])")
_NUMBERED = {"DECIMAL", "ZERO_DECIMAL", "UPPER_ALPHA", "ALPHA", "UPPER_ROMAN", "ROMAN"}


class Block(NamedTuple):
    kind: Literal["text", "item", "code"]
    text: str


def markdown(document: Any) -> str | None:
    """None for an answer that is no document: it has neither tabs nor a body."""
    told = mapping(document)
    tabs = rows(told.get("tabs"))
    if not tabs and not isinstance(told.get("body"), dict):
        return None
    found = list(_tabs(tabs, 0)) if tabs else [("", 0, told)]
    headed = len(found) > 1
    said = (_tab(content, title if headed else "", level + headed) for title, level, content in found)
    lines = "\n".join(line.rstrip() for line in clean("\n\n".join(part for part in said if part)).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def title(document: Any) -> str:
    return " ".join(clean(text(mapping(document).get("title"))).split())


def _tabs(tabs: list[Row], level: int) -> Iterator[tuple[str, int, Row]]:
    """Title, depth and content of every tab, each before those below it."""
    for tab in tabs:
        yield text(mapping(tab.get("tabProperties")).get("title")), level, mapping(tab.get("documentTab"))
        if level < DEEPEST:
            yield from _tabs(rows(tab.get("childTabs")), level + 1)


def _tab(content: Row, heading: str, level: int) -> str:
    """`level`: how many headings stand above this tab's own; its headings are moved below them."""
    tab = Tab(mapping(content.get("lists")), mapping(content.get("footnotes")), mapping(content.get("inlineObjects")))
    blocks = list(_blocks(mapping(content.get("body")).get("content"), tab, level))
    body = _joined(blocks)
    notes = [_note(tab, identity, number) for identity, number in list(tab.notes.items())]
    said = "\n\n".join(part for part in (body, *notes) if part)
    name = " ".join(heading.split())
    return "\n\n".join(part for part in (f"{'#' * min(6, level)} {name}" if name and said else "", said) if part)


def _note(tab: Tab, identity: str, number: str) -> str:
    blocks = _blocks(mapping(tab.footnotes.get(identity)).get("content"), tab, 0)
    said = " ".join(" ".join(block.text.split()) for block in blocks)
    return f"[^{number}]: {said}" if said else ""


def _blocks(content: Any, tab: Tab, shift: int, depth: int = 0) -> Iterator[Block]:
    for element in rows(content):
        if "paragraph" in element:
            yield from _paragraph(mapping(element["paragraph"]), tab, shift)
        elif "table" in element and depth < DEEPEST:
            yield from _table(mapping(element["table"]), tab, shift, depth + 1)


def _paragraph(paragraph: Row, tab: Tab, shift: int) -> Iterator[Block]:
    elements, bullet = paragraph.get("elements"), paragraph.get("bullet")
    style = text(mapping(paragraph.get("paragraphStyle")).get("namedStyleType"))
    heading = _HEADING.fullmatch(style)
    if not heading and style != "TITLE" and not isinstance(bullet, dict):
        code = code_line(elements)
        if code is not None:
            yield Block("code", code)
            return
    said = words(elements, tab)
    if not said.strip():
        return
    if heading or style == "TITLE":
        level = min(6, (int(heading[1]) if heading else 1) + shift)
        yield Block("text", f"{'#' * level} {' '.join(said.split())}")
    elif isinstance(bullet, dict):
        yield Block("item", _item(bullet, said, tab))
    else:
        yield Block("text", said)


def _item(bullet: Row, said: str, tab: Tab) -> str:
    """Its mark and indent. The API gives no numbers: they are counted, on across what stands between two items of a list."""
    identity, level = text(bullet.get("listId")), max(0, min(8, whole(bullet.get("nestingLevel"))))
    levels = rows(mapping(mapping(tab.lists.get(identity)).get("listProperties")).get("nestingLevels"))
    for deeper in range(level + 1, 9):
        tab.counts.pop((identity, deeper), None)
    indent = " " * sum(3 if _numbered(levels, above) else 2 for above in range(level))
    mark = "-"
    if _numbered(levels, level):
        start = whole(levels[level].get("startNumber"), 1)
        tab.counts[identity, level] = tab.counts.get((identity, level), start - 1) + 1
        mark = f"{tab.counts[identity, level]}."
    inside = f"\n{indent}{' ' * (len(mark) + 1)}"
    return f"{indent}{mark} {inside.join(line.strip() for line in said.split(chr(10)))}"


def _numbered(levels: list[Row], level: int) -> bool:
    """A symbol means bullets; neither a symbol nor a kind of number means boxes to tick."""
    return level < len(levels) and not levels[level].get("glyphSymbol") and text(levels[level].get("glyphType")) in _NUMBERED


def _joined(blocks: list[Block]) -> str:
    parts = []
    for kind, group in groupby(blocks, key=lambda block: block.kind):
        said = [block.text for block in group]
        parts.append(_fenced("\n".join(said)) if kind == "code" else "\n".join(said) if kind == "item" else "\n\n".join(said))
    return "\n\n".join(part for part in parts if part)


def _fenced(code: str) -> str:
    code = code.strip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", code)), default=0))
    return f"{fence}\n{code}\n{fence}" if code.strip() else ""


def _table(table: Row, tab: Tab, shift: int, depth: int) -> Iterator[Block]:
    """A table of one column was only laid out as one: what is in it stands by itself. In a cell of another, it becomes text."""
    if proposed(table):
        return
    there = [row for row in rows(table.get("tableRows")) if not proposed(row)]
    lines = [[cell for cell in rows(row.get("tableCells")) if not proposed(cell)][:WIDEST] for row in there]
    if all(len(line) <= 1 for line in lines):
        for line in lines:
            for cell in line:
                yield from _blocks(cell.get("content"), tab, shift, depth)
        return
    grid = [[_cell(cell, tab, depth) for cell in line] for line in lines]
    _spread(grid, lines)
    grid = [line for line in grid if any(line)]
    if depth > 1:
        yield from (Block("text", ", ".join(filter(None, line)) + ";") for line in grid)
    elif grid:
        yield Block("text", _rows(grid))


def _rows(grid: list[list[str]]) -> str:
    width = max(len(line) for line in grid)
    said = [f"| {' | '.join([*line, *([''] * (width - len(line)))])} |" for line in grid]
    return "\n".join([said[0], f"| {' | '.join(['---'] * width)} |", *said[1:]])


def _cell(cell: Row, tab: Tab, depth: int) -> str:
    said = []
    for block in _blocks(cell.get("content"), tab, 0, depth):
        line = " ".join(block.text.split())
        if block.kind == "code" and line:
            line = f"`{line.replace('`', chr(39))}`"
        said.append(re.sub(r"^#{1,6} ", "", line))
    return " ".join(filter(None, said)).rstrip(";").replace("|", "\\|")


def _spread(grid: list[list[str]], lines: list[list[Row]]) -> None:
    """Writes a merged cell's text into the empty cells it covers: down always, across in the first row only."""
    for top, line in enumerate(lines):
        for left, cell in enumerate(line):
            style = mapping(cell.get("tableCellStyle"))
            down, across = (max(1, min(1000, whole(style.get(name), 1))) for name in ("rowSpan", "columnSpan"))
            for row in range(top, min(len(grid), top + down)):
                for column in range(left, min(len(grid[row]), left + (across if top == 0 else 1))):
                    grid[row][column] = grid[row][column] or grid[top][left]
