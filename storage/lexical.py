"""Texts to words that match: sparse BM25 vectors for the index, and letter sequences to order what it found.

A term is a word, lower-cased, without accents, stemmed, and hashed to 32 bits the same way on every
machine. The index multiplies a query's weights by the inverse document frequency; what is stored here
is BM25's saturated term frequency.

Letter sequences (some characters, across word boundaries) forgive spelling and inflection and hear word
order. In the index they would quadruple its size; scored over the candidates only they rank as well.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

SATURATION = 1.2  # BM25's k1
LENGTH = 0.75  # BM25's b
USUAL_TERMS = 70  # terms in a passage of usual length; a constant, because the index grows while it is written
GRAM = 4  # characters
LONG_GRAM = 6  # characters; what orders a search's finds: nearly a word and its neighbour
OPENING = 16  # words; where a long question says what it wants: the subject, the newest turn
LATER = 0.75  # what all words after the opening weigh together, against the opening's 1

REMEMBERED = 100_000  # tokens of a language whose terms are kept

BORDER, SPACE = 1, 32  # code points
ALONE = 0x2E80  # letters below, but for a few, are folded by themselves: the scripts of Europe and their punctuation
TOGETHER = 0  # in the place of the others
BASE = 0x9E3779B1  # of the polynomial that hashes a sequence

STEMMERS = {"en": "english", "fr": "french", "de": "german", "es": "spanish"}
SMALL_WORDS = {  # folded; too common to tell passages apart, and so a sign of the language
    "en": (
        "a am an and any are as at be because been being but by can could did do does doing don for from get had has have he her his how i"
        " if in into is it its just me my no not of on or our please she should so some such than that the their them then there these they"
        " this those to too us was we were what when where which who why will with would you your"
    ),
    "fr": (
        "a ai alors as au aux avec avez ce cela ces cet cette comment c d dans de des dois doit du elle elles en est et etre eu fait il ils"
        " j je l la le les leur leurs lui m ma mais me mes moi mon n ne nos notre nous on ont ou par pas peut peux plus pour pourquoi qu"
        " quand que quel quelle qui quoi s sa se ses si son sont sur t ta te tes ton tu un une vos votre vous y"
    ),
    "de": (
        "aber als am an auch auf aus bei bin bis bitte da das dass dein dem den der des die dir doch du ein eine einem einen einer eines er"
        " es fur habe haben hat ich ihr ihre ihren im in ist ja kann konnen man mein meine meinem meinen mich mir mit nach nicht noch nur"
        " oder sein sich sie sind so um und uns unser vom von vor war warum was wenn wer wie wir wird wo zu zum zur"
    ),
    "es": (
        "al a como con cual cuando de del desde donde el ella ellos en era es esa ese eso esta este esto fue ha han hay la las le les lo"
        " los mas me mi mis muy no nos o os para pero por porque puede puedo que quien se ser si sin sobre son soy su sus te tengo tiene tu"
        " tus un una uno unos y ya yo"
    ),
}
STOP_WORDS = {language: frozenset(words.split()) for language, words in SMALL_WORDS.items()}

_WORD = re.compile(r"[^\W_]+")
_ASCII_GAPS = {code: " " for code in range(128) if not chr(code).isalnum()}
_FOLDED = bytes(ord(chr(code).lower()) if chr(code).isalnum() or code == BORDER else SPACE for code in range(128)).ljust(256)
_ACCENT = re.compile("[\u0300-\u036f]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # kana, han, hangul: words are not separated by spaces


@dataclass(frozen=True, slots=True)
class Sparse:
    """Weights by term id (unsigned, 32 bits); both tuples have the same length, ids are distinct and ascending."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


def weigh(text: str, language: str | None = None) -> Sparse:
    """A passage's terms with BM25's saturated frequency. `language` is ISO 639-1; without it, it is guessed from the small words."""
    tokens = words(text)
    spoken = language if language in STEMMERS else (guess(tokens) or "en")
    counts = Counter(chain.from_iterable(map(_stems(spoken).__getitem__, tokens)))
    norm = SATURATION * (1 - LENGTH + LENGTH * counts.total() / USUAL_TERMS)
    weights = {count: round(count * (SATURATION + 1) / (count + norm), 4) for count in set(counts.values())}
    ids = sorted(counts)
    return Sparse(tuple(ids), tuple(map(weights.__getitem__, map(counts.__getitem__, ids))))


