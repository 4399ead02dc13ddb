# ruff: noqa: E501 (word lists)
"""A sentence taken apart for comparison with another, be it of another language: meanings, signs and quantities in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property, lru_cache
from typing import Literal

from bot.answer.claims import Claim, Number, Token, claim
from bot.answer.concepts import LANGUAGES, SEPARABLE, can_be_act, compound, contrary, is_act, lists, meanings, term
from bot.answer.lexicon import MEASURES, WORKING
from bot.answer.links import plain
from bot.answer.operators import is_lone_plus, is_only_but, sign
from bot.answer.quantities import Quantity, folded, quantities, spelled
from bot.answer.words import EVERY_STOP, STOP, fold, normal, stem, words

TermKind = Literal["content", "light", "sign", "quantity"]
DETERMINED = (["la"], ["une"], ["cette"], ["chaque"], ["toute"], ["autre"], ["meme"])
PARTICLES = frozenset({"on", "off", "up", "out", "back"})
OBJECTS = frozenset({"the", "a", "an", "your", "it", "them", "this", "that", "each", "any", "its", "their", "our", "you", "us", "me", "him", "her", "people"})
BEFORE_VERBS = frozenset(["to", "can", "could", "may", "might", "must", "should", "will", "would", "not", "cannot", "don't", "doesn't", "please", "you", "we", "they", "i", "never", "be", "been"])
GAP = 4  # words that may stand between a verb and its particle
FOREIGN_NUMBERS = {"es": frozenset(), "fr": frozenset({"dos", "once", "tres", "mil", "elf", "die"}), "en": frozenset({"once", "dos", "an", "mil", "elf", "six"} - {"six"}), "de": frozenset({"dos", "once", "mil"})}
LEAST_COGNATE = 5  # letters
ALIKE_LETTERS = 0.76
NOUN = re.compile(r"(?:ions?|ments?|[ae]nces?|ures?|ung|ungen|ciones|age|ity|ites?)$")  # an act made a thing: "connection"
# What a paraphrase may add or leave out: it claims nothing of its own.
LIGHT_WORDS = {
    "en": """please simply just then next here there kindly note also follow following way case thing order able happy sure so that its own one ones like such as
        well too even already still yet therefore thus however sorry thanks hello dear course fact moreover keep mind means be being been is are was were has
        have had having get gets getting got do does did doing done make makes making let lets us take back together along respectively currently format
        version find finds found use uses using remain remains stay stays give gives during since about at least most within inside per""",
    "fr": """veuillez bout simplement alors puis donc voici ainsi afin cas chose bien merci bonjour etre est sont ete ayant avoir ont a avez faire fait faites peut-etre
        deja encore toutefois cependant celui celle ceux celles lors etant dessus dont lequel laquelle partir lieu disposez notamment aussi compter delai eux
        depuis pendant environ durant format version trouver trouve trouvez trouvent utiliser utilise utilisez rester reste restent donner donnez chez
        moyennant au moins""",
    "de": """bitte liegt liegen darin einfach dann dazu so also fall weise sache sein ist sind war waren wird werden wurde haben hat hatte tun machen lassen nun bereits noch jedoch
        danke guten tag davon daran damit dabei dafur uns eben zuruck hierzu dieser bei steht stehen finden findet befindet befinden bleiben bleibt geben gibt
        verwenden nutzen gegen seit etwa format version innerhalb binnen pro""",
    "es": """tomar por favor simplemente entonces luego asi caso cosa gracias hola ser es son esta estan fue sido haber ha han tener tiene hacer hace ya todavia
        sin-embargo ello cual partir dispone vuelva plazo dentro encontrar utilizar usar dar ellos ellas ella desde durante formato contra quedar""",
}
LIGHT = {language: frozenset(fold(word) for word in listed.split()) for language, listed in LIGHT_WORDS.items()}


@dataclass(frozen=True, slots=True)
class Term:
    """`meanings` across languages; `forms` its stems and spelling; `literal`: a name or code, which stands as written."""

    kind: TermKind
    text: str
    meanings: frozenset[int]
    forms: frozenset[str]
    literal: bool
    place: int
    clause: int
    part: int
    verbal: bool = False  # stands where only a verb stands: "to book", "can book", "booked"
    signs: frozenset[str] = frozenset()
    quantities: tuple[Quantity, ...] = ()

    @property
    def act(self) -> bool:
        return is_act(self.meanings) and not NOUN.search(fold(self.text))


    @property
    def acting(self) -> bool:
        return self.act or (self.verbal and can_be_act(self.meanings))


@dataclass(frozen=True)
class Statement:
    text: str
    language: str
    terms: tuple[Term, ...]

    @cached_property
    def written(self) -> frozenset[str]:
        return frozenset(fold(word) for word in words(self.text))

    @cached_property
    def _places(self) -> dict[int | str, tuple[int, ...]]:
        """Meaning or form -> the places of the terms that have it."""
        found: dict[int | str, list[int]] = {}
        for place, one in enumerate(self.terms):
            if one.kind != "quantity":
                keys: tuple[int | str, ...] = (*one.meanings, *one.forms)
                for key in keys:
                    found.setdefault(key, []).append(place)
        return {key: tuple(places) for key, places in found.items()}

    def likes(self, one: Term, language: str) -> tuple[int, ...]:
        """The places of this statement's terms that say the same as a term of one in `language`."""
        cross = language != self.language
        places = {place for key in one.meanings for place in self._places.get(key, ())}
        for key in one.forms:
            places |= {place for place in self._places.get(key, ()) if not (cross and one.meanings and self.terms[place].meanings)}
        if not places and not one.literal and one.kind == "content":
            places = {place for place, other in enumerate(self.terms) if other.kind == "content" and related(one, other, cross=cross)}
        return tuple(sorted(places))

    def of(self, *kinds: TermKind) -> tuple[Term, ...]:
        return tuple(one for one in self.terms if one.kind in kinds)

    def signs(self) -> frozenset[str]:
        return frozenset().union(*(one.signs for one in self.terms))


