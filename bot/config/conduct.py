"""How the bot behaves towards people: when it may reply by itself, what it writes on tickets, what a model may see, its own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints

from bot.config.languages import language
from connectors.settings import Strict, TicketField, Told
from connectors.timing import DAYS

Language = Annotated[str, AfterValidator(language)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
Reason = Literal[
    "customer_request",
    "no_knowledge",
    "unsupported",
    "policy",
    "conflict",
    "injection",
    "model_unavailable",
    "budget",
    "pending_question",
]
KIND = r"^[a-z][a-z0-9_]{0,30}$"
MOST_PATTERNS, LONGEST_PATTERN = 20, 200
WEEK = (*DAYS[1:], DAYS[0])  # as people write it: Monday first
SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})")
SAY_DAYS = "a day is written mon, tue, wed, thu, fri, sat or sun, or as a span such as mon-fri"
SAY_SPAN = "hours are written as 09:00-18:00, the end later than the start (24:00 is midnight); several as a list"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; write a name of the tz database, such as America/New_York") from None
    return name


def days_of(text: str) -> tuple[int, ...]:
    """Weekdays, Monday being 0; a span may run over Sunday. Raises ValueError."""
    first, _, last = text.strip().lower().partition("-")
    if first not in WEEK or (last or first) not in WEEK:
        raise ValueError(SAY_DAYS)
    start, end = WEEK.index(first), WEEK.index(last or first)
    return tuple(day % 7 for day in range(start, end + 1 + (7 if end < start else 0)))


def span_of(text: str) -> tuple[int, int]:
    """Minutes since midnight, from (inclusive) and to (exclusive). Raises ValueError."""
    found = SPAN.fullmatch(text.strip())
    if not found:
        raise ValueError(SAY_SPAN)
    hour, minute, until_hour, until_minute = (int(part) for part in found.groups())
    start, end = hour * 60 + minute, until_hour * 60 + until_minute
    if minute > 59 or until_minute > 59 or not start < end <= 24 * 60:
        raise ValueError(SAY_SPAN)
    return start, end


def _week(week: Mapping[str, str | tuple[str, ...]]) -> Mapping[str, str | tuple[str, ...]]:
    for days, spans in week.items():
        days_of(days)
        for span in (spans,) if isinstance(spans, str) else spans:
            span_of(span)
    return week


class Hours(Strict):
    """When people are at work, and what may go out by itself then and otherwise: replies, or notes only."""

    zone: Annotated[str, AfterValidator(_zone)] = Field(description="the team's time zone", examples=["Europe/Paris"])
    open: Annotated[Mapping[str, str | tuple[str, ...]], Field(min_length=1), AfterValidator(_week)] = Field(
        description="days and hours of work", examples=[{"mon-fri": "09:00-18:00"}]
    )
    holidays: tuple[date, ...] = Field(default=(), description="days off, as YYYY-MM-DD", examples=[["2026-12-25"]])
    inside: Literal["reply", "note"] = Field(default="reply", description="at work: replies as the topics allow, or notes only")
    outside: Literal["reply", "note"] = Field(default="reply", description="otherwise: replies as the topics allow, or notes only")

    def is_open(self, moment: datetime) -> bool:
        """Whether people are at work at this moment (timezone-aware)."""
        there = moment.astimezone(ZoneInfo(self.zone))
        if there.date() in self.holidays:
            return False
        minute = there.hour * 60 + there.minute
        return any(
            start <= minute < end
            for days, spans in self.open.items()
            if there.weekday() in days_of(days)
            for start, end in map(span_of, (spans,) if isinstance(spans, str) else spans)
        )


@lru_cache(maxsize=64)
def compiled(pattern: str) -> object:
    """An operator's pattern, made for `regex`, whose search can be given a time limit. Raises ValueError with what is wrong."""
    import regex

    try:
        made = regex.compile(pattern)
    except regex.error as fault:
        raise ValueError(f"not a pattern: {fault.msg}") from None
    if made.search("", timeout=1.0):
        raise ValueError("the pattern matches nothing at all; write one that needs at least a character")
    return made


def _pattern(text: str) -> str:
    compiled(text)
    return text


class EntityPattern(Strict):
    """A number or name of the operator's own that triage looks for."""

    type: Annotated[str, StringConstraints(pattern=KIND)] = Field(description="what it is", examples=["contract"])
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PATTERN), AfterValidator(_pattern)] = Field(
        description="a regular expression; the first group is what counts, without one the whole match", examples=[r"\bCT-(\d{6})\b"]
    )
    personal: bool = Field(default=False, description="hidden from models by privacy.pseudonymise", examples=[True])


class Triage(Strict):
    """What is read off a ticket, and what of it is written on it."""

    tags: bool = Field(default=False, description="tag tickets with topic and sentiment, as draftdesk-topic-refunds", examples=[True])
    fields: Mapping[Told, TicketField] = Field(
        default={}, description="ticket fields to fill where they are empty", examples=[{"topic": 360012345678, "sentiment": 360012345679}]
    )
    entities: tuple[EntityPattern, ...] = Field(default=(), max_length=MOST_PATTERNS, description="patterns of your own")
    model: bool = Field(default=False, description="ask the writer's model for the topic when neighbours do not tell", examples=[True])


class Privacy(Strict):
    """What leaves for a model."""

    pseudonymise: bool = Field(default=False, description="placeholders in place of personal data; filled in again here", examples=[True])


class Wording(Strict):
    """The bot's own words, by language. A language that is missing takes the main one's."""

    bot_line: Mapping[Language, Line] = Field(
        default={}, description="ends each public reply; not written by default", examples=[{"en": "This answer was written by a bot."}]
    )
    handoff: Mapping[Reason, Mapping[Language, Line]] = Field(
        default={},
        description="what the note says to your team for each reason",
        examples=[{"customer_request": {"en": "Please call back within two hours."}}],
    )
