# ruff: noqa: E501 (word lists and patterns read better unbroken)
"""Whether a stretch of a passage carries a sentence that does not quote it: rules that can each refuse, none that can excuse.

The sentence's terms are matched with the stretch's, by meaning where the languages differ; what is left over on either side decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bot.answer.concepts import can_be_act, is_name
from bot.answer.copying import bent, currencies, is_whole
from bot.answer.figures import attachment, figures
from bot.answer.matching import Case, copied
from bot.answer.operators import NOT_ADDED, NOT_DROPPED
from bot.answer.places import LEADS, opener, placed
from bot.answer.roles import mixed, order, owners, persons, roles
from bot.answer.statement import Statement, Term
from bot.answer.words import fold, words

NEAR = 4  # terms between a negation and what it denies
CONDITION_SIGNS = frozenset({"if", "unless", "until", "before", "after", "during"})
SUBJECTS = frozenset(["you", "we", "they", "it", "he", "she", "i", "vous", "nous", "ils", "elles", "il", "elle", "on", "je", "j", "tu", "sie", "wir", "er", "es", "ich", "du", "ihr", "usted", "ustedes", "ellos", "nosotros", "yo", "se"])
ALIKE = {"if": frozenset({"if", "unless"}), "unless": frozenset({"if", "unless"}), "until": frozenset({"until", "before"}), "before": frozenset({"until", "before"})}
DOUBLING = frozenset(["aucun", "aucune", "jamais", "rien", "ningun", "ninguna", "ninguno", "nunca", "jamas", "nada", "nadie", "tampoco"])
EACH = frozenset(["each", "every", "chaque", "jede", "jeder", "jedes", "jeden", "jedem", "cada"])
PER = frozenset(["per", "pro", "par", "por", "je"])
THEN = frozenset(["afterwards", "ensuite", "danach", "anschließend", "anschliessend", "después", "despues"])  # after what was said before
ROW_PARTS = 2  # a heading and a cell
ANSWERS = frozenset({"no", "non", "nein"})
APART = {"after": frozenset({"during"}), "during": frozenset({"after"})}  # times that exclude each other
LETTER = re.compile(r"(?:(?<=[^\W\d] )|(?<=, ))[A-HJ-Z]\b(?![-'’]|\.\w)")  # one that names something ("button C"); "I" is a pronoun, "2 W" a measure
PRONOUNS = frozenset(
    ["it", "its", "they", "them", "their", "these", "those", "this", "that", "one", "he", "she", "il", "elle", "ils", "elles", "le", "la", "les", "l", "lui", "leur", "celui", "celle", "y", "en", "eux", "es", "sie", "ihn", "ihm", "ihr", "dies", "diese", "dieser", "das", "er", "lo", "los", "las", "esto", "este", "ella", "ello"]
)


def unsupported(case: Case) -> str | None:
    """The first rule that refuses, in words for the operator; None when the source carries the sentence."""
    for rule in RULES:
        why = rule(case)
        if why:
            return why
    return None


def covered(said: Statement, source: Statement) -> frozenset[int]:
    """The places of the sentence's terms that the source has too."""
    known = [quantity for one in source.terms for quantity in one.quantities]

    def has(one: Term) -> bool:
        if one.kind == "quantity":
            return all(any(each.amount == other.amount for other in known) for each in one.quantities)
        return bool(source.likes(one, said.language))

    return frozenset(at for at, one in enumerate(said.terms) if one.kind in ("content", "quantity") and has(one))


def _terms(case: Case) -> str | None:
    for one, places in case.pairs:
        if one.kind == "content" and not places and not case.borrowed(one) and not _written(one, case):
            return f"the passage does not say “{one.text}” there"
    return _shared(case)


def _shared(case: Case) -> str | None:
    """Two different words of the sentence need two words of the source: "takes time" is more than "takes"."""
    heavy = [(one, places) for one, places in case.pairs if one.kind == "content" and places]
    taken: dict[int, int] = {}

    def place(at: int, tried: set[int]) -> bool:
        for spot in heavy[at][1]:
            if spot not in tried:
                tried.add(spot)
                if spot not in taken or place(taken[spot], tried):
                    taken[spot] = at
                    return True
        return False

    for at, (one, _) in enumerate(heavy):
        if not place(at, set()) and not case.borrowed(one) and not any(one.forms & other.forms for other, _ in heavy[:at]):
            return f"the passage does not say “{one.text}” as well"
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
        if case.cross and one.literal and _common(one, case):
            return f"“{one.text}” is a common word of the passage's language"
    return None


def _letters(case: Case) -> str | None:
    known = LETTER.findall(f"{case.source.text} {case.around.text}")
    foreign = [letter for letter in LETTER.findall(case.said.text) if letter not in known]
    return f"the passage does not name “{foreign[0]}”" if foreign else None


def _common(one: Term, case: Case) -> bool:
    """Whether the passage writes as a word, not as a name, what the sentence copies without knowing it."""
    own = [other for part in (case.source, case.around) for other in part.terms if other.kind != "quantity" and fold(other.text) == fold(one.text)]
    return not one.meanings and bool(own) and all(other.meanings and not other.literal for other in own)


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
        if place not in case.kept_places and place not in case.faint:
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


def _keyed(case: Case) -> str | None:
    """What a row of a table says, it says of its first cell."""
    if case.kind != "row":
        return None
    key = [place for place, one in enumerate(case.source.terms) if one.part == 1 and one.kind in ("content", "quantity")]
    if key and len({one.part for one in case.source.terms}) > ROW_PARTS and not case.kept_places.intersection(key):
        return f"it leaves out “{case.source.terms[key[0]].text}”, of which the row speaks"
    return None


