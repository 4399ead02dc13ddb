"""A reply as a person edited it, from plain text to the HTML that leaves."""

from __future__ import annotations

import html
import re

from bot.answer.render import clean

LONGEST = 20_000  # characters
_ADDRESS = re.compile(r"https://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_STEP, _POINT = re.compile(r"\s*\d{1,3}[.)]\s+"), re.compile(r"\s*[-*•]\s+")


def to_html(text: str) -> str:
    """Paragraphs at blank lines, lists where every line of a block begins as one, https addresses as links; nothing else is markup."""
    blocks = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    return clean("".join(_block(block.split("\n")) for block in blocks if block.strip()))


def _block(lines: list[str]) -> str:
    for tag, mark in (("ol", _STEP), ("ul", _POINT)):
        if all(mark.match(line) for line in lines):
            points = (_inline(mark.sub("", line, count=1)) for line in lines)
            return f"<{tag}>{''.join(f'<li>{point}</li>' for point in points)}</{tag}>"
    return f"<p>{'<br>'.join(_inline(line.strip()) for line in lines)}</p>"


def _inline(text: str) -> str:
    made, start = [], 0
    for found in _ADDRESS.finditer(text):
        made.append(html.escape(text[start : found.start()]))
        address = html.escape(found.group())
        made.append(f'<a href="{address}">{address}</a>')
        start = found.end()
    return "".join([*made, html.escape(text[start:])])


def is_same(one: str, other: str) -> bool:
    """Whether two texts differ in nothing but line ends and blanks around lines."""
    return _lines(one) == _lines(other)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\r\n", "\n").strip().split("\n")]
