"""What the first answer has to load, loaded once and left alone by the garbage collector.

Tickets that come together at a start would each load it, in threads that share one core, and none would get anywhere for a while.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence

from bot.answer.concepts import LANGUAGES, lists
from bot.answer.language import detected

SAMPLE = "How do I replace the battery of a sensor, and how long does that take?"  # long enough for its language to be looked for
YOUNG = 10_000  # new objects between two looks for cycles; Python's 700 come several times an answer


class Once:
    """`load` at the first call, from whichever thread; who calls meanwhile waits for it. Where it fails, the next call tries again."""

    def __init__(self, load: Callable[[], None]) -> None:
        self._load, self._turn, self._done = load, threading.Lock(), False

    def __call__(self) -> None:
        if self._done:
            return
        with self._turn:
            if not self._done:
                self._load()
                self._done = True


def warm(languages: Sequence[str], *, model: bool) -> None:
    """Load what answers in these languages need, and with `model` what calls one. Seconds of a core."""
    detected(SAMPLE, languages)
    for language in LANGUAGES:
        lists(language)
    if model:
        import openai.resources.chat.completions  # noqa: F401 - it takes longest
    # What is there now stays: to look at it again at every full collection would cost a part of each answer.
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
