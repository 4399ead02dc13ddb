from __future__ import annotations

from structlog.testing import capture_logs

from bot.worker import LONG_WAIT, despite_bugs


def fail(secret: str) -> float:
    raise IndexError(secret)


def test_a_bug_makes_a_ticket_wait_instead_of_losing_it_and_is_told_without_its_words() -> None:
    with capture_logs() as told:
        assert despite_bugs(lambda: fail("Ada's address"), LONG_WAIT, ticket="7") == LONG_WAIT
    [line] = told
    assert (line["kind"], line["ticket"]) == ("IndexError", "7")
    assert line["place"].startswith("test_worker.py:")
    assert "Ada" not in str(told)


def test_what_works_is_left_alone() -> None:
    assert despite_bugs(lambda: 0.0, LONG_WAIT) == 0.0
