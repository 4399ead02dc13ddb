"""Whether the knowledge contradicts what a draft says: the same subject, in another document, with another figure or a "not"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.answer.check import Verdict
from bot.answer.claims import Claim, Number, claim, glue, same_number
from bot.answer.lexicon import MEASURES, POLARITY, WORKING
from bot.answer.retrieve import Passage
from bot.answer.units import units
from bot.answer.words import fold, sentences

ALIKE = 0.6  # share of the shorter sentence's content words that the other one must have to be about the same
LEAST_SHARED = 3  # content words
TELLING = ("statement", "step", "row")


@dataclass(frozen=True, slots=True)
class Conflict:
    """`said` stands in the draft and in `source`, `other` in `rival`, a document that the draft does not cite for it."""

    said: str
    source: Passage
    other: str
    rival: Passage
    why: str


def conflicts(verdict: Verdict, cited: Sequence[Passage], found: Sequence[Passage]) -> tuple[Conflict, ...]:
    """The first contradiction of each sentence; `found`: what else the same customer may read about it."""
    told: list[Conflict] = []
    for sentence in verdict.sentences:
        if sentence.kind not in TELLING or not sentence.supported:
            continue
        sources = [cited[marker - 1] for marker in sentence.citations]
        own = {source.document for source in sources}
        for passage in found:
            if not sources or passage.document in own or passage.language != sources[0].language:
                continue
            if contradiction := _first(sentence.text, sources[0], passage):
                told.append(contradiction)
                break
    return tuple(told)


def _first(text: str, source: Passage, rival: Passage) -> Conflict | None:
    for piece in sentences(text):
        said = claim(piece, rival.language)
        for window in windows(rival.text):
            why = differ(said, claim(window, rival.language), rival.language)
            if why:
                return Conflict(piece, source, window, rival, why)
    return None


def differ(said: Claim, other: Claim, language: str | None) -> str | None:
    """Why two sentences about the same cannot both hold; None when they can, or are not about the same."""
    mine, theirs = subject(said, language), subject(other, language)
    shared = mine & theirs
    if len(shared) < LEAST_SHARED or len(shared) < ALIKE * min(len(mine), len(theirs)):
        return None
    for number in said.numbers:
        rivals = [rival for rival in other.numbers if rival.unit == number.unit]
        if number.unit and _one_against_one(number, rivals) and _same_case(said, other, number, rivals[0]):
            return f"“{number.text} {number.unit}” here, “{rivals[0].text} {rivals[0].unit}” there"
    if mine == theirs and not said.numbers and _negated(said) != _negated(other):
        return "one says it, the other denies it"
    return None


def _one_against_one(number: Number, rivals: Sequence[Number]) -> bool:
    """Of several figures nobody knows which one would be meant."""
    return len(rivals) == 1 and number.value != rivals[0].value


def _same_case(said: Claim, other: Claim, number: Number, rival: Number) -> bool:
    """Another figure that differs too (“a team of 200”, “a team of 2,000”) tells two cases apart, which may well have two answers."""
    rest = [one for one in said.numbers if one is not number]
    return all(any(same_number(one, its) for its in other.numbers if its is not rival) for one in rest)


def subject(said: Claim, language: str | None) -> frozenset[str]:
    """What it is about: its content words without the units, which the figures bring along."""
    measured = {token.key for token in said.tokens if fold(token.text) in MEASURES or fold(token.text) in WORKING}
    return said.keys("word", "name", "code") - glue(language) - measured


def _negated(said: Claim) -> bool:
    return any(token.key in POLARITY for token in said.tokens)


@lru_cache(maxsize=2048)
def windows(markdown: str) -> tuple[str, ...]:
    """Its sentences, one after another; headings and code are none."""
    return tuple(_pieces(markdown))


def _pieces(markdown: str) -> Iterator[str]:
    for unit in units(markdown):
        if unit.kind not in ("heading", "code"):
            yield from sentences(unit.text)
