"""The index that answers, and the one that is being made for another embedder: built beside it, then put in its place at one stroke.

A generation is one embedder's index. A pointer names the one that serves; it moves only when the coming one holds all that the
ledger does, under every connector's turn to write. Whatever dies before leaves the former in place and the coming one to be gone on
with; whatever dies after leaves the new one. A former generation is cleared away when the shelf is opened next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from storage.embedding import Embedder, Rows
from storage.entries import Entry
from storage.lexical import Sparse
from storage.place import Sheet
from storage.server import NoCollection
from storage.vectors import Dense, Filter, Hit, Stored, Vectors

LOOK = 5.0  # seconds after which the pointer of a shared index is read again


class Place(Protocol):
    """Where generations are kept."""

    @property
    def shared(self) -> bool: ...  # with other processes, which may move the pointer
    def serving(self) -> Sheet | None: ...
    def open(self, sheet: Sheet) -> Vectors: ...  # made when it is not there, gone on with when it is
    def fresh(self, sheet: Sheet) -> tuple[str, Vectors] | None: ...  # an empty one, and where; None: there is no need for one
    def point(self, sheet: Sheet, home: str | None = None) -> None: ...  # all or nothing, and durable
    def tidy(self, keep: Collection[Sheet]) -> None: ...
    def turn(self, name: str) -> AbstractContextManager[None]: ...  # one holder in all processes; it dies with its holder
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Generation:
    sheet: Sheet
    vectors: Vectors
    embedder: Embedder


class Shelf:
    """`Vectors` and `Embedder` at once, of the generation that serves.

    A thread's search goes to the generation that embedded its question, though another one serves by then.
    """

    def __init__(
        self, place: Place, wanted: Embedder, former: Callable[[Sheet], Embedder], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`former` gives the embedder of a generation that is not the wanted one."""
        self._place, self._wanted, self._former, self._clock = place, wanted, former, clock
        self._lock = threading.RLock()
        self._moving = threading.Lock()
        self._asked = threading.local()
        self._opened: dict[Sheet, Generation] = {}
        self.meant = Sheet(wanted.name, wanted.dimensions)
        sheet = place.serving()
        if sheet is None:
            self._current = self._open(self.meant)
            place.point(self.meant)
        else:
            self._current = self._open(sheet)
        self._looked = clock()
        place.tidy({self._current.sheet, self.meant})

    def _open(self, sheet: Sheet) -> Generation:
        with self._lock:
            if sheet not in self._opened:
                embedder = self._wanted if sheet == self.meant else self._former(sheet)
                self._opened[sheet] = Generation(sheet, self._place.open(sheet), embedder)
            return self._opened[sheet]

    def look(self) -> None:
        """Follow the pointer to where another process may have moved it."""
        sheet = self._place.serving() if self._place.shared else None
        with self._lock:
            self._looked = self._clock()
            if sheet is not None and sheet != self._current.sheet:
                self._current = self._open(sheet)

    # -- moving

    @property
    def moving(self) -> bool:
        """Another embedder's index serves than the configuration means."""
        return self._current.sheet != self.meant

    @property
    def serving(self) -> Sheet:
        return self._current.sheet

    def move(self, fill: Callable[[Vectors, Embedder], int], connectors: Callable[[], Collection[str]]) -> bool:
        """Build the meant generation and let it serve; False when there is nothing to be done, or another thread is at it.

        `fill` brings an index to what the ledger holds: once while all goes on, and once more while nobody writes.
        """
        if not self.moving or not self._moving.acquire(blocking=False):
            return False
        try:
            with self._place.turn("move"):
                self.look()
                if not self.moving:
                    return False
                coming = self._open(self.meant)
                fill(coming.vectors, coming.embedder)
                coming.vectors.optimize()  # while the former one answers
                with ExitStack() as turns:
                    for name in sorted(connectors()):
                        turns.enter_context(self._place.turn(f"write {name}"))
                    fill(coming.vectors, coming.embedder)
                    coming.vectors.flush()
                    self._place.point(self.meant)
                    with self._lock:
                        self._current = coming
                return True
        finally:
            self._moving.release()

    def renew(self, fill: Callable[[Vectors, Embedder], int], connectors: Callable[[], Collection[str]]) -> bool:
        """Write the serving index anew and delete the former's files, in which erased words may linger; False where a server keeps it.

        Searches go on meanwhile; one that began before still reads the former.
        """
        with self._moving, self._place.turn("move"):
            former = self._current
            made = self._place.fresh(former.sheet)
            if made is None:
                return False
            home, vectors = made
            fill(vectors, former.embedder)
            with ExitStack() as turns:
                for name in sorted(connectors()):
                    turns.enter_context(self._place.turn(f"write {name}"))
                fill(vectors, former.embedder)
                vectors.flush()
                self._place.point(former.sheet, home)
                with self._lock:
                    self._current = self._opened[former.sheet] = Generation(former.sheet, vectors, former.embedder)
            self._place.tidy({former.sheet, self.meant})
            return True

    # -- Embedder

    @property
    def _asking(self) -> Generation:
        return getattr(self._asked, "generation", None) or self._current

    @property
    def name(self) -> str:
        return self._asking.embedder.name

    @property
    def dimensions(self) -> int:
        return self._asking.sheet.dimensions

    def embed(self, texts: Sequence[str]) -> Rows:
        """A question's vectors; this thread's next searches go to the same generation."""
        if self._place.shared and self._clock() - self._looked >= LOOK:
            self.look()
        generation = self._asked.generation = self._current
        return generation.embedder.embed(texts)

    @property
    def writer(self) -> Embedder:
        """The embedder of what is written to the serving index; right for as long as a connector's turn is held."""
        return self._current.embedder

    # -- Vectors

    def search(self, dense: Dense, sparse: Sparse, where: Filter, limit: int) -> tuple[Hit, ...]:
        try:
            return self._asking.vectors.search(dense, sparse, where, limit)
        except NoCollection:
            self.look()
            raise

    def upsert(self, entries: Sequence[Entry], dense: NDArray[np.float32], sparse: Sequence[Sparse]) -> None:
        self._current.vectors.upsert(entries, dense, sparse)

    def close_versions(self, versions: Collection[str], valid_to: datetime | None) -> None:
        self._current.vectors.close_versions(versions, valid_to)

    def remove_versions(self, versions: Collection[str]) -> None:
        self._current.vectors.remove_versions(versions)

    def remove_documents(self, documents: Collection[str]) -> None:
        self._current.vectors.remove_documents(documents)

    def stored(self, connector: str) -> dict[str, Stored]:
        return self._current.vectors.stored(connector)

    def count(self, where: Filter | None = None) -> int:
        return self._current.vectors.count(where)

    def whole(self, connector: str) -> bool:
        return self._current.vectors.whole(connector)

    def mark(self, connector: str, *, whole: bool) -> None:
        self._current.vectors.mark(connector, whole=whole)

    @contextmanager
    def writing(self, connector: str) -> Iterator[None]:
        with self._place.turn(f"write {connector}"):
            self.look()
            yield

    def flush(self) -> None:
        self._current.vectors.flush()

    def optimize(self) -> bool:
        return self._current.vectors.optimize()

    def close(self) -> None:
        with self._lock:
            for generation in self._opened.values():
                generation.vectors.close()
            self._opened.clear()
        self._place.close()


class WritingEmbedder:
    """`Embedder` for a sync: the serving generation's, through what `recalled` puts before it."""

    def __init__(self, shelf: Shelf, recalled: Callable[[Embedder], Embedder]) -> None:
        self._shelf, self._recalled = shelf, recalled

    @property
    def name(self) -> str:
        return self._shelf.writer.name

    @property
    def dimensions(self) -> int:
        return self._shelf.writer.dimensions

    def embed(self, texts: Sequence[str]) -> Rows:
        return self._recalled(self._shelf.writer).embed(texts)
