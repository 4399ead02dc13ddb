# ruff: noqa: E501 (patterns read better unbroken)
"""Personal data out of what goes into a training file: what has a form is found by it, names by who took part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CAP = r"[A-ZÀ-ÖØ-Þ][\w'’-]*"
_TOWN = r"[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ][\w'’-]*"  # unlike a postcode's first part
_CITY = rf"{_TOWN}(?:[ -](?:(?:de|del|la|le|les|los|las|en|sur|am|an der|im|bei|upon|on)[ -])?{_TOWN}){{0,3}}"
_POST = rf"(?:(?:[A-Z]{{1,2}}-)?\d{{5}}\s+{_CITY})"
_SMALL = r"(?:de la|de los|de las|de l['’]|des|du|de|d['’]|del|la|le|les|el|los|las|l['’])"
_WAYS = {
    "en": r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Court|Ct|Way|Crescent|Terrace|Place|Square|Boulevard|Blvd|Gardens|Hill|Row|Mews|Parade)",
    "fr": r"(?:rue|avenue|av\.|boulevard|bd|bvd|place|chemin|impasse|all[ée]e|quai|route|cours|square|passage|sentier|faubourg)",
    "de": r"(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|damm|ufer|steig|graben|markt)",
    "es": r"(?:calle|c/|avenida|avda?\.?|plaza|pza\.?|paseo|p\.º|camino|ronda|carretera|traves[ií]a|glorieta)",
}
_UK = r"[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}"
_STREETS = "|".join(
    (
        rf"\b\d{{1,5}}[A-Za-z]?,?\s+(?:{_CAP}\s+){{1,3}}{_WAYS['en']}\b\.?(?:,?\s+(?:Apt|Flat|Unit|Suite)\.?\s*\w+)?"
        rf"(?:,\s+{_CITY})?(?:,?\s+(?:[A-Z]{{2}}\s+\d{{5}}(?:-\d{{4}})?|{_UK})\b)?",
        rf"\b\d{{1,4}}(?:\s?(?:bis|ter|[A-D])\b)?,?\s+(?i:{_WAYS['fr']})\s+(?:{_SMALL}\s?)?(?:\d{{1,2}}\s+\w+\s+\d{{4}}|{_CAP}(?:[ -](?:{_SMALL}\s?)?{_CAP}){{0,3}})"
        rf"(?:,?\s+{_POST})?",
        rf"\b(?:(?:Am|An der|Auf der|Im|In der|Zum|Zur)\s+)?(?:(?:{_CAP} )?[A-ZÄÖÜ]\w*?|(?:[A-ZÄÖÜ]\w*-){{1,3}})(?i:{_WAYS['de']})\s+\d{{1,4}}\s?[a-z]?\b(?:,?\s+{_POST})?",
        rf"\b(?:Am|An der|Auf der|Im|In der|Zum|Zur)\s+(?:{_CAP}\s+){{1,2}}\d{{1,4}}[a-z]?,\s+{_POST}",
        rf"(?<!\w)(?i:{_WAYS['es']})\s?(?:{_SMALL}\s)?{_CAP}(?:\s+(?:{_SMALL}\s+)?{_CAP}){{0,3}},?\s+(?:n\.?º\s*)?\d{{1,4}}\b(?:,\s*\d{{1,2}}\.?º\s?[A-Z]?)?(?:,?\s+{_POST})?",
    )
)
_GAP = r"(?: / |[ .\u00a0\u202f/-])?"
# Formed data first the longest: an IBAN holds what looks like a phone number.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"(?:mailto:)?[\w.!#$%&'*+/=?^`{|}~-]+(?:@|\s?\[at\]\s?)[\w-]+(?:\.[\w-]+)+")),
    ("iban", re.compile(r"\b[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]{4}){2,7}(?:[ \u00a0-]?[A-Z0-9]{1,4})?\b|\b[a-z]{2}\d{2}[a-z0-9]{11,30}\b")),
    ("card", re.compile(r"(?<![\w.-])(?:\d[ \u00a0-]?){12,18}\d(?![\w-])")),
    ("ip", re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)")),
    ("address", re.compile(_STREETS)),
    (
        "phone",
        re.compile(
            rf"(?<![\w.-])(?:\+|00)\d[\d ().\u00a0\u202f/-]{{6,19}}\d\b|(?<![\w.,-])0\d{{1,5}}(?:{_GAP}\d{{2,4}}){{2,5}}(?![\w-])|(?<!\w)\(0\d{{1,5}}\)\s?\d[\d ./-]{{4,11}}\d\b"
            r"|\(\d{3}\)\s?\d{3}[-. ]\d{4}\b|(?<![\w.-])(?:1[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4}\b"
            r"|(?<![\w.,-])[89]\d \d{3} \d{2} \d{2}(?![\w-])"
            r"|(?<![\w.,-])[6789]\d{2}(?:[ .-]\d{2,3}){2,3}(?![\w-]|[.,]\d| ?(?:€|EUR|USD|\$|£))"
        ),
    ),
    ("order", re.compile(r"(?<![\w#])#?(?:[A-Z]{1,4}-\d{3,12}|(?:INV|FAC|RE|FA)-?\d[\d-]{2,16})\b")),
    ("number", re.compile(r"(?<![\w.,-])\d{9,}(?![\w-])")),
)
PERSONAL = ("email", "iban", "card", "ip", "address", "phone")  # the others are struck out too, though they name nobody
SHORTEST = 3  # letters of a part of a name that is struck out
LONGEST_CARD, SHORTEST_CARD = 19, 13
SHORTEST_IBAN = 15
SHORTEST_PHONE = 8  # digits; 7 would take version and part numbers


@dataclass(frozen=True, slots=True)
class Mark:
    """Where formed data stands in a text."""

    start: int
    end: int
    kind: str


def marks(text: str) -> list[Mark]:
    """In the order of the text, none within another; of two that overlap the form listed first."""
    found: list[Mark] = []
    for kind, form in _FORMS:
        for match in form.finditer(text):
            end = _end(kind, match)
            if end and all(end <= one.start or match.start() >= one.end for one in found):
                found.append(Mark(match.start(), end, kind))
    return sorted(found, key=lambda one: one.start)


def redact(text: str, names: Sequence[str] = ()) -> str:
    """With [email], [iban], [card], [ip], [address], [phone], [order], [number] and [name] for the data; the rest keeps its wording."""
    for one in reversed(marks(text)):
        text = f"{text[: one.start]}[{one.kind}]{text[one.end :]}"
    for name in sorted(_parts(names), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[name]", text, flags=re.IGNORECASE)
    return re.sub(r"\[name\](?:\s+\[name\])+", "[name]", text)


def personal(text: str) -> tuple[str, ...]:
    """Kinds of formed data that stand in the text, in a fixed order."""
    found = {one.kind for one in marks(text)}
    return tuple(kind for kind, _ in _FORMS if kind in found)


def _end(kind: str, match: re.Match[str]) -> int | None:
    """Where it ends: an IBAN may have taken the word behind it along. None where it is no such thing."""
    text = match.group()
    while text and not _is_one(kind, text):
        text = re.sub(r"[ \u00a0-]*[^ \u00a0-]+$", "", text) if kind == "iban" else ""
    return match.start() + len(text) if text else None


def _is_one(kind: str, text: str) -> bool:
    """By its check digits, where the kind has some."""
    if kind == "card":
        return _is_card(text)
    if kind == "iban":
        return _is_iban(text)
    if kind == "ip":
        return all(int(part) <= 255 for part in text.split("."))
    if kind == "phone":
        return sum(sign.isdigit() for sign in text) >= SHORTEST_PHONE
    return True


def _is_iban(text: str) -> bool:
    """By its check digits (ISO 13616: modulo 97)."""
    bare = re.sub(r"[ \u00a0-]", "", text).upper()
    if len(bare) < SHORTEST_IBAN:
        return False
    turned = bare[4:] + bare[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


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