def _conditions(case: Case) -> str | None:
    """A condition in a clause beside the touched ones must be kept, here or in the next sentence of the draft."""
    for text, places, signs in _spans(case):
        lost = [place for place in places if place not in case.kept_places and place not in case.faint]
        if lost or (not places and not (case.said.signs() | case.beside.signs()) & ALIKE.get(signs, CONDITION_SIGNS)):
            return f"it drops the condition “{text[:80]}”"
    return None


def _spans(case: Case) -> Iterator[tuple[str, list[int], str]]:
    """(its words, its places, its sign) of each condition in the parts of the source that the sentence speaks of."""
    parts = {one.part for one in case.source.terms if one.clause in case.touched}
    terms = case.source.terms
    inside: list[int] = []
    for place, one in enumerate(terms):
        if one.part not in parts:
            continue
        if one.signs & CONDITION_SIGNS and fold(one.text) not in THEN:
            inside = [place]
            clause_end = one.clause
            for later in range(place + 1, len(terms)):
                if terms[later].part != one.part or terms[later].clause > clause_end + 1 or _is_comma(terms[later - 1], terms[later]):
                    break
                clause_end = max(clause_end, terms[later].clause)
                if terms[later].kind in ("content", "quantity") or "must" in terms[later].signs:
                    inside.append(later)
            yield " ".join(terms[at].text for at in inside), [at for at in inside[1:] if terms[at].kind != "light"], min(one.signs & CONDITION_SIGNS)
    for part in parts:
        lead = [place for place, one in enumerate(terms) if one.part == part]
        opening = opener(case.source, part)
        if lead and opening in LEADS.get(case.source.language, ()):
            first = [place for place in lead if terms[place].clause == terms[lead[0]].clause and terms[place].kind in ("content", "quantity")]
            if len(first) < len([place for place in lead if terms[place].kind in ("content", "quantity")]):
                yield " ".join(terms[at].text for at in first), first, ""


def _is_comma(before: Term, after: Term) -> bool:
    return after.place - before.place >= 4 and after.clause > before.clause


def _negation(case: Case) -> str | None:
    said, source = _denials(case.said, None), _denials(case.source, case.touched | _asides(case))
    said -= _answers_no(case.said) and _answers_no(case.source)  # a clause of the source that nothing can touch
    if said != source or (is_whole(case) and _denials(case.said, None) != _denials(case.source, None)):
        return "it negates what the passage does not" if said > source else "it leaves out the passage's negation"
    denials = [place for place, one in enumerate(case.source.terms) if one.signs & {"no", "unless"} and one.clause in case.touched]
    likes = dict(enumerate(placed(case)))
    for at, one in enumerate(case.said.terms):
        if not one.signs & {"no", "unless"}:
            continue
        beside = [likes[near] for near in sorted(likes, key=lambda near: abs(near - at)) if likes[near]][:2]
        if beside and not any(abs(place - denial) <= NEAR for places in beside for place in places for denial in denials):
            return "it denies something else than the passage does"
    return None


def _asides(case: Case) -> frozenset[int]:
    """Clauses beside the touched ones that name nothing of their own: "without it, we cannot ..."."""
    terms = case.source.terms
    heavy = {one.clause for one in terms if one.kind in ("content", "quantity")}
    parts = {one.part for one in terms if one.clause in case.touched}
    answer = {terms[0].clause} if _answers_no(case.source) else set()
    return frozenset(one.clause for one in terms if one.part in parts and one.clause not in heavy | answer)


def _answers_no(part: Statement) -> bool:
    """Whether it opens with a bare "no" that answers a question: that denies nothing of what follows."""
    first, *others = part.terms or (None,)
    return first is not None and fold(first.text) in ANSWERS and bool(others) and others[0].clause != first.clause


def _times(case: Case) -> str | None:
    """ "After the warranty" is not "during the warranty", though each names it."""
    told = {sign for one in case.source.terms if one.clause in case.touched for sign in one.signs}
    for sign, others in APART.items():
        if sign in case.said.signs() and sign not in told and told & others:
            return f"the passage says “{min(told & others)}”, not “{sign}”"
    return None


def _denials(part: Statement, clauses: frozenset[int] | None) -> int:
    """Negations; a word like "ninguna" beside another negation of its clause only doubles it."""
    found: dict[int, list[bool]] = {}
    for one in part.terms:
        if one.signs & {"no", "unless"} and (clauses is None or one.clause in clauses):
            found.setdefault(one.clause, []).append(part.language != "en" and fold(one.text) in DOUBLING)
    return sum(max(1, doubled.count(False)) for doubled in found.values())


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
    forbids = "no" in said and "no" in touched  # what must not be done is what may not be done
    if "must" in touched and "can" in said and "must" not in said and "can" not in touched and not forbids:
        return "it turns what must be into what can be"
    return None


def _excused(sign: str, case: Case, others: frozenset[str] | set[str]) -> bool:
    """Other signs that say the same; "each group" is "per group"."""
    if sign in ("must", "should"):
        return _orders(case.source) or (sign == "should" and "must" in others)
    if sign == "all":  # "not any" is no more than "not"
        wholes = [fold(one.text) for one in case.said.terms if "all" in one.signs]
        if wholes and EACH.issuperset(wholes) and case.source.written & PER:
            return True
        return "no" in others and "no" in case.said.signs() and all(word.startswith("any") for word in wholes)
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
    return first is not None and can_be_act(first.meanings) and first.previous not in SUBJECTS and not any(one.signs & {"can"} for one in source.terms)


RULES: tuple[Callable[[Case], str | None], ...] = (
    figures, _terms, _borrowed, _literal, _letters, _scattered, _kept, _keyed, _negation, _signs, _times, persons, owners, _conditions, order, mixed, roles, attachment, currencies, bent,
)  # fmt: skip
