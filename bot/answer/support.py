"""Whether a stretch of a passage carries a sentence that does not quote it: rules that can each refuse, none that can excuse."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.answer.claims import Claim, Number, Token, claim, glue, restrictive_spans, same_number
from bot.answer.lexicon import COMMITS, CONDITION, FIRST_PERSON, MODALITY, NARROWING, POLARITY, RELATION, SECOND_PERSON, WE, WIDENING, YOU
from bot.answer.units import UnitKind
from bot.answer.words import fold, words

LEAST_KEPT = 0.7  # share of a source clause's content words that the sentence (with its neighbours) must keep
NEAR = 14  # places between two words that still stand together in the source
MOST_CUTS = 1  # a paraphrase may swap two clauses around, not the words within them
MOST_CUTS_IN_ROWS = 4  # a row's cells may be told in any order: each number keeps its header by the rule on numbers
MOST_APART = 1  # neighbouring words of the sentence that stand far apart in the source


WindowKind = UnitKind | Literal["pair"]  # a pair: a sentence with the one before it that it leans on


@dataclass(frozen=True, slots=True)
class Case:
    """`said` is judged; `source` is the window of the passage; `around` its title and headings; `beside` the draft's neighbours."""

    said: Claim
    source: Claim
    around: Claim
    beside: Claim
    language: str | None
    kind: WindowKind


def unsupported(case: Case) -> str | None:
    """The first rule that refuses, in words for the operator; None when the source carries the sentence."""
    for rule in RULES:
        why = rule(case)
        if why:
            return why
    return None


def coverage(said: Claim, source: Claim) -> float:
    keys = said.keys("word", "name", "code", "number")
    return len(keys & source.keys("word", "name", "code", "number")) / len(keys) if keys else 0.0


def _numbers(case: Case) -> str | None:
    for number in case.said.numbers:
        if not any(same_number(number, other) for other in (*case.source.numbers, *case.around.numbers)):
            return f"the passage does not say {_spelled(number)}"
    return None


def _spelled(number: Number) -> str:
    return f"“{' '.join(filter(None, (number.bound if number.bound != 'upto' else 'up to', number.text, number.unit)))}”"


def _words(case: Case) -> str | None:
    known = case.source.keys("word", "name", "code") | case.around.keys("word", "name", "code")
    for token in case.said.tokens:
        if token.kind in ("word", "name", "code") and token.key not in known and token.key not in glue(case.language):
            return f"the passage does not say “{token.text}” there"
    return None


def _borrowed(case: Case) -> str | None:
    """A title may name what the passage calls "it", but not take the place of what the passage does name."""
    borrowed = [
        token
        for token in case.said.tokens
        if token.kind in ("word", "name", "code") and token.key not in case.source.keys("word", "name", "code")
    ]
    borrowed = [token for token in borrowed if token.key not in glue(case.language)]
    said = case.said.keys("word", "name", "code", "number")
    touched = _touched(case)
    replaced = [token for token in case.source.tokens if token.clause in touched and token.kind != "small" and token.key not in said]
    if borrowed and replaced:
        return f"it says “{borrowed[0].text}” where the passage says “{replaced[0].text}”"
    return None


def _literal(case: Case) -> str | None:
    """Names and codes stand as written; stems do not do ("Pro" is no "Pros")."""
    written = {fold(word) for part in (case.source, case.around) for word in words(part.text)}
    for token in case.said.tokens:
        if token.kind == "name" and not {fold(word) for word in words(token.text)} <= written:
            return f"the passage does not name “{token.text}”"
    return None


def _touched(case: Case) -> frozenset[int]:
    """The source's clauses that the sentence speaks of: most of their words are said, and no other clause says more of the same."""
    keys = case.said.keys("word", "name", "code", "number")
    shared: dict[int, frozenset[str]] = {}
    for clause in range(case.source.clauses):
        heavy = [token.key for token in case.source.tokens if token.clause == clause and token.kind != "small"]
        if heavy and sum(key in keys for key in heavy) * 2 > len(heavy):
            shared[clause] = keys & frozenset(heavy)
    return frozenset(clause for clause, own in shared.items() if not any(own < other for other in shared.values()))


def _groups(tokens: tuple[Token, ...], lists: dict[str, str], clauses: frozenset[int] | None = None) -> list[str]:
    found = []
    for token in tokens:
        if clauses is not None and token.clause not in clauses:
            continue
        pieces = {fold(token.text), *(fold(word) for word in words(token.text))}
        found.extend(sorted({lists[piece] for piece in pieces if piece in lists}))
    return found


def _polarity(case: Case) -> str | None:
    said = len(_groups(case.said.tokens, POLARITY))
    source = len(_groups(case.source.tokens, POLARITY, _touched(case)))
    if said != source:
        return "it negates what the passage does not" if said > source else "it leaves out the passage's negation"
    return None


def _scope(case: Case) -> str | None:
    widened = set(_groups(case.said.tokens, WIDENING)) - set(_groups(case.source.tokens, WIDENING, _touched(case)))
    if widened:
        return f"it says more than the passage: {', '.join(sorted(widened))}"
    kept = {*_groups(case.said.tokens, NARROWING), *_groups(case.beside.tokens, NARROWING)}
    dropped = set(_groups(case.source.tokens, NARROWING, _touched(case))) - kept
    if dropped:
        return f"it drops what limits the passage's claim: {', '.join(sorted(dropped))}"
    return None


