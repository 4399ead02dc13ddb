"""When things are due. APScheduler only enqueues, under ids that name the slot: two schedulers do no harm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from connectors.timing import cron, seconds

LONGEST_POLL = 60  # seconds between two looks at a helpdesk's tickets; webhooks make it faster

Due = Callable[[str], Any]  # called with the slot's name
Job = tuple[str, BaseTrigger, Due]


def start_schedule(jobs: list[Job]) -> BackgroundScheduler:
    """Fire each job now and then at its trigger; `due` gets the slot's name, the same on every scheduler.

    A late run is made up for once (APScheduler's default would skip it silently after one second).
    """
    scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1})
    for name, trigger, due in jobs:
        scheduler.add_job(_fire, trigger, args=[trigger, due], id=name)
    scheduler.start()
    started = datetime.now(UTC).isoformat()
    for _, _, due in jobs:
        due(f"start-{started}")
    return scheduler


def every(text: str) -> BaseTrigger:
    """A duration (``15m``) or a cron line as the configuration writes it."""
    # Not CronTrigger.from_crontab: APScheduler numbers the days of the week from Monday, crontab from Sunday.
    return CronTrigger(**cron(text)._asdict(), timezone=UTC) if " " in text else IntervalTrigger(seconds=seconds(text), timezone=UTC)


def poll_every(text: str) -> BaseTrigger:
    """How often to look at tickets: as the connector's `every`, but at least once a minute."""
    return IntervalTrigger(seconds=LONGEST_POLL if " " in text else min(seconds(text), LONGEST_POLL), timezone=UTC)


def _fire(trigger: BaseTrigger, due: Due) -> None:
    due(slot(trigger, datetime.now(UTC)))


def slot(trigger: BaseTrigger, now: datetime) -> str:
    """The name of the current slot: the interval's number since the epoch, or the minute of a cron line."""
    if isinstance(trigger, IntervalTrigger):
        return f"{trigger.interval_length:.0f}s-{now.timestamp() // trigger.interval_length:.0f}"
    return now.strftime("%Y-%m-%dT%H:%M")
