"""How long the server takes for each page of the console over many drafts: 100,000 unless a number is given.

    python tests/bench/bench_console.py [DRAFTS] [--database URL]

Each page is asked for many times; median, 95th percentile and maximum in ms, as the server itself measures them (Server-Timing).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert
from starlette.testclient import TestClient

from bot.config import load
from bot.console.app import create_console
from bot.console.door import open_door
from bot.console.office import Office
from bot.console.opening import open_office
from bot.demo import write_config
from bot.deployment import Deployment, open_deployment
from connectors.sandbox import Sandbox
from storage.tables import AuditRow, DocumentRow, DraftRow, EffectRow, ReviewRow, Row, SpendingRow, SyncRow, VersionRow, table

DRAFTS, ROUNDS, LIMIT = 100_000, 40, 100.0  # limit in ms
BATCH = 2_000
PASSWORD = "bench-password"
TOPICS = ("refunds", "delivery", "warranty", "account", "legal")
SUBJECTS = ("My valve drips", "Where is my order?", "Refund for a broken sensor", "The gateway lost its network", "Change of address")
QUESTIONS = ("I would like to know how long a refund takes, and whether I must send the device back first.", "How do I reset the gateway?")
POLICY = """
policy:
  topics:
    - {name: refunds, about: "refunds and returns", deliver: reply, max_wrong: 0.02}
    - {name: delivery, about: "parcels and delays", deliver: note}
    - {name: warranty, about: "repairs, warranty", deliver: reply, max_wrong: off}
    - {name: account, about: "sign-in and addresses", deliver: note}
    - {name: legal, about: "contracts and privacy", deliver: never}
