"""How far a draft agrees with what the agent answered, in facts: numbers, links, steps, outcome. Wording counts for nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.answer.check import Verdict
from bot.answer.claims import Number, claim, same_number
from bot.answer.conflict import conflicts
from bot.answer.links import links
from bot.answer.retrieve import Passage
from bot.answer.units import Unit, units
from bot.answer.words import content_stems
from bot.answer.write import Draft

SAID = 0.6  # share of a step's content words that the draft must have
ENOUGH = 0.5  # an agreement from here on is taken for right, until somebody labels it
LEAST_WORDS = 2  # content words of a step that says something
PATH = " > "  # how people write the way through a menu
LONGEST = 300  # words of each text that the edit distance looks at


@dataclass(frozen=True, slots=True)
class Agreement:
    """`value`: of the facts of whoever stated fewer, the share that the other one states too; 0 when they contradict each other.

    None: one of them states no fact. `missing`: what the agent said and the draft does not.
    """

    value: float | None
    facts: int  # of the agent's
    missing: tuple[str, ...]
    contradiction: str | None


@dataclass(frozen=True, slots=True)
class Text:
    """One side, taken apart once."""

    facts: tuple[tuple[str, Number | None, str], ...]
    numbers: tuple[Number, ...]
    addresses: frozenset[str]
    stems: frozenset[str]
    language: str | None

    def states(self, kind: str, number: Number | None, shown: str) -> bool:
        if kind == "number":
            return any(number is not None and same_number(one, number) for one in self.numbers)
        return shown in self.addresses if kind == "link" else _said(shown, self.stems, self.language)


def agree(draft: Draft, verdict: Verdict, answer: str, language: str | None) -> Agreement:
    said = [sentence for sentence in draft.sentences if sentence.kind != "courtesy"]
    ours = _text("\n".join(f"- {s.text}" if s.kind == "step" else s.text for s in said), language)
    theirs = _text(answer, language)
    missing = tuple(shown for kind, number, shown in theirs.facts if not ours.states(kind, number, shown))
    clash = _contradiction(draft, verdict, answer)
    value = None
    if ours.facts and theirs.facts:
        extra = sum(not theirs.states(*fact) for fact in ours.facts)
        value = max(1 - len(missing) / len(theirs.facts), 1 - extra / len(ours.facts))
    return Agreement(0.0 if clash else value, len(theirs.facts), missing, clash)


def _text(text: str, language: str | None) -> Text:
    return Text(
        tuple(_facts(text, language)), claim(text, language).numbers, links(text), frozenset(content_stems(text, language)), language
    )


def _facts(answer: str, language: str | None) -> Iterator[tuple[str, Number | None, str]]:
    """(kind, the number if it is one, as text); each number and link once."""
    seen: set[tuple[str, str]] = set()
    for number in claim(answer, language).numbers:
        if number.unit and (number.value, number.unit) not in seen:
            seen.add((number.value, number.unit))
            yield "number", number, f"{number.text} {number.unit}"
    for link in sorted(links(answer)):
        yield "link", None, link
    for step in units(answer):
        if _is_step(step) and len(content_stems(step.text, language)) >= LEAST_WORDS:
            yield "step", None, step.text


def _is_step(unit: Unit) -> bool:
    return unit.kind == "step" or (unit.kind == "sentence" and PATH in unit.text)


def _said(step: str, stems: frozenset[str], language: str | None) -> bool:
    wanted = content_stems(step, language)
    return sum(stem in stems for stem in wanted) >= SAID * len(wanted)


def _contradiction(draft: Draft, verdict: Verdict, answer: str) -> str | None:
    """A figure or a "not" in which the agent's answer and the draft cannot both be right."""
    spoken = {draft.citations[marker - 1].language for sentence in draft.sentences for marker in sentence.citations}
    for language in sorted(spoken, key=str):
        rival = Passage("agent", "the agent's answer", "", "public", language, None, (), answer, 0.0, 0.0, "")
        if found := conflicts(verdict, draft.citations, [rival]):
            return found[0].why
    return None


def edit_distance(draft: str, answer: str) -> float:
    """0 (the same words in the same order) to 1: 1 - 2·shared/(both lengths), in words, after Ratcliff and Obershelp."""
    one, other = draft.split()[:LONGEST], answer.split()[:LONGEST]
    return 1.0 - difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def linked_found(answer: str, documents: dict[str, str], found: Sequence[Passage]) -> tuple[int, int]:
    """(found, linked) of the knowledge's documents that the agent linked; `documents`: ids by `address_key` of their URL."""
    linked = {documents[link] for link in links(answer) if link in documents}
    return len(linked & {passage.document for passage in found}), len(linked)
