from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.answer.words import stem

ENDINGS = ("ization", "fulness", "iveness", "ational", "ingly", "ement", "icate", "ousli", "ance", "ers")
WORDS = [f"{chr(97 + a)}{chr(97 + b)}rt{ending}" for a in range(26) for b in range(26) for ending in ENDINGS]


@pytest.fixture
def eager_threads() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("eager_threads")
def test_threads_that_stem_at_once_do_not_disturb_each_other() -> None:
    alone = [stem.__wrapped__(word, "en") for word in WORDS]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda word: stem.__wrapped__(word, "en"), WORDS))
    assert together == alone
