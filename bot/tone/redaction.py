"""Personal data out of what goes into a training file: what has a form is found by it, names by who took part."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Formed data first the longest: an IBAN holds what looks like a phone number.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,4})?\b")),
    ("card", re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w-])")),
    ("ip", re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")),
    (
        "phone",
        re.compile(
            r"(?<![\w.-])(?:\+|00)\d[\d ().\u00a0\u202f-]{6,17}\d\b|(?<![\w.-])0\d{1,5}(?:[ ./-]?\d{2,4}){2,5}(?![\w-])"
            r"|\(\d{3}\)\s?\d{3}[-. ]\d{4}|(?<![\w.-])\d{3}[-. ]\d{3}[-. ]\d{4}\b"
        ),
    ),
    ("order", re.compile(r"(?<![\w#])#?(?:[A-Z]{1,4}-\d{3,12}|(?:INV|FAC|RE|FA)-?\d[\d-]{2,16})\b")),
    ("number", re.compile(r"(?<![\w.,-])\d{9,}(?![\w-])")),
)
SHORTEST = 3  # letters of a part of a name that is struck out
LONGEST_CARD, SHORTEST_CARD = 19, 13


def redact(text: str, names: Sequence[str] = ()) -> str:
    """The text with [email], [iban], [card], [ip], [phone], [order], [number] and [name] for the data; the rest keeps its wording."""
    for kind, form in _FORMS:
        text = form.sub(lambda found, kind=kind: _mark(kind, found.group()), text)  # type: ignore[misc]
    for name in sorted(_parts(names), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[name]", text, flags=re.IGNORECASE)
    return re.sub(r"\[name\](?:\s+\[name\])+", "[name]", text)


def personal(text: str) -> tuple[str, ...]:
    """Kinds of formed personal data that stand in the text."""
    return tuple(kind for kind, form in _FORMS if any(_mark(kind, found.group()) != found.group() for found in form.finditer(text)))


def _mark(kind: str, text: str) -> str:
    if kind == "card" and not _is_card(text):
        return text
    if kind == "ip" and any(int(part) > 255 for part in text.split(".")):
        return text
    return f"[{kind}]"


def _is_card(text: str) -> bool:
    """By its check digit (Luhn)."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    if not SHORTEST_CARD <= len(digits) <= LONGEST_CARD:
        return False
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _parts(names: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        words = [part for part in re.split(r"[\s@.,_+-]+", name.partition("@")[0]) if len(part) >= SHORTEST and not part.isdigit()]
        found.update(words)
    return found
