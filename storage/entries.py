"""A version of a document as the passages that the index holds of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connectors.base import Audience
from storage.ledger import Version
from storage.passages import split


@dataclass(frozen=True, slots=True)
class Entry:
    """One passage as the index keeps it. `passages` is how many its version has in all."""

    version: str
    ordinal: int
    passages: int
    document: str
    connector: str
    audience: Audience
    language: str | None
    valid_from: datetime
    valid_to: datetime | None
    updated_at: datetime | None
    title: str
    url: str
    heading: tuple[str, ...]
    text: str
    segments: tuple[str, ...] = ()  # sorted


def entries_of(version: Version) -> list[Entry]:
    """A version's passages as the index keeps them; a document without text is found by its title."""
    title, url, markdown = (_sound(text) for text in (version.title, version.url, version.markdown))
    pieces = [(piece.heading, piece.text) for piece in split(markdown)] or [((), title)]
    return [
        Entry(
            version=version.key,
            ordinal=ordinal,
            passages=len(pieces),
            document=version.document,
            connector=version.connector,
            audience=version.audience,
            language=version.language,
            valid_from=version.valid_from,
            valid_to=version.valid_to,
            updated_at=version.updated_at,
            title=title,
            url=url,
            heading=heading,
            text=text,
            segments=version.segments,
        )
        for ordinal, (heading, text) in enumerate(pieces)
    ]


def searchable(entry: Entry) -> str:
    """What a passage is found by: its title, the headings above it, itself."""
    above = [entry.title, *(step for step in entry.heading if step != entry.title)]
    return "\n".join([*filter(None, above), entry.text])  # an empty first line would weigh as a word does in a short text


def _sound(text: str) -> str:
    """As the database keeps it: without NUL, lone surrogates as `?`."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
