"""Whether each sentence of a draft is proved by the passages it cites. Deterministic; what it cannot take apart it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from bot.answer.clean import hides_text, speaks_to_the_bot, visible
from bot.answer.courtesy import is_courtesy
from bot.answer.links import carried_links, links, plain
from bot.answer.matching import Case, WindowKind
from bot.answer.retrieve import Passage
from bot.answer.statement import statement, tongue
from bot.answer.support import PRONOUNS, coverage, unsupported
from bot.answer.units import Unit, is_bare_answer, units
from bot.answer.words import fold, normal, words
from bot.answer.write import Draft, Kind, Sentence

LEAST_COVERAGE = 0.5  # of a sentence's content words, for a window to be looked at closely
LONGEST = 1_500  # characters of a sentence that is not a quotation
MARKUP = ("<script", "<img", "<iframe", "<svg", "<style", "javascript:", "data:", "![")


@dataclass(frozen=True, slots=True)
class Judged:
    """One sentence and the verdict on it; `why` is for the operator."""

    text: str
    citations: tuple[int, ...]
    kind: Kind
    supported: bool
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`supported` only when every sentence is, and at least one of them says something."""

    sentences: tuple[Judged, ...]
    supported: bool


def check(draft: Draft, allowed_links: Sequence[str], courtesies: frozenset[str] = frozenset()) -> Verdict:
    """`courtesies`: the team's own, word for word, beside the closed set; from the style sheet, never from a model or a ticket."""
    if not draft.sentences:
        return Verdict((Judged("", (), "statement", False, "the writer says that nothing here answers it"),), False)
    judged = []
    for at, sentence in enumerate(draft.sentences):
        supported, why = _judge(draft, at, allowed_links, courtesies)
        judged.append(Judged(sentence.text, sentence.citations, sentence.kind, supported, why))
    claims = any(sentence.kind not in ("courtesy", "heading") for sentence in judged)
    return Verdict(tuple(judged), claims and all(sentence.supported for sentence in judged))


def _judge(draft: Draft, at: int, allowed_links: Sequence[str], courtesies: frozenset[str]) -> tuple[bool, str]:
    sentence = draft.sentences[at]
    if sentence.kind == "courtesy":
        known = sentence.text in courtesies or is_courtesy(sentence.text)
        return known, "a courtesy of the closed set" if known else "not one of the fixed courtesies, and no passage is asked for it"
    cited = _cited(draft, sentence)
    if isinstance(cited, str):
        return False, cited
    if sentence.kind != "heading" and is_bare_answer(sentence.text):
        return False, "a bare yes or no: what it answers is not said"
    fault = _hidden_or_foreign(sentence.text, cited, allowed_links)
    if fault:
        return False, fault
    for marker, passage in cited:
        if _quotes(sentence, passage):
            return True, f"quoted from passage {marker}"
    if sentence.kind == "heading":
        return False, "no cited passage has this heading or title"
    return _carried(_without_links(sentence.text, allowed_links), cited, _beside(draft, at))


def _cited(draft: Draft, sentence: Sentence) -> list[tuple[int, Passage]] | str:
    """The cited passages with their markers, or why they do not count."""
    if not sentence.citations:
        return "cites no passage"
    if any(marker < 1 or marker > len(draft.citations) for marker in sentence.citations):
        return f"cites a passage that was not given: {', '.join(map(str, sentence.citations))}"
    cited = [(marker, draft.citations[marker - 1]) for marker in sentence.citations]
    internal = [marker for marker, passage in cited if passage.audience != "public"]
    return f"passage {internal[0]} is not for customers" if internal else cited


def _hidden_or_foreign(text: str, cited: Sequence[tuple[int, Passage]], allowed_links: Sequence[str]) -> str | None:
    if not text.strip() or hides_text(text) or visible(text) != text:
        return "empty, or hides characters from the reader"
    texts = [passage.text for _, passage in cited]
    for sign in MARKUP:
        if sign in text.casefold() and not any(sign in other.casefold() for other in texts):
            return f"carries markup ({sign})"
    foreign = links(text) - carried_links(texts, allowed_links)
    return f"{min(foreign)} stands in no cited passage and not in policy.allowed_links" if foreign else None


