"""Numbers for Prometheus: what was synced, decided and spent. Names and decisions only, never a text or a person."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.sync import Outcome

STEPS = ("retrieve", "write", "check", "total")


class Metrics:
    """One registry per process; create one and hand it on."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._documents = Counter(
            "draftdesk_documents", "Documents by what a sync did with them", ("connector", "change"), registry=self.registry
        )
        self._syncs = Counter("draftdesk_syncs", "Syncs by result", ("connector", "result"), registry=self.registry)
        self._synced_at = Gauge(
            "draftdesk_last_sync_timestamp_seconds", "When a sync last succeeded", ("connector",), registry=self.registry
        )
        self._decisions = Counter("draftdesk_decisions", "Tickets by decision", ("connector", "decision", "reason"), registry=self.registry)
        self._spent = Counter("draftdesk_spent_usd", "Money spent on models", ("connector",), registry=self.registry)
        self._steps = Histogram("draftdesk_step_seconds", "Time by step of a ticket's way", ("step",), registry=self.registry)

    def synced(self, outcome: Outcome) -> None:
        for change in ("added", "updated", "removed", "unreadable", "held_back"):
            self._documents.labels(outcome.name, change).inc(getattr(outcome, change))
        self._syncs.labels(outcome.name, "failed" if outcome.error else "done").inc()
        if not outcome.error:
            self._synced_at.labels(outcome.name).set_to_current_time()

    def answered(self, connector: str, record: dict[str, Any]) -> None:
        """Count a decision; of its reason only the typed part, which is one of a closed set."""
        kind = record["reason"].partition(":")[0] if record["decision"] == "handoff" else ""
        self._decisions.labels(connector, record["decision"], kind).inc()
        self._spent.labels(connector).inc(record["usage"]["cost_usd"])
        for step in STEPS:
            self._steps.labels(step).observe(record["timings_ms"].get(step, 0.0) / 1000)

    def postponed(self, connector: str, record: dict[str, Any]) -> None:
        self.answered(connector, record)
