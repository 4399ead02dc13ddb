"""What the bot knows: where from, how fresh, what is missing, what contradicts itself, and what customers ask in vain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session as Database
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.console import charts
from bot.console.office import Office
from bot.console.pages import frame, render
from bot.console.visit import Form, Visitor, note
from connectors.settings import ConnectorSettings
from storage import holdings, ledger, parts, reviews
from storage.database import reading
from storage.holdings import Holding
from storage.parts import PartState
from storage.tables import SyncRow

CONTRADICTIONS, UNREADABLE = 10, 50  # shown at most


@dataclass(frozen=True, slots=True)
class Shelf:
    """One connector as the page shows it."""

    name: str
    type: str
    every: str
    last: SyncRow | None
    following: datetime | None
    holding: Holding
    parts: Sequence[PartState]
    problem: str | None
    syncing: bool
    warnings: Sequence[str]

    @property
    def expected(self) -> int | None:
        """How many documents the source counted in its last first load; None where it does not tell."""
        known = [part.expected for part in self.parts if part.expected is not None]
        return sum(known) if known else None

    @property
    def missing(self) -> int:
        return sum(part.missing for part in self.parts)

    @property
    def bar(self) -> str:
        seen = sum(part.seen for part in self.parts if part.expected is not None)
        return charts.bar(seen / self.expected if self.expected else 1.0, "hue3" if self.missing else "hue0")


def show(office: Office, visitor: Visitor, request: Request) -> Response:
    with Database(reading(office.engine)) as s:
        last, held = ledger.last_syncs(s), holdings.holdings(s)
        shelves = [_shelf(office, s, settings, last, held) for settings in office.config.connectors]
        met = reviews.of_kind(s, "conflict", CONTRADICTIONS)
        failing = [name for name, one in held.items() if one.unreadable]
        unreadable = holdings.unreadable(s, failing, UNREADABLE) if failing else []
    return render(
        office,
        visitor,
        "knowledge.html",
        title="Knowledge",
        here="knowledge",
        shelves=shelves,
        met=met,
        unreadable=unreadable,
        gaps=office.gaps,
        studied=office.clashes,
        **frame(request.cookies, request.query_params),
    )


def _shelf(office: Office, s: Database, settings: ConnectorSettings, last: dict[str, SyncRow], held: dict[str, Holding]) -> Shelf:
    name = settings.name
    return Shelf(
        name=name,
        type=str(getattr(settings, "type", "")),
        every=settings.every,
        last=last.get(name),
        following=office.next_sync(name),
        holding=held.get(name, Holding()),
        parts=parts.parts_of(s, name),
        problem=office.problems.get(name),
        syncing=office.syncing(name),
        warnings=office.warnings(name),
    )


def sync(office: Office, visitor: Visitor, request: Request, form: Form) -> Response:
    """Read anew now; with `confirm`, also carry out the removals that the brake held back."""
    name, confirmed = request.path_params["connector"], form.get("confirm") == "yes"
    if name not in {settings.name for settings in office.config.connectors} or name in office.problems:
        return RedirectResponse("/knowledge?said=nothing", 303)
    with Database(office.engine) as s, s.begin():
        note(s, office, visitor, "confirmed removals" if confirmed else "synced", name)
    office.sync(name, confirmed)
    return RedirectResponse("/knowledge?said=syncing", 303)


def study(office: Office, visitor: Visitor, request: Request, form: Form) -> Response:
    """Find gaps and contradictions anew."""
    office.gaps.begin()
    office.clashes.begin()
    return RedirectResponse("/knowledge?said=studying#gaps", 303)
