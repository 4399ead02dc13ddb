# ruff: noqa: E501 (word lists read better unbroken)
"""Where in the source the terms of a sentence stand, and with what its parts open."""

from __future__ import annotations

import re

from bot.answer.matching import Case
from bot.answer.statement import Statement
from bot.answer.words import fold, words

# With these a clause before the main one narrows it: "For orders above 500 ...,"
LEADS = {
    "en": frozenset(["for", "on", "in", "at", "with", "without", "during", "within", "from", "after", "before", "under", "unless", "except", "outside"]),
    "fr": frozenset(["pour", "en", "dans", "avec", "sans", "pendant", "sous", "apres", "avant", "a", "sur", "hors", "des"]),
    "de": frozenset(["fur", "bei", "mit", "ohne", "wahrend", "ab", "nach", "vor", "in", "im", "am", "innerhalb", "ausserhalb", "unter", "auf"]),
    "es": frozenset(["para", "en", "con", "sin", "durante", "desde", "tras", "a", "bajo"]),
}


def placed(case: Case) -> list[tuple[int, ...]]:
    """Of each term of the sentence, signs and quantities included, its places in the source."""
    known = iter(case.pairs)
    return [next(known)[1] if one.kind != "quantity" else () for one in case.said.terms]


def opener(source: Statement, part: int) -> str:
    """The first word of the part, folded."""
    pieces = [piece for piece in _parts(source.text) if words(piece)]
    found = words(pieces[part]) if part < len(pieces) else []
    return fold(found[0]) if found else ""


def _parts(text: str) -> list[str]:
    return re.split(r"[;:!?]|\.(?=\s|$)|\s-\s", text)


