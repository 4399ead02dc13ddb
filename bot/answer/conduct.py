"""What the operator had written down about manners: marks on the ticket, a status afterwards, the bot's own words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from bot.answer.render import Rendered
from bot.answer.triage import Triage
from bot.answer.words import fold

TAG = "draftdesk"
LONGEST_TAG = 32  # characters; Freshdesk takes no longer one
MOODS = ("negative", "positive")


@dataclass(frozen=True, slots=True)
class Conduct:
    """`status`: of a ticket whose customer was replied to; `fields`: what triage tells -> the helpdesk's; `main`: the team's language."""

    status: Literal["pending", "solved"] | None = None
    tags: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)
    bot_line: Mapping[str, str] = field(default_factory=dict)
    handoff: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    main: str = "en"

    def marks(self, outcome: str, triage: Triage) -> tuple[str, ...]:
        """Tags: the decision always, topic and mood where wanted."""
        if not self.tags:
            return (f"{TAG}-{outcome}",)
        topic = (_tag(f"topic-{triage.topic}"),) if triage.topic else ()
        mood = (_tag(triage.sentiment),) if triage.sentiment in MOODS else ()
        return (f"{TAG}-{outcome}", *topic, *mood)

    def filled(self, triage: Mapping[str, Any]) -> dict[str, str]:
        """Values by the helpdesk's fields, from the `triage` of a decision's record; a topic as a drop-down's value is written."""
        told = {self.fields[name]: triage.get(name) for name in self.fields}
        return {name: _slug(str(value)) for name, value in told.items() if value}

    def signed(self, rendered: Rendered, language: str) -> Rendered:
        """With the line that says who wrote it, where there is one."""
        line = self._said(self.bot_line, language)
        return Rendered(f"{rendered.text}\n\n{line}", f"{rendered.html}<p>{escape(line)}</p>") if line else rendered

    def advice(self, reason: str, language: str) -> str | None:
        """What the operator wants the team told with this (typed) reason."""
        return self._said(self.handoff.get(reason.partition(":")[0], {}), language)

    def _said(self, texts: Mapping[str, str], language: str) -> str | None:
        return texts.get(language) or texts.get(self.main) or next(iter(texts.values()), None)


def _tag(name: str) -> str:
    return f"{TAG}-{_slug(name, '-')}"[:LONGEST_TAG].rstrip("-_")


def _slug(text: str, joint: str = "_") -> str:
    return re.sub(r"[^\w-]+", joint, fold(text)).strip(joint)
