"""How far agents use the bot's drafts, by topic: for the command line, the metrics and the console."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

ERROR = 0.025  # on either side of a share: a 95% interval


@dataclass(frozen=True, slots=True)
class Use:
    """Drafts that agents were given. `accepted`: sent as they were or edited, as a share with its interval; `edited` of those."""

    topic: str | None  # None: of no topic; "": all together
    drafts: int
    as_is: int
    changed: int
    rewritten: int
    ignored: int
    kept: float  # mean share of the draft's words that stand in the answer

    @property
    def accepted(self) -> float:
        return (self.as_is + self.changed) / self.drafts if self.drafts else 0.0

    @property
    def edited(self) -> float:
        used = self.as_is + self.changed
        return self.changed / used if used else 0.0

    def interval(self) -> tuple[float, float]:
        from bot.simulate.intervals import lower, upper

        return lower(self.as_is + self.changed, self.drafts, ERROR), upper(self.as_is + self.changed, self.drafts, ERROR)


def uses(engine: Engine, connector: str | None = None, since: datetime | None = None) -> list[Use]:
    """All together first, then by topic, the most used first."""
    from sqlmodel import Session

    from storage import outcomes
    from storage.database import reading

    with Session(reading(engine)) as session:
        counts = outcomes.counted(session, connector, since)
    topics = {topic for topic, _ in counts}
    found = [_use(topic, {kind: counts[topic, kind] for one, kind in counts if one == topic}) for topic in topics]
    found.sort(key=lambda use: (-use.drafts, use.topic or ""))
    together: dict[str, tuple[int, float]] = {}
    for (_, kind), (number, kept) in counts.items():
        before, mean = together.get(kind, (0, 0.0))
        together[kind] = (before + number, (before * mean + number * kept) / (before + number))
    return [_use("", together), *found]


def _use(topic: str | None, counts: dict[str, tuple[int, float]]) -> Use:
    number = {kind: counts.get(kind, (0, 0.0))[0] for kind in ("sent", "edited", "rewritten", "ignored")}
    drafts = sum(number.values())
    kept = sum(n * mean for n, mean in counts.values()) / drafts if drafts else 0.0
    return Use(topic, drafts, number["sent"], number["edited"], number["rewritten"], number["ignored"], kept)


def describe(found: Sequence[Use]) -> dict[str, Any]:
    """As `--json` has it; shares are None where nothing was counted."""

    def one(use: Use) -> dict[str, Any]:
        low, high = use.interval() if use.drafts else (None, None)
        shares = {"accepted": use.accepted, "low": low, "high": high, "edited": use.edited} if use.drafts else {}
        return {**asdict(use), **dict.fromkeys(("accepted", "low", "high", "edited")), **shares}

    total, *topics = found
    return {"all": one(total), "topics": [one(use) for use in topics]}


def show(found: Sequence[Use]) -> None:
    """A table on stdout."""
    from rich.markup import escape
    from rich.table import Table

    from bot.report import out

    table = Table(box=None, pad_edge=False)
    table.add_column("topic")
    for column in ("drafts", "sent as is", "edited", "rewritten", "ignored", "accepted", "words kept"):
        table.add_column(column, justify="right")
    for use in (*found[1:], found[0]):
        name = "all" if use.topic == "" else "no topic" if use.topic is None else use.topic
        counts = (str(number) for number in (use.drafts, use.as_is, use.changed, use.rewritten, use.ignored))
        low, high = use.interval() if use.drafts else (0.0, 0.0)
        share = f"{use.accepted:.0%} ({low:.0%} to {high:.0%})" if use.drafts else ""
        table.add_row(escape(name), *counts, share, f"{use.kept:.0%}" if use.drafts else "")
    out().print(table)
