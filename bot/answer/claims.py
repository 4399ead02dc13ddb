"""What a sentence claims, in comparable pieces: numbers with their units and bounds, dates, names, codes, and the words in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from bot.answer.lexicon import ARTICLE_LIKE, BOUNDS, GLUE, MEASURES, MONTHS, NUMBER_WORDS, POLARITY, SYNONYMS, WORKING
from bot.answer.links import plain
from bot.answer.words import fold, normal, stem, stop_words

TokenKind = Literal["word", "small", "number", "name", "code"]


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a sentence. `place` grows by 1 a word and more at a clause's end; `clause` counts clauses, `part` what ; : . part."""

    kind: TokenKind
    key: str  # stem of a word, folded small word, canonical number, folded name or code
    text: str
    place: int
    clause: int
    part: int = 0


@dataclass(frozen=True, slots=True)
class Number:
    """`value` is canonical ("30", "3..5", "2026-03-14", "v10.5.1"); `unit` may be empty; `bound` as in lexicon.BOUNDS."""

    value: str
    unit: str
    bound: str
    place: int
    clause: int
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence or window of a passage, taken apart."""

    text: str
    tokens: tuple[Token, ...]
    numbers: tuple[Number, ...]
    clauses: int

    def keys(self, *kinds: TokenKind) -> frozenset[str]:
        return frozenset(token.key for token in self.tokens if token.kind in kinds)


_MONTH_WORD = "|".join(sorted(map(re.escape, {*MONTHS, "février", "août", "décembre", "märz", "fév", "déc"}), key=len, reverse=True))
_DIGITS = r"\d{1,3}(?:[,. '\u202f]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_PIECE = re.compile(
    rf"""
    (?P<iso>\b\d{{4}}-\d{{1,2}}-\d{{1,2}}\b)
    | (?P<slashed>\b\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}\b)
    | (?P<dmy>\b\d{{1,2}}(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?(?:{_MONTH_WORD})\b\.?(?:,?\s+(?:de\s+)?\d{{4}}\b)?)
    | (?P<mdy>\b(?:{_MONTH_WORD})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?![.,]\d|:)(?:,?\s+\d{{4}}\b)?)
    | (?P<time>\b\d{{1,2}}(?::\d{{2}}(?::\d{{2}})?|\s?h\s?\d{{2}})(?:\s?[ap]\.?m\b\.?)?|\b\d{{1,2}}\s?[ap]\.?m\b\.?)
    | (?P<version>\bv\d+(?:\.\d+)*\b|(?<![\w.])\d+(?:\.\d+){{2,}}\b)
    | (?P<code>(?<!\w)[#@]?(?=[\w/.:_-]*[A-Za-z])(?=[\w/.:_-]*(?:[\d_/]|:\w))[A-Za-z0-9][\w/.:-]*[\w/])
    | (?P<range>(?<![\w.,])(?:{_DIGITS})\s?(?:-|\s(?:to|and|bis|a|à|et|und|y)\s)\s?(?:{_DIGITS})(?![\w]*-\d))
    | (?P<number>[$€£]\s?(?:{_DIGITS})|(?:{_DIGITS}))
    | (?P<word>[^\W\d_]+(?:'[^\W\d_]+)*|[%$€£])
    | (?P<heavy>[;:!?]|\.(?=\s|$)|\s-\s)
    | (?P<light>[,()"|])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CLAUSE_WORDS = frozenset(
    fold(word)
    for word in [
        "but",
        "while",
        "whereas",
        "although",
        "though",
        "if",
        "unless",
        "when",
        "whereas",
        "mais",
        "tandis",
        "si",
        "lorsque",
        "aber",
        "während",
        "wenn",
        "falls",
        "pero",
        "mientras",
        "cuando",
    ]
)
_CAMEL = re.compile(r"[a-zà-ÿ][A-Z]")
AHEAD = 40  # characters after a figure among which its measure stands
_AND_WORDS = frozenset(["and", "or", "et", "ou", "und", "oder", "y", "o"])
_NUMERIC = frozenset({"iso", "slashed", "dmy", "mdy", "time", "version", "range", "number"})


@dataclass(frozen=True, slots=True)
class _Here:
    """Where a piece stands: `opening` a sentence or not, after which folded words."""

    language: str | None
    opening: bool
    place: int
    clause: int
    previous: tuple[str, ...]
    part: int = 0


@lru_cache(maxsize=4096)
def claim(text: str, language: str | None) -> Claim:
    """Takes a text apart; `language` (of the passage) chooses stems and small words."""
    shown = normal(plain(text))
    tokens: list[Token] = []
    numbers: list[Number] = []
    place, clause, part, opening = 0, 0, 0, True
    previous: list[str] = []
    for matched in _PIECE.finditer(shown):
        kind, piece = str(matched.lastgroup), matched.group()
        if kind in ("heavy", "light"):
            place += 8 if kind == "heavy" else 3
            clause += 1
            part += kind == "heavy"
            opening = opening or kind == "heavy"
            continue
        folded = fold(piece)
        if folded in _CLAUSE_WORDS or folded in _AND_WORDS:
            clause += 1
        place += 4 if folded in _CLAUSE_WORDS else 3 if folded in _AND_WORDS else 1
        here = _Here(language, opening, place, clause, tuple(previous), part)
        number = _number(kind, piece, shown[matched.end() : matched.end() + AHEAD], here)
        if number:
            numbers.append(number)
            tokens.append(Token("number", number.value, piece, place, clause, part))
        else:
            tokens.append(_token(kind, piece, here))
        previous = [*previous[-3:], folded]
        opening = False
    return Claim(shown, tuple(tokens), tuple(numbers), clause + 1)


def _token(kind: str, piece: str, here: _Here) -> Token:
    language, place, clause, part = here.language, here.place, here.clause, here.part
    folded = fold(piece)
    if kind == "code" or (len(piece) > 1 and (piece.isupper() or _CAMEL.search(piece))):
        return Token("code", folded, piece, place, clause, part)
    if folded in POLARITY or piece.casefold() in stop_words(language) or folded in stop_words(language) or "'" in piece:
        return _elided(piece, here)
    # German capitalises every noun: there a capital names nothing.
    if piece[0].isupper() and not here.opening and language != "de":
        return Token("name", word_key(piece, language), piece, place, clause, part)
    return Token("word", word_key(piece, language), piece, place, clause, part)


def _elided(piece: str, here: _Here) -> Token:
    """ "don't", "l'article", "team's": the part that carries meaning, or a small word."""
    parts = [part for part in piece.split("'") if part]
    heavy = [part for part in parts if part.casefold() not in stop_words(here.language) and len(part) > 2]
    if "'" in piece and heavy and not fold(piece).endswith("n't"):
        return Token("word", word_key(max(heavy, key=len), here.language), piece, here.place, here.clause, here.part)
    return Token("small", fold(piece), piece, here.place, here.clause, here.part)


@lru_cache(maxsize=8)
def _synonyms(language: str) -> dict[str, str]:
    """Stem -> the group's first stem; a word in two groups keeps its first."""
    found: dict[str, str] = {}
    for group in SYNONYMS.get(language, ()):
        stems = [stem(word, language) for word in group.split()]
        for each in stems:
            found.setdefault(each, found.get(stems[0], stems[0]))
    return found


def word_key(word: str, language: str | None) -> str:
    root = stem(word, language)
    return _synonyms(language or "en").get(root, root)


@lru_cache(maxsize=8)
def glue(language: str | None) -> frozenset[str]:
    return frozenset(word_key(word, language) for word in GLUE) | GLUE


def _number(kind: str, piece: str, rest: str, here: _Here) -> Number | None:
    folded = fold(piece)
    if kind not in _NUMERIC and (kind != "word" or folded not in NUMBER_WORDS):
        return None
    unit = _unit(piece, rest) if kind in ("word", "number", "range") else ""
    if folded in ARTICLE_LIKE and not unit:
        return None
    value = str(NUMBER_WORDS[folded]) if kind == "word" else _value(kind, piece) if kind in ("number", "range") else _moment(kind, folded)
    return Number(value, unit, _bound(here.previous), here.place, here.clause, piece)


def _value(kind: str, piece: str) -> str:
    parts = re.findall(_DIGITS, piece)
    return "..".join(canonical(part) for part in parts[:2]) if kind == "range" and len(parts) >= 2 else canonical(parts[0])


def canonical(digits: str) -> str:
    """ "1,000" and "1.000" are a thousand, "1,5" and "1.5" one and a half; a lone separator before three digits separates thousands."""
    digits = re.sub(r"['\u202f ]", "", digits)
    separators = re.findall(r"[.,]", digits)
    if not separators:
        return str(int(digits))
    whole, decimals = re.split(r"[.,](?=[^.,]*$)", digits)
    thousands = len(decimals) == 3 and len(set(separators)) == 1 and whole.strip("0.,") != ""
    try:
        number = Decimal(re.sub(r"[.,]", "", digits)) if thousands else Decimal(re.sub(r"[.,]", "", whole) + "." + decimals)
    except InvalidOperation:
        return digits
    return f"{number.normalize():f}"


def _unit(piece: str, rest: str) -> str:
    sign = re.search(r"[$€£]", piece)
    if sign:
        return MEASURES[sign.group()]
    after = re.findall(r"[^\W\d_]+|[%$€£]", rest)[:2] if re.match(r"[\s-]?(?:[^\W\d_]|[%$€£])", rest) else []
    folded = [fold(word) for word in after]
    if folded and folded[0] in MEASURES:
        unit = MEASURES[folded[0]]
        return "workday" if unit == "day" and len(folded) > 1 and folded[1] in WORKING else unit
    if len(folded) > 1 and folded[1] in MEASURES and MEASURES[folded[1]] in ("day", "hour"):
        return "workday" if folded[0] in WORKING else f"{folded[0]} {MEASURES[folded[1]]}"
    return ""


def _bound(previous: Sequence[str]) -> str:
    before = " ".join(previous).replace("jusqu a", "jusqu'a")
    for name, phrases in BOUNDS:
        if any(before == phrase or before.endswith(" " + phrase) for phrase in phrases.split("|")):
            return name
    return ""


def _moment(kind: str, folded: str) -> str:
    if kind == "version":
        return folded if folded.startswith("v") else "v" + folded
    if kind == "time":
        return _time(folded)
    numbers = re.findall(r"\d+", folded)
    if kind == "iso":
        return "-".join(str(int(number)) for number in numbers)
    if kind == "slashed":
        return folded
    month = next(MONTHS[word] for word in re.findall(r"[^\W\d_]+", folded) if word in MONTHS)
    year = f"{numbers[1]}-" if len(numbers) > 1 else ""
    return f"{year}{month}-{int(numbers[0])}"


def _time(folded: str) -> str:
    hour, *rest = re.findall(r"\d+", folded)
    shift = 12 if re.search(r"p\.?m", folded) and int(hour) < 12 else 0
    return "at " + ":".join([str(int(hour) + shift), *(rest or ["00"])])


def same_number(said: Number, source: Number) -> bool:
    """Value and unit agree, and the bound is not lost or changed; a date said without its year agrees with the dated one."""
    day = re.fullmatch(r"\d{1,2}-\d{1,2}", said.value)
    value = said.value == source.value or bool(day and source.value.endswith("-" + said.value))
    loose = {"", "within"}
    return value and said.unit == source.unit and (said.bound == source.bound or {said.bound, source.bound} <= loose)


def restrictive_spans(text: str, markers: frozenset[str]) -> Iterator[str]:
    """The stretches of a text that begin with a condition's marker and run to the clause's end."""
    for clause in re.split(r"[.;:!?()]|,(?!\d)", text):
        words = list(re.finditer(r"[^\W\d_]+(?:-[^\W\d_]+)*", clause))
        for word in words:
            if fold(word.group()) in markers:
                yield clause[word.start() :]
                break
