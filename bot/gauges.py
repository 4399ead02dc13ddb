"""What stands in the database, read when Prometheus asks: the same on every process, whoever did the work."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlmodel import Session

from bot.deployment import Deployment, account
from bot.workflows import backlog, workflow_url
from connectors.base import ConfigProblem, Transient
from storage import heartbeats
from storage.database import reading
from storage.spending import spent_on
from storage.tables import EffectRow, QuotaRow, SyncRow, table

log = structlog.get_logger()

FRESH = 10.0  # seconds for which an answer is given again
UNSETTLED = ("planned", "sending", "unknown")

effects, quotas, syncs = table(EffectRow), table(QuotaRow), table(SyncRow)


class Gauges(Collector):
    """Register it once per process. What cannot be read at the moment is left out, not invented."""

    def __init__(self, deployment: Deployment, quiet: Callable[[], float], *, clock: Callable[[], float] = time.monotonic) -> None:
        """`quiet`: seconds since this process last gave a sign of life."""
        self._deployment, self._quiet, self._clock = deployment, quiet, clock
        self._lock, self._read_at, self._kept = threading.Lock(), -FRESH, list[Metric]()

    def describe(self) -> Iterable[Metric]:
        """Nothing is read at registration."""
        return []

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if self._clock() - self._read_at >= FRESH:
                self._kept, self._read_at = list(self._read()), self._clock()
            return self._kept

    def _read(self) -> Iterator[Metric]:
        yield gauge("draftdesk_heartbeat_age_seconds", "Since this process last gave a sign of life", {(): self._quiet()})
        try:
            with Session(reading(self._deployment.engine)) as session:
                yield from self._of_work(session)
                yield from self._of_money(session)
                yield from self._of_vendors(session)
            yield from self._of_backlog()
            passages = self._deployment.index.vectors.count()
            yield gauge("draftdesk_index_passages", "Passages in the index, superseded ones too", {(): passages})
        except (ConfigProblem, Transient, RuntimeError) as problem:
            log.warning("not all can be measured", reason=str(problem))

    def _of_work(self, session: Session) -> Iterator[Metric]:
        now = self._deployment.now()
        yield gauge("draftdesk_workers", "Processes that gave a sign of life of late", {(): len(heartbeats.living(session))})
        done = select(syncs.c.connector, func.max(syncs.c.started_at).label("at")).where(syncs.c.error.is_(None), syncs.c.caught_up)
        ages = {(row.connector,): (now - row.at).total_seconds() for row in session.execute(done.group_by(syncs.c.connector))}
        yield gauge("draftdesk_sync_age_seconds", "Since the start of the last sync that succeeded", ages, ("connector",))
        newest = select(func.max(syncs.c.id)).group_by(syncs.c.connector)
        last = session.execute(select(syncs.c.connector, syncs.c.held_back, syncs.c.unreadable).where(syncs.c.id.in_(newest))).all()
        held = {(row.connector,): row.held_back for row in last}
        yield gauge("draftdesk_held_back_documents", "Removals that wait for an operator", held, ("connector",))
        unreadable = {(row.connector,): row.unreadable for row in last}
        yield gauge("draftdesk_unreadable_documents", "Documents the last sync could not read", unreadable, ("connector",))
        open_ = select(effects.c.connector, effects.c.state, func.count().label("n"), func.min(effects.c.created_at).label("first"))
        rows = session.execute(open_.where(effects.c.state.in_(UNSETTLED)).group_by(effects.c.connector, effects.c.state)).all()
        counts = {(row.connector, row.state): row.n for row in rows}
        yield gauge("draftdesk_unsettled_comments", "Comments decided and not yet known to be written", counts, ("connector", "state"))
        oldest = max(((now - row.first).total_seconds() for row in rows), default=0.0)
        yield gauge("draftdesk_oldest_unsettled_seconds", "Age of the oldest of them", {(): oldest})

    def _of_money(self, session: Session) -> Iterator[Metric]:
        budget = self._deployment.config.budget
        today = spent_on(session, self._deployment.now())
        yield gauge("draftdesk_spent_today_usd", "Spent or set aside since midnight UTC, over all processes", {(): today})
        if budget and budget.usd_per_day is not None:
            yield gauge("draftdesk_budget_today_usd", "Where today's spending stops", {(): budget.usd_per_day})

    def _of_vendors(self, session: Session) -> Iterator[Metric]:
        """Of each connector's account: what is ours of a window, how much of it is taken, and what the vendor last said is left."""
        names = {key: name for name in self._deployment.connections for key in self._accounts(name)}
        ours, taken, left = {}, {}, {}
        now = datetime.now(UTC).timestamp()
        for row in session.execute(select(quotas).where(quotas.c.account.in_(names))):
            label = (names[row.account],)
            if row.ours is not None:
                ours[label] = row.ours
                taken[label] = sum(calls for at, calls, _ in row.taken if at > now - row.window)
            if row.remaining is not None:
                left[label] = row.remaining
        yield gauge("draftdesk_vendor_calls_allowed", "Calls of a window that may be ours", ours, ("connector",))
        yield gauge("draftdesk_vendor_calls_taken", "Calls taken in the last window, over all processes", taken, ("connector",))
        yield gauge("draftdesk_vendor_calls_left", "Calls left in the window, as the vendor said last", left, ("connector",))

    def _accounts(self, name: str) -> set[str]:
        connection = self._deployment.connections[name]
        return {account(str(client.origin), connection.settings) for client in connection.clients}

    def _of_backlog(self) -> Iterator[Metric]:
        config = self._deployment.config
        waiting: Counter[str] = backlog(workflow_url(config.database_url(), config.data_dir))
        counts = {(name,): waiting[name] for name in self._deployment.connections}
        yield gauge("draftdesk_backlog_tickets", "Tickets being looked at or answered, or waiting for it", counts, ("connector",))


def gauge(name: str, says: str, values: Mapping[Any, float], labels: tuple[str, ...] = ()) -> Metric:
    family = GaugeMetricFamily(name, says, labels=labels)
    for label, value in values.items():
        family.add_metric(list(label), value)
    return family
