"""Each topic's bound, found anew from the labels there are and written down for the live flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from bot.config import Config
from bot.simulate.agreement import ENOUGH
from bot.simulate.bound import Bound, Judged, find_bound
from storage import samples
from storage.database import reading
from storage.samples import Verdict
from storage.tables import BoundRow


@dataclass(frozen=True, slots=True)
class Shown:
    """`bound` rests on labels; `estimate` on automatic agreement, and lets nothing loose. None: the topic names no max_wrong."""

    topic: str
    eligible: int
    bound: Bound | None
    estimate: Bound | None
    waived: bool
    replies: int  # eligible drafts that would go out by themselves


def show_bounds(config: Config, engine: Engine, connector: str, fingerprint: str, now: datetime, *, counts: bool = True) -> list[Shown]:
    """Over every draft of the run that nothing but the bound keeps from being a reply. `counts`: for the live flow, from now on."""
    with Session(reading(engine)) as session:
        drafts = samples.eligible(session, connector, fingerprint)
        labels = samples.labels(session, connector)
    shown = [_topic(topic.name, topic.max_wrong, drafts, labels) for topic in config.policy.topics]
    if not counts:
        return shown
    with Session(engine) as session, session.begin():
        before = {one.topic: samples.bound(session, connector, one.topic) for one in shown}
        rows = [_row(connector, fingerprint, one, now, before[one.topic]) for one in shown if one.bound is not None]
        samples.write_bounds(session, connector, rows)
    return shown


def _topic(name: str, max_wrong: Any, drafts: list[samples.Eligible], labels: Mapping[str, Verdict]) -> Shown:
    own = [draft for draft in drafts if draft.topic == name]
    if not isinstance(max_wrong, float | int):
        return Shown(name, len(own), None, None, max_wrong == "off", len(own) if max_wrong == "off" else 0)
    judged = [Judged(draft.confidence, labels[draft.words] != "right") for draft in own if draft.words in labels]
    guessed = [Judged(draft.confidence, draft.agreement < ENOUGH) for draft in own if draft.agreement is not None]
    bound = find_bound(judged, max_wrong)
    replies = sum(draft.confidence >= bound.threshold for draft in own) if bound.threshold is not None else 0
    return Shown(name, len(own), bound, find_bound(guessed, max_wrong), False, replies)


def _row(connector: str, fingerprint: str, shown: Shown, now: datetime, before: BoundRow | None) -> BoundRow:
    """Live labels since `made_at` may break a bound: another look at the same run must not let them be forgotten."""
    assert shown.bound is not None
    return BoundRow(
        connector=connector,
        topic=shown.topic,
        fingerprint=fingerprint,
        max_wrong=shown.bound.max_wrong,
        threshold=shown.bound.threshold,
        upper=shown.bound.upper,
        labelled=shown.bound.labelled,
        missing=shown.bound.missing,
        made_at=before.made_at if before is not None and before.fingerprint == fingerprint else now,
    )


def describe_bound(bound: Bound | None, eligible: int) -> dict[str, Any]:
    """As report.json has it."""
    if bound is None:
        return {"max_wrong": None, "threshold": None, "upper": None, "labelled": 0, "holds": False, "missing": None, "eligible": eligible}
    return {
        "max_wrong": bound.max_wrong,
        "threshold": bound.threshold,
        "upper": round(bound.upper, 4),
        "labelled": bound.labelled,
        "wrong": bound.wrong,
        "holds": bound.holds,
        "missing": bound.missing,
        "eligible": eligible,
    }