def ask(text: str, language: str | None = None) -> Sparse:
    """A question's terms, weighed by how often and where it says them.

    When the language is neither told nor guessed, every language's stem of a word is looked for.
    """
    tokens = words(text)
    spoken = language if language in STEMMERS else guess(tokens)
    languages = (spoken,) if spoken else tuple(STEMMERS)
    weights = emphasis(len(tokens))
    wanted: dict[int, float] = {}
    for token, weight in zip(tokens, weights, strict=True):
        for term in {term for name in languages for term in terms(token, name)}:
            wanted[term] = wanted.get(term, 0.0) + weight
    if not wanted:  # a question made of small words alone still asks something
        wanted = {term_id(token): 1.0 for token in tokens}
    ids = sorted(wanted)
    return Sparse(tuple(ids), tuple(wanted[term] for term in ids))


def emphasis(count: int) -> list[float]:
    """The weights of a question's `count` words: those of the opening fully, however many follow.

    A long message or a dialogue, newest turn first, would else be searched by what it mentions most.
    """
    later = count - OPENING
    return [1.0] * min(count, OPENING) + [_later(OPENING, later)] * later


def opening(text: str) -> str | None:
    """The first words of a question that is longer than that; None when it is not."""
    pieces = text.split(maxsplit=OPENING)
    return " ".join(pieces[:OPENING]) if len(pieces) > OPENING else None