# What only tells where in a row of sentences this one stands.
OPENERS = re.compile(
    r"^(?:(?:first|firstly|first of all|second|secondly|finally|lastly|after that|d'abord|tout d'abord|enfin|pour finir|zuerst|zunächst|schließlich|primero|en primer lugar|por último|finalmente),\s+"
    r"|(?:then|next|afterwards|ensuite|puis|danach|dann|luego|después),?\s+)(?=\S)",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def statement(text: str, language: str) -> Statement:
    taken = claim(spelled(OPENERS.sub("", normal(plain(text))).replace('"', "")), language)
    return Statement(taken.text, language, tuple(_terms(taken, language)))


@lru_cache(maxsize=4096)
def tongue(text: str, otherwise: str) -> str:
    """The language of a text by its small words and the words the lists know; `otherwise` where none stands out."""
    found = [word.casefold() for word in words(plain(text))]

    def known(language: str) -> float:
        small = sum(word in STOP[language] for word in found)
        return 2 * small + sum(word not in EVERY_STOP and bool(meanings(word, language)) for word in found)

    best = max(LANGUAGES, key=lambda language: (known(language), language == otherwise))
    return best if known(best) > known(otherwise if otherwise in LANGUAGES else best) else (otherwise if otherwise in LANGUAGES else best)


@dataclass(frozen=True, slots=True)
class _Atom:
    word: str  # folded
    text: str
    token: Token


@dataclass(frozen=True, slots=True)
class _Row:
    """A text's atoms, their folded words and stems; `used`: places that an earlier term took up."""

    atoms: list[_Atom]
    listed: list[str]
    stems: list[str]
    language: str
    used: set[int]


def _atoms(taken: Claim) -> list[_Atom]:
    found: list[_Atom] = []
    for token in taken.tokens:
        parts = [token.text] if token.kind in ("number", "code") or fold(token.text).endswith("n't") else [part for part in token.text.split("'") if part]
        found.extend(_Atom(fold(part), part, token) for part in parts)
    return found


def _terms(taken: Claim, language: str) -> Iterator[Term]:
    atoms = _atoms(taken)
    row = _Row(atoms, [atom.word for atom in atoms], [stem(atom.text, language) for atom in atoms], language, set())
    numbers = {(number.place, number.value): number for number in taken.numbers}
    at = 0
    while at < len(atoms):
        token = atoms[at].token
        number = numbers.get((token.place, token.key)) if token.kind == "number" else None
        if at in row.used:
            at += 1
        elif number and atoms[at].word not in FOREIGN_NUMBERS.get(language, ()):
            yield _quantity(number, token, row.listed, at)
            row.used.update(_measure(number, row.listed, at))
            at += 1
        else:
            many, made = _expression(row, at)
            yield from (replace(one, verbal=_verbal(row.listed, atoms, at)) for one in made)
            at += many


def _verbal(listed: list[str], atoms: list[_Atom], at: int) -> bool:
    before = listed[at - 1] if at else ""
    opens = not at or atoms[at - 1].token.part != atoms[at].token.part or before in ("and", "then")
    return before in BEFORE_VERBS or listed[at].endswith("ed") or (opens and not listed[at].endswith("ing"))


def _quantity(number: Number, token: Token, listed: list[str], at: int) -> Term:
    measure = _measure(number, listed, at)
    after = listed[(measure[-1] if measure else at) + 1 :][:4]
    return Term("quantity", token.text, frozenset(), frozenset(), False, token.place, token.clause, token.part,
                quantities=quantities(number, folded(listed[max(0, at - 5) : at]), folded(after)))  # fmt: skip


def _measure(number: Number, listed: list[str], at: int) -> list[int]:
    """The places of the words after a figure that name its measure."""
    for far in (1, 2):
        if at + far >= len(listed) or MEASURES.get(listed[at + far]) is None:
            continue
        if far == 1 or listed[at + 1] in WORKING or " " in number.unit:
            end = at + far + (at + far + 1 < len(listed) and listed[at + far + 1] in WORKING)
            return [*([at + 1] if far == 2 and listed[at + 1] in WORKING else []), *range(at + far, end + 1)]
    return []


def _expression(row: _Row, at: int) -> tuple[int, list[Term]]:
    """How many atoms it takes up, and the terms it gives."""
    atoms, listed, language = row.atoms, row.listed, row.language
    atom = atoms[at]
    if language == "fr" and (is_lone_plus(listed, at) or is_only_but(listed, at)):
        return 1, [_sign(atom, frozenset({"no" if listed[at] == "plus" else "only"}))]
    if language == "fr" and listed[at] == "personne" and listed[at + 1 : at + 2] in (["ne"], ["n"]) and listed[at - 1 : at] not in DETERMINED:
        return 1, [_sign(atom, frozenset({"no"}))]
    many, known = term(row.stems[at : at + 6], language)
    signs = sign(listed, at)
    if atom.word == "once" and (at + 1 == len(atoms) or atoms[at + 1].token.part != atom.token.part):
        signs = None
    if known and (not signs or many > signs.words):
        return many, [_content(atom, known, " ".join(one.text for one in atoms[at : at + many]), language)]
    if gapped := _gapped(row, at):
        return 1, [gapped]
    if signs:
        return signs.words, [_sign(atom, signs.signs, meanings(atom.text, language))] if signs.signs else []
    return 1, _word(atom, language)


def _gapped(row: _Row, at: int) -> Term | None:
    """A verb whose particle stands later: "turn the printer on", "schicken Sie den Artikel zurück"."""
    atoms, listed, stems, language, used = row.atoms, row.listed, row.stems, row.language, row.used
    if atoms[at].token.kind == "small":
        return None
    for ahead in range(at + 1, min(len(atoms), at + (14 if language == "de" else GAP) + 1)):
        if atoms[ahead].token.part != atoms[at].token.part or ahead in used:
            break
        known: frozenset[int] = frozenset()
        if language == "en" and (listed[ahead] in PARTICLES or (listed[ahead] == "in" and stems[at] == "let")) and ahead > at + 1 and listed[at + 1] in OBJECTS:
            _, known = term((stems[at], stems[ahead]), language)
        elif language == "de" and atoms[ahead].text in SEPARABLE and atoms[ahead].text not in ("zu",):
            for form in (atoms[at].text.casefold(), atoms[at].text.casefold().removesuffix("t") + "en", atoms[at].text.casefold() + "n"):
                found = lists("de").words.get(stem(atoms[ahead].text + form, "de"), frozenset())
                known = known or (found if is_act(found) else frozenset())
        if known:
            used.add(ahead)
            return _content(atoms[at], known, f"{atoms[at].text} {atoms[ahead].text}", language)
    return None


def _sign(atom: _Atom, signs: frozenset[str], known: frozenset[int] = frozenset()) -> Term:
    token = atom.token
    return Term("sign", atom.text, known, frozenset(), False, token.place, token.clause, token.part, signs=signs)


def _content(atom: _Atom, known: frozenset[int], text: str, language: str, kind: TermKind = "content") -> Term:
    token = atom.token
    forms = frozenset({f"{language}:{stem(atom.text, language)}", f"={atom.word}"}) if " " not in text else frozenset({f"={fold(text)}"})
    return Term(kind, text, known, forms, token.kind in ("name", "code"), token.place, token.clause, token.part)


def _word(atom: _Atom, language: str) -> list[Term]:
    token = atom.token
    known = meanings(atom.text, language)
    small = token.kind == "small" or atom.word in STOP.get(language, EVERY_STOP) or atom.text.casefold() in STOP.get(language, EVERY_STOP) or atom.word in LIGHT.get(language, ())
    if small or (len(atom.word) < 2 and not atom.word.isdigit() and token.kind != "code"):
        return [_content(atom, known, atom.text, language, "light")] if known or atom.word in LIGHT.get(language, ()) else []
    if denied := contrary(atom.text, language):
        return [_sign(atom, frozenset({"no"})), _content(atom, meanings(denied, language), denied, language)]
    if language == "de" and (parts := compound(atom.text)):
        return [_content(atom, meanings(part, "de"), f"{part} ", language) for part in parts]
    return [_content(atom, known, atom.text, language)]


SUFFIXES = frozenset(["s", "es", "ed", "d", "e", "ing", "ion", "ions", "ation", "ations", "ment", "ments", "al", "ally", "ly", "able", "ee", "y", "ies", "ance", "ence", "ive", "ible", "ité", "ités", "tion", "tions", ""])


def related(one: Term, other: Term, *, cross: bool) -> bool:
    """Whether two words that the lists do not both know are of one root: "install" and "installation", "batterie" and "battery"."""
    if (one.meanings and other.meanings) or one.literal or other.literal:
        return False
    a, b = fold(one.text).strip(), fold(other.text).strip()
    if cross:
        return min(len(a), len(b)) >= LEAST_COGNATE and a[0] == b[0] and SequenceMatcher(None, a, b).ratio() >= ALIKE_LETTERS
    shared = next((at for at, (left, right) in enumerate(zip(a, b, strict=False)) if left != right), min(len(a), len(b)))
    return shared >= LEAST_COGNATE and a[shared:] in SUFFIXES and b[shared:] in SUFFIXES
