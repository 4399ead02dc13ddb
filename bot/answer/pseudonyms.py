"""Placeholders in place of personal data for what goes to a model, and the data again in what comes back.

What has a form is found by it, the requester by name. Other people's names in free text are not recognised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.answer.entities import Pattern, entities
from bot.answer.retrieve import Found
from bot.answer.triage import Triage
from bot.answer.write import Draft, ModelUnavailable, Writer
from bot.tone.redaction import marks
from connectors.base import Ticket

PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]*-\d+\]")
PERSONAL = frozenset({"email", "phone", "order", "invoice"})  # kinds of entities; amounts, dates and versions tell of nobody
SHORTEST = 2  # letters of a part of a name


class Masking(Protocol):
    def of(self, ticket: Ticket, known: str = "") -> Pseudonyms: ...


@dataclass(frozen=True, slots=True)
class Mask:
    """`patterns`: the operator's own kinds, the personal ones."""

    patterns: Sequence[Pattern] = ()

    def of(self, ticket: Ticket, known: str = "") -> Pseudonyms:
        """For one ticket; what stands in `known`, the passages that anybody may read, is nobody's secret and stays."""
        return Pseudonyms(self.patterns, tuple(_parts(ticket)), known)


@dataclass(slots=True)
class Pseudonyms:
    """The same datum has the same placeholder in every text of one ticket."""

    patterns: Sequence[Pattern]
    names: Sequence[str]
    known: str = ""
    _by_datum: dict[str, str] = field(default_factory=dict)
    _by_placeholder: dict[str, str] = field(default_factory=dict)

    def hide(self, text: str) -> str:
        parts, end = [], 0
        for start, stop, kind in self._stretches(text):
            parts += [text[end:start], self._placeholder(kind, text[start:stop])]
            end = stop
        return "".join([*parts, text[end:]])

    def _stretches(self, text: str) -> list[tuple[int, int, str]]:
        """What is to be hidden, in order, none within another: what stands earlier in this list of kinds goes first."""
        found = [(one.start(), one.end(), "mark") for one in PLACEHOLDER.finditer(text)]  # what looks like ours comes back as it was
        for one in entities(text, self.patterns):
            if one.type in PERSONAL or any(pattern.type == one.type for pattern in self.patterns):
                found += [(at.start(), at.end(), one.type) for at in re.finditer(re.escape(one.text), text)]
        found += [(one.start, one.end, one.kind) for one in marks(text)]
        kept = [one for one in found if one[2] == "mark" or text[one[0] : one[1]] not in self.known]
        for name in self.names:
            kept += [(at.start(), at.end(), "name") for at in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
        apart: list[tuple[int, int, str]] = []
        for start, stop, kind in kept:
            if all(stop <= begin or end <= start for begin, end, _ in apart):
                apart.append((start, stop, kind))
        return sorted(apart)

    def _placeholder(self, kind: str, datum: str) -> str:
        if datum not in self._by_datum:
            label = re.sub(r"[^A-Z]", "_", kind.upper())
            placeholder = f"[{label}-{sum(one.startswith(f'[{label}-') for one in self._by_placeholder) + 1}]"
            self._by_datum[datum], self._by_placeholder[placeholder] = placeholder, datum
        return self._by_datum[datum]

    def fill(self, text: str) -> str:
        """Raises ModelUnavailable where a placeholder stands for nothing: the model made it up."""

        def datum(found: re.Match[str]) -> str:
            if found.group() not in self._by_placeholder:
                raise ModelUnavailable("the model's answer holds a placeholder that stands for nothing", retryable=True)
            return self._by_placeholder[found.group()]

        return PLACEHOLDER.sub(datum, text)


def _parts(ticket: Ticket) -> Iterator[str]:
    """The requester's name, whole and in parts, longest first; as it is written, for "will" is a word and "Will" may be a name."""
    name = (ticket.requester_name or "").strip()
    parts = {name, *(part for part in re.split(r"[\s,]+", name) if len(part) >= SHORTEST and not part.isdigit())}
    yield from sorted(filter(None, parts), key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class PseudonymousWriter:
    """A writer that never sees whose ticket it is."""

    writer: Writer
    mask: Mask

    def write(self, ticket: Ticket, triage: Triage, found: Found) -> Draft | None:
        """Raises ModelUnavailable."""
        known = "\n".join(f"{passage.title}\n{passage.text}" for passage in found.public)
        names = self.mask.of(ticket, known)
        hidden = replace(
            ticket,
            subject=names.hide(ticket.subject),
            comments=tuple(replace(comment, text=names.hide(comment.text), attachments=()) for comment in ticket.comments),
            requester_email=None,
        )
        asked = replace(triage, questions=tuple(names.hide(question) for question in triage.questions), entities=())
        draft = self.writer.write(hidden, asked, found)
        if draft is None:
            return None
        return replace(draft, sentences=tuple(replace(sentence, text=names.fill(sentence.text)) for sentence in draft.sentences))
