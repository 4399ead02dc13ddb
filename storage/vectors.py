"""The index: passages with their dense and sparse vectors. What every store of them promises.

The ledger is the truth and the index its shadow. What is written here says which version of a document
it belongs to and when that version holds, so that a search can be asked for any moment; whether the
version still holds is the ledger's word, and whoever searches asks it.

There are two stores: `storage.edge`, Qdrant's own engine inside this process, and `storage.server`; what they share is
`storage.points`. `storage.shelf` puts a changed embedder's index in the place of the former one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.base import Audience, ConfigProblem
from storage.embedding import LOCAL
from storage.entries import Entry
from storage.lexical import Sparse

FOREVER = 253402300799.0  # seconds since 1970, end of the year 9999: the `valid_to` of what still holds
FORMAT = 3  # of what is stored; another one needs a rebuild

Dense = NDArray[np.float32]


class IndexHeld(ConfigProblem):
    """Another process has the embedded index open."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Who asks, of what, for when. None: no restriction; `as_of` None: what holds now. Unknown languages always pass.

    With `segments`, what is for one of them passes beside what is for `audience`.
    """

    audience: Audience | None = None
    connectors: Collection[str] | None = None
    languages: Collection[str] | None = None
    as_of: datetime | None = None
    segments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hit:
    """`dense` is the raw cosine to the question, `lexical` the BM25 score (0: no word in common).

    `letters`: what the passage is found by, as `sequences` reads it.
    """

    entry: Entry
    dense: float
    lexical: float
    letters: NDArray[np.uint32] = field(compare=False, repr=False)


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
    def search(self, dense: Dense, sparse: Sparse, where: Filter, limit: int) -> tuple[Hit, ...]: ...
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
