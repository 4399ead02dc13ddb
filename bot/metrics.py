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
        self._parts = Gauge(
            "draftdesk_part_documents",
            "Documents of a part of a first load: seen, and expected where the source counts them",
            ("connector", "part", "count"),
            registry=self.registry,
        )
        self._gaps = Gauge(
            "draftdesk_missing_documents", "Documents that a first load missed", ("connector",), registry=self.registry
        )
        self._voices = Gauge(
            "draftdesk_model_days_left", "Days until a trained model in use is shut down", ("task", "model"), registry=self.registry
        )
        self._fallbacks = Counter(
            "draftdesk_voice_fallbacks", "Drafts in the proven words instead of the model's", ("connector",), registry=self.registry
        )
        self._syncs = Counter("draftdesk_syncs", "Syncs by result", ("connector", "result"), registry=self.registry)
        self._synced_at = Gauge(
            "draftdesk_last_sync_timestamp_seconds", "When a sync last succeeded", ("connector",), registry=self.registry
        )
        self._decisions = Counter("draftdesk_decisions", "Tickets by decision", ("connector", "decision", "reason"), registry=self.registry)
        self._topics = Counter(
            "draftdesk_decisions_by_topic", "Tickets by topic and decision", ("connector", "topic", "decision"), registry=self.registry
        )
        self._used = Counter(
            "draftdesk_drafts_used", "Drafts by what agents made of them", ("connector", "topic", "outcome"), registry=self.registry
        )
        self._spent = Counter("draftdesk_spent_usd", "Money spent on models", ("connector",), registry=self.registry)
        self._steps = Histogram("draftdesk_step_seconds", "Time by step of a ticket's way", ("step",), registry=self.registry)

    def voice_left(self, task: str, model: str, days: int) -> None:
        """How many days a trained model in use still answers: an alarm when few."""
        self._voices.labels(task, model).set(days)

    def loaded(self, outcome: Outcome) -> None:
        """Count what one part of a first load brought."""
        for change in ("added", "updated", "removed", "unreadable", "held_back"):
            self._documents.labels(outcome.name, change).inc(getattr(outcome, change))
        for part in outcome.parts:
            self._parts.labels(outcome.name, part.key, "seen").set(part.seen)
            if part.expected is not None:
                self._parts.labels(outcome.name, part.key, "expected").set(part.expected)

    def missing(self, connector: str, documents: int) -> None:
        """How many documents the last first load did not see although the source counts them: an alarm above 0."""
        self._gaps.labels(connector).set(documents)

    def synced(self, outcome: Outcome) -> None:
        self.loaded(outcome)
        self._syncs.labels(outcome.name, "failed" if outcome.error else "done").inc()
        if not outcome.error:
            self._synced_at.labels(outcome.name).set_to_current_time()

    def answered(self, connector: str, record: dict[str, Any]) -> None:
        """Count a decision; of its reason only the typed part, which is one of a closed set."""
        kind = record["reason"].partition(":")[0] if record["decision"] == "handoff" else ""
        self._decisions.labels(connector, record["decision"], kind).inc()
        self._topics.labels(connector, (record.get("triage") or {}).get("topic") or "none", record["decision"]).inc()
        self._spent.labels(connector).inc(record["usage"]["cost_usd"])
        if record.get("voice_fallback"):
            self._fallbacks.labels(connector).inc()
        for step in STEPS:
            self._steps.labels(step).observe(record["timings_ms"].get(step, 0.0) / 1000)

    def used(self, connector: str, topic: str | None, outcome: str) -> None:
        """Count what an agent made of a draft; topics are the file's own."""
        self._used.labels(connector, topic or "", outcome).inc()

    def postponed(self, connector: str, record: dict[str, Any]) -> None:
        self.answered(connector, record)
