"""A document's first tab as Drive exports it: plain text (BOM, CRLF), Markdown (pictures as base64), HTML (links led through Google)."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from urllib.parse import quote

from connectors.sandbox.google_docs.notation import Contents, Paragraph, Piece, Table, Text

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
BULLETS = {"bullet": "*", "number": "1.", "check": "*"}


def plain(text: Text) -> str:
    lines = list(_lines(text, markdown=False))
    notes = [f"[{name}] {_words(note, markdown=False)}" for name, note in text.footnotes.items()]
    return "\ufeff" + "\r\n".join([*lines, *notes]) + "\r\n"


def markdown(text: Text) -> str:
    notes = [f"[^{name}]: {_words(note, markdown=True)}" for name, note in text.footnotes.items()]
    return "\n\n".join([*_lines(text, markdown=True), *notes, *_pictures(text)]) + "\n"


def html(text: Text) -> str:
    body = "".join(f'<p class="c1"><span class="c0">{escape(line)}</span></p>' for line in _lines(text, markdown=False))
    links = "".join(
        f'<p class="c1"><a class="c2" href="https://www.google.com/url?q={quote(link, safe="")}&amp;sa=D">{escape(link)}</a></p>'
        for link in _links(text)
    )
    head = '<head><meta charset="utf-8"><style>.c0{font-weight:400}</style></head>'
    return f'<html>{head}<body class="doc-content">{body}{links}</body></html>'


def _lines(text: Text, *, markdown: bool) -> Iterator[str]:
    for block in text.blocks:
        if isinstance(block, Contents):
            continue
        if isinstance(block, Paragraph):
            words = _words(block, markdown=markdown)
            if block.listed:
                yield f"{'  ' * block.listed[1]}{BULLETS[block.listed[2]]} {words}"
            elif markdown and block.style.startswith("HEADING"):
                yield f"{'#' * int(block.style[-1])} {words}"
            else:
                yield words
        elif isinstance(block, Table):
            rows = [[" ".join(_words(p, markdown=markdown) for p in cell.paragraphs) for cell in row] for row in block.rows]
            if markdown:
                marked = [f"| {' | '.join(row)} |" for row in rows]
                yield "\n".join([marked[0], "|" + " :---- |" * len(rows[0]), *marked[1:]])
            else:
                yield from (cell for row in rows for cell in row)


def _words(paragraph: Paragraph, *, markdown: bool) -> str:
    return "".join(_word(piece, markdown) for piece in paragraph.pieces if piece.proposal != "inserted")


def _word(piece: Piece, markdown: bool) -> str:
    if piece.chip == "image":
        return f"![][{_key(piece)}]" if markdown else ""
    if piece.chip == "footnote":
        return f"[^{piece.text}]" if markdown else f"[{piece.text}]"
    if piece.chip == "person":
        return piece.text.partition(" <")[0]
    if piece.chip == "date":
        return piece.text.rpartition("|")[2].strip()
    if piece.chip in ("link", "dropdown"):
        return piece.text.partition("|")[0].strip()
    if piece.chip:
        return ""
    if not markdown:
        return piece.text
    text = f"[{piece.text}]({piece.link})" if piece.link else piece.text
    return f"**{text}**" if "bold" in piece.marks else text


def _key(piece: Piece) -> str:
    return f"image-{len(piece.text)}"


def _pictures(text: Text) -> list[str]:
    found = {_key(piece) for piece in _each(text) if piece.chip == "image"}
    return [f"[{key}]: <data:image/png;base64,{PIXEL}>" for key in sorted(found)]


def _links(text: Text) -> list[str]:
    return [piece.link for piece in _each(text) if piece.link and not piece.link.startswith("#")]


def _each(text: Text) -> Iterator[Piece]:
    for block in text.blocks:
        if isinstance(block, Paragraph):
            yield from block.pieces
        elif isinstance(block, Table):
            yield from (piece for row in block.rows for cell in row for paragraph in cell.paragraphs for piece in paragraph.pieces)
