# ruff: noqa: E501 (patterns read better unbroken)
"""Who does what to whom, and in which order things are said."""

from __future__ import annotations

import itertools
import re

from bot.answer.lexicon import FIRST_PERSON, SECOND_PERSON, WE, YOU
from bot.answer.matching import BEING, Case
from bot.answer.places import LEADS, opener, placed
from bot.answer.statement import Statement, Term
from bot.answer.words import fold, words

PROMISE = re.compile(
    r"\b(?:we|i)(?:'ll|'ve| will| shall| have| are going| am going| promise| guarantee| commit)\b"
    r"|\b(?:nous|je|j')\s*(?:vous |lui |leur )?(?:avons|ai|allons|vais|garantissons|promettons|\w+(?:e|i|d|r)r(?:ons|ai))\b"
    r"|\b(?:wir|ich) (?:werden|haben|habe|garantieren|versprechen)\b|\b(?:hemos|he|vamos|garantizamos|prometemos|\w+remos)\b"
)
COMING = re.compile(
    r"\b(?:we|i)(?:'ll| will| shall| are going| am going)\b|\bnous\s*(?:vous |lui |leur )?(?:allons|\w+(?:e|i|d|r)rons)\b|\bwir werden\b|\b(?:vamos|\w+remos)\b"
)  # that it will be so, where the passage tells that it is done
ON_CONDITION = re.compile(r"\b(?:if|when|once|unless|si|lorsque|quand|wenn|falls|sofern|cuando)\b[^,;.]*", re.IGNORECASE)
OBJECT_WE = frozenset({"us", "uns"})
FROM_US = re.compile(r"\b(?:from|by|with|for) us\b|\b(?:von|bei|mit|für) uns\b|\b(?:de|par|chez|pour) nous\b|\bde nuestra parte\b", re.IGNORECASE)
GETS = re.compile(r"\byou (?:will |can |also )?(?:get|receive)\b|\bsie (?:erhalten|bekommen)\b|\bvous (?:recevez|recevrez|obtenez)\b|\b(?:recibe|recibirá)\b", re.IGNORECASE)
MANNER = re.compile(r"\w{3}(?:ly|ment|mente)$")  # how it is done may be said anywhere
OURS = frozenset(["our", "my", "notre", "nos", "unser", "unsere", "unserem", "unseren", "unserer", "unseres", "nuestro", "nuestra", "nuestros", "nuestras"])
YOURS = frozenset(["your", "votre", "vos", "ihr", "ihre", "ihrem", "ihren", "ihrer", "ihres", "su", "sus"])
THEY = re.compile(r"(?:they|he|she)\b", re.IGNORECASE)
PASSIVE = frozenset(fold(word) for word in ["by", "par", "durch", "von", "vom", "por", "from"])


def persons(case: Case) -> str | None:
    said, source = _voices(case.said), _voices(case.source)
    own, theirs = (_pronouns_of(_main(part)) for part in (case.said, case.source))
    if "we" in said and "we" not in source:
        if {"i", "je", "ich", "yo"} & _small(case.said):
            return "it speaks for the company where the passage does not"
        if "you" in _pronouns(case.source) and "you" not in _pronouns(case.said):
            return "it turns what the customer does into what the company does"
    if "we" in source and "we" not in said and own[:1] == ["you"] and "you" not in source and not GETS.search(case.said.text):
        return "it turns what the company does into what the customer does"
    if {*own} == {*theirs} == {"we", "you"} and own[0] != theirs[0]:
        return "it swaps who does what for whom"
    if _acts_on(case.said, OBJECT_WE) and not _acts_on(case.source, OBJECT_WE) and "we" in theirs:
        return "it turns what the company does into what the customer does"
    if THEY.match(case.said.text) and not case.cross and theirs and not THEY.search(case.source.text):
        return "it turns what one does into what others do"
    promise = PROMISE.search(_folded(case.said))
    if promise and not PROMISE.search(_folded(case.source)) and not (COMING.fullmatch(promise.group()) and _does(case)):
        return f"it promises what the passage does not (“{promise.group().strip()}”)"
    return None


def _main(part: Statement) -> str:
    """Without its conditions, and without "from us"."""
    return FROM_US.sub("", ON_CONDITION.sub("", part.text))


def _acts_on(part: Statement, objects: frozenset[str]) -> bool:
    """Whether somebody else is told or made to do it to us: the pronoun stands, and no other of its person."""
    pieces = [fold(word) for word in words(_main(part))]
    return any(piece in objects for piece in pieces) and not any(piece in WE and piece not in objects for piece in pieces)


def _folded(part: Statement) -> str:
    return " ".join(fold(word) for word in re.findall(r"[\w']+", part.text))


def _voices(part: Statement) -> list[str]:
    pieces = [fold(word) for word in words(part.text)]
    return ["we" if piece in FIRST_PERSON else "you" for piece in pieces if piece in FIRST_PERSON or piece in SECOND_PERSON]


