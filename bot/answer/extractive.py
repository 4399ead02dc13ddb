# ruff: noqa: E501 (patterns and word lists read better unbroken)
"""The writer without a model: it quotes the passage that answers, whole sentences, steps and rows, and adds courtesy only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.answer import courtesy
from bot.answer.gloss import glossed, main_language
from bot.answer.likelihood import evidence, is_question, likelihood, logistic
from bot.answer.relevance import Embed, Question, Ranked, core, question_of, rank, read, shared
from bot.answer.retrieve import Found, Passage
from bot.answer.triage import Triage, clean_subject
from bot.answer.units import ANSWERS, LEANS, Unit, is_bare_answer
from bot.answer.words import content_stems, fold
from bot.answer.write import Draft, Kind, Sentence, Usage
from connectors.base import Ticket

ENOUGH = -0.45
ENOUGH_AGREED = -1.25
AGREEMENT = 1.1  # sum over a document's passages of 1 / place among the finds
LEAST_COSINE = 0.35
LIKELY = 0.45  # from which a document is held to answer
LIKELY_QUESTION = 0.75  # the same where its title is a question: somebody else's, which is nearly the customer's, is answered elsewhere
CLOSE, LIKELY_FAR = 0.93, 0.7  # the same where no sentence of it comes that close
AGREED = 0.3  # the same where each of several ways to understand the question leads to it
BOTH = 0.28  # from which it is where what question and passage share is ENOUGH besides
FIT = 0.15  # of closeness, that the kind of piece asked for is worth
LONGEST = 900  # characters quoted for one question; a list of steps is quoted whole beyond it
MOST_STEPS = 30
MOST_ROWS = 12
SAME_QUESTION = 0.6  # of the customer's content words
MOST_COMPANIONS = 4  # passages looked at
COMPANION = 0.5  # of closeness, that a passage of the same document may be behind the best
# A code (PS-12B), an abbreviation (SAML), a name's number (Zephyr 9000): asked about, it must be spoken of.
SPECIFIC = re.compile(r"\b(?:(?=[\w-]*[A-Za-z])(?=[\w-]*\d)\w[\w-]*\w|[A-Z]{2,4}|[A-Z]\w+ \d{2,5})\b")


@dataclass(frozen=True, slots=True)
class Quotation:
    """Units of one passage; `headed` when its heading helps to understand them; `open` when they are cases of which the question names none."""

    passage: Passage
    units: tuple[Unit, ...]
    headed: bool
    open: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What answers one question; `confidence` 0..1."""

    quotations: tuple[Quotation, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Proposed:
    """A document that one way to understand the question finds: its passages found, best first; `likelihood` that it answers, 0..1.

    `enough` is the likelihood that it needs.
    """

    rows: tuple[Ranked, ...]
    likelihood: float
    enough: float


@dataclass(frozen=True, slots=True)
class ExtractiveWriter:
    """`embed` gives one L2-normalised row per text; `scored`: by the embedder on whose scores `likelihood` was fitted."""

    embed: Embed
    scored: bool = True

    def write(self, ticket: Ticket, triage: Triage, found: Found) -> Draft | None:
        subject = clean_subject(ticket.subject)
        # A passage's score tells of the question that it was found for: of several questions, nobody knows which.
        scored = self.scored and len(triage.questions) == 1
        answers = [self.answer(question, triage.language, found.public, subject, scored=scored) for question in triage.questions]
        if not any(answers):
            return None
        return _compose(answers, ticket, triage)

    def answer(self, text: str, language: str, passages: Sequence[Passage], subject: str = "", *, scored: bool = False) -> Answer | None:
        """The best passage's answer to one question, however it is best understood; None when none proves itself."""
        candidates = _in_one_language(passages, language)
        spoken = main_language((passage.language for passage in candidates), language)
        if spoken and self.scored and (put := glossed(text, language, spoken)):
            return self.answer(put, spoken, candidates, glossed(subject, language, spoken) or "", scored=scored)
        found = read(candidates, language, self.embed)
        asked = core(text)
        likely: list[Proposed] = []
        evident: list[Proposed] = []
        for one in dict.fromkeys((text, asked, f"{subject}. {asked}" if subject else asked)):
            question = question_of(one, language)
            ranked = rank(question, found, self.embed)
            if not ranked:
                continue
            likely.extend(_likeliest(ranked, question) if scored else ())
            evident.extend(_most_evident(ranked, question, candidates))
        best = _chosen(likely, evident)
        if best is None:
            return None
        quoted = [_quoted(row, question_of(text, language)) for row in _companions(best.rows)]
        if quoted[0] is None:
            return None
        return Answer(tuple(part for part in quoted if part), confidence=best.likelihood)


def _chosen(likely: Sequence[Proposed], evident: Sequence[Proposed]) -> Proposed | None:
    """The likeliest document of all ways to understand the question, if it is likely enough; less will do where all lead to it.

    `likelihood` was fitted on questions alone. Where the message says more than its question, it is no veto: then evidence is enough.
    """
    if likely:
        best = max(likely, key=lambda one: one.likelihood)
        alone = len(likely) > 1 and len({one.rows[0].passage.document for one in likely}) == 1
        if best.likelihood >= (min(best.enough, AGREED) if alone and best.enough <= LIKELY else best.enough):
            return best
        if len(likely) == 1:
            return None
    best_evident = max(evident, key=lambda one: one.likelihood, default=None)
    return best_evident if best_evident and best_evident.likelihood >= best_evident.enough else None


def _likeliest(ranked: Sequence[Ranked], question: Question) -> Iterator[Proposed]:
    """The likeliest document found, its passages by how close their best sentence comes; none where the search told no scores."""
    documents = likelihood(ranked, question)
    for document in sorted(documents, key=lambda document: -documents[document]):
        rows = sorted((row for row in ranked if row.passage.document == document), key=_quotable, reverse=True)
        if not all(_unknown_names(question, row.passage) for row in rows):
            yield Proposed(tuple(rows), documents[document], _enough(rows))
            return


def _enough(rows: Sequence[Ranked]) -> float:
    if max(evidence(row.signals) for row in rows) >= ENOUGH:
        return BOTH
    if is_question(rows[0].passage.title):
        return LIKELY_QUESTION
    return LIKELY if max(row.signals.close for row in rows) >= CLOSE else LIKELY_FAR


def _most_evident(ranked: Sequence[Ranked], question: Question, candidates: Sequence[Passage]) -> Iterator[Proposed]:
    """The document of the passage that shares most with the question, whatever the search thought of it."""
    if not _unknown_names(question, ranked[0].passage):
        rows = tuple(row for row in ranked if row.passage.document == ranked[0].passage.document)
        enough = ENOUGH_AGREED if _agreed(ranked[0], candidates) else ENOUGH
        yield Proposed(rows, logistic(evidence(ranked[0].signals)), logistic(enough))


def _quotable(row: Ranked) -> float:
    return row.signals.close + FIT * row.signals.fit


def _companions(rows: Sequence[Ranked]) -> list[Ranked]:
    """The document's best passage, and with it the next ones, as far as they are short."""
    best, room = rows[0], LONGEST
    chosen = [best]
    for row in rows[1:MOST_COMPANIONS]:
        room -= sum(len(part.text) for part in chosen[-1].units)
        near = _quotable(row) >= _quotable(best) - COMPANION
        if near and sum(len(part.text) for part in row.units) <= room:
            chosen.append(row)
    return chosen


def _agreed(best: Ranked, candidates: Sequence[Passage]) -> bool:
    """Whether several passages of the same document stand high among the finds: then less evidence will do."""
    share = sum(1 / place for place, passage in enumerate(candidates, start=1) if passage.document == best.passage.document)
    return share >= AGREEMENT and best.signals.passage >= LEAST_COSINE


def _unknown_names(question: Question, passage: Passage) -> bool:
    """A product, code or number asked about that the passage never mentions."""
    said = fold(" ".join((passage.title, *passage.heading, passage.text)))
    return any(fold(name) not in said for name in SPECIFIC.findall(question.text))


def _in_one_language(passages: Sequence[Passage], language: str) -> list[Passage]:
    """Of a document's translations only the one in the ticket's language, where there is one."""
    spoken = {_base(passage) for passage in passages if passage.language == language}
    return [passage for passage in passages if passage.language in (language, None) or _base(passage) not in spoken]


def _base(passage: Passage) -> str:
    return ":".join(passage.document.split(":")[:4]) if passage.document.count(":") >= 4 else passage.document


_LIMITS = re.compile(
    r"^(?:however|but|unless|except|exception|note|please note|only|otherwise|if not|this does not|this only|it does not|toutefois|cependant|sauf|attention|sinon|"
    r"jedoch|ausgenommen|achtung|nur|sin embargo|salvo|solo|excepto)\b"
)


def _quoted(best: Ranked, asked: Question) -> Quotation | None:
    """The best unit with what belongs to it: its paragraph, the list it announces, the line that announces it.

    None when its sense hangs on a question that is not the customer's.
    """
    at = max(range(len(best.units)), key=lambda index: best.worth[index])
    start, end = _section(best.units, at)
    for index in range(start, end):
        if ANSWERS.match(fold(best.units[index].text)) and not _answers(best.units[index], best.passage, asked):
            if index <= at:
                return None
            end = index
            break
    parts, worth, at = best.units[start:end], best.worth[start:end], at - start
    headed = bool(parts[at].under or best.passage.heading)
    if sum(len(part.text) for part in parts) <= LONGEST and not any(part.kind == "row" for part in parts):
        return Quotation(best.passage, _spoken_out(parts[:MOST_STEPS]), headed)
    start, end = _block(parts, at)
    if parts[at].kind == "row":
        unnamed = end - start <= MOST_ROWS and _names_no_case(parts[start:end], best.passage, asked)
        rows = tuple(parts[start:end]) if unnamed else _rows(parts, worth, start, end)
        lead = parts[start - 1 : start] if start and parts[start - 1].kind == "sentence" and parts[start - 1].text.endswith(":") else ()
        return Quotation(best.passage, (*lead, *rows), True, unnamed)
    start, end = _trimmed(parts, worth, start, end, at)
    start, end = _leaning(parts, start, end)
    return Quotation(best.passage, _spoken_out(parts[start:end]), parts[start].kind != "sentence" or start > 0)


def _section(parts: Sequence[Unit], at: int) -> tuple[int, int]:
    """The units under the same heading: what stands under another one answers something else."""
    start = end = at
    while start > 0 and parts[start - 1].section == parts[at].section:
        start -= 1
    while end < len(parts) and parts[end].section == parts[at].section:
        end += 1
    return start, end


def _answers(unit: Unit, passage: Passage, asked: Question) -> bool:
    """Whether this yes or no is the answer to what was asked: the question above it is the customer's, or it says it again itself."""
    above = unit.under or (passage.heading[-1] if passage.heading else passage.title)
    if above.rstrip().endswith("?"):
        return shared(asked, above) >= SAME_QUESTION
    return is_bare_answer(unit.text) or shared(asked, unit.text) >= SAME_QUESTION


def _spoken_out(parts: Sequence[Unit]) -> tuple[Unit, ...]:
    """A bare yes or no is left unsaid; what follows it speaks for itself."""
    return tuple(part for part in parts if not is_bare_answer(part.text))


def _block(parts: Sequence[Unit], at: int) -> tuple[int, int]:
    start = end = at
    while start > 0 and parts[start - 1].block == parts[at].block:
        start -= 1
    while end < len(parts) and parts[end].block == parts[at].block:
        end += 1
    return start, end


def _rows(parts: Sequence[Unit], worth: Sequence[float], start: int, end: int) -> tuple[Unit, ...]:
    """The rows that stand out; all of a short table where none does."""
    best = max(worth[start:end])
    near = [at for at in range(start, end) if worth[at] >= best - 0.15]
    chosen = near if len(near) <= 4 else range(start, min(end, start + MOST_ROWS))
    return tuple(parts[at] for at in chosen)


def _names_no_case(rows: Sequence[Unit], passage: Passage, asked: Question) -> bool:
    """Whether each row of a table is a case, and the question says nothing by which one would be chosen: then none is likelier than another."""
    cells = [[cell.partition(": ")[2] for cell in row.text.split("; ")] for row in rows]
    if len(rows) < 2 or passage.language not in (asked.language, None) or not all(row[0] for row in cells):
        return False
    named = {frozenset(asked.words.keys() & set(content_stems(" ".join(row), asked.language))) for row in cells}
    return len(named) == 1 and len({tuple(row[1:]) for row in cells}) > 1


def _trimmed(parts: Sequence[Unit], worth: Sequence[float], start: int, end: int, at: int) -> tuple[int, int]:
    """A long paragraph around its best sentence; a list stays whole."""
    if parts[at].kind != "sentence" or sum(len(part.text) for part in parts[start:end]) <= LONGEST:
        return start, min(end, start + MOST_STEPS)
    first = last = at
    while last + 1 < end and sum(len(part.text) for part in parts[first : last + 2]) <= LONGEST:
        last += 1
    while first > start and sum(len(part.text) for part in parts[first - 1 : last + 1]) <= LONGEST:
        first -= 1
    return first, last + 1


def _leaning(parts: Sequence[Unit], start: int, end: int) -> tuple[int, int]:
    """Takes in what the quotation leans on, what it announces, and what limits it right after."""
    while start > 0 and (LEANS.match(fold(parts[start].text)) or parts[start - 1].text.rstrip().endswith(":")):
        start -= 1
    if end < len(parts) and parts[end - 1].text.rstrip().endswith(":"):
        _, end = _block(parts, end)
    while end < len(parts) and _LIMITS.match(fold(parts[end].text)):
        end += 1
    return start, end


KINDS: dict[str, Kind] = {"sentence": "statement", "code": "statement", "row": "row", "heading": "heading"}


def _kind(unit: Unit) -> Kind:
    return ("step" if unit.ordered else "row") if unit.kind == "step" else KINDS[unit.kind]


def _compose(answers: Sequence[Answer | None], ticket: Ticket, triage: Triage) -> Draft:
    said = [
        Sentence(courtesy.greeting(triage.language, ticket.requester_name), (), "courtesy"),
        Sentence(courtesy.thanks(triage.language), (), "courtesy"),
    ]
    cited: list[Passage] = []
    told: set[str] = set()
    for number, answer in enumerate(answers, start=1):
        if answer is None:
            continue
        fresh = [
            (quotation, units) for quotation in answer.quotations if (units := [unit for unit in quotation.units if unit.text not in told])
        ]
        if fresh and len(answers) > 1:
            said.append(Sentence(courtesy.about(triage.language, number), (), "courtesy"))
        for quotation, units in fresh:
            if quotation.passage not in cited:
                cited.append(quotation.passage)
            said.extend(_spoken(quotation, units, cited.index(quotation.passage) + 1, triage.language))
            told.update(unit.text for unit in units)
            if _asks(answer, quotation):
                said.append(Sentence(courtesy.which_case(triage.language), (), "courtesy"))
    left = [number for number, answer in enumerate(answers, start=1) if answer is None]
    said.extend(Sentence(courtesy.colleague(triage.language, number), (), "courtesy") for number in left)
    said.append(Sentence(courtesy.sign_off(triage.language), (), "courtesy"))
    confidence = min(answer.confidence for answer in answers if answer)
    asks = any(sentence.text == courtesy.which_case(triage.language) for sentence in said)
    return Draft(tuple(said), tuple(cited), Usage(), complete=not left, confidence=round(confidence, 3), asks=asks)


def _asks(answer: Answer, quotation: Quotation) -> bool:
    """Whether the customer is asked which case is theirs: by what answers, not by what is quoted along with it."""
    return quotation.open and quotation is answer.quotations[0]


def _spoken(quotation: Quotation, units: Sequence[Unit], marker: int, language: str) -> list[Sentence]:
    said = []
    source = quotation.passage.language
    foreign = courtesy.other_language(language, source) if source and source != language else None
    if foreign:
        said.append(Sentence(foreign, (), "courtesy"))
    heading = units[0].under or (quotation.passage.heading[-1] if quotation.passage.heading else quotation.passage.title)
    if quotation.headed and units[0].kind in ("step", "row") and heading:
        said.append(Sentence(heading, (marker,), "heading"))
    said.extend(Sentence(unit.text, (marker,), _kind(unit)) for unit in units)
    return said