def likeness(question: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """How much of the question's letter sequences each text has: BM25 over four-character sequences, with these texts as the corpus."""
    if not texts:
        return np.zeros(0, np.float32)
    wanted = np.unique(_grams(_letters([question])[1:-1], GRAM))
    letters = _letters(texts)
    borders = np.flatnonzero(letters == BORDER)
    return _likeness(wanted, np.ones(len(wanted)), _grams(letters, GRAM), borders[1:], np.diff(borders) - 1.0)


def sequences(texts: Sequence[str]) -> list[NDArray[np.uint32]]:
    """Texts as `echo` reads them, each the hashes of the sequences of its letters, by where they start."""
    letters = _letters(texts)
    borders = np.flatnonzero(letters == BORDER).tolist()
    grams = _grams(letters, LONG_GRAM)
    return [grams[begins + 1 : max(begins + 1, ends - LONG_GRAM + 1)].copy() for begins, ends in pairwise(borders)]


def echo(question: str, texts: Sequence[NDArray[np.uint32]]) -> NDArray[np.float32]:
    """As `likeness`, of texts as `sequences` gives them; each sequence is weighed by how often and where the question has it."""
    if not texts:
        return np.zeros(0, np.float32)
    tokens = words(question)
    grams = _grams(_letters([" ".join(tokens)])[1:-1], LONG_GRAM)
    early = len(" ".join(tokens[:OPENING])) + 2
    weights = np.ones(len(grams))
    weights[early:] = _later(early, len(grams) - early)
    wanted, place = np.unique(grams, return_inverse=True)
    totals = np.zeros(len(wanted))
    np.add.at(totals, place, weights)
    counts = np.array([len(text) for text in texts])
    return _likeness(wanted, totals, np.concatenate(texts), np.cumsum(counts), counts + (LONG_GRAM - 1.0))


def _later(early: int, later: int) -> float:
    return min(1.0, LATER * early / later) if later > 0 else 1.0


def _likeness(
    wanted: NDArray[np.uint32],
    weights: NDArray[np.float64],
    grams: NDArray[np.uint32],
    ends: NDArray[np.int64],
    lengths: NDArray[np.float64],
) -> NDArray[np.float32]:
    """BM25 of the sequences `wanted` (distinct, ascending) over texts, with these texts as the corpus.

    `grams`: the sequences of all texts; `ends`: where in them each text ends; `lengths`: of the texts, in letters.
    """
    texts = len(ends)
    if not len(wanted):
        return np.zeros(texts, np.float32)
    possible = np.zeros(1 << 16, bool)  # a first sieve on 16 bits: few sequences of the texts are the question's
    possible[wanted >> np.uint32(16)] = True
    at = np.flatnonzero(possible[grams >> np.uint32(16)])
    place = np.minimum(np.searchsorted(wanted, grams[at]), len(wanted) - 1)
    true = wanted[place] == grams[at]
    owner = np.searchsorted(ends, at[true], side="right")
    cells = owner * len(wanted) + place[true]
    counts = np.bincount(cells, minlength=texts * len(wanted)).reshape(texts, len(wanted))
    having = (counts > 0).sum(axis=0)
    rarity = np.log1p((texts - having + 0.5) / (having + 0.5))
    norm = SATURATION * (1 - LENGTH + LENGTH * lengths / lengths.mean())
    scores: NDArray[np.float64] = (counts * (SATURATION + 1) / (counts + norm[:, None])) @ (rarity * weights)
    return scores.astype(np.float32)


def fold(text: str) -> str:
    """Lower-cased, without accents."""
    if text.isascii():
        return text.lower()
    lowered = unicodedata.normalize("NFKD", text).lower().replace("ß", "ss")  # taken apart first: some letters only then have a lower case
    return _ACCENT.sub("", unicodedata.normalize("NFKD", lowered))


def words(text: str) -> list[str]:
    """The folded words: runs of letters and digits."""
    folded = fold(text)
    if folded.isascii():  # several times faster than the expression, for the same words
        return folded.translate(_ASCII_GAPS).split()
    return _WORD.findall(folded)


def guess(tokens: Collection[str]) -> str | None:
    """The language whose small words stand out among these folded tokens; None when no language has twice the next one's."""
    distinct = set(tokens)
    found = sorted(((len(distinct & words), name) for name, words in STOP_WORDS.items()), reverse=True)
    best, second = found[0], found[1]
    return best[1] if best[0] > 0 and best[0] >= 2 * second[0] else None


def terms(token: str, language: str) -> tuple[int, ...]:
    """The term ids of one folded token: none for a stop word, its stem's, or one per pair of characters where words are not spaced."""
    return _stems(language)[token]


@cache
def _stems(language: str) -> _Stems:
    return _Stems(language)


class _Stems(dict[str, tuple[int, ...]]):
    """The terms of one language's tokens, worked out when first asked for.

    A stemmer keeps state while it works, so each token has its own: threads may share this.
    """

    def __init__(self, language: str) -> None:
        self._language = language

    def __missing__(self, token: str) -> tuple[int, ...]:
        import snowballstemmer

        if len(self) >= REMEMBERED:
            self.clear()
        if token in STOP_WORDS[self._language]:
            found: tuple[int, ...] = ()
        elif len(token) > 2 and _UNSPACED.search(token):
            found = tuple(term_id(token[at : at + 2]) for at in range(len(token) - 1))
        else:
            found = (term_id(snowballstemmer.stemmer(STEMMERS[self._language]).stemWord(token)),)
        self[token] = found
        return found


def term_id(term: str) -> int:
    """CRC-32: the same on every machine and in every process."""
    return zlib.crc32(term.encode("utf-8", "replace"))


def _letters(texts: Sequence[str]) -> NDArray[np.uint32]:
    """The code points of all texts' words, one space around each word and a border before, between and after the texts.

    One pass over all of them: word by word, as `words` does it, takes several times as long.
    """
    border = chr(BORDER)
    plain = [text if border not in text else text.replace(border, " ") for text in texts]
    joined = f" {border} ".join(["", *plain, ""])[1:-1]
    letters = np.frombuffer(joined.encode().translate(_FOLDED), np.uint8) if joined.isascii() else _folded_points(plain, joined)
    space = letters == SPACE
    space[1:] &= space[:-1]
    space[0] = False
    folded: NDArray[np.uint32] = letters[~space].astype(np.uint32)
    return folded


def _folded_points(texts: Sequence[str], joined: str) -> NDArray[np.uint32]:
    """The joined texts' code points folded; a text with a letter that does not fold by itself is first folded as a whole."""
    points = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32)
    letters = _folds()[np.minimum(points, ALONE)]
    apart = np.flatnonzero(letters == TOGETHER)
    if not len(apart):
        return letters
    ends = np.cumsum([len(text) + 3 for text in texts])  # a border and a space on either side after each
    whole = set(np.searchsorted(ends, apart).tolist())
    border = chr(BORDER)
    plain = [" ".join(words(text)) if at in whole else text for at, text in enumerate(texts)]
    points = np.frombuffer(f" {border} ".join(["", *plain, ""])[1:-1].encode("utf-32-le", "replace"), np.uint32)
    letters = _folds()[np.minimum(points, ALONE)]
    return np.where(letters == TOGETHER, points, letters)


@cache
def _folds() -> NDArray[np.uint32]:
    """By code point what `words` makes of a letter wherever it stands; TOGETHER where that cannot be told of it alone."""
    table = np.full(ALONE + 1, TOGETHER, np.uint32)
    for code in range(ALONE):
        folded = " ".join(words(f"a{chr(code)}a"))  # alone, a letter that parts a word in two looks like a letter
        if len(folded) == 3 and chr(code) != "\N{GREEK CAPITAL LETTER SIGMA}":
            table[code] = ord(folded[1])
    table[BORDER] = BORDER
    return table


def _grams(letters: NDArray[np.uint32], size: int) -> NDArray[np.uint32]:
    """The hash of every sequence of `size` letters, by where it starts: a polynomial, built from those of its two halves."""
    if len(letters) < size:
        return np.zeros(0, np.uint32)
    if size == 1:
        return letters
    first, second = _grams(letters, size // 2), _grams(letters, size - size // 2)
    count = len(letters) - size + 1
    shift = np.uint32(pow(BASE, size - size // 2, 1 << 32))
    hashes: NDArray[np.uint32] = first[:count] * shift + second[size // 2 : size // 2 + count]
    return hashes
