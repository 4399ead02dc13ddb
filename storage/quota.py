"""One budget per vendor account, shared by every process on this database.

A process leases calls in chunks, so that most calls cost no write, and reads the row at most once a second. What is leased
counts as taken for one window and a lease's life more: whichever minute the vendor counts, no more than our share falls
into it. Urgent calls never wait; they are counted afterwards. A database that is busy or away makes no call fail: background
calls then go one a second, and are counted when it is back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from connectors.base import ConfigProblem, Transient
from storage.database import insert, reading
from storage.tables import QuotaRow, table

LEASE = 5.0  # seconds in which leased calls are to be used
CHUNKS = 10.0  # leases per window at full speed
LARGEST_CHUNK = 100  # calls
LOOK = 1.0  # seconds between two looks at what other processes wrote
REST = 15.0  # seconds without background calls after the vendor said that the team's calls are next; then one call asks again
BLIND = 1.0  # seconds between two background calls while the database cannot be asked
SHORTEST = 0.05  # seconds worth waiting

quotas = table(QuotaRow)
_AWAY = (Transient, ConfigProblem, SQLAlchemyError, OSError)


@dataclass(frozen=True, slots=True)
class Sheet:
    """An account's row; moments in seconds since 1970. `taken`: (moment, calls, lease)."""

    ours: float | None = None
    reserve: float = 0.0
    window: float = 60.0
    remaining: float | None = None
    remaining_until: float = 0.0
    held_until: float = 0.0
    taken: tuple[tuple[float, float, str], ...] = ()

    def at(self, now: float) -> Sheet:
        """Without what is past."""
        since = now - self.window - LEASE
        return replace(self, taken=tuple(entry for entry in self.taken if since < entry[0] <= now + self.window))

    def used(self, lease: str, left: float) -> Sheet:
        """With what a lease did not use given back."""
        back = tuple((at, calls - left if name == lease else calls, name) for at, calls, name in self.taken)
        return replace(self, taken=tuple(entry for entry in back if entry[1] > 0))

    def spent(self) -> float:
        return sum(calls for _, calls, _ in self.taken)

    def low(self) -> bool:
        """Whether the rest of this window was the team's when the vendor last told."""
        return self.remaining is not None and self.remaining - self.reserve < 1

    def wait(self, now: float) -> float:
        """Seconds until a background call is in order; 0.0: now."""
        if self.ours is None:
            return max(0.0, self.held_until - now)
        until = max(self.held_until, self.remaining_until if self.low() else 0.0)
        over = self.spent() + 1 - max(1.0, self.ours)
        for at, calls, _ in sorted(self.taken):
            if over <= 0:
                break
            over -= calls
            until = max(until, at + self.window + LEASE)
        return max(SHORTEST, until - now) if until > now else 0.0

    def chunk(self) -> float:
        """How many calls to lease: several where there are plenty, one where the vendor was last heard to run short."""
        if self.ours is None:
            return 0.0
        free = int(max(1.0, self.ours) - self.spent())
        return float(max(1, min(free, LARGEST_CHUNK, int(self.ours / CHUNKS)))) if not self.low() else 1.0


