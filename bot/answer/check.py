"""Whether each sentence of a draft is proved by the passages it cites. Deterministic; what it cannot take apart it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from bot.answer.clean import hides_text, speaks_to_the_bot, visible
from bot.answer.copying import bent
from bot.answer.courtesy import is_courtesy
from bot.answer.lexicon import NUMBER_WORDS
from bot.answer.links import carried_links, links, plain
from bot.answer.matching import Case, WindowKind
from bot.answer.reading import WORDS, is_known, possible, statement, tongue
from bot.answer.retrieve import FOR_CUSTOMERS, Passage
from bot.answer.roles import roles
from bot.answer.support import PRONOUNS, covered, unsupported
from bot.answer.units import Unit, is_bare_answer, units
from bot.answer.words import fold, normal, words
from bot.answer.write import Draft, Kind, Sentence

LEAST_COVERAGE = 0.5  # of a sentence's content words, for a window to be looked at closely
LONGEST = 1_500  # characters of a sentence that is not a quotation
_LABEL = re.compile(r"(^|; )([^:;]{1,60}): ")  # a column's name before its cell, as `units` writes a row
MARKUP = ("<script", "<img", "<iframe", "<svg", "<style", "javascript:", "data:", "![")


@dataclass(frozen=True, slots=True)
class Judged:
    """One sentence and the verdict on it; `why` is for the operator.

    `instead`, of one that is refused: what the passage `nearest` (its marker) says about it, word for word; empty where nothing comes near.
    """

    text: str
    citations: tuple[int, ...]
    kind: Kind
    supported: bool
    why: str
    instead: str = ""
    nearest: int = 0


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
        said = _judge(draft, at, allowed_links, courtesies)
        judged.append(Judged(sentence.text, sentence.citations, sentence.kind, said.supported, said.why, said.instead, said.nearest))
    claims = any(sentence.kind not in ("courtesy", "heading") for sentence in judged)
    return Verdict(tuple(judged), claims and all(sentence.supported for sentence in judged))


@dataclass(frozen=True, slots=True)
class _Said:
    """The verdict on one sentence, as `Judged` tells it."""

    supported: bool
    why: str
    instead: str = ""
    nearest: int = 0


def _judge(draft: Draft, at: int, allowed_links: Sequence[str], courtesies: frozenset[str]) -> _Said:
    sentence = draft.sentences[at]
    if sentence.kind == "courtesy":
        known = sentence.text in courtesies or is_courtesy(sentence.text)
        return _Said(known, "a courtesy of the closed set" if known else "not one of the fixed courtesies, and no passage is asked for it")
    cited = _cited(draft, sentence)
    if isinstance(cited, str):
        return _Said(False, cited)
    if sentence.kind != "heading" and is_bare_answer(sentence.text):
        return _Said(False, "a bare yes or no: what it answers is not said")
    fault = _hidden_or_foreign(sentence.text, cited, allowed_links)
    if fault:
        return _Said(False, fault)
    for marker, passage in cited:
        if _quotes(sentence, passage):
            return _Said(True, f"quoted from passage {marker}")
    if sentence.kind == "heading":
        return _Said(False, "no cited passage has this heading or title")
    return _carried(_without_links(sentence.text, allowed_links), cited, _beside(draft, at))


def _cited(draft: Draft, sentence: Sentence) -> list[tuple[int, Passage]] | str:
    """The cited passages with their markers, or why they do not count."""
    if not sentence.citations:
        return "cites no passage"
    if any(marker < 1 or marker > len(draft.citations) for marker in sentence.citations):
        return f"cites a passage that was not given: {', '.join(map(str, sentence.citations))}"
    cited = [(marker, draft.citations[marker - 1]) for marker in sentence.citations]
    internal = [marker for marker, passage in cited if passage.audience not in FOR_CUSTOMERS]
    return f"passage {internal[0]} is not for this customer" if internal else cited


def _hidden_or_foreign(text: str, cited: Sequence[tuple[int, Passage]], allowed_links: Sequence[str]) -> str | None:
    if not text.strip() or hides_text(text) or visible(text) != text:
        return "empty, or hides characters from the reader"
    texts = [passage.text for _, passage in cited]
    for sign in MARKUP:
        if sign in text.casefold() and not any(sign in other.casefold() for other in texts):
            return f"carries markup ({sign})"
    own = links(text)
    foreign = own - carried_links(texts, allowed_links) if own else own
    return f"{min(foreign)} stands in no cited passage and not in policy.allowed_links" if foreign else None


@dataclass(frozen=True, slots=True)
class _Window:
    """What a sentence is held against; `before` is the sentence before it, `of` the two neighbours that make up a pair."""

    text: str
    kind: WindowKind
    before: str = ""
    of: tuple[()] | tuple[str, str] = ()


@lru_cache(maxsize=2048)
def _units(markdown: str) -> tuple[Unit, ...]:
    """What may be quoted or proved from: not a paragraph that speaks to the bot, whoever wrote it into the page."""
    found = units(markdown)
    poisoned = {unit.block for unit in found if speaks_to_the_bot(_unlabelled(unit))}
    return tuple(unit for unit in found if unit.block not in poisoned)


def _unlabelled(unit: Unit) -> str:
    """A row without the colons after its columns' names: "System: Alexa" names a column and speaks for no system."""
    return _LABEL.sub(r"\1\2 ", unit.text) if unit.kind == "row" else unit.text


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


