"""A sentence taken apart for comparison with another, be it of another language: meanings, signs and quantities in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Literal

from bot.answer.concepts import can_be_act, is_act
from bot.answer.quantities import Quantity
from bot.answer.words import fold, words

TermKind = Literal["content", "light", "sign", "quantity"]
LEAST_COGNATE = 5  # letters
ALIKE_LETTERS = 0.76
NOUN = re.compile(r"(?:ions?|ments?|[ae]nces?|ures?|ung|ungen|ciones|age|ity|ites?)$")  # an act made a thing: "connection"


@dataclass(frozen=True, slots=True)
class Term:
    """`meanings` across languages; `forms` its stems and spelling; `literal`: a name or code, which stands as written."""

    kind: TermKind
    text: str
    meanings: frozenset[int]
    forms: frozenset[str]
    literal: bool
    place: int
    clause: int
    part: int
    previous: str = ""  # the word just before it, folded
    lead: str = ""  # the preposition that leads it in
    verbal: bool = False  # stands where only a verb stands: "to book", "can book", "booked"
    signs: frozenset[str] = frozenset()
    quantities: tuple[Quantity, ...] = ()

    @property
    def act(self) -> bool:
        return is_act(self.meanings) and not NOUN.search(fold(self.text))

    @property
    def acting(self) -> bool:
        return self.act or (self.verbal and can_be_act(self.meanings))


@dataclass(frozen=True)
class Statement:
    text: str
    language: str
    terms: tuple[Term, ...]

    @cached_property
    def written(self) -> frozenset[str]:
        return frozenset(fold(word) for word in words(self.text))

    @cached_property
    def _places(self) -> dict[int | str, tuple[int, ...]]:
        """Meaning or form -> the places of the terms that have it."""
        found: dict[int | str, list[int]] = {}
        for place, one in enumerate(self.terms):
            if one.kind != "quantity":
                keys: tuple[int | str, ...] = (*one.meanings, *one.forms)
                for key in keys:
                    found.setdefault(key, []).append(place)
        return {key: tuple(places) for key, places in found.items()}

    def likes(self, one: Term, language: str) -> tuple[int, ...]:
        """The places of this statement's terms that say the same as a term of one in `language`."""
        cross = language != self.language
        places = {place for key in one.meanings for place in self._places.get(key, ())}
        for key in one.forms:
            strict = cross and bool(one.meanings) and len(key) <= LEAST_COGNATE + 1  # "=" and the word
            places |= {place for place in self._places.get(key, ()) if not (strict and self.terms[place].meanings)}
        if not places and not one.literal and one.kind == "content":
            places = {place for place, other in enumerate(self.terms) if other.kind == "content" and related(one, other, cross=cross)}
        return tuple(sorted(places))

    def of(self, *kinds: TermKind) -> tuple[Term, ...]:
        return tuple(one for one in self.terms if one.kind in kinds)

    def signs(self) -> frozenset[str]:
        return frozenset().union(*(one.signs for one in self.terms))


SUFFIXES = frozenset(
    [
        "s",
        "es",
        "ed",
        "d",
        "e",
        "ing",
        "ion",
        "ions",
        "ation",
        "ations",
        "ment",
        "ments",
        "al",
        "ally",
        "ly",
        "able",
        "ee",
        "y",
        "ies",
        "ance",
        "ence",
        "ive",
        "ible",
        "ité",
        "ités",
        "tion",
        "tions",
        "",
    ]
)


def related(one: Term, other: Term, *, cross: bool) -> bool:
    """Whether two words that the lists do not both know are of one root: "install" and "installation", "batterie" and "battery"."""
    if (one.meanings and other.meanings) or one.literal or other.literal:
        return False
    a, b = fold(one.text).strip(), fold(other.text).strip()
    if cross:
        return min(len(a), len(b)) >= LEAST_COGNATE and a[0] == b[0] and SequenceMatcher(None, a, b).ratio() >= ALIKE_LETTERS
    shared = next((at for at, (left, right) in enumerate(zip(a, b, strict=False)) if left != right), min(len(a), len(b)))
    return shared >= LEAST_COGNATE and a[shared:] in SUFFIXES and b[shared:] in SUFFIXES
