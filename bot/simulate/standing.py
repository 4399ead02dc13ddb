"""Whether a topic's bound counts now: the newest simulation's, not expired, not broken by what became of live replies."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.decide import Bound
from bot.config import Config
from bot.simulate.fingerprint import Knowledge, fingerprint
from bot.simulate.intervals import lower
from storage.database import reading
from storage.samples import bound, live_labels
from storage.tables import BoundRow

ERROR = 0.05  # how often a bound that holds is called broken


def standing(config: Config, engine: Engine, connector: str) -> Callable[[str], Bound | None]:
    """Asks the database each time: a bound may expire between two tickets."""
    knowledge = Knowledge(engine)

    def of(topic: str) -> Bound | None:
        with Session(reading(engine)) as session:
            row = bound(session, connector, topic)
            live = live_labels(session, connector, topic, row.made_at) if row else (0, 0)
        if row is None:
            return None
        return Bound(row.max_wrong, row.threshold or 0.0, obstacle(row, live, fingerprint(config, engine, knowledge)))

    return of


def obstacle(row: BoundRow, live: tuple[int, int], now: str) -> str | None:
    """Why the bound does not count, with what to do about it; `live`: (labelled, wrong) since it was shown."""
    if row.threshold is None:
        return f"no error bound holds for {row.topic} yet: it takes at least {row.missing} more right labels; see draftdesk label"
    if row.fingerprint != now:
        return f"the bound of {row.topic} has expired: knowledge, model, prompt, voice or topics changed; run draftdesk simulate again"
    labelled, wrong = live
    if labelled and lower(wrong, labelled, ERROR) > row.max_wrong:
        return f"the bound of {row.topic} is broken: {wrong} of {labelled} live replies were wrong; find out why before running it again"
    return None
