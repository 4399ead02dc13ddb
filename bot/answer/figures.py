"""Whether a sentence's figures are the source's, and stand with the words they belong to."""

from __future__ import annotations

import itertools
import re

from bot.answer.lexicon import ARTICLE_LIKE, NUMBER_WORDS
from bot.answer.matching import Case
from bot.answer.places import placed
from bot.answer.quantities import same
from bot.answer.statement import Term

_LETTERS = "|".join(sorted({*NUMBER_WORDS, "one"} - (ARTICLE_LIKE - {"one"}), key=len, reverse=True))
LABEL = re.compile(rf"\b(?:{_LETTERS}) \d+(?![\d.,:%/-]*[\d%])\b", re.IGNORECASE)


def figures(case: Case) -> str | None:
    known = [quantity for part in (case.source, case.around) for one in part.terms for quantity in one.quantities]
    for one in case.said.terms:
        for quantity in one.quantities:
            if not any(same(quantity, other) for other in known) and not case.span(quantity):
                return f"the passage does not say “{' '.join(filter(None, (quantity.bound, quantity.text, quantity.kind)))}”"
    said = [quantity for one in case.said.terms for quantity in one.quantities]
    for quantity in said:
        if sum(same(quantity, other) for other in said) > sum(same(quantity, other) for other in known) and not case.span(quantity):
            return f"it says “{quantity.text}” more often than the passage"
    return _labelled(case) or _parted(case) or _celled(case)


def _celled(case: Case) -> str | None:
    """In a row a figure goes with its own column's name: "Time: 2 days; Price: 6.50" says no price of 2 days."""
    if case.kind != "row":
        return None
    places, terms = placed(case), case.source.terms
    for at, one in enumerate(case.said.terms):
        cells = {terms[place].part for place in _spots(case, one)}
        named = {
            terms[place].part
            for near, other in enumerate(case.said.terms)
            if near != at and other.clause == one.clause
            for place in places[near]
            if terms[place].part % 2 == 0
        }
        if cells and named and not {cell - 1 for cell in cells if cell % 2} & named and all(cell % 2 for cell in cells):
            return f"“{one.text}” stands in another column"
    return None


def _labelled(case: Case) -> str | None:
    """A number in letters and one in digits side by side number something together ("Item one 2")."""
    said, source = (LABEL.findall(part.text) for part in (case.said, case.source))
    foreign = [label for label in said if label not in source]
    return f"the passage does not say “{foreign[0]}”" if foreign else None


def _parted(case: Case) -> str | None:
    """Two figures side by side, which two sentences of the passage hold: "one 2" is not said by "one 1. Two"."""
    if case.kind != "pair":
        return None
    for first, second in itertools.pairwise(case.said.terms):
        left, right = _spots(case, first), _spots(case, second)
        if left and right and not {case.source.terms[at].part for at in left} & {case.source.terms[at].part for at in right}:
            return f"“{first.text}” and “{second.text}” stand in two sentences of the passage"
    return None


def _spots(case: Case, one: Term) -> list[int]:
    """The places of a figure in the source."""
    known = enumerate(case.source.terms)
    return [at for at, other in known if any(same(each, its) for each in one.quantities for its in other.quantities)]


def attachment(case: Case) -> str | None:
    """Each figure with the words it belongs to: where several of a kind stand in the source, those of its own clause are said with it."""
    places, terms = placed(case), case.source.terms
    said = [quantity for one in case.said.terms for quantity in one.quantities]
    for at, one in enumerate(case.said.terms):
        for quantity in one.quantities:
            own = [place for place, other in enumerate(terms) if any(same(quantity, each) for each in other.quantities)]
            rivals = [place for place, other in enumerate(terms)
                      if any(each.kind == quantity.kind and each.amount != quantity.amount for each in other.quantities)]  # fmt: skip
            if not own or not rivals:
                continue
            both = any(same(each, other) for place in rivals for other in terms[place].quantities for each in said)
            near = sorted(
                (near for near, term in enumerate(case.said.terms)
                 if places[near] and term.kind == "content" and (term.clause == one.clause if both else term.part == one.part)),
                key=lambda near: abs(near - at),
            )  # fmt: skip
            votes = [_vote(case, places[near], own, rivals, strictly=both) for near in near[:4]]
            things = [vote for vote, near in zip(votes, near[:4], strict=True) if not case.said.terms[near].act]
            if votes and (sum(votes) < 0 or (both and -1 in things[:1])):
                return f"“{one.text}” belongs to something else in the passage than “{case.said.terms[near[0]].text}”"
    return _crossed(case)


def _crossed(case: Case) -> str | None:
    """Two figures of a kind in one clause of the source, said in the other order."""
    order = [
        (quantity, place, one.text)
        for one in case.said.terms
        for quantity in one.quantities
        for place, other in enumerate(case.source.terms)
        if any(same(quantity, each) for each in other.quantities)
    ]
    for first, second in itertools.pairwise(order):
        clauses = {case.source.terms[first[1]].clause, case.source.terms[second[1]].clause}
        if first[0].kind == second[0].kind and first[0].amount != second[0].amount and len(clauses) == 1 and first[1] > second[1]:
            return f"it swaps “{first[2]}” and “{second[2]}”"
    return None


def _vote(case: Case, spots: tuple[int, ...], own: list[int], rivals: list[int], *, strictly: bool) -> int:
    """1 where the word stands with the figure in the source, -1 where it stands with a rival; `strictly`: by clauses alone."""
    terms = case.source.terms

    def far(place: int, spot: int) -> int:
        return abs(place - spot) + 3 * abs(terms[place].clause - terms[spot].clause)

    if strictly:
        mine = not any(terms[place].clause == terms[spot].clause for spot in spots for place in own)
        theirs = not any(terms[place].clause == terms[spot].clause for spot in spots for place in rivals)
    else:
        near, rival = (min(far(place, spot) for spot in spots for place in group) for group in (own, rivals))
        return (near < rival) - (rival < near)
    return (mine < theirs) - (theirs < mine)