def _carried(text: str, cited: Sequence[tuple[int, Passage]], beside: str) -> _Said:
    """By one window (a unit, or two neighbours) of one passage: facts of two passages are not to be mixed."""
    if len(text) > LONGEST:
        return _Said(False, "too long to be taken apart")
    best = (0.0, _Said(False, "no cited passage says this"))
    for marker, passage in cited:
        own = passage.language or tongue(passage.text, "en")
        spoken = _spoken(f"{text} {beside}", passage.text, own)
        if not statement(text, spoken).of("content", "quantity"):
            return _Said(False, "says nothing that a passage could prove")
        for share, told, case in _likely((text, beside), spoken, passage, own):
            why = unsupported(case)
            if why is None:
                return _Said(True, f"carried by passage {marker}")
            if share > best[0]:
                best = (share, _Said(False, f"passage {marker}: {why}", told, marker))
    return best[1]


def _spoken(text: str, source: str, own: str) -> str:
    """The language of a sentence. Names copied from the passage do not decide ("Choisissez Settings and sharing")."""
    spoken = tongue(text, own)
    if spoken != own:
        return spoken
    copied = {fold(word) for word in words(source)}
    rest = [word for word in words(text) if fold(word) not in copied and fold(word) not in NUMBER_WORDS and not word[0].isdigit()]
    if not rest or any(is_known(word, own) for word in rest):
        return spoken
    other = tongue(" ".join(rest), own)
    return other if all(is_known(word, other) for word in rest) else spoken


def _likely(draft: tuple[str, str], spoken: str, passage: Passage, own: str) -> Iterator[tuple[float, str, Case]]:
    """The windows that say enough of the sentence, with the share, and as they are written.

    Two neighbours only where they say more of it than any unit alone, and neither is what the sentence copies with a change, or says
    with its parts in each other's places.
    """
    names = " ; ".join((passage.title, *passage.heading))
    alone, places = 0.0, dict[str, frozenset[int]]()
    copies: set[str] = set()
    for window in _windows(passage.text):
        if window.of and (copies.intersection(window.of) or not _add_up(*(places[unit] for unit in window.of))):
            continue
        case, apart = _readings(draft, spoken, (window.text, names, window.before), own, window.kind)
        heavy = [one.place for one in case.said.of("content", "quantity")]
        told = covered(case.said, case.source)
        share = len(told) / len(heavy) if heavy else 0.0
        places[window.text] = frozenset(case.said.terms[at].place for at in told)
        if share < LEAST_COVERAGE or (window.of and share <= alone):
            continue
        alone = alone if window.of else max(alone, share)
        if bent(case) or roles(case):
            copies.add(window.text)
        yield share, window.text, case
        if apart:
            yield share, window.text, apart


def _add_up(first: frozenset[int], second: frozenset[int]) -> bool:
    """Whether each says something of the sentence that the other does not."""
    return bool(first - second) and bool(second - first)


def _readings(
    draft: tuple[str, str], spoken: str, source: tuple[str, str, str], own: str, kind: WindowKind
) -> tuple[Case, Case | None]:
    """Each side read in the light of the other; and word by word, where that is another reading.

    `draft`: sentence, what is beside it; `source`: window, names, the sentence before.
    """
    text, beside = draft
    said = possible(text, spoken) | possible(beside, spoken)
    told = frozenset().union(*(possible(part, own) for part in source))
    joined, apart = (_case(draft, spoken, source, own, kind=kind, lights=lights) for lights in ((told, said), (WORDS, WORDS)))
    return joined, apart if (apart.said, apart.source) != (joined.said, joined.source) else None


def _case(
    draft: tuple[str, str],
    spoken: str,
    source: tuple[str, str, str],
    own: str,
    *,
    kind: WindowKind,
    lights: tuple[frozenset[int], frozenset[int]],
) -> Case:
    """`lights`: the meanings in whose light either side is read."""
    window, names, before = (statement(part, own, lights[1]) for part in source)
    text, beside = (statement(part, spoken, lights[0]) for part in draft)
    return Case(text, window, names, before, beside, kind)


@lru_cache(maxsize=2048)
def _windows(markdown: str) -> tuple[_Window, ...]:
    """Each unit, with the one before it where a pronoun may mean something in that; and each two neighbours of one block."""
    parts = [unit for unit in _units(markdown) if unit.kind not in ("heading", "code")]
    found: list[_Window] = []
    for at, unit in enumerate(parts):
        before = parts[at - 1].text if at and parts[at - 1].kind == "sentence" and _refers(unit.text) else ""
        found.append(_Window(unit.text, unit.kind, before))
    for first, second in pairwise(parts):
        if first.block == second.block and first.kind in ("sentence", "step"):
            found.append(_Window(f"{first.text.rstrip(' .')}. {second.text}", "pair", of=(first.text, second.text)))
    return tuple(found)


def _refers(text: str) -> bool:
    return bool(PRONOUNS & {fold(word) for word in words(text)})
