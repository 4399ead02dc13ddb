"""Slots have names that any scheduler gives alike."""

from datetime import UTC, datetime

from bot.schedule import LONGEST_POLL, every, poll_every, slot


def test_two_schedulers_name_the_same_slot_alike() -> None:
    trigger = every("15m")
    assert slot(trigger, datetime(2026, 11, 1, 10, 0, 1, tzinfo=UTC)) == slot(trigger, datetime(2026, 11, 1, 10, 14, 59, tzinfo=UTC))
    assert slot(trigger, datetime(2026, 11, 1, 10, 15, tzinfo=UTC)) != slot(trigger, datetime(2026, 11, 1, 10, 14, 59, tzinfo=UTC))


def test_a_cron_line_runs_in_its_minute() -> None:
    trigger = every("30 6 * * 1-5")
    fire = trigger.get_next_fire_time(None, datetime(2026, 11, 28, 12, 0, tzinfo=UTC))  # a Saturday
    assert fire == datetime(2026, 11, 30, 6, 30, tzinfo=UTC)
    assert slot(trigger, fire) == "2026-11-30T06:30"


def test_tickets_are_looked_at_once_a_minute_however_rare_the_sync() -> None:
    for text in ("1d", "0 6 * * 1"):
        assert poll_every(text).interval_length == LONGEST_POLL
    assert poll_every("5s").interval_length == 5
