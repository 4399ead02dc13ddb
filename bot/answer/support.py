# ruff: noqa: E501 (word lists and patterns read better unbroken)
"""Whether a stretch of a passage carries a sentence that does not quote it: rules that can each refuse, none that can excuse.

The sentence's terms are matched with the stretch's, by meaning where the languages differ; what is left over on either side decides.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

from bot.answer.concepts import can_be_act, is_name
from bot.answer.lexicon import FIRST_PERSON, SECOND_PERSON, WE, YOU
from bot.answer.matching import Case, copied
from bot.answer.operators import NOT_ADDED, NOT_DROPPED
from bot.answer.quantities import same
from bot.answer.statement import Statement, Term
from bot.answer.words import fold, words

NEAR = 4  # terms between a negation and what it denies
CONDITION_SIGNS = frozenset({"if", "unless", "until", "before", "after"})
# With these a clause before the main one narrows it: "For orders above 500 ...,"
LEADS = {
    "en": frozenset(["for", "on", "in", "at", "with", "without", "during", "within", "from", "after", "before", "under", "unless", "except", "outside"]),
    "fr": frozenset(["pour", "en", "dans", "avec", "sans", "pendant", "sous", "apres", "avant", "a", "sur", "hors", "des"]),
    "de": frozenset(["fur", "bei", "mit", "ohne", "wahrend", "ab", "nach", "vor", "in", "im", "am", "innerhalb", "ausserhalb", "unter", "auf"]),
    "es": frozenset(["para", "en", "con", "sin", "durante", "desde", "tras", "a", "bajo"]),
}
PROMISE = re.compile(
    r"\b(?:we|i)(?:'ll|'ve| will| shall| have| are going| am going| promise| guarantee| commit)\b"
    r"|\b(?:nous|je|j')\s*(?:vous |lui |leur )?(?:avons|ai|allons|vais|garantissons|promettons|\w+(?:e|i|d|r)r(?:ons|ai))\b"
    r"|\b(?:wir|ich) (?:werden|haben|habe|garantieren|versprechen)\b|\b(?:hemos|he|vamos|garantizamos|prometemos|\w+remos)\b"
)
DOUBLING = frozenset(["aucun", "aucune", "jamais", "rien", "ningun", "ninguna", "ninguno", "nunca", "jamas", "nada", "nadie", "tampoco"])
PRONOUNS = frozenset(
    ["it", "its", "they", "them", "their", "these", "those", "this", "that", "one", "he", "she", "il", "elle", "ils", "elles", "le", "la", "les", "l", "lui", "leur", "celui", "celle", "y", "en", "eux", "es", "sie", "ihn", "ihm", "ihr", "dies", "diese", "dieser", "das", "er", "lo", "los", "las", "esto", "este", "ella", "ello"]
)
PASSIVE = frozenset(fold(word) for word in ["by", "par", "durch", "von", "por"])

def unsupported(case: Case) -> str | None:
    """The first rule that refuses, in words for the operator; None when the source carries the sentence."""
    for rule in RULES:
        why = rule(case)
        if why:
            return why
    return None


def coverage(said: Statement, source: Statement) -> float:
    """Share of the sentence's terms that the source has too."""
    heavy = said.of("content", "quantity")
    known = [quantity for one in source.terms for quantity in one.quantities]
    told = 0
    for one in heavy:
        if one.kind == "quantity":
            told += all(any(each.amount == other.amount for other in known) for each in one.quantities)
        else:
            told += bool(source.likes(one, said.language))
    return told / len(heavy) if heavy else 0.0


def _quantities(case: Case) -> str | None:
    known = [quantity for part in (case.source, case.around) for one in part.terms for quantity in one.quantities]
    for one in case.said.terms:
        for quantity in one.quantities:
            if not any(same(quantity, other) for other in known):
                return f"the passage does not say “{' '.join(filter(None, (quantity.bound, quantity.text, quantity.kind)))}”"
    return None


