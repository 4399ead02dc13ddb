"""Which of the configured languages a text is written in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

LEAST_LETTERS = 20  # below this, detection guesses
LEAST_MARGIN = 0.2  # between the best language's confidence and the next one's


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
    if len(languages) == 1:
        return stated, 1.0
    if sum(char.isalpha() for char in text) < LEAST_LETTERS:
        return stated, STATED
    ranked = _lingua(tuple(languages)).compute_language_confidence_values(text[:1000])
    if len(ranked) < 2 or ranked[0].value - ranked[1].value < LEAST_MARGIN:
        return stated, STATED
    return str(ranked[0].language.iso_code_639_1.name).casefold(), round(float(ranked[0].value), 3)