def _relations(case: Case) -> str | None:
    said = set(_groups(case.said.tokens, RELATION))
    source = set(_groups(case.source.tokens, RELATION))
    touched = set(_groups(case.source.tokens, RELATION, _touched(case)))
    beside = set(_groups(case.beside.tokens, RELATION))
    off = (said - source) | (touched - said - beside)
    return f"before, after, without and the like differ: {', '.join(sorted(off))}" if off else None


def _modality(case: Case) -> str | None:
    said = set(_groups(case.said.tokens, MODALITY))
    source = set(_groups(case.source.tokens, MODALITY, _touched(case)))
    added = said - source
    if added == {"must"} and case.kind == "step" and not source:
        return None
    if added == {"can"} and not source and case.kind == "step":
        return None
    if added:
        return f"the passage does not say {', '.join(sorted(added))}"
    lost = (source - said) & {"must", "should"} if said else source & {"should"}
    return f"it changes the passage's {', '.join(sorted(lost))}" if lost else None


def _persons(case: Case) -> str | None:
    said, source = _voices(case.said), _voices(case.source)
    if "we" in said and "we" not in source:
        return "it speaks for the company where the passage does not"
    if "we" in source and "we" not in said and "you" in said and "you" not in source:
        return "it turns what the company does into what the customer does"
    if {*_pronouns(case.said)} == {*_pronouns(case.source)} == {"we", "you"} and _pronouns(case.said)[0] != _pronouns(case.source)[0]:
        return "it swaps who does what for whom"
    commits = _small(case.said) & COMMITS
    if "we" in said and commits - _small(case.source):
        return f"it promises what the passage does not ({', '.join(sorted(commits))})"
    return None


def _voices(part: Claim) -> list[str]:
    pieces = [fold(word) for word in words(part.text)]
    return ["we" if piece in FIRST_PERSON else "you" for piece in pieces if piece in FIRST_PERSON or piece in SECOND_PERSON]


def _pronouns(part: Claim) -> list[str]:
    """Who acts and who is acted upon, in order: the pronouns alone, not "your" or "our"."""
    pieces = [fold(word) for word in words(part.text)]
    return ["we" if piece in WE else "you" for piece in pieces if piece in WE or piece in YOU]


def _small(part: Claim) -> frozenset[str]:
    return frozenset(fold(word) for word in words(part.text))


def _conditions(case: Case) -> str | None:
    """A condition in a clause beside the touched ones must be kept, here or in the next sentence of the draft."""
    kept = case.said.keys("word", "name", "code", "number") | case.beside.keys("word", "name", "code", "number")
    for span in restrictive_spans(case.source.text, CONDITION):
        keys = claim(span, case.language).keys("word", "name", "code", "number")
        if keys and len(keys & kept) < LEAST_KEPT * len(keys):
            return f"it drops the condition “{span.strip()[:80]}”"
    return None


def _kept(case: Case) -> str | None:
    """What the touched clauses say must be kept for the most part, their numbers, names and codes wholly."""
    kept = case.said.keys("word", "name", "code", "number") | case.beside.keys("word", "name", "code", "number")
    touched = _touched(case)
    if not touched:
        return "no single statement of the passage says this"
    heavy = [token for token in case.source.tokens if token.clause in touched and token.kind in ("word", "name", "code", "number")]
    told = {token.key for token in heavy}
    if len(told & kept) < LEAST_KEPT * len(told):
        return "it leaves out most of what the passage says there"
    for token in heavy:
        if token.kind in ("number", "name", "code") and token.key not in kept:
            return f"it leaves out “{token.text}”, which limits the passage's claim"
    return None


def _order(case: Case) -> str | None:
    """The sentence's words in the source's order, but for one swap of clauses: "A pays B" is not "B pays A"."""
    places: dict[str, list[int]] = {}
    for token in case.source.tokens:
        places.setdefault(token.key, []).append(token.place)
    path = [places[token.key] for token in case.said.tokens if token.kind != "small" and token.key in places]
    cuts, here = 0, -1
    for choices in path:
        ahead = [place for place in choices if place > here]
        cuts += not ahead
        here = min(ahead) if ahead else min(choices)
    if cuts > (MOST_CUTS_IN_ROWS if case.kind == "row" else MOST_CUTS):
        return "the passage says this in another order, of other things"
    apart = sum(min(abs(a - b) for a in first for b in second) > NEAR for first, second in itertools.pairwise(path))
    if apart > MOST_APART and case.kind != "row":
        return "it joins what stands apart in the passage"
    return None


def _attachment(case: Case) -> str | None:
    """Each number with the words it belongs to: of several numbers the source's nearest to a word must be the one said with it."""
    said_heavy = [token for token in case.said.tokens if token.kind in ("word", "name", "code")]
    for number in case.said.numbers:
        rivals = [other for other in case.source.numbers if other.unit == number.unit and other.value != number.value]
        own = [other for other in case.source.numbers if same_number(number, other)]
        if not rivals or not own:
            continue
        beside = sorted((token for token in said_heavy if token.clause == number.clause), key=lambda token: abs(token.place - number.place))
        for token in beside[:4]:
            if any(
                same_number(other, rival)
                for other in case.said.numbers
                for rival in rivals
                if other is not number and other.clause == number.clause
            ):
                break
            spots = [other.place for other in case.source.tokens if other.key == token.key]
            if (
                spots
                and min(abs(spot - other.place) for spot in spots for other in own)
                > min(abs(spot - rival.place) for spot in spots for rival in rivals) + 1
            ):
                return f"“{number.text}” belongs to something else in the passage than “{token.text}”"
    return None


RULES: tuple[Callable[[Case], str | None], ...] = (
    _numbers, _words, _borrowed, _literal, _kept, _polarity, _scope, _relations, _modality, _persons, _conditions, _order, _attachment,
)  # fmt: skip
