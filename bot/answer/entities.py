# ruff: noqa: E501 (patterns and word lists read better unbroken)
"""Numbers and names a ticket carries that an agent looks for first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from bot.config.conduct import compiled


@dataclass(frozen=True, slots=True)
class Entity:
    """`type` is one of order, invoice, email, phone, amount, date, version, or the operator's own."""

    type: str
    text: str


_MONTH = r"(?:jan|feb|fev|fév|m[aä]r|apr|avr|may|mai|jun|juin|jul|juil|aug|ao[uû]|sep|oct|okt|nov|d[eé][cz]|ene|abr|ago|dic)[a-zéû]*\.?"
_NUMBER_SIGN = r"(?:\s*(?:number|no\.?|nr\.?|num[ée]ro|n[°º]|id|ref(?:erence)?)?\s*[:#]?\s*)"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("invoice", re.compile(rf"\b(?:invoice|facture|rechnung|factura){_NUMBER_SIGN}([A-Z]{{0,4}}-?\d[\w-]{{2,18}})", re.IGNORECASE)),
    ("invoice", re.compile(r"\b((?:INV|FAC|RE|FA)-?\d[\d-]{2,16})\b")),
    ("order", re.compile(rf"\b(?:order|commande|bestellung|pedido){_NUMBER_SIGN}([A-Z]{{0,4}}-?\d[\w-]{{2,18}})", re.IGNORECASE)),
    ("order", re.compile(r"(?<![\w#])#?([A-Z]{1,3}-\d{3,12})\b")),
    ("amount", re.compile(r"(?:(?:[$€£]|\b(?:USD|EUR|GBP|CHF))\s?\d[\d.,'\u202f ]*\d|(?:[$€£])\s?\d)|\b\d[\d.,]*\s?(?:[$€£]|(?:USD|EUR|GBP|CHF|euros?|dollars?)\b)")),
    ("date", re.compile(rf"\b\d{{4}}-\d{{2}}-\d{{2}}\b|\b\d{{1,2}}[./]\d{{1,2}}[./]\d{{2,4}}\b|\b\d{{1,2}}(?:st|nd|rd|th|er|\.)?\s+(?:de\s+|of\s+)?{_MONTH}(?:\s+(?:de\s+)?\d{{4}})?|\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?", re.IGNORECASE)),
    ("version", re.compile(r"\bv\d+(?:\.\d+)+\b|\b(?<!\.)\d+\.\d+\.\d+\b(?!\.\d)|\bversion\s+(\d+(?:\.\d+)*)", re.IGNORECASE)),
    ("phone", re.compile(r"(?<![\w.-])(?:\+|00)\d[\d ().-]{7,17}\d\b|(?<![\w.-])0\d(?:[ .-]?\d{2}){4}\b|\(\d{3}\)\s?\d{3}-\d{4}|(?<![\w.-])\d{3}-\d{3}-\d{4}\b")),
)  # fmt: skip
MOST = 20
PATIENCE = 0.1  # seconds that an operator's pattern may take for one text
LONGEST = 20_000  # characters that it is tried on
log = structlog.get_logger()


class Pattern(Protocol):
    """One of the operator's own."""

    @property
    def type(self) -> str: ...
    @property
    def pattern(self) -> str: ...


def entities(text: str, own: Sequence[Pattern] = ()) -> tuple[Entity, ...]:
    """The operator's own kinds first, then in order of kind, each once; a stretch already taken by an earlier kind is not taken again."""
    found: dict[Entity, None] = {}
    taken: list[tuple[int, int]] = []
    for kind, matches in (*((one.type, _own(one, text)) for one in own), *((kind, pattern.finditer(text)) for kind, pattern in _PATTERNS)):
        for matched in matches:
            group = matched.lastindex or 0
            start, end = matched.span(group)
            if start == end or any(start < stop and begin < end for begin, stop in taken):
                continue
            taken.append((start, end))
            found[Entity(kind, matched.group(group).strip())] = None
    return tuple(found)[:MOST]


def _own(one: Pattern, text: str) -> list[Any]:
    """Its matches; none where it takes too long, which is told by its kind."""
    pattern: Any = compiled(one.pattern)
    try:
        return list(pattern.finditer(text[:LONGEST], timeout=PATIENCE))
    except TimeoutError:
        log.warning("pattern given up", entity=one.type, seconds=PATIENCE)
        return []