def _terms(case: Case) -> str | None:
    for one, places in case.pairs:
        if one.kind == "content" and not places and not case.borrowed(one) and not _written(one, case):
            return f"the passage does not say “{one.text}” there"
    return None


def _borrowed(case: Case) -> str | None:
    """What stands in the source itself outweighs what is borrowed from around it."""
    heavy = [places for one, places in case.pairs if one.kind == "content"]
    if sum(not places for places in heavy) > sum(bool(places) for places in heavy) + len(case.said.of("quantity")):
        return "most of it stands elsewhere in the passage"
    return None


def _written(one: Term, case: Case) -> bool:
    """A name or a foreign word as the source writes it, though it be a small word there ("Mes rendez-vous")."""
    return (one.literal or (case.cross and not one.meanings)) and fold(one.text) in case.source.written


def _literal(case: Case) -> str | None:
    """Names and codes stand as written, and what the passage writes as a name is said so; stems do not do ("Pro" is no "Pros")."""
    written = case.source.written | case.around.written
    for one in case.said.of("content"):
        if one.literal and not _has_other_names(one) and not {fold(word) for word in words(one.text)} <= written:
            return f"the passage does not name “{one.text}”"
    return None


def _has_other_names(one: Term) -> bool:
    """A day, a country, an abbreviation that the lists know ("SMS")."""
    return is_name(one.meanings) or (one.text.isupper() and bool(one.meanings))


def _scattered(case: Case) -> str | None:
    if not case.touched:
        return "no single statement of the passage says this"
    spoken = {one.part for one in case.source.terms if one.clause in case.touched}
    for one, places in case.pairs:
        if set(places) & case.subject:
            continue
        apart = places and not any(case.source.terms[place].clause in case.touched or case.source.terms[place].kind != "content" for place in places)
        parts = {case.source.terms[place].part for place in places}
        if one.kind == "content" and apart and (parts & spoken or not case.borrowed(one)):
            return f"it joins what stands apart in the passage (“{one.text}”)"
    return None


def _kept(case: Case) -> str | None:
    """What the touched clauses say is said, here or beside: figures, names and words, all of them, and as often unless a pronoun stands for it."""
    wanted = [place for place, one in enumerate(case.source.terms) if one.clause in case.touched and one.kind in ("content", "quantity")]
    for place in (*wanted, *sorted(case.subject)):
        if place not in case.kept_places:
            return f"it leaves out “{case.source.terms[place].text}”, which limits the passage's claim"
    if case.said.written & PRONOUNS or case.beside.terms:
        return None
    taken: set[int] = set()
    for place in wanted:
        one = case.source.terms[place]
        if one.kind == "content" and not copied(case.source, case.said) & {place}:
            mine = [at for at, (_, places) in enumerate(case.pairs) if place in places]
            free = [at for at in mine if at not in taken]
            if not free and len({case.source.terms[other].clause for at in mine for other in case.pairs[at][1] if other in wanted}) > 1:
                return f"it leaves out one “{one.text}” of several"
            taken.update(free[:1])
    return None


def _conditions(case: Case) -> str | None:
    """A condition in a clause beside the touched ones must be kept, here or in the next sentence of the draft."""
    for text, places in _spans(case):
        lost = [place for place in places if place not in case.kept_places]
        if lost or (not places and not (case.said.signs() | case.beside.signs()) & CONDITION_SIGNS):
            return f"it drops the condition “{text[:80]}”"
    return None


