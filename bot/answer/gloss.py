# ruff: noqa: E501 (word lists read better unbroken)
"""A question put word by word into the language that the articles are written in, by the lists of meanings: enough to search with.

Nobody is shown it. The embedder of an installation may know one language well, and no embedder and no index of words finds an English
article by a German word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from bot.answer.concepts import LANGUAGES, LONGEST_TERM, compound, glosses, meanings, term
from bot.answer.grammar import LIGHT
from bot.answer.words import STOP, fold, stem, words

LEAST_KNOWN = 0.5  # of a question's words of weight, for the rest to make sense
MOST_SENSES = 2  # of a word
# What asks: the kind of answer hangs on it. The first of each is how the language puts it.
INTERROGATIVES: dict[str, dict[str, tuple[str, ...]]] = {
    "how long": {"en": ("how long",), "fr": ("combien de temps",), "de": ("wie lange",), "es": ("cuánto tiempo", "cuánto dura", "cuánto tarda")},
    "how much": {"en": ("how much",), "fr": ("combien coûte", "combien"), "de": ("wie viel", "wieviel"), "es": ("cuánto cuesta", "cuánto")},
    "how many": {"en": ("how many",), "fr": ("combien de",), "de": ("wie viele", "wieviele", "wie vielen"), "es": ("cuántos", "cuántas")},
    "when": {"en": ("when",), "fr": ("quand",), "de": ("wann",), "es": ("cuándo",)},
    "where": {"en": ("where",), "fr": ("où",), "de": ("wo",), "es": ("dónde",)},
    "who": {"en": ("who",), "fr": ("qui",), "de": ("wer",), "es": ("quién",)},
    "why": {"en": ("why",), "fr": ("pourquoi",), "de": ("warum",), "es": ("por qué",)},
    "how": {"en": ("how",), "fr": ("comment",), "de": ("wie",), "es": ("cómo",)},
}


def glossed(text: str, language: str, into: str) -> str | None:
    """The text in the words of another language; None where too few are known, or a language has no lists."""
    if language == into or not {language, into} <= set(LANGUAGES):
        return None
    found = list(_words(text, language, into))
    heavy = [known for known, _ in found if known is not None]
    if not heavy or sum(heavy) < LEAST_KNOWN * len(heavy):
        return None
    return " ".join(said for _, said in found if said) + ("?" if "?" in text else "")


def main_language(spoken: Iterable[str | None], language: str) -> str | None:
    """The language that most of what was found is written in; None where some of it is in the asked one."""
    counted = Counter(one for one in spoken if one in LANGUAGES)
    return None if language in counted or not counted else counted.most_common(1)[0][0]


def _words(text: str, language: str, into: str) -> Iterator[tuple[bool | None, str]]:
    """Each word, or term of several, in the other language; whether it was known (None: it has no weight)."""
    said = words(text)
    stems = [stem(word, language) for word in said]
    at = 0
    while at < len(said):
        many, asked = _asks(said, at, language, into)
        if many:
            yield None, asked
        elif (joined := term(stems[at : at + LONGEST_TERM], language))[0] > 1:
            many = joined[0]
            yield True, _of(joined[1], into)
        else:
            many = 1
            yield _word(said[at], language, into)
        at += many


def _word(word: str, language: str, into: str) -> tuple[bool | None, str]:
    if word.casefold() in STOP[language] or fold(word) in LIGHT[language]:
        return None, ""
    known = meanings(word, language)
    if known:
        return True, _of(known, into)
    parts = compound(word) if language == "de" else ()
    if parts:
        return True, " ".join(_of(meanings(part, "de"), into) for part in parts)
    return word[0].isupper() or any(char.isdigit() for char in word) or bool(meanings(word, into)), word


def _of(known: frozenset[int], into: str) -> str:
    """The commonest senses, each by its first word: the lists begin with what is said most."""
    return " ".join(list(dict.fromkeys(said for meaning in sorted(known) if (said := glosses(meaning, into))))[:MOST_SENSES])


def _asks(said: Sequence[str], at: int, language: str, into: str) -> tuple[int, str]:
    """How many words from here on ask, and with what the other language does; 0 where they do not."""
    for phrase, target in _askers(language, into):
        if tuple(fold(word) for word in said[at : at + len(phrase)]) == phrase:
            return len(phrase), target
    return 0, ""


@lru_cache(maxsize=16)
def _askers(language: str, into: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    """(the words, folded; what they are in the other language), longest first."""
    found = {tuple(fold(word) for word in form.split()): forms[into][0] for forms in INTERROGATIVES.values() for form in forms[language]}
    return tuple(sorted(found.items(), key=lambda item: -len(item[0])))
