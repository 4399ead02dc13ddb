"""Every path that `run` serves without sign-in, under generated requests: never a server's fault. Needs the package schemathesis."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from prometheus_client import CollectorRegistry

from bot.web import create_app
from connectors.zendesk import webhook as zendesk

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install schemathesis")

ANSWERS = {"200": {"description": "ok"}, "202": {"description": "accepted"}, "4XX": {"description": "refused"}}
TEXT = {"content": {"application/json": {"schema": {"type": "object"}}, "text/plain": {"schema": {"type": "string"}}}}
SURFACE = {
    "openapi": "3.0.3",
    "info": {"title": "draftdesk", "version": "1"},
    "paths": {
        "/webhooks/{name}": {
            "post": {
                "parameters": [
                    {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": ["help", "nobody"]}},
                    {"name": zendesk.SIGNATURE, "in": "header", "schema": {"type": "string"}},
                    {"name": zendesk.TIMESTAMP, "in": "header", "schema": {"type": "string"}},
                ],
                "requestBody": TEXT,
                "responses": ANSWERS,
            }
        },
        **{f"/{name}": {"get": {"responses": ANSWERS}} for name in ("healthz", "readyz", "metrics", "")},
    },
}


def app() -> Any:
    from datetime import UTC, datetime

    hook: Any = SimpleNamespace(verify=lambda headers, body, now: zendesk.receive(["s" * 32], headers, body, now))
    return create_app({"help": hook}, lambda *_: None, lambda: {"database": "ok"}, CollectorRegistry(), lambda: datetime.now(UTC))


schema = schemathesis.openapi.from_dict(SURFACE)
schema.app = app()


@schema.parametrize()
@settings(max_examples=50, suppress_health_check=list(HealthCheck), deadline=None)
@pytest.mark.filterwarnings("ignore")
def test_no_request_is_a_servers_fault(case: Any) -> None:
    assert case.call().status_code < 500