def _spans(case: Case) -> Iterator[tuple[str, list[int]]]:
    """(its words, its places) of each condition in the parts of the source that the sentence speaks of."""
    parts = {one.part for one in case.source.terms if one.clause in case.touched}
    terms = case.source.terms
    inside: list[int] = []
    for place, one in enumerate(terms):
        if one.part not in parts:
            continue
        if one.signs & CONDITION_SIGNS:
            inside = [place]
            clause_end = one.clause
            for later in range(place + 1, len(terms)):
                if terms[later].part != one.part or terms[later].clause > clause_end + 1 or _is_comma(terms[later - 1], terms[later]):
                    break
                clause_end = max(clause_end, terms[later].clause)
                if terms[later].kind in ("content", "quantity") or "must" in terms[later].signs:
                    inside.append(later)
            yield " ".join(terms[at].text for at in inside), [at for at in inside[1:] if terms[at].kind != "light"]
    for part in parts:
        lead = [place for place, one in enumerate(terms) if one.part == part]
        opening = _opening(case.source, part)
        if lead and opening in LEADS.get(case.source.language, ()):
            first = [place for place in lead if terms[place].clause == terms[lead[0]].clause and terms[place].kind in ("content", "quantity")]
            if len(first) < len([place for place in lead if terms[place].kind in ("content", "quantity")]):
                yield " ".join(terms[at].text for at in first), first


def _opening(source: Statement, part: int) -> str:
    """The first word of the part, folded."""
    pieces = [piece for piece in _parts(source.text) if words(piece)]
    found = words(pieces[part]) if part < len(pieces) else []
    return fold(found[0]) if found else ""


def _parts(text: str) -> list[str]:
    return re.split(r"[;:!?]|\.(?=\s|$)|\s-\s", text)


def _is_comma(before: Term, after: Term) -> bool:
    return after.place - before.place >= 4 and after.clause > before.clause


def _negation(case: Case) -> str | None:
    said, source = _denials(case.said, None), _denials(case.source, case.touched)
    if said != source:
        return "it negates what the passage does not" if said > source else "it leaves out the passage's negation"
    denials = [place for place, one in enumerate(case.source.terms) if one.signs & {"no", "unless"} and one.clause in case.touched]
    likes = dict(enumerate(_places(case)))
    for at, one in enumerate(case.said.terms):
        if not one.signs & {"no", "unless"}:
            continue
        beside = [likes[near] for near in sorted(likes, key=lambda near: abs(near - at)) if likes[near]][:2]
        if beside and not any(abs(place - denial) <= NEAR for places in beside for place in places for denial in denials):
            return "it denies something else than the passage does"
    return None


def _denials(part: Statement, clauses: frozenset[int] | None) -> int:
    """Negations; a word like "ninguna" beside another negation of its clause only doubles it."""
    found: dict[int, list[bool]] = {}
    for one in part.terms:
        if one.signs & {"no", "unless"} and (clauses is None or one.clause in clauses):
            found.setdefault(one.clause, []).append(part.language != "en" and fold(one.text) in DOUBLING)
    return sum(max(1, doubled.count(False)) for doubled in found.values())


def _places(case: Case) -> list[tuple[int, ...]]:
    """Of each term of the sentence, signs and quantities included, its places in the source."""
    known = iter(case.pairs)
    return [next(known)[1] if one.kind != "quantity" else () for one in case.said.terms]


def _signs(case: Case) -> str | None:
    source = {sign for one in case.source.terms if one.clause in case.touched or one.kind == "sign" for sign in one.signs}
    touched = {sign for one in case.source.terms if one.clause in case.touched for sign in one.signs}
    said, kept = case.said.signs(), case.said.signs() | case.beside.signs()
    if "must" in said and "should" in source:
        source |= {"should"}
    for added in sorted((said & NOT_ADDED) - source):
        if not _excused(added, case, source):
            return f"it says more than the passage: {added}"
    for dropped in sorted((touched & NOT_DROPPED) - kept):
        if not _excused(dropped, case, kept):
            return f"it drops what limits the passage's claim: {dropped}"
    musts = [sum("must" in one.signs for one in part.terms) for part in (case.said, case.source)]
    if musts[0] > musts[1] and not _excused("must", case, source):
        return "it says more than the passage: must"
    if "can" in touched and not said & {"can", "must"} and not _orders(case.said):
        return "it says that something is so where the passage says that it can be"
    if "must" in touched and "can" in said and "must" not in said and "can" not in touched:
        return "it turns what must be into what can be"
    return None


