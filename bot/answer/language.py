"""Which of the configured languages a text is written in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from bot.answer.grammar import PREPOSITIONS
from bot.answer.links import plain
from bot.answer.words import STOP, fold, words

LEAST_LETTERS = 20  # below this, letters tell nothing
LEAST_MARGIN = 0.2  # between the best language's confidence and the next one's
LEAST_BY_LETTERS = 0.05  # that a language keeps whatever the letters say: one foreign name may have them
SMALL_WORD = 4.0  # times as likely is a language by each of its small words: "login" and "reset" are lent, "mein" and "nicht" are not
LONGEST = 1000  # characters by which a text is judged
SMALL_WORDS = {language: frozenset(map(fold, STOP[language] | PREPOSITIONS[language])) for language in STOP}


@lru_cache(maxsize=4)
def _lingua(codes: tuple[str, ...]) -> Any:
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    known = [code for code in codes if hasattr(IsoCode639_1, code.upper())]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*(getattr(IsoCode639_1, code.upper()) for code in known)).build()


STATED = 0.5  # how sure a language is that the text itself does not tell


def language(text: str, languages: Sequence[str], locale: str | None = None) -> str:
    """One of `languages` (ISO 639-1): as written, or when too short or unclear as the requester's locale says, or the first."""
    return detected(text, languages, locale)[0]


def detected(text: str, languages: Sequence[str], locale: str | None = None) -> tuple[str, float]:
    """The language, and how sure that is, 0 to 1."""
    spoken = (locale or "").replace("_", "-").split("-")[0].casefold()
    stated = spoken if spoken in languages else languages[0]
    if len(set(languages)) == 1:
        return stated, 1.0
    likely = _by_letters(text[:LONGEST], languages)
    small = _small_words(text[:LONGEST], languages)
    weighed = {spoken: share * SMALL_WORD ** (small[spoken] - max(small.values())) for spoken, share in likely.items()}
    best, next_best = sorted(weighed, key=lambda spoken: -weighed[spoken])[:2]
    whole = sum(weighed.values())
    if weighed[best] - weighed[next_best] < LEAST_MARGIN * whole:
        return stated, STATED
    return best, round(weighed[best] / whole, 3)


def _by_letters(text: str, languages: Sequence[str]) -> dict[str, float]:
    """How likely each language is by its runs of letters; all the same where there are too few."""
    if sum(char.isalpha() for char in text) < LEAST_LETTERS:
        return dict.fromkeys(languages, 1.0)
    ranked = _lingua(tuple(languages)).compute_language_confidence_values(text)
    told = {str(each.language.iso_code_639_1.name).casefold(): float(each.value) for each in ranked}
    return {spoken: max(told.get(spoken, 0.0), LEAST_BY_LETTERS) for spoken in languages}


def _small_words(text: str, languages: Sequence[str]) -> dict[str, int]:
    """How many small words of each language; a language that we have no list of is not to lose by that.

    One letter is no word: the "e" of "e-mail" is Spanish nowhere.
    """
    found = [fold(word) for word in words(plain(text)) if len(word) > 1]
    counted = {spoken: sum(word in SMALL_WORDS[spoken] for word in found) for spoken in languages if spoken in SMALL_WORDS}
    return dict.fromkeys(languages, max(counted.values(), default=0)) | counted