budget: {usd_per_day: 20, usd_per_ticket: 0.05}
console: {password: env:DRAFTDESK_BENCH_PASSWORD}
"""


def record(draft_id: str, number: int, decision: str, topic: str | None, chance: random.Random) -> dict[str, Any]:
    """A decision as the flow keeps it, with eight passages of some hundred words."""
    passage = "Refunds are paid within five working days after the device has reached us. " * 8
    sentence = "A refund is paid within five working days after the device has reached us."
    body = f"Hello,\n\n{sentence}\n\nKind regards" if decision != "handoff" else ""
    found = [
        {
            "document": f"zendesk:help:article:{number % 900 + at}",
            "title": f"How refunds work, part {at}",
            "audience": "public",
            "language": "en",
            "score": 0.8,
            "cosine": 0.7,
            "text": passage,
        }
        for at in range(8)
    ]
    first = {"marker": 1, "document": found[0]["document"], "title": found[0]["title"], "url": "https://help.example/refunds"}
    proof = [{"text": sentence, "citations": [1], "supported": True, "kind": "statement", "why": ""}]
    return {
        "draft_id": draft_id,
        "ticket": {"connector": "help", "id": str(number), "subject": SUBJECTS[number % 5], "language": "en"},
        "decision": decision,
        "reason": "policy: deliver note",
        "confidence": round(chance.uniform(0.4, 0.99), 3),
        "body_text": body,
        "body_html": f"<p>Hello,</p><p>{sentence}</p><p>Kind regards</p>" if body else "",
        "sentences": proof if body else [],
        "citations": [first | {"audience": "public", "passage": passage}] if body else [],
        "internal_hints": [{"document": "confluence:wiki:page:7", "title": "Goodwill rules", "url": "https://wiki.example/7"}],
        "triage": {
            "topic": topic,
            "sentiment": "neutral",
            "priority": "normal",
            "language": "en",
            "entities": [],
            "questions": [QUESTIONS[number % 2]],
            "suspicious": [],
        },
        "usage": {"prompt_tokens": 900, "completion_tokens": 120, "cost_usd": 0.0004},
        "voice": "exemplars",
        "timings_ms": {"retrieve": 8.1, "write": 1200.0, "check": 4.0, "total": 1215.0},
        "posted": None,
        "delivery": None,
        "passages": found,
        "checks": proof,
        "policy": ["check: every sentence is supported", "policy: deliver note"],
    }


def rows(number: int, now: datetime, chance: random.Random) -> tuple[DraftRow, EffectRow, ReviewRow, SpendingRow]:
    draft_id, ticket = f"d{number:011x}", str(1_000_000 + number)
    decision = chance.choices(("note", "handoff", "reply"), (70, 24, 6))[0]
    topic = chance.choice((*TOPICS, None))
    at = now - timedelta(seconds=number * 40)
    kind = chance.choice(("no_knowledge", "unsupported", "conflict", "customer_request")) if decision == "handoff" else ""
    reason = f"{kind}: nothing that this customer may read answers it" if kind else "policy: deliver note"
    state = "automatic" if decision == "reply" else chance.choices(("waiting", "approved", "rejected", "overtaken"), (40, 35, 5, 20))[0]
    told = record(draft_id, number, decision, topic, chance)
    draft = DraftRow(
        id=draft_id, connector="help", ticket_id=ticket, customer_comment_id="c", decision=decision, created_at=at,
        subject=SUBJECTS[number % 5], reason=reason, record=told,
    )  # fmt: skip
    effect = EffectRow(
        key=f"e{number:031x}", draft_id=draft_id, connector="help", ticket_id=ticket, kind=decision,
        state="sent", public=decision == "reply", attempts=1, seen_version="1", vendor_ref="9", created_at=at,
        updated_at=at, tags=[], html=told["body_html"],
    )  # fmt: skip
    decided = state in ("approved", "rejected")
    review = ReviewRow(
        draft_id=draft_id, connector="help", ticket_id=ticket, decision=decision, kind=kind, topic=topic, usd=0.0004, at=at, state=state,
        decided_at=at if decided else None, decided_by=f"agent{number % 9}" if decided else None,
        reply_id="none" if state == "approved" else None, reason="the ticket was solved meanwhile" if state == "overtaken" else None,
    )  # fmt: skip
    spent = SpendingRow(
        id=f"s{number}", connector="help", ticket_id=ticket, at=now - timedelta(seconds=chance.randrange(30 * 86_400)),
        usd=chance.uniform(0.0002, 0.008), settled=True, model=chance.choice(("gpt-6-luna", "acme-voice-3")),
    )  # fmt: skip
    return draft, effect, review, spent


def fill(engine: Engine, drafts: int, now: datetime) -> None:
    """Drafts, effects, reviews, payments and deeds; half as many documents."""
    chance = random.Random(7)
    for start in range(0, drafts, BATCH):
        made = [rows(number, now, chance) for number in range(start, min(start + BATCH, drafts))]
        write(engine, DraftRow, [one[0] for one in made])
        write(engine, EffectRow, [one[1] for one in made])
        write(engine, ReviewRow, [one[2] for one in made])
        write(engine, SpendingRow, [one[3] for one in made])
        deeds = [deed(number, now - timedelta(minutes=drafts - number)) for number in range(start, start + len(made))]
        write(engine, AuditRow, deeds, ("id",))
        write(engine, DocumentRow, list(documents(start // 2, min(start + BATCH, drafts) // 2, now)))
        write(engine, VersionRow, list(versions(start // 2, min(start + BATCH, drafts) // 2, now)))
    last = {"connector": "help", "started_at": now, "seconds": 9.0, "held_back": 120, "error": "held back", "caught_up": True}
    write(engine, SyncRow, [SyncRow(**last)], without=("id",))


def deed(number: int, at: datetime) -> AuditRow:
    return AuditRow(at=at, person=f"agent{number % 9}", role="agent", action="approved", subject=f"d{number:011x}")


def documents(start: int, end: int, now: datetime) -> Iterator[DocumentRow]:
    for number in range(start, end):
        state = "unreadable" if number % 400 == 0 else "gone" if number % 50 == 0 else "live"
        yield DocumentRow(
            id=f"zendesk:help:article:{number}", connector="help", state=state, reason="no permission" if state == "unreadable" else None,
            seen_at=now, gone_at=now if state == "gone" else None, fails=number % 7,
        )  # fmt: skip


def versions(start: int, end: int, now: datetime) -> Iterator[VersionRow]:
    for number in range(start, end):
        yield VersionRow(
            key=f"v{number}", document=f"zendesk:help:article:{number}", connector="help", fingerprint="f", audience="public",
            language="en", valid_from=now, assumed=False, url="https://help.example/a", title="How refunds work",
            markdown="Refunds are paid. " * 60,
        )  # fmt: skip


def write(engine: Engine, row: type[Row], made: Sequence[Row], without: Sequence[str] = ()) -> None:
    with engine.begin() as connection:
        if made:
            connection.execute(insert(table(row)), [one.model_dump(exclude=set(without)) for one in made])


@contextmanager
def seeded(folder: Path, drafts: int, database: str | None = None) -> Iterator[tuple[Deployment, Office]]:
    """An installation over the sandbox with so many drafts in its database."""
    os.environ["DRAFTDESK_BENCH_PASSWORD"] = PASSWORD
    with Sandbox(export_delay=0) as sandbox:
        path = write_config(folder, sandbox.url)
        more = f"database: {database}\n" if database else ""
        path.write_text(path.read_text(encoding="utf-8") + POLICY + more, encoding="utf-8")
        deployment = open_deployment(load(path))
        try:
            fill(deployment.engine, drafts, datetime.now(UTC))
            yield deployment, office_of(deployment)
        finally:
            deployment.close()


def office_of(deployment: Deployment) -> Office:
    flows = {"help": deployment.flow("help")}
    nothing = partial(print, file=sys.stderr)
    door = open_door(deployment.config)
    assert door is not None
    soon = datetime.now(UTC) + timedelta(minutes=9)
    return open_office(deployment, flows, door, send=nothing, sync=nothing, synced=nothing, next_sync=lambda _: soon)


def measure(office: Office, drafts: int) -> dict[str, list[float]]:
    client = TestClient(create_console(office), base_url="http://127.0.0.1:8080", follow_redirects=False)
    assert client.post("/sign-in", data={"password": PASSWORD}).status_code == 303
    some = [f"/drafts/d{number:011x}" for number in range(0, drafts, max(1, drafts // ROUNDS))]
    deep = office.now() - timedelta(seconds=drafts * 30)
    pages = {
        "inbox": ["/"],
        "inbox, deep": [f"/?after={deep.timestamp():.6f}_d"],
        "inbox, rare filter": ["/?stand=rejected&topic=legal&decision=handoff"],
        "inbox, approved": ["/?stand=approved"],
        "ticket": some,
        "find": [f"/find?q={1_000_000 + drafts // 2}"],
        "knowledge": ["/knowledge"],
        "simulation": ["/simulation"],
        "voice": ["/voice"],
        "costs": ["/costs"],
        "activity": ["/activity"],
        "activity, deep": [f"/activity?before={drafts // 10}"],
    }
    return {name: [ask(client, paths[at % len(paths)]) for at in range(ROUNDS)] for name, paths in pages.items()}


def ask(client: TestClient, path: str) -> float:
    """Server time in ms."""
    answer = client.get(path)
    assert answer.status_code in (200, 303), f"{path}: {answer.status_code}"
    return float(answer.headers["server-timing"].partition("dur=")[2])


def describe(times: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(times), 1),
        "p95": round(sorted(times)[int(len(times) * 0.95)], 1),
        "max": round(max(times), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("drafts", nargs="?", type=int, default=DRAFTS)
    parser.add_argument("--database")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="draftdesk-bench-") as folder:
        began = time.perf_counter()
        with seeded(Path(folder), asked.drafts, asked.database) as (_, office):
            print(f"{asked.drafts:,} drafts seeded in {time.perf_counter() - began:.0f} s", file=sys.stderr)
            found = measure(office, asked.drafts)
    figures = {name: describe(times) for name, times in found.items()}
    print(json.dumps({"drafts": asked.drafts, "ms": figures, "limit_ms": LIMIT}, indent=2))
    slow = [name for name, one in figures.items() if one["p95"] > LIMIT]
    sys.exit(f"slower than {LIMIT:.0f} ms: {', '.join(slow)}" if slow else 0)


if __name__ == "__main__":
    main()