def _excused(sign: str, case: Case, others: frozenset[str] | set[str]) -> bool:
    """Other signs that say the same."""
    if sign in ("must", "should"):
        return _orders(case.source) or (sign == "should" and "must" in others)
    if sign == "unless":
        return {"if", "no"} <= set(others)
    if sign == "before":
        return bool({"until", "before"} & set(others))
    if sign == "until":
        return "before" in others
    return False


def _orders(source: Statement) -> bool:
    """An imperative: its first word is an act."""
    first = next((one for one in source.terms if one.kind in ("content", "light") and one.meanings), None)
    return first is not None and can_be_act(first.meanings) and not any(one.signs & {"can"} for one in source.terms)


def _persons(case: Case) -> str | None:
    said, source = _voices(case.said), _voices(case.source)
    own = _pronouns(case.said)
    if "we" in said and "we" not in source:
        if {"i", "je", "ich", "yo"} & _small(case.said):
            return "it speaks for the company where the passage does not"
        if "you" in _pronouns(case.source) and "you" not in own:
            return "it turns what the customer does into what the company does"
    if "we" in source and "we" not in said and own[:1] == ["you"] and "you" not in source:
        return "it turns what the company does into what the customer does"
    if {*own} == {*_pronouns(case.source)} == {"we", "you"} and own[0] != _pronouns(case.source)[0]:
        return "it swaps who does what for whom"
    promise = PROMISE.search(_folded(case.said))
    if promise and not PROMISE.search(_folded(case.source)):
        return f"it promises what the passage does not (“{promise.group().strip()}”)"
    return None


def _folded(part: Statement) -> str:
    return " ".join(fold(word) for word in re.findall(r"[\w']+", part.text))


def _voices(part: Statement) -> list[str]:
    pieces = [fold(word) for word in words(part.text)]
    return ["we" if piece in FIRST_PERSON else "you" for piece in pieces if piece in FIRST_PERSON or piece in SECOND_PERSON]


def _pronouns(part: Statement) -> list[str]:
    """Who acts and who is acted upon, in order: the pronouns alone, not "your" or "our"."""
    pieces = [fold(word) for word in words(part.text)]
    return ["we" if piece in WE else "you" for piece in pieces if piece in WE or piece in YOU]


def _small(part: Statement) -> frozenset[str]:
    return frozenset(fold(word) for word in words(part.text))


def _moves(one: Term) -> bool:
    """Whether it is what is done, not who or what."""
    return one.acting or one.kind == "sign"


def _roles(case: Case) -> str | None:
    """ "A pays B" is not "B pays A": two things that change places around what stands between them in both."""
    path: list[tuple[Term, int]] = []
    for one, places in zip(case.said.terms, _places(case), strict=True):
        here = [place for place in places if case.source.terms[place].clause in case.touched]
        if here and one.kind in ("content", "sign"):
            last = path[-1][1] if path else -1
            path.append((one, min(here, key=lambda place: abs(place - last - 1))))
    if bool(case.said.written & PASSIVE) != bool(case.source.written & PASSIVE):
        return None
    for first in range(len(path)):
        for last in range(first + 1, len(path)):
            a, b = path[first], path[last]
            if a[1] <= b[1] or a[0].clause != b[0].clause or _moves(a[0]) or _moves(b[0]):
                continue
            if case.source.terms[a[1]].clause != case.source.terms[b[1]].clause:
                continue
            if any(b[1] < middle[1] < a[1] and (_moves(middle[0]) or a[1] - b[1] > last - first) for middle in path[first + 1 : last]):
                return f"it swaps “{a[0].text}” and “{b[0].text}”"
    return None


