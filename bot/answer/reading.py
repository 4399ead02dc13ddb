"""How a text becomes a statement: word by word, in the light of what it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.answer.claims import Claim, Number, Token, claim
from bot.answer.concepts import LANGUAGES, LONGEST_TERM, SEPARABLE, compound, contrary, every_term, is_act, lists, meanings, term
from bot.answer.grammar import BEFORE_VERBS, DETERMINED, FOREIGN_NUMBERS, LIGHT, OBJECTS, OPENERS, PARTICLES, PREPOSITIONS, VERBAL
from bot.answer.lexicon import MEASURES, WORKING
from bot.answer.links import plain
from bot.answer.operators import is_lone_plus, is_only_but, sign
from bot.answer.quantities import folded, quantities, spelled
from bot.answer.statement import Statement, Term, TermKind
from bot.answer.wordings import reworded
from bot.answer.words import EVERY_STOP, STOP, fold, normal, stem, words

MODAL = frozenset({"can", "must", "should"})
AUXILIARY = frozenset(
    ["be", "is", "are", "been", "get", "etre", "est", "sont", "se", "s", "sich", "wird", "werden", "ser", "son", "estar", "esta"]
)
WORDS: frozenset[int] = frozenset({-1})  # no meaning
LED = 3  # words before a thing among which its preposition stands
GAP = {"en": 4, "de": 14}  # words that may stand between a verb and its particle


def statement(text: str, language: str, wanted: frozenset[int] | None = None) -> Statement:
    """Read in the light of what it is compared with: several words are one term, a compound is whole, where that means something `wanted`.

    A text has few readings: they differ only in its `choices`, and each is kept. `WORDS`: nothing is joined, and no word taken apart.
    """
    if wanted is WORDS:
        return _read(text, language, wanted)
    choices = _row(text, language).choices
    return _read(text, language, wanted if wanted is None and choices else choices & (wanted or frozenset()))


@lru_cache(maxsize=4096)
def possible(text: str, language: str) -> frozenset[int]:
    """All that a text may mean, however it is read."""
    apart = statement(text, language, frozenset())
    shown = words(plain(text))
    row = [stem(word, language) for word in shown]
    whole = [meanings(word, language) for word in shown]
    terms = [many for at in range(len(row)) for many in every_term(row[at : at + LONGEST_TERM], language)]
    joined = [one.meanings for one in statement(text, language).terms]
    return frozenset().union(*(one.meanings for one in apart.terms), *whole, *joined, terms)


@lru_cache(maxsize=4096)
def tongue(text: str, otherwise: str) -> str:
    """The language of a text by its small words and the words the lists know; `otherwise` where none stands out."""
    found = [word.casefold() for word in words(plain(text))]

    def known(language: str) -> float:
        small = sum(word in STOP[language] for word in found)
        return 2 * small + sum(word not in EVERY_STOP and bool(meanings(word, language)) for word in found)

    best = max(LANGUAGES, key=lambda language: (known(language), language == otherwise))
    return best if known(best) > known(otherwise if otherwise in LANGUAGES else best) else (otherwise if otherwise in LANGUAGES else best)


def is_known(word: str, language: str) -> bool:
    """Whether a word is one of a language, small or on the lists."""
    return word.casefold() in STOP.get(language, EVERY_STOP) or bool(meanings(word, language))


@dataclass(frozen=True, slots=True)
class _Atom:
    """A word with what its place tells of it."""

    word: str  # folded
    text: str
    token: Token
    previous: str
    lead: str
    verbal: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """A text's atoms, their folded words and stems.

    `figures`: place -> its term and the places that its measure takes up. `gaps`: place of a verb -> (place of its particle, what both
    mean). `choices`: the meanings that decide how the text is read. `settled`: place -> how many atoms it takes up and the terms it
    gives, where nothing is to be chosen.
    """

    text: str
    language: str
    atoms: tuple[_Atom, ...]
    listed: list[str]
    stems: list[str]
    figures: dict[int, tuple[Term, list[int]]]
    gaps: dict[int, list[tuple[int, frozenset[int]]]]
    choices: frozenset[int]
    settled: dict[int, tuple[int, list[Term]]]


@dataclass(frozen=True, slots=True)
class _Light:
    """What a row is read in: the meanings `wanted` (None: all), and the places that an earlier term took up."""

    wanted: frozenset[int] | None
    used: set[int]

    def wants(self, known: frozenset[int]) -> bool:
        return self.wanted is None or self.wanted == WORDS or bool(known & self.wanted)


@lru_cache(maxsize=2048)
def _row(text: str, language: str) -> _Row:
    taken = claim(spelled(reworded(OPENERS.sub("", normal(plain(text))).replace('"', ""))), language)
    pieces = [(part, token) for token in taken.tokens for part in _pieces(token)]
    listed = [fold(part) for part, _ in pieces]
    atoms = tuple(_atom(pieces, listed, at, language) for at in range(len(pieces)))
    stems = [stem(atom.text, language) for atom in atoms]
    row = _Row(taken.text, language, atoms, listed, stems, dict(_figures(taken, pieces, listed, language)), {}, frozenset(), {})
    row = replace(row, gaps={at: gaps for at in range(len(atoms)) if (gaps := list(_gaps(row, at)))})
    open_places = {at: choices for at in range(len(atoms)) if (choices := _choices(row, at))}
    settled = {at: _expression(row, at, _Light(None, set())) for at in range(len(atoms)) if at not in open_places}
    return replace(row, choices=frozenset().union(*open_places.values()), settled=settled)


def _pieces(token: Token) -> list[str]:
    whole = token.kind in ("number", "code") or fold(token.text).endswith("n't")
    return [token.text] if whole else [part for part in token.text.split("'") if part]


def _atom(pieces: list[tuple[str, Token]], listed: list[str], at: int, language: str) -> _Atom:
    text, token = pieces[at]
    previous = listed[at - 1] if at else ""
    return _Atom(listed[at], text, token, previous, _lead(pieces, listed, at, language), _verbal(pieces, listed, at, language))


def _choices(row: _Row, at: int) -> frozenset[int]:
    """The meanings on which it depends how the row is read from this place on."""
    atom = row.atoms[at]
    several = every_term(row.stems[at : at + LONGEST_TERM], row.language)
    parted = contrary(atom.text, row.language) or (row.language == "de" and compound(atom.text))
    whole = meanings(atom.text, row.language) if parted else frozenset[int]()
    return frozenset().union(several, whole, *(known for _, known in row.gaps.get(at, ())))


@lru_cache(maxsize=4096)
def _read(text: str, language: str, wanted: frozenset[int] | None) -> Statement:
    row, light = _row(text, language), _Light(wanted, set())
    found: list[Term] = []
    at = 0
    while at < len(row.atoms):
        many = 1
        if at in light.used:
            pass
        elif at in row.figures:
            term_of_figure, measure = row.figures[at]
            found.append(term_of_figure)
            light.used.update(measure)
        else:
            many, made = row.settled.get(at) or _expression(row, at, light)
            found.extend(made)
        at += many
    return Statement(row.text, language, tuple(found))


def _verbal(pieces: list[tuple[str, Token]], listed: list[str], at: int, language: str) -> bool:
    """Where only a verb stands, or with a verb's ending; German writes its nouns with a capital."""
    text, token = pieces[at]
    before = listed[at - 1] if at else ""
    opens = not at or pieces[at - 1][1].part != token.part or before in ("and", "then")
    shaped = language in VERBAL and bool(VERBAL[language].search(text))
    return before in BEFORE_VERBS or listed[at].endswith("ed") or shaped or (opens and not listed[at].endswith("ing"))


