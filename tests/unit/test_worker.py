from __future__ import annotations

from structlog.testing import capture_logs

from bot.worker import LONG_WAIT, despite_bugs
from connectors.base import ConfigProblem


def fail(secret: str) -> float:
    raise IndexError(secret)


def test_a_bug_makes_a_ticket_wait_instead_of_losing_it_and_is_told_without_its_words() -> None:
    with capture_logs() as told:
        assert despite_bugs(lambda: fail("Ada's address"), LONG_WAIT, 2.0, ticket="7") == LONG_WAIT
    [line] = told
    assert (line["kind"], line["ticket"]) == ("IndexError", "7")
    assert line["place"].startswith("test_worker.py:")
    assert "Ada" not in str(told)


def test_what_works_is_left_alone() -> None:
    assert despite_bugs(lambda: 0.0, LONG_WAIT, 2.0) == 0.0


def test_what_the_operator_must_mend_is_told_in_its_own_sentence_and_no_bug() -> None:
    with capture_logs() as told:
        assert despite_bugs(lambda: refuse("the disk is full"), LONG_WAIT, 2.0, ticket="7") == LONG_WAIT
    assert [(line["event"], line["reason"]) for line in told] == [("to be tried again", "the disk is full")]


def refuse(sentence: str) -> float:
    raise ConfigProblem(sentence)
