"""Partial answers: the `fields` parameter, read, checked against what there is, and applied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Shape = Mapping[str, "Shape | None"]  # None: anything may stand below
Mask = dict[str, "Mask | None"]  # None: all of it
TOKEN = re.compile(r"[A-Za-z0-9_$.*]+|[(),/]")


class BadMask(ValueError):
    """Names the part of the mask that selects nothing there is."""


def shape(text: str) -> Shape:
    """A shape written as a mask."""
    return parse(text)


def parse(text: str) -> Mask:
    """Raises BadMask."""
    tokens = TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text) or not tokens:
        raise BadMask(text)
    mask = _list(tokens, text)
    if tokens:
        raise BadMask(text)
    return mask


def _list(tokens: list[str], text: str) -> Mask:
    mask: Mask = {}
    while True:
        _path(tokens, mask, text)
        if not tokens or tokens[0] != ",":
            return mask
        tokens.pop(0)


def _path(tokens: list[str], mask: Mask, text: str) -> None:
    if not tokens or tokens[0] in "(),/":
        raise BadMask(text)
    name = tokens.pop(0)
    below: Mask | None = None
    if tokens and tokens[0] == "/":
        tokens.pop(0)
        below = {}
        _path(tokens, below, text)
    elif tokens and tokens[0] == "(":
        tokens.pop(0)
        below = _list(tokens, text)
        if not tokens or tokens.pop(0) != ")":
            raise BadMask(text)
    _join(mask, name, below)


def _join(mask: Mask, name: str, below: Mask | None) -> None:
    known = mask.get(name, {})
    if below is None or known is None:
        mask[name] = None
        return
    for key, value in below.items():
        _join(known, key, value)
    mask[name] = known


def check(mask: Mask, there: Shape) -> None:
    """Raises BadMask for a name that is not there."""
    for name, below in mask.items():
        if name != "*" and name not in there:
            raise BadMask(name)
        deeper = there.get(name)
        if below is not None and deeper is not None and name != "*":
            check(below, deeper)


def apply(mask: Mask | None, content: Any) -> Any:
    """Lists are passed through to what they hold; `*` selects every member."""
    if mask is None:
        return content
    if isinstance(content, list):
        return [apply(mask, one) for one in content]
    if not isinstance(content, dict):
        return content
    if "*" in mask:
        return {key: apply(mask.get(key, mask["*"]), value) for key, value in content.items()}
    return {key: apply(mask[key], value) for key, value in content.items() if key in mask}
