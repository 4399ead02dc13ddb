"""Which tickets moved: the list by time of change, and the lists of deleted and spam ones, which it hides.

A list ends at its 300th page and its rows move up while it is read. So a page is followed by a list that begins where the page ended,
not by the next page: nothing is ever counted from a beginning that shifts. Only within one second, the least that the list can be
asked for, pages are turned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import ConfigProblem, Cursor, CursorExpired, TicketPage, TicketRef, Transient
from connectors.fields import moment
from connectors.freshdesk.client import Batch, Calls
from connectors.freshdesk.desk import ticket_ref
from connectors.http import Denied, HttpError

VERSION = 1
TICKETS = "/tickets"
LAST_PAGE = 300  # page 301 answers 400
ALL = "all"
LISTS = ("deleted", "spam", ALL)  # the one that matters last: a turn that goes on later ends with what moved until then
OVERLAP = {"all": timedelta(seconds=120), "deleted": timedelta(hours=1), "spam": timedelta(hours=1)}  # read again at every turn
SETTLED = timedelta(seconds=2)  # a ticket may still change within the second that its time names
CLOCKS = timedelta(seconds=60)  # by which ours may be ahead of a server that does not tell its own
REMEMBERED = 2000  # tickets that were told, per list: beyond it some are told again


@dataclass(slots=True)
class Place:
    """Where reading stands: the list, the second from which it is asked for and the page of it, and what was told lately.

    `since`: per list, the newest change that was seen. `window` None: the list's turn begins.
    """

    since: dict[str, datetime]
    at: str = LISTS[0]
    window: datetime | None = None
    page: int = 1
    told: dict[str, dict[str, str]] = field(default_factory=dict)

    def cursor(self) -> Cursor:
        return {
            "v": VERSION,
            "since": {name: stamp(when) for name, when in self.since.items()},
            "at": self.at,
            "window": stamp(self.window) if self.window else None,
            "page": self.page,
            "told": {name: dict(told) for name, told in self.told.items()},
        }

    def begin(self) -> datetime:
        """The first second to ask for."""
        return self.window or self.since[self.at] - OVERLAP[self.at]


def place_of(cursor: Cursor | None, since: datetime) -> Place:
    """Raises CursorExpired for a cursor that is not ours."""
    if cursor is None:
        return Place({name: since + OVERLAP[name] for name in LISTS})
    expired = CursorExpired("the cursor is of another version of this connector; reading starts again")
    told: Any = cursor.get("since")
    if cursor.get("v") != VERSION or not isinstance(told, dict) or cursor.get("at") not in LISTS:
        raise expired
    times = {name: moment(told.get(name)) for name in LISTS}
    known: Any = cursor.get("told")
    page: Any = cursor.get("page")
    if None in times.values() or not isinstance(known, dict) or not isinstance(page, int) or not 1 <= page <= LAST_PAGE:
        raise expired
    heard = {name: {str(id): str(at) for id, at in some.items()} for name, some in known.items() if isinstance(some, dict)}
    return Place({name: at for name, at in times.items() if at}, str(cursor["at"]), moment(cursor.get("window")), page, heard)


def moved(calls: Calls, cursor: Cursor | None, since: datetime, now: Callable[[], datetime]) -> Iterator[TicketPage]:
    """All lists, one after another; caught up at the end of the last. Raises CursorExpired and ConfigProblem."""
    place = place_of(cursor, since)
    while True:
        begin = place.begin()
        batch = _ask(calls, place, begin)
        # A list within the second that it begins with cannot be told apart further: what is beyond its last page is passed over.
        refs = [] if batch is None else [ref for row in batch.rows if (ref := ticket_ref(row, gone=place.at != ALL))]
        newest = max((ref.updated_at for ref in refs), default=begin)
        place.since[place.at] = max(place.since[place.at], newest) if refs else place.since[place.at]
        fresh = _untold(place, refs, (batch.sent_at if batch else None) or now() - CLOCKS)
        _forget(place)
        ended = batch is not None and batch.following is None
        if ended and place.at == LISTS[-1]:
            place.at, place.window, place.page = LISTS[0], None, 1
            yield TicketPage(fresh, place.cursor(), True)
            return
        if ended:
            place.at, place.window, place.page = LISTS[LISTS.index(place.at) + 1], None, 1
        else:
            place.window, place.page = _onward(batch, refs, begin, newest, place.page)
        yield TicketPage(fresh, place.cursor(), False)


def _ask(calls: Calls, place: Place, begin: datetime) -> Batch | None:
    """A page of the list; None where it has no such page."""
    params = {"updated_since": stamp(begin), "order_by": "updated_at", "order_type": "asc"}
    try:
        if place.at == ALL:
            return calls.page(TICKETS, params, place.page)
        return calls.page(TICKETS, {"filter": place.at, **params}, place.page)
    except HttpError as refusal:
        if place.page > 1 and refusal.status == 400:
            return None
        if place.at == ALL:
            raise ConfigProblem(f"Freshdesk refuses its list of tickets: {refusal}") from None
    except Denied as denial:
        if denial.status != 403 or place.at == ALL:
            raise
    except Transient:
        if place.at == ALL:
            raise
    # What was set aside not every agent may see, and it keeps no other ticket waiting: each is read again before anything is written.
    return Batch([], None, None)


def _onward(batch: Batch | None, refs: Sequence[TicketRef], begin: datetime, newest: datetime, page: int) -> tuple[datetime, int]:
    """The next second and page to ask for."""
    second = begin.replace(microsecond=0)
    if batch is None or page >= LAST_PAGE:
        return second + timedelta(seconds=1), 1
    times = [ref.updated_at for ref in refs]
    if times == sorted(times) and newest.replace(microsecond=0) > second:
        return newest.replace(microsecond=0), 1
    return begin, batch.following or page + 1


def _untold(place: Place, refs: Sequence[TicketRef], server: datetime) -> tuple[TicketRef, ...]:
    """Those whose change was not told yet. Remembered is what cannot change any more without another time."""
    told = place.told.get(place.at, {})
    fresh = tuple(ref for ref in refs if told.get(ref.id) != stamp(ref.updated_at))
    settled = {ref.id: stamp(ref.updated_at) for ref in fresh if ref.updated_at < server - SETTLED}
    place.told = {**place.told, place.at: {**told, **settled}}
    return fresh


def _forget(place: Place) -> None:
    """What the next turn does not read again."""
    oldest = place.since[place.at] - OVERLAP[place.at]
    kept = [(id, at) for id, at in place.told.get(place.at, {}).items() if (moment(at) or oldest) >= oldest.replace(microsecond=0)]
    place.told = {**place.told, place.at: dict(sorted(kept, key=lambda one: one[1])[-REMEMBERED:])}


def stamp(at: datetime) -> str:
    """Whole seconds, as the list compares them."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
