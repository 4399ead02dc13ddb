"""Spans for OpenTelemetry, where the extra `otel` is installed and an endpoint is named. Ids and decisions only: no text goes out.

The SDK's own variables say where to: ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_SERVICE_NAME``, ``OTEL_SDK_DISABLED``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
ALLOWED = frozenset({"connector", "ticket", "draft", "part", "decision"})  # what a span may tell


def open_tracing() -> bool:
    """Send spans from now on, where that was asked for; whether they are. Raises ConfigProblem when the extra is missing."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return False
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        from connectors.base import ConfigProblem

        raise ConfigProblem("OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra is missing; install draftdesk[otel]") from None
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return True


@contextmanager
def span(name: str, **told: str) -> Iterator[None]:
    """Nothing without the extra. An exception is told by its kind: its message may quote a customer."""
    try:
        from opentelemetry import trace
    except ModuleNotFoundError:
        yield
        return
    attributes = {f"draftdesk.{key}": value for key, value in told.items() if key in ALLOWED}
    tracer = trace.get_tracer("draftdesk")
    with tracer.start_as_current_span(
        f"draftdesk.{name}", attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as problem:
            current.set_attribute("error.type", type(problem).__name__)
            raise
