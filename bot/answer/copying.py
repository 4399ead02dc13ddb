"""A sentence that is the passage's own but for a few words: what was exchanged, left out or put in is looked at word by word."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from bot.answer.claims import canonical
from bot.answer.grammar import PREPOSITIONS
from bot.answer.lexicon import MEASURES, WIDENING
from bot.answer.matching import Case
from bot.answer.operators import PERIODS
from bot.answer.statement import related
from bot.answer.words import fold, stem, stop_words

NEAR = 0.72  # share of the sentence's words that stand in the passage in the same order
BY_HALF = 0.5  # ... for two words that changed places to be noticed
WIDER = frozenset({"all", "always", "free", "now", "auto", "sure", "unlimited"})  # of lexicon.WIDENING
JOINING = frozenset(["and", "or", "et", "ou", "und", "oder", "y", "o", ",", "but", "aber", "mais", "pero"])
SINGULAR = frozenset(["one", "each", "every", "a", "an", "un", "une", "chaque", "ein", "eine", "cada"]) | {
    "is",
    "has",
    "was",
    "est",
    "ist",
    "hat",
}
THINGS = frozenset(["it", "them"])
ARTICLES = frozenset(["the", "your", "a", "an"])
CURRENCIES = frozenset({"usd", "eur", "gbp", "chf"})
CONDITIONS = {
    "en": frozenset(["if", "unless", "when", "once", "until", "except", "provided", "as"]),
    "fr": frozenset(["si", "sauf", "lorsque", "quand", "jusqu", "des", "tant"]),
    "de": frozenset(["wenn", "falls", "sofern", "ausser", "bis", "sobald", "solange", "bevor", "nachdem"]),
    "es": frozenset(["si", "salvo", "excepto", "cuando", "hasta", "siempre"]),
}
_PIECE = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+|[$€£%]|[,;]")


@dataclass(frozen=True, slots=True)
class Change:
    """Words of the passage and what stands in their place; either may be empty. `at` is where in the passage, `close` where they end."""

    lost: tuple[str, ...]
    made: tuple[str, ...]
    at: int
    close: int


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[str, ...]:
    return tuple(fold(piece) for piece in _PIECE.findall(text))


@dataclass(frozen=True, slots=True)
class Copy:
    """How a sentence follows a source: the shares of either that stand in the other in the same order, and what was changed."""

    of_said: float
    of_source: float
    changes: tuple[Change, ...]
    source: tuple[str, ...]
    said: tuple[str, ...]


@lru_cache(maxsize=2048)
def _copy(source: str, said: str) -> Copy:
    a, b = _pieces(source), _pieces(said)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    kept = sum(block.size for block in matcher.get_matching_blocks())
    changed = tuple(Change(a[i:j], b[m:n], i, j) for tag, i, j, m, n in matcher.get_opcodes() if tag != "equal")
    return Copy(kept / max(1, len(b)), kept / max(1, len(a)), changed, a, b)


def bent(case: Case) -> str | None:
    """The first fault of a near copy; None where there is none, or where the sentence is in words of its own."""
    if case.cross:
        return None
    copy = _copy(case.source.text, case.said.text)
    return next((why for rule in RULES if (why := rule(case, copy))), None)


def is_whole(case: Case) -> bool:
    """Whether a sentence copies all of its source but for a few words."""
    copy = _copy(case.source.text, case.said.text)
    return not case.cross and min(copy.of_said, copy.of_source) >= NEAR


def _exchanged(case: Case, copy: Copy) -> str | None:
    """Two words that changed places."""
    if copy.of_said < BY_HALF:
        return None
    small = stop_words(case.said.language)
    heavy = [(change, _heavy(change.lost, small), _heavy(change.made, small)) for change in copy.changes]
    for at, (first, lost, made) in enumerate(heavy):
        for second, gone, put in heavy[at + 1 :]:
            crossed = _stems(lost, case) & _stems(put, case) and _stems(gone, case) & _stems(made, case)
            if crossed and set(copy.source[first.close : second.at]) - JOINING:
                return f"it swaps “{min(lost)}” and “{min(gone)}”"
    return None


def _refigured(case: Case, copy: Copy) -> str | None:
    """Another figure or measure in the place of one, or one thing made many where the words around it speak of one."""
    if copy.of_said < NEAR and len(copy.changes) > 1:
        return None
    for change in copy.changes:
        if len(change.lost) != 1 or len(change.made) != 1:
            continue
        lost, made = change.lost[0], change.made[0]
        before, after = copy.source[change.at - 1 : change.at], copy.source[change.close : change.close + 1]
        many = made in {f"{lost}s", lost.removesuffix("s")} - {lost} and bool(SINGULAR.intersection((*before, *after)))
        if many or (_counts(lost) and _counts(made) and _value(lost) != _value(made)):
            return f"it says “{made}” where the passage says “{lost}”"
    return None


def _shuffled(case: Case, copy: Copy) -> str | None:
    """All of the passage's words and no others, in another order than with one stretch moved; a German verb moves too."""
    a, b = ([piece for piece in row if piece not in (",", ";")] for row in (copy.source, copy.said))
    if case.said.language == "de" or Counter(a) != Counter(b) or JOINING.intersection(a):
        return None
    a, b = _unpronounced(a), _unpronounced(b)
    while a and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    moved = not a or any(a[at:] + a[:at] == b for at in range(len(a)))
    return None if moved else "it says the passage's words in another order"