def _order(case: Case) -> str | None:
    """Within a clause things come in the source's order, or two stretches of them change places; what acts may stand anywhere."""
    if case.cross or case.kind == "row" or bool(case.said.written & PASSIVE) != bool(case.source.written & PASSIVE):
        return None
    here, highest, lowest, cut, clause = -1, -1, -1, None, -1
    leading = _leading(case.source)
    for one, places in zip(case.said.terms, _places(case), strict=True):
        if one.kind != "content" or one.acting or not places or leading & set(places):
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
    if _opening(source, 0) not in LEADS.get(source.language, ()):
        return set()
    return set([place for place, one in enumerate(source.terms) if one.kind == "content"][:1])


def _mixed(case: Case) -> str | None:
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


def _attachment(case: Case) -> str | None:
    """Each figure with the words it belongs to: where several of a kind stand in the source, those of its own clause must be said with it."""
    places, terms = _places(case), case.source.terms
    said = [quantity for one in case.said.terms for quantity in one.quantities]
    for at, one in enumerate(case.said.terms):
        for quantity in one.quantities:
            own = [place for place, other in enumerate(terms) if any(same(quantity, each) for each in other.quantities)]
            rivals = [place for place, other in enumerate(terms)
                      if any(each.kind == quantity.kind and each.amount != quantity.amount for each in other.quantities)]  # fmt: skip
            if not own or not rivals:
                continue
            both = any(same(each, other) for place in rivals for other in terms[place].quantities for each in said)
            near = sorted(
                (near for near, term in enumerate(case.said.terms)
                 if places[near] and term.kind == "content" and (term.clause == one.clause if both else term.part == one.part)),
                key=lambda near: abs(near - at),
            )  # fmt: skip
            votes = [_vote(case, places[near], own, rivals, strictly=both) for near in near[:4]]
            things = [vote for vote, near in zip(votes, near[:4], strict=True) if not case.said.terms[near].act]
            if votes and (sum(votes) < 0 or (both and -1 in things[:1])):
                return f"“{one.text}” belongs to something else in the passage than “{case.said.terms[near[0]].text}”"
    return _crossed(case)


def _crossed(case: Case) -> str | None:
    """Two figures of a kind in one clause of the source, said in the other order."""
    order = [
        (quantity, place, one.text)
        for one in case.said.terms
        for quantity in one.quantities
        for place, other in enumerate(case.source.terms)
        if any(same(quantity, each) for each in other.quantities)
    ]
    for first, second in itertools.pairwise(order):
        clauses = {case.source.terms[first[1]].clause, case.source.terms[second[1]].clause}
        if first[0].kind == second[0].kind and first[0].amount != second[0].amount and len(clauses) == 1 and first[1] > second[1]:
            return f"it swaps “{first[2]}” and “{second[2]}”"
    return None


def _vote(case: Case, spots: tuple[int, ...], own: list[int], rivals: list[int], *, strictly: bool) -> int:
    """1 where the word stands with the figure in the source, -1 where it stands with a rival; `strictly`: by clauses alone."""
    terms = case.source.terms

    def far(place: int, spot: int) -> int:
        return abs(place - spot) + 3 * abs(terms[place].clause - terms[spot].clause)

    if strictly:
        mine = not any(terms[place].clause == terms[spot].clause for spot in spots for place in own)
        theirs = not any(terms[place].clause == terms[spot].clause for spot in spots for place in rivals)
    else:
        near, rival = (min(far(place, spot) for spot in spots for place in group) for group in (own, rivals))
        return (near < rival) - (rival < near)
    return (mine < theirs) - (theirs < mine)


RULES: tuple[Callable[[Case], str | None], ...] = (
    _quantities, _terms, _borrowed, _literal, _scattered, _kept, _negation, _signs, _persons, _conditions, _order, _mixed, _roles, _attachment,
)  # fmt: skip
