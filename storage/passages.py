"""Markdown to passages: the pieces that are embedded, searched, quoted and cited.

Cuts follow the text's own structure. A list of steps, a table or a fenced block stays whole unless it
alone exceeds the limit; a sentence that announces one ("Do this:") stays with it. Every passage carries
the headings above it and its place in the source, so `markdown[start:end] == text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

TARGET = 800  # characters; near 150 words, about what one answer quotes
LIMIT = 2400  # characters; only a single unbroken word run may be cut in its middle, at this length
SHORT = 120  # characters; a section shorter than this joins its neighbour

Kind = Literal["paragraph", "list", "table", "fence", "heading"]
Span = tuple[int, int]

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_DELIMITER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Passage:
    """`text` is `markdown[start:end]`; `heading` is the path of headings above it, outermost first."""

    ordinal: int
    heading: tuple[str, ...]
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Line:
    text: str  # without its line break
    start: int
    end: int  # after its line break


@dataclass(frozen=True, slots=True)
class _Block:
    kind: Kind
    start: int
    end: int
    path: tuple[str, ...]
    opens: int  # where the heading line of its section starts, or `start`


def split(markdown: str, *, target: int = TARGET, limit: int = LIMIT) -> tuple[Passage, ...]:
    """The passages of one document in reading order; the same text gives the same passages.

    `target` and `limit` are characters: neighbours are joined up to `target`; nothing exceeds `limit`.
    """
    if not 0 < target <= limit:
        raise ValueError(f"target {target} must lie between 1 and limit {limit}")
    blocks = [piece for block in _blocks(markdown) for piece in _shorten(markdown, block, limit)]
    packed = _join_short(_pack(markdown, blocks, target, limit), min(SHORT, target // 4), target)
    return tuple(
        Passage(ordinal, block.path, markdown[block.start : block.end], block.start, block.end) for ordinal, block in enumerate(packed)
    )


def _lines(markdown: str) -> list[_Line]:
    lines, start = [], 0
    for raw in markdown.splitlines(keepends=True):
        end = start + len(raw)
        lines.append(_Line(raw.rstrip("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"), start, end))
        start = end
    return lines


def _blocks(markdown: str) -> Iterator[_Block]:
    """Blocks in order, each under its heading path; a heading with nothing under it is a block itself."""
    lines = _lines(markdown)
    path: list[tuple[int, str]] = []
    pending: _Line | None = None  # the heading line not yet followed by text
    at = 0
    while at < len(lines):
        heading, after = _heading_at(lines, at)
        if heading:
            if pending and path and path[-1][0] >= heading[0]:
                yield _heading_block(markdown, pending, path)
            path = [step for step in path if step[0] < heading[0]] + [heading]
            pending, at = _Line("", lines[at].start, lines[after - 1].end), after
            continue
        kind, after = _block_at(lines, at)
        if kind:
            start, end = _trim(markdown, lines[at].start, lines[after - 1].end, keep_indent=True)
            yield _Block(kind, start, end, _titles(path), pending.start if pending else start)
            pending = None
        at = after
    if pending:
        yield _heading_block(markdown, pending, path)


def _titles(path: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(title for _, title in path if title)


def _heading_block(markdown: str, line: _Line, path: list[tuple[int, str]]) -> _Block:
    start, end = _trim(markdown, line.start, line.end)
    return _Block("heading", start, end, _titles(path[:-1]), start)


def _heading_at(lines: Sequence[_Line], at: int) -> tuple[tuple[int, str] | None, int]:
    """((level, title), index after it), or (None, at)."""
    if found := _HEADING.match(lines[at].text):
        return (len(found[1]), (found[2] or "").strip()), at + 1
    text = lines[at].text
    if text.strip() and at + 1 < len(lines) and not _starts_block(lines, at) and (under := _UNDERLINE.match(lines[at + 1].text)):
        return (1 if under[1][0] == "=" else 2, text.strip()), at + 2
    return None, at


def _block_at(lines: Sequence[_Line], at: int) -> tuple[Kind | None, int]:
    """What starts at this line and the index after it; None for blank lines and rules."""
    text = lines[at].text
    if not text.strip() or _RULE.match(text):
        return None, at + 1
    if _FENCE.match(text):
        return "fence", _after_fence(lines, at)
    if _is_table(lines, at):
        return "table", _after_table(lines, at)
    if _ITEM.match(text):
        return "list", _after_list(lines, at)
    after = at + 1
    while after < len(lines) and lines[after].text.strip() and not _starts_block(lines, after) and not _heading_at(lines, after)[0]:
        after += 1
    return "paragraph", after


def _starts_block(lines: Sequence[_Line], at: int) -> bool:
    text = lines[at].text
    return bool(_FENCE.match(text) or _ITEM.match(text) or _RULE.match(text) or _HEADING.match(text)) or _is_table(lines, at)


def _is_table(lines: Sequence[_Line], at: int) -> bool:
    return "|" in lines[at].text and at + 1 < len(lines) and "|" in lines[at + 1].text and bool(_DELIMITER.match(lines[at + 1].text))


def _after_table(lines: Sequence[_Line], at: int) -> int:
    after = at + 2
    while after < len(lines) and "|" in lines[after].text:
        after += 1
    return after


def _after_fence(lines: Sequence[_Line], at: int) -> int:
    """After the closing fence; an unclosed one runs to the end, as CommonMark has it."""
    mark = lines[at].text.strip()[:1]
    opened = len(lines[at].text.strip()) - len(lines[at].text.strip().lstrip(mark))
    for after in range(at + 1, len(lines)):
        text = lines[after].text.strip()
        if len(text) >= opened and not text.strip(mark):
            return after + 1
    return len(lines)


def _after_list(lines: Sequence[_Line], at: int) -> int:
    """A list ends at a heading, or at a blank line that nothing indented and no further item follows."""
    after = at + 1
    while after < len(lines):
        text = lines[after].text
        if re.match(r"[ \t]*(`{3,}|~{3,})", text) and text[:1] in " \t":
            after = _after_fence(lines, after)
        elif text.strip():
            blank_before = not lines[after - 1].text.strip()
            outside = not _ITEM.match(text) and text[:1] not in " \t"
            if _HEADING.match(text) or _RULE.match(text) or (outside and (blank_before or _starts_block(lines, after))):
                break
            after += 1
        else:
            after += 1
    while not lines[after - 1].text.strip():
        after -= 1
    return after


def _trim(markdown: str, start: int, end: int, *, keep_indent: bool = False) -> Span:
    body = markdown[start:end]
    end = start + len(body.rstrip())
    return (start if keep_indent else end - len(body.strip())), end


def _shorten(markdown: str, block: _Block, limit: int) -> list[_Block]:
    """The block, or its pieces at the gentlest cuts that keep each within the limit."""
    spans = _cut(markdown, (block.start, block.end), _cut_rules(block.kind), limit)
    return [replace(block, start=start, end=end, opens=block.opens if start == block.start else start) for start, end in spans]


def _cut_rules(kind: Kind) -> tuple[re.Pattern[str], ...]:
    line = re.compile(r"\n")
    if kind == "list":
        return (re.compile(r"\n(?=(?:[-*+]|\d{1,9}[.)])[ \t])"), line, _SENTENCE, _SPACE)
    if kind in ("table", "fence"):
        return (line, _SPACE)
    return (_SENTENCE, line, _SPACE)


def _cut(markdown: str, span: Span, rules: Sequence[re.Pattern[str]], limit: int) -> list[Span]:
    start, end = span
    if end - start <= limit:
        return [span]
    if not rules:
        return [(at, min(at + limit, end)) for at in range(start, end, limit)]
    marks = sorted({start, end} | {start + found.end() for found in rules[0].finditer(markdown[start:end])})
    spans: list[Span] = []
    for piece in pairwise(marks):
        if spans and piece[1] - spans[-1][0] <= limit:
            spans[-1] = (spans[-1][0], piece[1])
        else:
            spans.append(piece)
    trimmed = (_trim(markdown, *piece, keep_indent=True) for piece in spans)
    return [part for piece in trimmed if piece[0] < piece[1] for part in _cut(markdown, piece, rules[1:], limit)]


def _pack(markdown: str, blocks: Sequence[_Block], target: int, limit: int) -> list[_Block]:
    """Neighbours of one section joined up to the target; a lead-in ("...:") goes with what it announces."""
    packed: list[_Block] = []
    for block in blocks:
        last = packed[-1] if packed else None
        same_section = last is not None and last.path == block.path and block.opens == block.start and last.kind != "heading"
        if last is not None and same_section and block.kind != "heading":
            announced = markdown[last.start : last.end].endswith(":")
            if block.end - last.start <= (limit if announced else target):
                packed[-1] = replace(last, end=block.end)
                continue
        packed.append(block)
    return packed


def _join_short(blocks: Sequence[_Block], short: int, target: int) -> list[_Block]:
    """Sections too short to stand alone joined to the next; the heading lines between them then stand in the text."""
    joined: list[_Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if last is not None and min(last.end - last.start, block.end - block.start) < short and block.end - last.opens <= target:
            common = tuple(a for a, b in zip(last.path, block.path, strict=False) if a == b) if last.path != block.path else last.path
            depth = _common_depth(last.path, block.path)
            start = last.start if depth == len(last.path) else last.opens
            joined[-1] = replace(last, start=start, end=block.end, path=common[:depth])
        else:
            joined.append(block)
    return joined


def _common_depth(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    depth = 0
    while depth < min(len(one), len(other)) and one[depth] == other[depth]:
        depth += 1
    return depth
