"""What an answer needs is loaded once, however many ask for it at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.warming import Once

TICKETS = 16


def test_of_many_tickets_at_a_start_one_loads_and_none_goes_on_before() -> None:
    loading, done = threading.Barrier(2), threading.Event()
    loads: list[str] = []

    def load() -> None:
        loads.append("loaded")
        loading.wait(10)
        done.wait(10)

    once = Once(load)
    with ThreadPoolExecutor(TICKETS) as pool:
        asked = [pool.submit(once) for _ in range(TICKETS)]
        loading.wait(10)
        early = [one for one in asked if one.done()]
        done.set()
        for one in asked:
            one.result(10)
    once()
    assert (early, loads) == ([], ["loaded"])


def test_what_could_not_be_loaded_is_tried_again_by_the_next_ticket() -> None:
    answers = iter((OSError("the disk stumbled"), None))

    def load() -> None:
        if problem := next(answers):
            raise problem

    once = Once(load)
    with pytest.raises(OSError, match="stumbled"):
        once()
    once()
    once()