def _pronouns(part: Statement) -> list[str]:
    """Who acts and who is acted upon, in order: the pronouns alone, not "your" or "our"."""
    return _pronouns_of(part.text)


def _pronouns_of(text: str) -> list[str]:
    pieces = [fold(word) for word in words(text)]
    return ["we" if piece in WE else "you" for piece in pieces if piece in WE or piece in YOU]


def _does(case: Case) -> bool:
    """Whether the passage tells what the company does, and not only what it may do; of all that the sentence speaks of."""
    told = all(places for one, places in case.pairs if one.kind == "content")
    return told and "we" in _pronouns(case.source) and not any("can" in one.signs for one in case.source.terms if one.clause in case.touched)


def _small(part: Statement) -> frozenset[str]:
    return frozenset(fold(word) for word in words(part.text))


def _moves(one: Term) -> bool:
    """Whether it is what is done, not who or what."""
    return one.acting or one.kind in ("sign", "light")


def roles(case: Case) -> str | None:
    """ "A pays B" is not "B pays A": two things that change places around what stands between them in both."""
    path: list[tuple[Term, int]] = []
    for one, places in zip(case.said.terms, placed(case), strict=True):
        here = [place for place in places if case.source.terms[place].clause in case.touched]
        if here and (one.kind in ("content", "sign") or fold(one.text) in BEING):
            last = path[-1][1] if path else -1
            path.append((one, min(here, key=lambda place: abs(place - last - 1))))
    if bool(case.said.written & PASSIVE) != bool(case.source.written & PASSIVE):
        return None
    for first in range(len(path)):
        for last in range(first + 1, len(path)):
            a, b = path[first], path[last]
            if a[1] <= b[1] or a[0].clause != b[0].clause or _moves(a[0]) or _moves(b[0]):
                continue
            if case.source.terms[a[1]].clause != case.source.terms[b[1]].clause or _led(a, case) or _led(b, case):
                continue
            if any(b[1] < middle[1] < a[1] and (_moves(middle[0]) or a[1] - b[1] > last - first) for middle in path[first + 1 : last]):
                return f"it swaps “{a[0].text}” and “{b[0].text}”"
    return None


def _led(one: tuple[Term, int], case: Case) -> bool:
    """Whether a preposition goes with it in both, wherever it stands ("under warranty")."""
    said, source = one[0].lead, case.source.terms[one[1]].lead
    return bool(said and source) and (case.cross or said == source) and not {said, source} & PASSIVE


def owners(case: Case) -> str | None:
    """Whose it is: "our account" is not "your account"."""
    for one, places in case.pairs:
        own = _owner(one)
        theirs = {owner for place in places if (owner := _owner(case.source.terms[place]))}
        if one.kind == "content" and own and theirs and own not in theirs and len(theirs) == len(places):
            return f"it says “{one.previous} {one.text}” where the passage speaks of somebody else's"
    return None


def _owner(one: Term) -> str:
    return "we" if one.previous in OURS else "you" if one.previous in YOURS else ""


def order(case: Case) -> str | None:
    """Within a clause things come in the source's order, or two stretches of them change places; what acts may stand anywhere."""
    if case.cross or case.kind == "row" or bool(case.said.written & PASSIVE) != bool(case.source.written & PASSIVE):
        return None
    here, highest, lowest, cut, clause = -1, -1, -1, None, -1
    leading = _leading(case.source)
    for one, places in zip(case.said.terms, placed(case), strict=True):
        if one.kind != "content" or one.acting or MANNER.search(one.text) or not places or leading & set(places) or any(case.source.terms[place].acting for place in places):
            continue
        if one.clause != clause:
            here, highest, lowest, cut, clause = -1, -1, min(places), None, one.clause
        ahead = [place for place in places if place > here]
        here = min(ahead or places)
        cut = cut if ahead or cut is not None else highest
        if cut is not None and (here > lowest or (cut != highest and not ahead)):
            return f"the passage says this in another order, of other things (“{one.text}”)"
        highest = max(highest, here)
    return None


def _leading(source: Statement) -> set[int]:
    """The first thing of a source that opens with a preposition ("Within the EU you can ..."): it may stand anywhere."""
    if opener(source, 0) not in LEADS.get(source.language, ()):
        return set()
    return set([place for place, one in enumerate(source.terms) if one.kind == "content"][:1])


def mixed(case: Case) -> str | None:
    """Two clauses that each join words of the same two clauses of the source have changed them."""
    own: dict[int, set[int]] = {}
    for one, places in case.pairs:
        clauses = {case.source.terms[place].clause for place in places}
        if one.kind == "content" and len(clauses) == 1:
            own.setdefault(one.clause, set()).update(clauses)
    for first, second in itertools.combinations(own.values(), 2):
        if len(first & second) > 1:
            return "it joins the words of two statements the other way round"
    return None