def _unpronounced(row: list[str]) -> list[str]:
    """Without a pronoun and the thing that it stands for, which may change places: "before cleaning the oven, let it cool"."""
    at = next((at for at, piece in enumerate(row) if piece in THINGS), None)
    names = [place for place, piece in enumerate(row[1:], 1) if row[place - 1] in ARTICLES]
    if at is None or len(names) != 1:
        return row
    return [piece for place, piece in enumerate(row) if place not in (at, names[0], names[0] - 1)]


def _shortened(case: Case, copy: Copy) -> str | None:
    """A copy without a stretch that begins with a preposition or a condition's sign."""
    if case.beside.terms or copy.of_said < 1.0 or len(copy.changes) > 2:
        return None
    small = stop_words(case.said.language)
    signs = PREPOSITIONS.get(case.said.language, frozenset()) | CONDITIONS.get(case.said.language, frozenset())
    for change in copy.changes:
        if ";" in (*copy.source[change.at - 1 : change.at], *change.lost[:1]):
            continue  # a statement of its own
        row = tuple(piece for piece in change.lost if piece not in (",", ";"))
        if row and row[0] in signs and (_heavy(row, small) or any(map(_counts, row))):
            return f"it leaves out “{' '.join(row)[:80]}”"
    return None


def _widened(case: Case, copy: Copy) -> str | None:
    """A word of wholeness more often than in the passage: always, free, any."""
    if copy.of_source < NEAR:
        return None
    denied = "no" in case.said.signs()  # "not any" is no more than "not"
    said, told = _wholes(tuple(piece for piece in copy.said if not (denied and piece.startswith("any")))), _wholes(copy.source)
    return next((f"it says more than the passage: {group}" for group in said if said[group] > told[group]), None)


def _wholes(row: tuple[str, ...]) -> Counter[str]:
    return Counter(
        group
        for at, piece in enumerate(row)
        if (group := WIDENING.get(piece)) in WIDER and (piece == "any" or not any(PERIODS.match(after) for after in row[at + 1 : at + 3]))
    )


def _stems(row: frozenset[str], case: Case) -> frozenset[str]:
    return frozenset(stem(piece, case.said.language) for piece in row)


def _replaced(case: Case, copy: Copy) -> str | None:
    """A word in the place of one that means something else, though the passage has it elsewhere."""
    if copy.of_said < NEAR or copy.of_source < BY_HALF:
        return None
    small = stop_words(case.said.language)
    moved = {piece for change in copy.changes for piece in change.made} & {piece for change in copy.changes for piece in change.lost}
    for change in copy.changes:
        lost, made = _heavy(change.lost, small) - moved, _heavy(change.made, small) - moved
        if len(lost) == len(made) == 1 and not _alike(min(lost), min(made), case):
            return f"it says “{min(made)}” where the passage says “{min(lost)}”"
    return None


def _alike(lost: str, made: str, case: Case) -> bool:
    """Whether two words mean the same by the lists or are of one root; small words and parts of longer terms are not judged."""
    ours = [one for one in case.said.of("content") if fold(one.text) == made]
    theirs = [one for one in case.source.of("content") if fold(one.text) == lost]
    if not ours or not theirs:
        return True
    return any(
        one.meanings & other.meanings or one.forms & other.forms or related(one, other, cross=False) for one in ours for other in theirs
    )


RULES = (_exchanged, _replaced, _refigured, _shuffled, _shortened, _widened)


def currencies(case: Case) -> str | None:
    """A currency that the passage does not name, beside a figure or not."""
    known = {MEASURES.get(piece) for part in (case.source, case.around, case.before) for piece in _pieces(part.text)}
    for piece in _pieces(case.said.text):
        if MEASURES.get(piece) in CURRENCIES and MEASURES[piece] not in known:
            return f"the passage does not say “{piece}”"
    return None


def _heavy(row: tuple[str, ...], small: frozenset[str]) -> frozenset[str]:
    return frozenset(piece for piece in row if piece.isalpha() and piece not in small and len(piece) > 1)


def _value(piece: str) -> str:
    return MEASURES[piece] if piece in MEASURES else piece if ":" in piece else canonical(piece)


def _counts(piece: str) -> bool:
    return piece[0].isdigit() or piece in MEASURES