@lru_cache(maxsize=2048)
def _units(markdown: str) -> tuple[Unit, ...]:
    """What may be quoted or proved from: not a paragraph that speaks to the bot, whoever wrote it into the page."""
    found = units(markdown)
    poisoned = {unit.block for unit in found if speaks_to_the_bot(unit.text)}
    return tuple(unit for unit in found if unit.block not in poisoned)


def _same(text: str) -> str:
    return normal(plain(text)).strip(" .:;").casefold()


@lru_cache(maxsize=2048)
def _quotable(markdown: str) -> frozenset[str]:
    """Every unit whole, and runs of up to six sentences of one paragraph: less than a unit may have lost its condition."""
    found = {_same(unit.text) for unit in _units(markdown)}
    for at, unit in enumerate(_units(markdown)):
        run = [unit.text]
        for following in _units(markdown)[at + 1 : at + 6]:
            if following.block != unit.block or unit.kind != "sentence":
                break
            run.append(following.text)
            found.add(_same(" ".join(run)))
    return frozenset(found - {""})


def _quotes(sentence: Sentence, passage: Passage) -> bool:
    said = _same(sentence.text)
    if sentence.kind == "heading":
        headings = {passage.title, *passage.heading, *(unit.text for unit in _units(passage.text) if unit.kind == "heading")}
        return said in {_same(heading) for heading in headings}
    return said in _quotable(passage.text)


def _beside(draft: Draft, at: int) -> str:
    """What the draft's next sentence says on the strength of the same passages: it may hold the condition of this one."""
    own = set(draft.sentences[at].citations)
    near = [sentence for sentence in draft.sentences[at + 1 : at + 2] if sentence.kind in ("statement", "step")]
    return " ; ".join(sentence.text for sentence in near if own & set(sentence.citations))


def _without_links(text: str, allowed_links: Sequence[str]) -> str:
    """The operator vouches for these: they need no passage, and the rest of the sentence still does."""
    for link in allowed_links:
        text = text.replace(link, "")
    return text


def _carried(text: str, cited: Sequence[tuple[int, Passage]], beside: str) -> tuple[bool, str]:
    """By one window (a unit, or two neighbours) of one passage: facts of two passages are not to be mixed."""
    if len(text) > LONGEST:
        return False, "too long to be taken apart"
    best = (0.0, "no cited passage says this")
    for marker, passage in cited:
        own = passage.language or tongue(passage.text, "en")
        spoken = tongue(f"{text} {beside}", own)
        said = statement(text, spoken)
        if not said.of("content", "quantity"):
            return False, "says nothing that a passage could prove"
        names = " ; ".join((passage.title, *passage.heading))
        near = statement(beside, spoken)
        alone = 0.0
        for window, kind, before in _windows(passage.text):
            source = statement(window, own)
            share = coverage(said, source)
            if share < LEAST_COVERAGE or (kind == "pair" and share <= alone):
                continue
            alone = max(alone, share) if kind != "pair" else alone
            why = unsupported(Case(said, source, statement(names, own), statement(before, own), near, kind))
            if why is None:
                return True, f"carried by passage {marker}"
            best = max(best, (share, f"passage {marker}: {why}"))
    return False, best[1]


@lru_cache(maxsize=2048)
def _windows(markdown: str) -> tuple[tuple[str, WindowKind, str], ...]:
    """Each unit, with the one before it where a pronoun may mean something in that; and each two neighbours of one block."""
    parts = [unit for unit in _units(markdown) if unit.kind not in ("heading", "code")]
    found: list[tuple[str, WindowKind, str]] = []
    for at, unit in enumerate(parts):
        before = parts[at - 1].text if at and parts[at - 1].kind == "sentence" and _refers(unit.text) else ""
        found.append((unit.text, unit.kind, before))
    for first, second in pairwise(parts):
        if first.block == second.block and first.kind in ("sentence", "step"):
            found.append((f"{first.text.rstrip(' .')}. {second.text}", "pair", ""))
    return tuple(found)


def _refers(text: str) -> bool:
    return bool(PRONOUNS & {fold(word) for word in words(text)})
