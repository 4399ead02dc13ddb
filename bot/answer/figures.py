"""Whether a sentence's figures are the source's, and stand with the words they belong to."""

from __future__ import annotations

import itertools

from bot.answer.matching import Case
from bot.answer.places import placed
from bot.answer.quantities import same


def figures(case: Case) -> str | None:
    known = [quantity for part in (case.source, case.around) for one in part.terms for quantity in one.quantities]
    for one in case.said.terms:
        for quantity in one.quantities:
            if not any(same(quantity, other) for other in known):
                return f"the passage does not say “{' '.join(filter(None, (quantity.bound, quantity.text, quantity.kind)))}”"
    said = [quantity for one in case.said.terms for quantity in one.quantities]
    for quantity in said:
        if sum(same(quantity, other) for other in said) > sum(same(quantity, other) for other in known):
            return f"it says “{quantity.text}” more often than the passage"
    return None


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


