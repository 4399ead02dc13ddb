"""Webhooks under attack: what is not genuine and fresh never becomes work, and what comes a thousand times is one piece of it."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from bot.web import LARGEST_DELIVERY, create_app
from bot.worker import Moved, start_worker
from connectors.base import WebhookEvent
from connectors.freshdesk import webhook as freshdesk
from connectors.zendesk import webhook as zendesk

SECRET, NOW = "a-secret-of-thirty-two-characters", datetime(2026, 11, 20, 9, 0, 30, tzinfo=UTC)
TRIES = int(os.environ.get("WEBHOOKS", "1500"))  # 10,000 for the long version
BODY = b'{"type": "zen:event-type:ticket.created", "id": "cbe4028c", "subject": "zen:ticket:5158", "detail": {"id": "5158"}}'
HEADER = "x-draftdesk-secret"


@dataclass
class Desk:
    """Both vendors' real checks, and what became work."""

    looked: list[tuple[str, str, str]] = field(default_factory=list)

    def app(self) -> Starlette:
        def of_zendesk(headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookEvent:
            return zendesk.receive([SECRET], headers, body, now)

        def of_freshdesk(headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookEvent:
            return freshdesk.receive([SECRET], headers, body, now)

        hooks: Any = {"help": SimpleNamespace(verify=of_zendesk), "fresh": SimpleNamespace(verify=of_freshdesk)}
        return create_app(hooks, lambda *told: self.looked.append(told), lambda: {"database": "ok"}, CollectorRegistry(), lambda: NOW)


async def send(app: Starlette, path: str, headers: Mapping[str, str], body: bytes, *, method: str = "POST") -> int:
    """One request as a server hands it over; the status of the answer."""
    told: list[int] = []
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": raw, "server": ("x", 80), "client": ("127.0.0.1", 1), "scheme": "http", "root_path": ""}
    chunks = [body[at : at + 65536] for at in range(0, len(body), 65536)] or [b""]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": chunks.pop(0) if chunks else b"", "more_body": bool(chunks)}

    async def answer(message: Any) -> None:
        if message["type"] == "http.response.start":
            told.append(int(message["status"]))

    await app(scope, receive, answer)
    return told[0]


def genuine(at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {zendesk.SIGNATURE: zendesk.sign(SECRET, stamp, body).decode(), zendesk.TIMESTAMP: stamp}


def flipped(dice: random.Random, data: bytes) -> bytes:
    at = dice.randrange(len(data) * 8)
    changed = bytearray(data)
    changed[at // 8] ^= 1 << (at % 8)
    return bytes(changed)


def forgery(dice: random.Random) -> tuple[str, str, dict[str, str], bytes]:
    """(kind, path, headers, body) of a delivery that is not to be taken."""
    kind = dice.choice(["body", "signature", "stamp", "stale", "early", "missing", "secret", "large", "grown", "garbage"])
    headers, body, path = genuine(), BODY, "/webhooks/help"
    if kind == "body":
        body = flipped(dice, BODY)
    elif kind in ("signature", "stamp"):
        name = zendesk.SIGNATURE if kind == "signature" else zendesk.TIMESTAMP
        headers[name] = flipped(dice, headers[name].encode()).decode("latin-1")
    elif kind in ("stale", "early"):  # a genuine one, sent again later; or with a clock ahead
        away = timedelta(seconds=dice.randint(301, 10**7))
        headers = genuine(NOW - away if kind == "stale" else NOW + away)
    elif kind == "missing":
        del headers[dice.choice(list(headers))]
    elif kind == "secret":
        wrong = dice.choice(["", SECRET[:-1], SECRET + " x", SECRET.upper(), flipped(dice, SECRET.encode()).decode("latin-1")])
        path, headers = "/webhooks/fresh", {HEADER: wrong} if wrong else {}
    elif kind == "large":
        headers |= {"content-length": str(dice.choice([LARGEST_DELIVERY + 1, 10**30, -1])) if dice.random() < 0.7 else "\u00b2"}
    elif kind == "grown":  # says nothing of its length
        body = BODY + b" " * (LARGEST_DELIVERY + 1 - len(BODY))
        headers = genuine(body=body)
        if dice.random() > 0.02:  # a megabyte takes its time: a few are enough
            body, headers[zendesk.SIGNATURE] = BODY, ""
    else:
        headers = {dice.choice([zendesk.SIGNATURE, HEADER, zendesk.TIMESTAMP]): dice.randbytes(20).decode("latin-1") for _ in range(3)}
        body, path = dice.randbytes(dice.randint(0, 200)), dice.choice(["/webhooks/help", "/webhooks/fresh"])
    return kind, path, headers, body


def test_no_forged_stale_replayed_or_oversized_delivery_is_accepted() -> None:
    desk, seed = Desk(), int(os.environ.get("SEED", "7281"))
    dice, app, statuses = random.Random(seed), desk.app(), Counter[tuple[str, int]]()

    async def attack() -> None:
        for _ in range(TRIES):
            kind, path, headers, body = forgery(dice)
            statuses[kind, await send(app, path, headers, body)] += 1

    asyncio.run(attack())
    print(f"seed {seed}: {dict(statuses)}")
    assert {status for _, status in statuses} <= {401, 413}
    assert desk.looked == []
    assert asyncio.run(send(app, "/webhooks/help", genuine(), BODY)) == 202, "the genuine one is"
    assert [told[:2] for told in desk.looked] == [("help", "5158")]


@dataclass
class Counting:
    """Chores that only count."""

    looks: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def attend(self, connector: str, ticket: str, work: str) -> float:
        self.looks.append(ticket)
        if ticket == "last":
            self.done.set()
        return 0.0

    def moved(self, connector: str) -> Moved:
        return Moved((), None, True)


@pytest.mark.xdist_group("forgetting")  # durable execution is one per process
def test_a_thousand_duplicates_are_one_piece_of_work(tmp_path: Path) -> None:
    chores: Any = Counting()
    worker = start_worker(chores, {"help": 4}, f"sqlite:///{tmp_path / 'workflows.sqlite'}")
    try:
        app = create_app(
            {"help": SimpleNamespace(verify=lambda headers, body, now: zendesk.receive([SECRET], headers, body, now))},  # type: ignore[dict-item]
            worker.look,
            lambda: {},
            CollectorRegistry(),
            lambda: NOW,
        )

        async def repeat() -> set[int]:
            return {await send(app, "/webhooks/help", genuine(), BODY) for _ in range(1000)}

        assert asyncio.run(repeat()) == {202}
        worker.look("help", "last", "another")
        assert chores.done.wait(60)
    finally:
        worker.stop()
    assert chores.looks.count("5158") == 1
