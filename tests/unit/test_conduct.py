"""When people are at work, and which patterns of the operator's own are taken."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from bot.config.conduct import EntityPattern, Hours

PARIS = ZoneInfo("Europe/Paris")
WEEK = {"mon-thu": ("09:00-12:00", "13:00-18:00"), "fri": "09:00-16:00"}
HOURS = Hours.model_validate({"zone": "Europe/Paris", "open": WEEK, "holidays": ["2026-12-25"], "inside": "note"})


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-26 09:00", True),
        ("2026-11-26 08:59", False),
        ("2026-11-26 12:00", False),
        ("2026-11-26 17:59", True),
        ("2026-11-27 16:30", False),  # Friday
        ("2026-11-28 10:00", False),  # Saturday
        ("2026-12-25 10:00", False),
    ],
)
def test_hours_are_the_teams_own(moment: str, open_: bool) -> None:
    there = datetime.fromisoformat(moment).replace(tzinfo=PARIS)
    assert HOURS.is_open(there) is open_
    assert HOURS.is_open(there.astimezone(ZoneInfo("Asia/Tokyo"))) is open_, "wherever the clock stands"


def test_summer_time_moves_the_hours_with_the_team() -> None:
    utc = ZoneInfo("UTC")
    assert HOURS.is_open(datetime(2026, 7, 2, 7, 30, tzinfo=utc))
    assert not HOURS.is_open(datetime(2026, 11, 26, 7, 30, tzinfo=utc))


def test_a_span_of_days_may_run_over_the_end_of_the_week() -> None:
    weekend = Hours.model_validate({"zone": "UTC", "open": {"sat-mon": "00:00-24:00"}})
    days = [weekend.is_open(datetime(2026, 11, day, 23, 59, tzinfo=ZoneInfo("UTC"))) for day in range(23, 30)]
    assert days == [True, False, False, False, False, True, True]


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Europe/Pariss", "open": WEEK},
        {"zone": "UTC", "open": {}},
        {"zone": "UTC", "open": {"monday": "09:00-18:00"}},
        {"zone": "UTC", "open": {"mon": "18:00-09:00"}},
        {"zone": "UTC", "open": {"mon": "09:00-25:00"}},
        {"zone": "UTC", "open": {"mon": "09:75-18:00"}},
        {"zone": "UTC", "open": {"mon": ["09:00-12:00", "afternoon"]}},
    ],
)
def test_hours_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Hours.model_validate(wrong)


@pytest.mark.parametrize("pattern", ["(", "[a", "*x", "x*", "", "a" * 201, "(?<=x"])
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        EntityPattern(type="contract", pattern=pattern)
