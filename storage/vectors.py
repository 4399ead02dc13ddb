"""The index: passages with their dense and sparse vectors. What every store of them promises, and how a passage is kept there.

The ledger is the truth and the index its shadow. What is written here says which version of a document
it belongs to and when that version holds, so that a search can be asked for any moment; whether the
version still holds is the ledger's word, and whoever searches asks it.

There are two stores: `storage.edge`, Qdrant's own engine inside this process, and `storage.server`. `storage.shelf` puts a changed
embedder's index in the place of the former one.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.base import Audience, ConfigProblem
from storage.embedding import LOCAL
from storage.entries import Entry
from storage.lexical import Sparse

POINTS = uuid.UUID("0d5b7a52-54f7-5d0e-8a3a-6f1f0a3c9b11")  # the namespace of point ids: never change it
FOREVER = 253402300799.0  # seconds since 1970, end of the year 9999: the `valid_to` of what still holds
FORMAT = 1  # of what is stored; another one needs a rebuild
BATCH = 256  # points per write
PAGE = 5000  # points per step when all are walked
KEYWORDS = ("document", "version", "connector", "audience", "language")
MOMENTS = ("valid_from", "valid_to")

Dense = NDArray[np.float32]


class IndexHeld(ConfigProblem):
    """Another process has the embedded index open."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Who asks, of what, for when. None: no restriction; `as_of` None: what holds now. Unknown languages always pass."""

    audience: Audience | None = None
    connectors: Collection[str] | None = None
    languages: Collection[str] | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """`dense` and `opening` are raw cosines (to the question, to its beginning), `lexical` the BM25 score (0: no word in common)."""

    entry: Entry
    dense: float
    lexical: float
    opening: float


@dataclass(frozen=True, slots=True)
class Stored:
    """What the index holds of a version: `complete` when none of its passages is missing."""

    valid_to: float
    complete: bool


class Vectors(Protocol):
    def upsert(self, entries: Sequence[Entry], dense: NDArray[np.float32], sparse: Sequence[Sparse]) -> None: ...
    def close_versions(self, versions: Collection[str], valid_to: datetime | None) -> None: ...  # None: they hold again
    def remove_versions(self, versions: Collection[str]) -> None: ...
    def remove_documents(self, documents: Collection[str]) -> None: ...
    def search(self, dense: Dense, sparse: Sparse, where: Filter, limit: int, *, opening: Dense | None = None) -> tuple[Hit, ...]: ...
    def stored(self, connector: str) -> dict[str, Stored]: ...  # by version key
    def count(self, where: Filter | None = None) -> int: ...  # passages
    def whole(self, connector: str) -> bool: ...  # False: a write was cut off, or the index is new; compare it with the ledger
    def mark(self, connector: str, *, whole: bool) -> None: ...
    def writing(self, connector: str) -> Any: ...  # a context: one writer per connector, the next one waits
    def flush(self) -> None: ...
    def optimize(self) -> bool: ...
    def close(self) -> None: ...


def open_vectors(folder: Path, dimensions: int, *, embedder: str = LOCAL) -> Vectors:
    """The embedded index in `folder`, made when it is not there.

    Raises IndexHeld when another process has it, ConfigProblem when it was written by another embedder.
    """
    from storage.edge import open_folder

    return open_folder(folder, dimensions, embedder)


def point_id(version: str, ordinal: int) -> str:
    """The same for the same passage of the same version: writing it twice leaves one."""
    return str(uuid.uuid5(POINTS, f"{version}/{ordinal}"))


def payload_of(entry: Entry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "ordinal": entry.ordinal,
        "passages": entry.passages,
        "document": entry.document,
        "connector": entry.connector,
        "audience": entry.audience,
        "language": entry.language or "",
        "valid_from": entry.valid_from.timestamp(),
        "valid_to": seconds_of(entry.valid_to, FOREVER),
        "updated_at": entry.updated_at.isoformat() if entry.updated_at else None,
        "title": entry.title,
        "url": entry.url,
        "heading": list(entry.heading),
        "text": entry.text,
    }


def entry_from(payload: dict[str, Any]) -> Entry:
    return Entry(
        version=payload["version"],
        ordinal=payload["ordinal"],
        passages=payload["passages"],
        document=payload["document"],
        connector=payload["connector"],
        audience=payload["audience"],
        language=payload["language"] or None,
        valid_from=_moment(payload["valid_from"]),
        valid_to=_moment(payload["valid_to"]) if payload["valid_to"] < FOREVER else None,
        updated_at=datetime.fromisoformat(payload["updated_at"]) if payload["updated_at"] else None,
        title=payload["title"],
        url=payload["url"],
        heading=tuple(payload["heading"]),
        text=payload["text"],
    )


def seconds_of(moment: datetime | None, otherwise: float) -> float:
    return otherwise if moment is None else moment.timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def tally(payloads: Iterable[Mapping[str, Any]]) -> dict[str, Stored]:
    """What `Vectors.stored` answers, from all points of a connector."""
    ends: dict[str, set[float]] = {}
    left: dict[str, int] = {}
    for payload in payloads:
        version = payload["version"]
        ends.setdefault(version, set()).add(payload["valid_to"])
        left[version] = left.get(version, payload["passages"]) - 1
    return {version: Stored(max(found), left[version] == 0 and len(found) == 1) for version, found in ends.items()}