def _lead(pieces: list[tuple[str, Token]], listed: list[str], at: int, language: str) -> str:
    """The nearest preposition of the last few words of its part."""
    for before in range(at - 1, max(-1, at - 1 - LED), -1):
        if pieces[before][1].part != pieces[at][1].part:
            break
        if listed[before] in PREPOSITIONS.get(language, ()):
            return listed[before]
    return ""


def _figures(
    taken: Claim, pieces: list[tuple[str, Token]], listed: list[str], language: str
) -> Iterator[tuple[int, tuple[Term, list[int]]]]:
    numbers = {(number.place, number.value): number for number in taken.numbers}
    for at, (_, token) in enumerate(pieces):
        number = numbers.get((token.place, token.key)) if token.kind == "number" else None
        if number and listed[at] not in FOREIGN_NUMBERS.get(language, ()):
            measure = _measure(number, pieces, listed, at)
            yield at, (_quantity(number, token, listed, at, measure), measure)


def _quantity(number: Number, token: Token, listed: list[str], at: int, measure: list[int]) -> Term:
    after = listed[(measure[-1] if measure else at) + 1 :][:4]
    return Term("quantity", token.text, frozenset(), frozenset(), False, token.place, token.clause, token.part,
                quantities=quantities(number, folded(listed[max(0, at - 7) : at]), folded(after)))  # fmt: skip


def _measure(number: Number, pieces: list[tuple[str, Token]], listed: list[str], at: int) -> list[int]:
    """The places of the words after a figure that name its measure, with no comma between."""
    for far in (1, 2):
        if at + far >= len(listed) or MEASURES.get(listed[at + far]) is None or pieces[at + far][1].place > pieces[at][1].place + far:
            continue
        if far == 1 or listed[at + 1] in WORKING or " " in number.unit:
            end = at + far + (at + far + 1 < len(listed) and listed[at + far + 1] in WORKING)
            return [*([at + 1] if far == 2 and listed[at + 1] in WORKING else []), *range(at + far, end + 1)]
    return []


