"""What the documents say now, read from the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Engine
from sqlmodel import Session

from storage.database import reading
from storage.ledger import Version, versions
from storage.samples import text_now


def current(engine: Engine) -> Iterator[Version]:
    """Every version that holds."""
    with Session(reading(engine)) as session:
        yield from (version for version in versions(session) if version.valid_to is None)


def reader(engine: Engine) -> Callable[[str], str]:
    """The text of a document; empty when there is none now."""

    def read(document: str) -> str:
        with Session(reading(engine)) as session:
            return text_now(session, document) or ""

    return read
