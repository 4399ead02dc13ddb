# ruff: noqa: E501 (word lists read better unbroken)
"""Which words of four languages mean the same: the lists of `concepts.txt`, by stem, terms of several words included."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from bot.answer.words import fold, normal, stem, stems

LANGUAGES = ("en", "fr", "de", "es")
LONGEST_TERM = 6  # words
LEAST_COMPOUND = 8  # letters of a German word that may be two
LINKS = ("", "s", "n", "en", "es", "e", "er")  # between the parts of a German compound
JOINTS = str.maketrans("'’-", "___")  # between the words of one term
LEAST_PREFIX = 2  # letters
GERMAN_VERBS = ("t", "et", "te", "ten", "st", "est", "end", "ende", "enden", "ender", "endes")  # endings, for "en"
# Parts that turn a word into its contrary, where the rest is a word of its own: "unopened", "inutilisé".
CONTRARY = {"en": ("un", "in", "non"), "fr": ("in", "im", "non"), "de": ("un", "nicht"), "es": ("in", "no")}
# Before a German verb: "aufgezeichnet" is "aufzeichnen".
SEPARABLE = ("ab", "an", "auf", "aus", "bei", "ein", "hoch", "her", "herunter", "hinzu", "mit", "nach", "um", "vor", "zu", "zurück", "zusammen", "weiter", "wieder")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lists:
    """`terms` by the stems of their first two words: the stems of the whole term and its meaning. `verbs` are the meanings that are acts."""

    words: dict[str, frozenset[int]]
    terms: dict[tuple[str, ...], tuple[tuple[tuple[str, ...], int], ...]]
    verbs: frozenset[int]


def atoms(text: str) -> list[str]:
    return [fold(part) for part in re.findall(r"[^\W_]+", normal(text))]


@lru_cache(maxsize=1)
def _rows() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(section, columns) of each line."""
    section, found = "", []
    for line in (files("bot.answer") / "concepts.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[] ")
        elif line.strip() and not line.startswith("#") and section != "forms":
            found.append((section, tuple(column.strip() for column in line.split("|"))))
    return tuple(found)


@lru_cache(maxsize=1)
def _irregular() -> dict[str, dict[str, str]]:
    """Language -> an irregular form -> the word it is of."""
    found: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    text = (files("bot.answer") / "concepts.txt").read_text(encoding="utf-8").partition("[forms]")[2]
    for line in text.splitlines():
        language, _, rest = line.partition(" ")
        for group in rest.split("|"):
            for form in group.split()[1:]:
                found[language].setdefault(form, group.split()[0])
    return found


@lru_cache(maxsize=8)
def lists(language: str) -> Lists:
    at = LANGUAGES.index(language) if language in LANGUAGES else 0
    entries = [(meaning, [part for part in entry.split("_") if part])
               for meaning, (_, columns) in enumerate(_rows()) if at < len(columns) for entry in columns[at].translate(JOINTS).split()]  # fmt: skip
    stemmed = stems([part for _, parts in entries for part in parts], language)
    words: dict[str, set[int]] = {}
    terms: dict[tuple[str, ...], list[tuple[tuple[str, ...], int]]] = {}
    for meaning, entry in entries:
        if len(entry) == 1:
            words.setdefault(stemmed[entry[0]], set()).add(meaning)
        else:
            parts = tuple([stemmed[part] for part in entry])
            terms.setdefault(parts[:2], []).append((parts, meaning))
    verbs = frozenset(meaning for meaning, (section, _) in enumerate(_rows()) if section == "verbs")
    ordered = {first: tuple(sorted(found, key=lambda term: -len(term[0]))) for first, found in terms.items()}
    return Lists({word: frozenset(found) for word, found in words.items()}, ordered, verbs)


def glosses(meaning: int, language: str) -> str:
    """The first word or term of a meaning in a language; empty where it has none."""
    columns, at = _rows()[meaning][1], LANGUAGES.index(language)
    first = columns[at].split()[:1] if at < len(columns) else []
    return first[0].replace("_", " ") if first else ""


def is_act(known: frozenset[int]) -> bool:
    """Whether a word can only mean that something is done."""
    return bool(known) and known <= lists("en").verbs


def term(stems: Sequence[str], language: str, wanted: frozenset[int] | None = None) -> tuple[int, frozenset[int]]:
    """How many of these stems, from the first, are one term, and its meanings (of the wanted ones); 0 where none begins here."""
    best, meanings = 0, set()
    row = tuple(stems)
    for parts, meaning in lists(language).terms.get(row[:2], ()):
        if len(parts) >= best and row[: len(parts)] == parts and (wanted is None or meaning in wanted):
            best = len(parts)
            meanings.add(meaning)
    return best, frozenset(meanings)


