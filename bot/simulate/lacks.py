"""What agents tell customers and the nearest document does not say."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer.claims import claim, same_number
from bot.answer.words import content_stems

MOST = 6  # sentences
COVERED = 0.6  # share of a sentence's content words that the document must have for saying it, too


def lacks(told: Sequence[str], text: str, language: str) -> list[str]:
    """Of these sentences, those with a figure, or most of their words, that do not stand in the text. Pure."""
    stems, numbers = frozenset(content_stems(text, language)), claim(text, language).numbers
    missing = []
    for sentence in told:
        wanted = content_stems(sentence, language)
        figures = [number for number in claim(sentence, language).numbers if number.unit]
        stated = all(any(same_number(one, number) for one in numbers) for number in figures)
        if not stated or sum(stem in stems for stem in wanted) < COVERED * len(wanted):
            missing.append(sentence)
    return missing[:MOST]
