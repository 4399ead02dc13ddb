"""How often and how long: durations (``15m``) and cron lines (``0 8 * * 1-5``), checked without a scheduler."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, StringConstraints

DURATION = r"^[1-9][0-9]{0,4}[smhd]$"
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LONGEST_MONTH_DAY = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
SAY_DURATION = "a duration is a whole number with its unit, s, m, h or d: 30s, 15m, 2h, 1d"
SAY_SCHEDULE = 'write a duration such as 15m, or a cron line of five fields in quotes, such as "0 6 * * mon-fri"'
PART = re.compile(r"(\*|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:/([0-9]{1,2}))?")


class Cron(NamedTuple):
    """The five fields, named and written as APScheduler's CronTrigger takes them: ``*``, or every number that is meant.

    Days of the week are names, because APScheduler counts them from Monday.
    """

    minute: str
    hour: str
    day: str
    month: str
    day_of_week: str


def seconds(text: str) -> int:
    """A duration in seconds: ``15m`` is 900. Raises ValueError."""
    if not re.fullmatch(DURATION, text):
        raise ValueError(SAY_DURATION)
    return int(text[:-1]) * UNIT_SECONDS[text[-1]]


def cron(text: str) -> Cron:
    """A crontab line, Sunday being 0 or 7. Raises ValueError naming the field that is wrong."""
    fields = text.lower().split()
    if len(fields) != 5:
        raise ValueError(f"a cron line has five fields, this has {len(fields)}; {SAY_SCHEDULE}")
    minute, hour, day, month, weekday = fields
    minutes = _numbers("minute", minute, 0, 59)
    hours = _numbers("hour", hour, 0, 23)
    days = _numbers("day of the month", day, 1, 31)
    months = _numbers("month", month, 1, 12, MONTHS)
    weekdays = {number % 7 for number in _numbers("day of the week", weekday, 0, 7, DAYS)}
    if all(min(days) > LONGEST_MONTH_DAY.get(number, 31) for number in months):
        raise ValueError("no such day comes in these months: correct the day of the month or the month")
    return Cron(
        _each(minute, minutes),
        _each(hour, hours),
        _each(day, days),
        _each(month, months),
        "*" if weekday == "*" else ",".join(DAYS[number] for number in sorted(weekdays)),
    )


def _each(field: str, numbers: set[int]) -> str:
    return "*" if field == "*" else ",".join(map(str, sorted(numbers)))


def _numbers(what: str, field: str, low: int, high: int, names: tuple[str, ...] = ()) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        match = PART.fullmatch(part)
        ends = _ends(match, low, high, names) if match else None
        if match is None or ends is None or not low <= ends[0] <= ends[1] <= high:
            known = f", or {names[0]} to {names[-1]}" if names else ""
            raise ValueError(f"the {what} of the cron line is not understood: {low} to {high}{known}, with * , - and / (*/5, 1-5, 1,15)")
        found.update(range(ends[0], ends[1] + 1, int(match[3] or 1)))
    return found


def _ends(match: re.Match[str], low: int, high: int, names: tuple[str, ...]) -> tuple[int, int] | None:
    first, last, step = match[1], match[2], match[3]
    if step is not None and int(step) == 0:
        return None
    if first == "*":
        return None if last else (low, high)
    start = _number(first, names, low)
    if start is None:
        return None
    if last is None:
        return start, high if step else start
    end = _number(last, names, low)
    return None if end is None else (start, end)


def _number(text: str, names: tuple[str, ...], low: int) -> int | None:
    if text.isdigit():
        return int(text)
    return names.index(text) + low if text in names else None


def _duration(text: str) -> str:
    seconds(text)
    return text


def _schedule(text: str) -> str:
    if re.fullmatch(r"[0-9]+ ?[A-Za-z]*", text):
        seconds(text)
    elif " " not in text.strip():
        raise ValueError(SAY_SCHEDULE)
    else:
        cron(text)
    return text


Duration = Annotated[str, StringConstraints(pattern=DURATION)]
Schedule = Annotated[str, AfterValidator(_schedule)]
