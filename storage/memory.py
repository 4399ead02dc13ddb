"""What was read lately, until something is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memory(Generic[Key, Value]):
    """The last `most` values that were read. Threads may share it.

    A value that was read before a `forget` and arrives after it is handed out but not kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Key, Value] = {}
        self._lock = threading.Lock()
        self._forgotten = 0

    def get(self, keys: Sequence[Key], read: Callable[[Sequence[Key]], dict[Key, Value]]) -> dict[Key, Value]:
        """By key, in the order of `keys`; `read` is asked once for those that are not kept, and may leave out what is not there."""
        with self._lock:
            turn = self._forgotten
            found = {key: self._kept.pop(key) for key in keys if key in self._kept}
            self._kept |= found  # at the end: what is asked for often stays
        if lacking := [key for key in keys if key not in found]:
            found |= (new := read(lacking))
            self._keep(new, turn)
        return {key: found[key] for key in keys if key in found}

    def _keep(self, new: dict[Key, Value], turn: int) -> None:
        with self._lock:
            if turn == self._forgotten:
                self._kept |= new
                for key in list(islice(self._kept, max(0, len(self._kept) - self._most))):
                    del self._kept[key]

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()
            self._forgotten += 1
