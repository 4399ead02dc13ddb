# ruff: noqa: E501 (word lists and patterns read better unbroken)
"""A sentence matched with a stretch of a passage: which terms are each other's like, and which of the stretch's clauses it speaks of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bot.answer.grammar import FAINT
from bot.answer.lexicon import ARTICLE_LIKE, MEASURES
from bot.answer.quantities import SCALE, Quantity, same
from bot.answer.statement import Statement, Term
from bot.answer.units import UnitKind
from bot.answer.words import fold, words

TOUCHED = 0.5  # share of a source clause's terms that must be said for the sentence to speak of it
MOST_STRANGERS, LEAST_KNOWN = 2, 2  # words that no list knows, and how many known ones each of them needs around it
NEXT = 2  # terms
BEING = frozenset(["is", "are", "was", "were", "be", "has", "have", "est", "sont", "a", "ont", "ist", "sind", "hat", "haben", "es", "son", "esta", "estan", "tiene", "tienen"])

WindowKind = UnitKind | Literal["pair"]  # a pair: a sentence with the one before it



@dataclass(frozen=True)
class Case:
    """`said` is judged; `source` is the window of the passage; `around` its title and headings; `before` the sentence before it, where

    a pronoun may mean something in that; `beside` the draft's neighbours.
    """

    said: Statement
    source: Statement
    around: Statement
    before: Statement
    beside: Statement
    kind: WindowKind

    @cached_property
    def pairs(self) -> tuple[tuple[Term, tuple[int, ...]], ...]:
        """Each meaningful term of the sentence with the places of its likes in the source."""
        return tuple(
            (one, (self.strangers[at],) if at in self.strangers else self.source.likes(one, self.said.language))
            for at, one in enumerate(self.said.terms)
            if one.kind != "quantity"
        )

    @property
    def cross(self) -> bool:
        return self.said.language != self.source.language

    @cached_property
    def strangers(self) -> dict[int, int]:
        """Index in the sentence -> place in the source of words that neither language's lists know, where all else has its like.

        Only between languages: one such word, or two in the same order, whose neighbours are each other's likes.
        """
        if not self.cross:
            return {}
        own = [at for at, one in enumerate(self.said.terms) if _is_strange(one) and not self.source.likes(one, self.said.language)]
        theirs = [place for place, one in enumerate(self.source.terms) if _is_strange(one) and not self.said.likes(one, self.source.language)]
        if not own or len(own) > MOST_STRANGERS or len(own) > len(theirs):
            return {}
        likes = [self.source.likes(one, self.said.language) if one.kind != "quantity" else () for one in self.said.terms]
        if sum(map(bool, likes)) < LEAST_KNOWN * len(own):
            return {}
        found: dict[int, int] = {}
        for at in own:
            near = [place for other in range(max(0, at - NEXT), at + NEXT + 1) if other < len(likes) for place in likes[other]]
            fitting = [place for place in theirs if place not in found.values() and any(abs(place - other) <= NEXT for other in near)]
            if len(fitting) != 1:
                return {}
            found[at] = fitting[0]
        return found

    def borrowed(self, one: Term) -> bool:
        """Whether a term may stand for what the source leaves unsaid: a word of its title, or a thing that its pronoun means."""
        return bool(self.around.likes(one, self.said.language)) or self._meant(one)

    def _meant(self, one: Term) -> bool:
        """What a pronoun means: the first thing that the sentence before names."""
        first = next((place for place, other in enumerate(self.before.terms) if other.kind == "content" and not other.acting), None)
        return not one.act and first is not None and first in self.before.likes(one, self.said.language)

    @cached_property
    def said_places(self) -> frozenset[int]:
        """Places in the source of what the sentence says."""
        found = {place for _, places in self.pairs for place in places}
        quantities = [each for one in self.said.terms for each in one.quantities]
        signs = {place for place, one in enumerate(self.source.terms) if "must" in one.signs & self.said.signs()}
        spans = {place for each in quantities for place in self.span(each)}
        return frozenset(found | signs | spans | told(self.source, quantities) | copied(self.source, self.said))

    def span(self, quantity: Quantity) -> frozenset[int]:
        """Where the source names the span that an article of another language counts: "une semaine" is "a week"."""
        if not self.cross or fold(quantity.text) not in ARTICLE_LIKE:
            return frozenset()
        scaled = {place: SCALE.get(MEASURES.get(fold(one.text), "")) for place, one in enumerate(self.source.terms)}
        return frozenset(place for place, scale in scaled.items() if scale == (quantity.kind, quantity.amount))

    @cached_property
    def kept_places(self) -> frozenset[int]:
        """... and of what its neighbours in the draft say."""
        found = {place for one in self.beside.of("content", "light", "sign") for place in self.source.likes(one, self.beside.language)}
        quantities = [each for one in self.beside.terms for each in one.quantities]
        return self.said_places | found | told(self.source, quantities)

    @cached_property
    def faint(self) -> frozenset[int]:
        """Places in the source of what a sentence in words of its own may leave out ("messages sent at the weekend")."""
        listed = FAINT.get(self.source.language, frozenset())
        return frozenset(place for place, one in enumerate(self.source.terms) if one.kind == "content" and fold(one.text) in listed)

    @cached_property
    def touched(self) -> frozenset[int]:
        """The source's clauses that the sentence speaks of: most of their terms are said, and no other clause says more of the same."""
        shared: dict[int, frozenset[Term]] = {}
        for clause in {one.clause for one in self.source.terms}:
            here = [(place, one) for place, one in enumerate(self.source.terms) if one.clause == clause]
            heavy = [place for place, one in here if one.kind in ("content", "quantity")] or [place for place, one in here if one.kind == "light"]
            heavy = [place for place in heavy if place in self.said_places or place not in self.faint]
            told = [place for place in heavy if place in self.said_places]
            if heavy and len(told) > TOUCHED * len(heavy):
                shared[clause] = frozenset(
                    one for one, places in self.pairs if one.kind in ("content", "light") and set(places) & set(told)
                ) | frozenset(self.source.terms[place] for place in told if self.source.terms[place].kind == "quantity")
        return frozenset(clause for clause, own in shared.items() if not any(own < other for other in shared.values()))

    @cached_property
    def subject(self) -> frozenset[int]:
        """Who or what does it, where that stands in a clause before the touched one ("A takes 3 days and costs 5 euros")."""
        found: set[int] = set()
        for part in {one.part for one in self.source.terms if one.clause in self.touched}:
            places = [place for place, one in enumerate(self.source.terms) if one.part == part]
            first = self.source.terms[places[0]].clause
            opening = next((place for place in places if place > places[0] and self._opens(place)), places[0])
            heads = {place for place in places if place < opening and self.source.terms[place].kind == "content" and self.source.terms[place].clause == first}
            if first not in self.touched and heads & self.said_places:
                found |= heads
        return frozenset(found)

    def _opens(self, place: int) -> bool:
        """Whether what is said of the subject begins here: a verb, or a word before a figure ("costs 12 euros")."""
        after = self.source.terms[place + 1 : place + 2]
        return _verb_like(self.source.terms[place]) or bool(after and after[0].kind == "quantity")

    def in_touched(self, sign: str) -> int:
        return sum(sign in one.signs for one in self.source.terms if one.clause in self.touched)


def told(source: Statement, said: Iterable[Quantity]) -> set[int]:
    return {place for place, one in enumerate(source.terms) if one.quantities and any(same(each, other) for each in said for other in one.quantities)}


def _verb_like(one: Term) -> bool:
    return one.acting or one.kind == "sign" or (one.kind == "light" and fold(one.text) in BEING)


def _is_strange(one: Term) -> bool:
    return one.kind == "content" and not one.meanings and not one.literal and len(one.text) > 3


def copied(source: Statement, said: Statement) -> set[int]:
    """Places of what is said word for word, whatever it means there ("Mes rendez-vous")."""
    return {place for place, one in enumerate(source.terms)
            if one.kind == "content" and source.language != said.language and {fold(word) for word in words(one.text)} <= said.written}  # fmt: skip
