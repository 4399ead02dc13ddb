"""Whether two texts are copies of each other: what was pasted from the helpdesk into the wiki, give or take a word."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from bot.answer.lexicon import MEASURES, NARROWING, POLARITY, WIDENING
from storage.lexical import words

DIFFERING = 0.1  # of both texts' words
CLAIMING = frozenset((*POLARITY, *WIDENING, *NARROWING, *MEASURES))  # one of these more or less, and it is another statement


def is_copy(one: str, other: str) -> bool:
    """The same words but for a few, none of which is a figure, a negation, a measure or changes how far a statement goes."""
    ours, theirs = _counted(one), _counted(other)
    size = ours.total() + theirs.total()
    if not size or abs(ours.total() - theirs.total()) > DIFFERING * size:
        return False
    differing = (ours - theirs) + (theirs - ours)
    return differing.total() <= DIFFERING * size and not any(
        word in CLAIMING or any(letter.isdigit() for letter in word) for word in differing
    )


@lru_cache(maxsize=512)
def _counted(text: str) -> Counter[str]:
    return Counter(words(text))