def _expression(row: _Row, at: int, light: _Light) -> tuple[int, list[Term]]:
    """How many atoms it takes up, and the terms it gives."""
    atoms, listed, language = row.atoms, row.listed, row.language
    atom = atoms[at]
    if language == "fr" and (is_lone_plus(listed, at) or is_only_but(listed, at)):
        return 1, [_sign(atom, frozenset({"no" if listed[at] == "plus" else "only"}))]
    if (
        language == "fr"
        and listed[at] == "personne"
        and listed[at + 1 : at + 2] in (["ne"], ["n"])
        and listed[at - 1 : at] not in DETERMINED
    ):
        return 1, [_sign(atom, frozenset({"no"}))]
    many, known = term(row.stems[at : at + LONGEST_TERM], language, light.wanted)
    signs = sign(listed, at, language)
    if atom.word == "once" and (at + 1 == len(atoms) or _place(atoms[at + 1]) != _place(atom)):
        signs = None
    if signs and many > signs.words and signs.signs & MODAL:  # "can see" is still what can be
        return signs.words, [_sign(atom, signs.signs, meanings(atom.text, language))]
    if known and (not signs or many > signs.words - (light.wanted is not None and "no" in signs.signs)):
        return many, [_term(atoms[at : at + many], known, language)]
    if gapped := _gapped(row, at, light):
        return 1, [gapped]
    if signs:
        return signs.words, [_sign(atom, signs.signs, meanings(atom.text, language))] if signs.signs else []
    return 1, _word(atom, language, light)


def _term(atoms: Sequence[_Atom], known: frozenset[int], language: str) -> Term:
    """Several words that the lists know as one: no name, and still what its one word of weight means ("is sent", "se conservan")."""
    heavy = [atom for atom in atoms if atom.word not in AUXILIARY]
    if len(atoms) > 1 and len(heavy) == 1:
        known |= meanings(heavy[0].text, language)
    made = _content(atoms[0], known, " ".join(one.text for one in atoms), language)
    return replace(made, literal=False) if len(atoms) > 1 else made


def _place(atom: _Atom) -> tuple[int, int]:
    return atom.token.part, atom.token.clause


def _gapped(row: _Row, at: int, light: _Light) -> Term | None:
    """A verb whose particle stands later, and nothing that another term took up in between."""
    for ahead, known in row.gaps.get(at, ()):
        if light.used.intersection(range(at + 1, ahead + 1)):
            return None
        if light.wants(known) and light.wanted != WORDS:
            light.used.add(ahead)
            return _content(row.atoms[at], known, f"{row.atoms[at].text} {row.atoms[ahead].text}", row.language)
    return None


def _gaps(row: _Row, at: int) -> Iterator[tuple[int, frozenset[int]]]:
    """The particles that may belong to a verb, with what both mean: "turn the printer on", "schicken Sie den Artikel zurück"."""
    atoms, listed, stems, language = row.atoms, row.listed, row.stems, row.language
    if atoms[at].token.kind == "small" or language not in GAP:
        return
    for ahead in range(at + 1, min(len(atoms), at + GAP[language] + 1)):
        if atoms[ahead].token.part != atoms[at].token.part:
            return
        known: frozenset[int] = frozenset()
        if (
            language == "en"
            and (listed[ahead] in PARTICLES or (listed[ahead] == "in" and stems[at] == "let"))
            and ahead > at + 1
            and listed[at + 1] in OBJECTS
        ):
            _, known = term((stems[at], stems[ahead]), language)
        elif language == "de" and atoms[ahead].text in SEPARABLE and atoms[ahead].text not in ("zu",):
            for form in (atoms[at].text.casefold(), atoms[at].text.casefold().removesuffix("t") + "en", atoms[at].text.casefold() + "n"):
                found = lists("de").words.get(stem(atoms[ahead].text + form, "de"), frozenset())
                known = known or (found if is_act(found) else frozenset())
        if known:
            yield ahead, known


def _sign(atom: _Atom, signs: frozenset[str], known: frozenset[int] = frozenset()) -> Term:
    token = atom.token
    return Term(
        "sign", atom.text, known, frozenset(), False, token.place, token.clause, token.part, atom.previous, atom.lead, atom.verbal, signs
    )


def _content(atom: _Atom, known: frozenset[int], text: str, language: str, kind: TermKind = "content") -> Term:
    token = atom.token
    forms = frozenset({f"{language}:{stem(atom.text, language)}", f"={atom.word}"}) if " " not in text else frozenset({f"={fold(text)}"})
    literal = token.kind in ("name", "code")
    return Term(kind, text, known, forms, literal, token.place, token.clause, token.part, atom.previous, atom.lead, atom.verbal)


def _word(atom: _Atom, language: str, light: _Light) -> list[Term]:
    token = atom.token
    known = meanings(atom.text, language)
    small = (
        token.kind == "small"
        or atom.word in STOP.get(language, EVERY_STOP)
        or atom.text.casefold() in STOP.get(language, EVERY_STOP)
        or atom.word in LIGHT.get(language, ())
    )
    if small or (len(atom.word) < 2 and not atom.word.isdigit() and token.kind != "code"):
        return [_content(atom, known, atom.text, language, "light")] if known or atom.word in LIGHT.get(language, ()) else []
    if known and light.wants(known):
        return [_content(atom, known, atom.text, language)]
    if denied := contrary(atom.text, language):
        return [_sign(atom, frozenset({"no"})), _content(atom, meanings(denied, language), denied, language)]
    if language == "de" and (parts := compound(atom.text)):
        return [_content(atom, meanings(part, "de"), f"{part} ", language) for part in parts]
    return [_content(atom, known, atom.text, language)]
