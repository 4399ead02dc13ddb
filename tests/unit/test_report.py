"""What people are shown of a sync."""

from __future__ import annotations

import pytest

from bot.report import describe_part, print_outcomes
from bot.sync import Outcome, PartCount


@pytest.mark.parametrize(
    ("seen", "expected", "said"), [(340, 1200, "space KB 340 of 1,200"), (1200, None, "space KB 1,200"), (0, 0, "space KB 0 of 0")]
)
def test_a_part_tells_how_far_it_is(seen: int, expected: int | None, said: str) -> None:
    assert describe_part("space KB", seen, expected) == said


def test_a_report_names_every_part_and_where_documents_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    parts = (
        PartCount("KB", "space [KB]", 1200, 1200, True),
        PartCount("ENG", "space ENG", 9, 7, True),
        PartCount("HR", "space HR", 9, 2, False),
    )
    print_outcomes([Outcome("wiki", 1209, 0, 0, 0, 0, 0, 3, 1.5, False, "no answer", (), parts)])
    told = capsys.readouterr().out
    assert "wiki: space [KB] 1,200 of 1,200 documents, loaded\n" in told
    assert "wiki: space ENG 7 of 9 documents, 2 are missing\n" in told
    assert "wiki: space HR 2 of 9 documents, not loaded to its end\n" in told
