"""How drafts come to sound like the team: the voices that were trained, their curves, what they were worth, and when their models end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup
from sqlmodel import Session as Database
from starlette.requests import Request
from starlette.responses import Response

from bot.console import charts
from bot.console.office import Office
from bot.console.pages import frame, render
from bot.console.visit import Visitor
from bot.tone.prices import read_prices
from connectors.base import ConfigProblem
from storage import voices
from storage.database import reading
from storage.tables import VoiceRow

SOON = 60  # days before a model's end from which on it is pressing
LINES = (("train_loss", "training loss"), ("valid_loss", "held-out loss"))


@dataclass(frozen=True, slots=True)
class Spoken:
    """One trained voice as the page shows it."""

    row: VoiceRow
    in_use: bool
    ends: date | None
    curve: Markup
    lines: Sequence[str]  # what the curve's lines are
    measured: Mapping[str, Any] | None


def show(office: Office, visitor: Visitor, request: Request) -> Response:
    with Database(reading(office.engine)) as s:
        rows, used = voices.voices(s), voices.in_use(s)
    ends, trouble = _ends(office)
    voice, writer = office.config.voice, office.config.writer
    named = [name for name in (voice.model, writer.model if writer.provider == "openai" else None) if name]
    return render(
        office,
        visitor,
        "voice.html",
        title="Voice",
        here="voice",
        provider=voice.provider,
        voices=[_spoken(row, used, ends) for row in rows],
        endings=sorted({(name, ends[name]) for name in [*named, *(row.base for row in rows)] if name in ends}, key=lambda one: one[1]),
        today=office.now().date(),
        soon=SOON,
        trouble=trouble,
        **frame(request.cookies, request.query_params),
    )


def _ends(office: Office) -> tuple[dict[str, date], str | None]:
    """The day on which each model stops, as the price table has it."""
    try:
        models = read_prices(office.config.data_dir).models
    except ConfigProblem as problem:
        return {}, str(problem)
    return {name: price.ends for name, price in models.items() if price.ends}, None


def _spoken(row: VoiceRow, used: VoiceRow | None, ends: Mapping[str, date]) -> Spoken:
    points = row.curve or []
    lines = [
        (label, [(float(point["step"]), float(point[name])) for point in points if point.get(name) is not None]) for name, label in LINES
    ]
    drawn = [(label, line) for label, line in lines if line]
    title = f"Loss by step of {row.model or row.base}"
    curve = charts.curves([line for _, line in drawn], title)
    return Spoken(row, used is not None and used.key == row.key, ends.get(row.base), curve, [label for label, _ in drawn], row.measured)
