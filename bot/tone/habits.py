"""What a team's manner can be counted by: length, greeting, sign-off, exclamation marks, and how hard it is to read."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bot.answer.words import sentences
from bot.tone.cleaning import is_greeting

# Reading ease: constant - words * words per sentence - syllables * syllables per word. English: Flesch 1948; French: Kandel and
# Moles 1958; German: Amstad 1978; Spanish: Fernández Huerta 1959 (in its corrected form). Higher is easier.
EASE = {"en": (206.835, 1.015, 84.6), "fr": (207.0, 1.015, 73.6), "de": (180.0, 1.0, 58.5), "es": (206.84, 1.02, 60.0)}
_VOWELS = re.compile(r"[aeiouyàâäáéèêëíîïìóôöòúùûüœæ]+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Habits:
    """Of several texts in one language. Shares are 0 to 1, `words` a median, `ease` a mean reading ease (None: no formula)."""

    n: int
    words: float
    greets: float
    signs_off: float
    exclaims: float
    words_per_sentence: float
    ease: float | None

    def row(self) -> dict[str, float | int | None]:
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(self).items()}


def habits(texts: Sequence[str], language: str) -> Habits:
    """Raises ValueError without a text."""
    if not texts:
        raise ValueError("no text, no habits")
    lengths = [len(_WORD.findall(text)) for text in texts]
    ends = [_ends(text) for text in texts]
    easy = [value for text in texts if (value := reading_ease(text, language)) is not None]
    return Habits(
        len(texts),
        float(statistics.median(lengths)),
        statistics.fmean(greets for greets, _ in ends),
        statistics.fmean(closes for _, closes in ends),
        statistics.fmean("!" in text for text in texts),
        statistics.fmean(size for text in texts for size in _sizes(text)) if any(map(_sizes, texts)) else 0.0,
        statistics.fmean(easy) if easy else None,
    )


def reading_ease(text: str, language: str) -> float | None:
    """None for a language without a formula, and for a text without words."""
    sizes = _sizes(text)
    if language not in EASE or not sizes:
        return None
    constant, by_length, by_syllables = EASE[language]
    words = _WORD.findall(text)
    syllables = sum(_syllables(word, language) for word in words)
    return constant - by_length * len(words) / len(sizes) - by_syllables * syllables / len(words)


def _syllables(word: str, language: str) -> int:
    """Groups of vowels; a silent e at an English or French word's end is none."""
    groups = len(_VOWELS.findall(word))
    silent = language in ("en", "fr") and groups > 1 and re.search(r"[^aeiouyl]e$", word, re.IGNORECASE) is not None
    return max(1, groups - silent)


def _sizes(text: str) -> list[int]:
    """Words of each sentence of the body; greeting and sign-off are none."""
    found = (len(_WORD.findall(sentence)) for part in _body(text) for line in part.split("\n") for sentence in sentences(line))
    return [size for size in found if size > 1]


def _body(text: str) -> list[str]:
    greets, closes = _ends(text)
    return _paragraphs(text)[int(greets) : -1 if closes else None]


def _ends(text: str) -> tuple[bool, bool]:
    """Whether it greets, and whether it ends with a formula of its own: a last paragraph of a few words that is no sentence."""
    paragraphs = _paragraphs(text)
    if not paragraphs:
        return False, False
    last = paragraphs[-1].split("\n")[0]
    closes = len(paragraphs) > 1 and len(last.split()) <= 5 and not last.endswith((".", "?", ":")) and not re.search(r"\d", last)
    return is_greeting(paragraphs[0].split("\n")[0].strip()), closes


def _paragraphs(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