class Accounts:
    """The accounts of one process. `engine` should have little patience: a vendor's call waits for it."""

    def __init__(self, engine: Engine, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._now = now
        self._open: dict[str, SharedAllowance] = {}

    def __call__(self, account: str) -> SharedAllowance:
        """The same object for the same account."""
        return self._open.setdefault(account, SharedAllowance(self._engine, account, self._now))

    def close(self) -> None:
        """Gives back what was leased and not used, writes down what is owed, and lets go of the database."""
        for allowance in self._open.values():
            allowance.settle()
        self._engine.dispose()


class SharedAllowance:
    """One account in one process; safe for threads. Nothing here raises for the database's sake.

    Implements `connectors.quota.Allowance`.
    """

    def __init__(self, engine: Engine, account: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.account = account
        self._engine = engine
        self._now = now
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._sheet = Sheet()
        self._lease, self._left, self._ends = "", 0.0, 0.0
        self._owed: list[tuple[float, float]] = []  # (moment, calls) made without a lease, not yet written
        self._news: dict[str, Any] = {}  # what the vendor said, not yet written
        self._looked, self._blind_until = 0.0, 0.0

    def take(self, *, urgent: bool) -> float:
        """0.0: go, the call is counted. Else seconds after which a background call may ask again."""
        if urgent:
            self._owe(1.0)
            return 0.0
        with self._lock:
            now = self._moment()
            if now - self._looked >= LOOK:
                self._look(now)
            if self._sheet.held_until > now:
                return max(SHORTEST, self._sheet.held_until - now)
            if self._sheet.ours is None:
                self._owe(1.0)
                return 0.0
            if self._left < 1 or now >= self._ends:
                wait = self._renew(now)
                if wait > 0:
                    return wait
            self._left -= 1
            return 0.0

    def spend(self, calls: float) -> None:
        """What a call cost beyond one."""
        if calls > 0:
            self._owe(calls)

    def learn(self, *, ours: float, reserve: float, remaining: float, window: float, resets_in: float | None) -> None:
        """What the vendor's answer said. Written with the next lease, or at once where other processes should know."""
        now = self._moment()
        rest = min(REST, window if resets_in is None else resets_in)
        news = {"ours": ours, "reserve": reserve, "window": window, "remaining": remaining, "remaining_until": now + rest}
        first = self._sheet.ours != ours or self._sheet.window != window
        short = remaining - reserve < 1 and not (self._sheet.low() and self._sheet.remaining_until > now)
        if short:
            self._ends = 0.0
        self._news = news
        # Whoever holds the lock is writing at this moment; what he does not write goes with the next lease.
        if (first or short or self._overdue(now)) and self._lock.acquire(blocking=False):
            try:
                self._publish(now)
            finally:
                self._lock.release()

    def hold(self, seconds: float) -> None:
        """Nobody's background calls go for so long."""
        with self._lock:
            now = self._moment()
            self._left = 0.0
            self._news = {**self._news, "held_until": max(now + seconds, self._sheet.held_until)}
            self._sheet = replace(self._sheet, held_until=self._news["held_until"])
            self._publish(now)

    def settle(self) -> None:
        """The last call for now was made: what is left of the lease goes back."""
        with self._lock:
            if self._left >= 1 or self._owed:
                self._ends = 0.0
                self._publish(self._moment())

    def _moment(self) -> float:
        return self._now().timestamp()

    def _owe(self, calls: float) -> None:
        with self._counting:
            since = self._moment() - self._sheet.window
            if len(self._owed) > 1000:
                self._owed = [entry for entry in self._owed if entry[0] > since]
            self._owed.append((self._moment(), calls))

    def _overdue(self, now: float) -> bool:
        return bool(self._owed) and now - self._owed[0][0] > LEASE and now - self._looked >= LOOK

    def _look(self, now: float) -> None:
        """Reads what the others wrote."""
        self._looked = now
        try:
            with reading(self._engine).connect() as connection:
                row = connection.execute(select(quotas).where(quotas.c.account == self.account)).one_or_none()
        except _AWAY:
            return
        if row is not None:
            self._sheet = _sheet(row._mapping)

    def _renew(self, now: float) -> float:
        """A new lease; or the seconds to wait for one."""
        if now < self._blind_until:
            return max(SHORTEST, self._blind_until - now)
        if not self._news and (wait := self._sheet.at(now).wait(now)) > 0:
            return wait
        lease = uuid4().hex[:12]

        def cut(sheet: Sheet) -> Sheet:
            if sheet.wait(now) > 0:
                return sheet
            return replace(sheet, taken=(*sheet.taken, (now, sheet.chunk(), lease)))

        if not self._write(now, cut):
            self._blind_until = now + BLIND
            self._left = 1.0
            self._ends = now + LEASE
            self._owe(1.0)
            return 0.0
        granted = sum(calls for _, calls, name in self._sheet.taken if name == lease)
        if not granted:
            return self._sheet.wait(now) or SHORTEST
        self._lease, self._left, self._ends = lease, granted, now + LEASE
        return 0.0

    def _publish(self, now: float) -> None:
        if now >= self._blind_until and self._write(now, lambda sheet: sheet):
            return
        self._blind_until = max(self._blind_until, now + BLIND)
        self._sheet = _told(self._sheet, self._news)

    def _write(self, now: float, change: Callable[[Sheet], Sheet]) -> bool:
        """Brings what this process knows and used into the row, and applies `change`; False: the database cannot be asked."""
        with self._counting:
            owed, self._owed = self._owed, []
        news = self._news
        ended, left = (self._lease, self._left) if self._left < 1 or now >= self._ends else ("", 0.0)
        try:
            with Session(self._engine) as session, session.begin():
                connection = session.connection()
                _hurry(connection)
                fresh = insert(session, QuotaRow).values(account=self.account, reserve=0.0, window=60.0, taken=[], updated_at=self._now())
                connection.execute(fresh.on_conflict_do_nothing())
                query = select(quotas).where(quotas.c.account == self.account).with_for_update()
                sheet = _told(_sheet(connection.execute(query).one()._mapping), news)
                sheet = replace(sheet, taken=(*sheet.taken, *_entries(owed, max(1.0, sheet.window / 60))))
                sheet = change(sheet.used(ended, left).at(now))
                connection.execute(update(quotas).where(quotas.c.account == self.account).values(**_row(sheet, self._now())))
        except _AWAY:
            with self._counting:
                self._owed = [*owed, *self._owed]
            return False
        if self._news is news:
            self._news = {}
        if ended:
            self._lease, self._left = "", 0.0
        self._sheet, self._looked = sheet, now
        return True


def _hurry(connection: Connection) -> None:
    """A call waits for another process's lease, not for one that hangs; SQLite's patience is the engine's."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('lock_timeout', '250ms', true)"))


def _told(sheet: Sheet, news: dict[str, Any]) -> Sheet:
    held = max(sheet.held_until, news.get("held_until", 0.0))
    return replace(sheet, **{**news, "held_until": held})


def _entries(owed: list[tuple[float, float]], grain: float) -> tuple[tuple[float, float, str], ...]:
    """One entry per `grain` seconds, at the latest moment in it."""
    merged: dict[int, tuple[float, float]] = {}
    for at, calls in owed:
        last, before = merged.get(int(at / grain), (at, 0.0))
        merged[int(at / grain)] = (max(at, last), before + calls)
    return tuple((at, calls, "") for at, calls in merged.values())


def _sheet(row: Any) -> Sheet:
    def seconds(moment: datetime | None) -> float:
        return moment.timestamp() if moment else 0.0

    return Sheet(
        ours=row["ours"],
        reserve=row["reserve"],
        window=row["window"],
        remaining=row["remaining"],
        remaining_until=seconds(row["remaining_until"]),
        held_until=seconds(row["held_until"]),
        taken=tuple((float(at), float(calls), str(lease)) for at, calls, lease in cast("list[list[Any]]", row["taken"])),
    )


def _row(sheet: Sheet, now: datetime) -> dict[str, Any]:
    def moment(seconds: float) -> datetime | None:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None

    return {
        "ours": sheet.ours,
        "reserve": sheet.reserve,
        "window": sheet.window,
        "remaining": sheet.remaining,
        "remaining_until": moment(sheet.remaining_until),
        "held_until": moment(sheet.held_until),
        "taken": [list(entry) for entry in sheet.taken],
        "updated_at": now,
    }