def every_term(stems: Sequence[str], language: str) -> Iterator[int]:
    """The meanings of all terms of several words, long or short, that begin with the first of these stems."""
    row = tuple(stems)
    yield from (meaning for parts, meaning in lists(language).terms.get(row[:2], ()) if row[: len(parts)] == parts)


@lru_cache(maxsize=32768)
def meanings(word: str, language: str) -> frozenset[int]:
    """Of one word, inflected as it may be; nothing for a word that the lists do not know."""
    known = lists(language).words
    return frozenset().union(*(known.get(stem(form, language), frozenset[int]()) for form in _forms(word.casefold(), language)))


def _forms(word: str, language: str) -> Iterator[str]:
    yield word
    if root := _irregular().get(language, {}).get(word):
        yield root
    if language == "de":
        for ending in GERMAN_VERBS:
            if word.endswith(ending) and len(word) > max(4, len(ending) + 2):
                yield word[: -len(ending)] + "en"
        bare = re.sub(rf"^({'|'.join(SEPARABLE)})?(?:ge|zu)(?=\w{{4}})", r"\1", word)
        if bare != word:
            yield from (bare, re.sub(r"(?:e?t|e?te[nrs]?)$", "en", bare), re.sub(r"(?:en[ermns]?|e[nrs]?)$", "en", bare))
    if language == "fr" and (found := re.search(r"(?:ons|ez|ent|es|e|era|eront|erez|ait|aient|ant)$", word)) and len(word) > 5:
        yield from (word[: found.start()] + "er", word[: found.start()] + "ir", word[: found.start()] + "re")
    if language == "fr" and (found := re.search(r"(?:ue?s?|(?<=[dt]))$", word)) and len(word) > 4:
        yield from (word[: found.start()] + "re", word[: found.start()] + "ir")
    if language == "es" and word.endswith(("lo", "la", "los", "las", "se")) and len(word) > 6:
        yield from (re.sub(r"(?:l[oa]s?|se)$", "", word), re.sub(r"(?:l[oa]s?|se)$", "", word) + "r")
    if language == "en" and word.endswith("ing") and len(word) > 5:
        yield from (word[:-3], word[:-3] + "e")
    yield from _prefixed(word, language)
    again = re.match(r"^r[ée]-?(?=\w{5})", word)
    if again and language != "de":
        yield from _forms(word[again.end() :], language)


def _prefixed(word: str, language: str) -> Iterator[str]:
    """A prefix leaves an irregular verb as irregular as it is: "repris" is of "reprendre" as "pris" is of "prendre"."""
    irregular = _irregular().get(language, {})
    for cut in range(LEAST_PREFIX, len(word) - LEAST_PREFIX):
        if root := irregular.get(word[cut:]):
            yield word[:cut] + root


@lru_cache(maxsize=8192)
def contrary(word: str, language: str) -> str | None:
    """The word that this one denies ("unopened": "opened"), where the lists know that one."""
    for part in CONTRARY.get(language, ()):
        rest = word.casefold().removeprefix(part)
        if rest != word.casefold() and len(rest) > 3 and meanings(rest, language):
            return rest
    return None


@lru_cache(maxsize=8192)
def compound(word: str) -> tuple[str, ...]:
    """The known words that a German compound is made of; nothing where it is none."""
    word = word.casefold()
    if len(word) < LEAST_COMPOUND:
        return ()
    for cut in range(len(word) - 3, 2, -1):
        right = word[cut:]
        if not meanings(right, "de"):
            continue
        for link in LINKS:
            left = word[:cut].removesuffix(link) if link else word[:cut]
            if len(left) < 3 or (link and not word[:cut].endswith(link)):
                continue
            if meanings(left, "de"):
                return (left, right)
            if further := compound(left):
                return (*further, right)
    return ()


def can_be_act(known: frozenset[int]) -> bool:
    return bool(known & lists("en").verbs)


@lru_cache(maxsize=1)
def _names() -> frozenset[int]:
    return frozenset(meaning for meaning, (section, _) in enumerate(_rows()) if section == "names")


def is_name(known: frozenset[int]) -> bool:
    """Whether a meaning is one that languages name differently: days of the week, countries."""
    return bool(known & _names())
