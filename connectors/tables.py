"""HTML tables made plain: one level, no merged cells, one heading row, so that each row can be read by itself."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag

WIDEST = 50  # columns
_BLOCK = re.compile("^(p|ul|ol|dl|pre|blockquote|h[1-6]|div)$")


def flatten_tables(soup: BeautifulSoup) -> None:
    """Rewrites every table in place, innermost first.

    A cell merged over rows is repeated in each. One merged over columns is repeated in the heading row and
    stands once elsewhere. A table of one column holding blocks was only laid out as one: it is unwrapped. A
    table within a cell becomes text.
    """
    for table in reversed(soup.find_all("table")):
        rows = [row for row in table.find_all("tr") if row.find_parent("table") is table]
        if table.find_parent(["td", "th"]) is not None:
            table.replace_with(f" {'; '.join(filter(None, (_line(row) for row in rows)))} ")
        elif rows and all(len(_cells(row)) <= 1 for row in rows) and table.find(_BLOCK) is not None:
            _unwrap(table)
        else:
            _rebuild(soup, table, rows)
    for stray in soup.find_all(["tr", "td", "th", "thead", "tbody", "tfoot", "caption"]):
        if stray.find_parent("table") is None:
            stray.name = "div"


def _cells(row: Tag) -> list[Tag]:
    return list(row.find_all(["td", "th"], recursive=False))


def _line(row: Tag) -> str:
    return ", ".join(filter(None, (" ".join(cell.get_text(" ").split()) for cell in _cells(row))))


def _unwrap(table: Tag) -> None:
    for part in table.find_all(["tr", "td", "th", "thead", "tbody", "tfoot", "caption"]):
        part.name = "div"
    table.name = "div"


def _rebuild(soup: BeautifulSoup, table: Tag, rows: list[Tag]) -> None:
    head = bool(rows) and (_in_head(rows[0]) or all(cell.name == "th" for cell in _cells(rows[0])))
    grid = _grid(soup, rows, head)
    width = max((len(line) for line in grid), default=0)
    caption = table.find("caption")
    if caption is not None:
        caption.name = "div"
        table.insert_before(caption.extract())
    table.clear()
    table.attrs = {}
    if not head:
        grid.insert(0, [])
    for number, line in enumerate(grid):
        row = soup.new_tag("tr")
        for cell in [*line, *(soup.new_tag("td") for _ in range(width - len(line)))]:
            cell.name = "th" if number == 0 else "td"
            row.append(cell)
        table.append(row)
    if width == 0:
        table.decompose()


def _in_head(row: Tag) -> bool:
    return row.parent is not None and row.parent.name == "thead"


def _grid(soup: BeautifulSoup, rows: list[Tag], head: bool) -> list[list[Tag]]:
    """Rows of cells without spans; `hanging` holds, per column, a text and the rows it still reaches down."""
    grid: list[list[Tag]] = []
    hanging: dict[int, tuple[str, int]] = {}
    for number, row in enumerate(rows):
        line: list[Tag] = []
        waiting = _cells(row)
        while (waiting or hanging.get(len(line), ("", 0))[1]) and len(line) < WIDEST:
            text, left = hanging.get(len(line), ("", 0))
            if left:
                hanging[len(line)] = (text, left - 1)
                line.append(_cell(soup, text))
                continue
            cell = waiting.pop(0)
            text = " ".join(cell.get_text(" ").split())
            across, down = _span(cell, "colspan"), min(_span(cell, "rowspan"), len(rows) - number)
            cell.attrs = {}
            for column in range(across):
                if len(line) < WIDEST:
                    said = text if column == 0 or (head and number == 0) else ""
                    hanging[len(line)] = (said, down - 1)
                    line.append(cell.extract() if column == 0 else _cell(soup, said))
        if line:
            grid.append(line)
    return grid


def _cell(soup: BeautifulSoup, text: str) -> Tag:
    cell = soup.new_tag("td")
    cell.string = text
    return cell


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "")
    return max(1, min(WIDEST, int(value))) if re.fullmatch("[0-9]{1,4}", value) else 1
