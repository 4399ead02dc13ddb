"""Nothing that a past ticket could not have known then answers it, and each ticket says how far that can be promised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from bot.answer.decide import Rules
from bot.answer.extractive import ExtractiveWriter
from bot.answer.flow import Flow
from bot.answer.retrieve import Index
from bot.answer.triage import triage
from bot.config import Config, load
from bot.config.model import Budget, Topic
from bot.demo import write_config
from bot.simulate.fingerprint import Knowledge, answering_modules, fingerprint
from bot.simulate.sample import Stage, make_sample
from bot.simulate.window import Nowhere
from bot.sync import sync
from connectors.base import Comment, Cursor, Document, Page, Ticket
from storage import voices
from storage.database import open_database
from storage.embedding import local_embedder
from storage.tables import VoiceRow
from storage.vectors import open_vectors

LOCAL = local_embedder()
NOW = datetime(2026, 11, 1, tzinfo=UTC)


class Once:
    def __init__(self, *changes: Document) -> None:
        self.changes = changes

    def check(self) -> None:
        return None

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        yield Page(self.changes, {"v": 1}, caught_up=True)


@dataclass(frozen=True)
class Desk:
    index: Index
    folder: Path

    def stage(self) -> Stage:
        flow = Flow(
            connector="help",
            desk=Nowhere(),
            engine=self.index.engine,
            index=self.index,
            writer=ExtractiveWriter(LOCAL.embed),
            triage=partial(triage, languages=("en",)),
            rules=Rules((), "note", "note", 3),
            allowed_links=(),
            opt_out_tags=(),
            now=lambda: NOW,
        )
        return Stage(flow, "print", {}, NOW - timedelta(days=900))

    def learn(self, *documents: Document, at: datetime = NOW) -> None:
        assert sync("kb", Once(*documents), self.index.engine, self.index.vectors, LOCAL, now=lambda: at).error is None


ASKED_AT = NOW - timedelta(days=200)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    index = Index(open_database("sqlite", folder=tmp_path), open_vectors(tmp_path / "index", LOCAL.dimensions), LOCAL)
    yield Desk(index, tmp_path)
    index.vectors.close()
    index.engine.dispose()


def article(name: str, text: str, created: datetime, updated: datetime | None = None) -> Document:
    return Document(f"folder:kb:{name}", name, text, f"https://kb.example/{name}", updated or created, created, "public", "en")


WARRANTY = "How long is the warranty of the hub? The warranty of the hub lasts three years from the invoice date."


def asked(question: str = "How long is the warranty of the hub?", answer: str = "Three years from the invoice date.") -> Ticket:
    comments = (
        Comment("1", "u1", "customer", True, question, ASKED_AT),
        Comment("2", "a1", "agent", True, answer, ASKED_AT + timedelta(hours=2)),
    )
    return Ticket("77", "A question", "closed", "v", "u1", None, None, comments, (), "", ASKED_AT, ASKED_AT)


PLANTED = (
    ("How long is the warranty of the hub?", "The warranty of the hub lasts 31 months."),
    ("When do refunds reach my card?", "Refunds reach your card within 12 working days."),
    ("How many sensors can I pair with one gateway?", "One gateway pairs with up to 47 sensors."),
    ("At what pressure is the valve tested?", "The valve is tested at 16 bar."),
    ("What does shipping to Norway cost?", "Shipping to Norway costs 23 euros."),
    ("How long does the siren sound?", "The siren sounds for 90 seconds."),
    ("Which temperature does the probe stand?", "The probe stands up to 85 degrees."),
    ("How long are recordings kept in the archive?", "Recordings are kept in the archive for 14 days."),
    ("How many users may an account have?", "An account may have up to 60 users."),
    ("When is the newsletter sent?", "The newsletter is sent every 18 days."),
    ("How long does the battery of the remote last?", "The battery of the remote lasts 26 months."),
    ("How far does the antenna reach outdoors?", "The antenna reaches 350 metres outdoors."),
)


def test_of_planted_answers_those_that_came_afterwards_are_never_used_and_those_from_before_are(desk: Desk) -> None:
    """Every other answer was written a minute after its ticket; the bot knows only what stood there then."""
    moments = [ASKED_AT + timedelta(minutes=1 if place % 2 else -1) for place in range(len(PLANTED))]
    desk.learn(*(article(f"{place}.md", answer, moments[place]) for place, (_, answer) in enumerate(PLANTED)))
    stage = desk.stage()
    rows = [make_sample(stage, asked(question, answer)) for question, answer in PLANTED]
    used = {place for place, (_, answer) in enumerate(PLANTED) if answer in rows[place].record["body_text"]}
    cited = {citation["document"] for row in rows for citation in row.record["citations"]}
    later = set(range(1, len(PLANTED), 2))
    assert cited.isdisjoint({f"folder:kb:{place}.md" for place in later})
    assert used == set(range(len(PLANTED))) - later
    assert all(row.record["history"] == "kept" for row in rows)


def test_of_an_edited_article_the_text_that_held_then_is_used(desk: Desk) -> None:
    created = ASKED_AT - timedelta(days=90)
    desk.learn(article("warranty.md", WARRANTY.replace("three", "two"), created), at=ASKED_AT - timedelta(days=30))
    desk.learn(article("warranty.md", WARRANTY, created, ASKED_AT + timedelta(days=10)), at=ASKED_AT + timedelta(days=11))
    row = make_sample(desk.stage(), asked())
    assert "two years" in row.record["body_text"]
    assert "three years" not in row.record["body_text"]
    assert row.record["history"] == "kept"


def test_an_answer_that_entered_the_knowledge_afterwards_is_not_used(desk: Desk) -> None:
    desk.learn(
        article("shipping.md", "We ship from Leuven within two days.", ASKED_AT - timedelta(days=90)),
        article("warranty.md", WARRANTY, ASKED_AT + timedelta(days=1)),
    )
    row = make_sample(desk.stage(), asked())
    assert (row.decision, row.record["reason"].partition(":")[0]) == ("handoff", "no_knowledge")
    assert "warranty" not in json.dumps(row.record["nearest"])


def test_what_stood_there_before_is_used(desk: Desk) -> None:
    desk.learn(article("warranty.md", WARRANTY, ASKED_AT - timedelta(days=1)))
    row = make_sample(desk.stage(), asked())
    assert row.decision == "note"
    assert "three years" in row.record["body_text"]
    assert row.record["history"] == "kept"
    assert row.record["durable"] is True


def test_a_text_that_was_edited_since_is_used_and_said_to_be_a_guess(desk: Desk) -> None:
    desk.learn(article("warranty.md", WARRANTY, ASKED_AT - timedelta(days=9), ASKED_AT + timedelta(days=9)))
    assert make_sample(desk.stage(), asked()).record["history"] == "assumed"


def test_a_ticket_older_than_all_knowledge_says_so(desk: Desk) -> None:
    desk.learn(article("warranty.md", WARRANTY, ASKED_AT + timedelta(days=9)))
    stage = replace(desk.stage(), begins=ASKED_AT + timedelta(days=9))
    assert make_sample(stage, asked()).record["history"] == "none"


def test_the_fingerprint_moves_with_knowledge_model_prompt_voice_and_topics_and_with_nothing_else(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config: Config = load(write_config(tmp_path, "http://127.0.0.1:9"))
    engine = desk.index.engine

    def mark(**change: Any) -> str:
        return fingerprint(config.model_copy(update=change), engine)

    first = mark()
    budget = Budget(usd_per_day=3.0)
    hours = config.policy.model_copy(update={"max_replies_per_ticket": 9})
    assert {mark(), mark(budget=budget), mark(policy=hours)} == {first}
    topic = Topic(name="refunds", about="refunds and returns", deliver="reply", max_wrong=0.02)
    loose = topic.model_copy(update={"max_wrong": 0.2, "deliver": "note"})
    topics = [mark(policy=config.policy.model_copy(update={"topics": (one,)})) for one in (topic, loose)]
    assert topics[0] == topics[1]
    marks = [
        first,
        topics[0],
        mark(languages=("fr",)),
        mark(writer=config.writer.model_copy(update={"provider": "openai", "model": "a"})),
        mark(writer=config.writer.model_copy(update={"provider": "openai", "model": "b"})),
        mark(voice=config.voice.model_copy(update={"model": "our-voice-2"})),
    ]
    (config.data_dir / "voice").mkdir(parents=True)
    (config.data_dir / "voice" / "style.yaml").write_text("greeting: {en: 'Hello {name}'}")
    marks.append(mark())
    with Session(engine) as session, session.begin():
        voices.plan(session, voice_row())
        voices.promote(session, "k", NOW)
    marks.append(mark())
    monkeypatch.setattr("bot.simulate.fingerprint.code", lambda: "another prompt")
    marks.append(mark())
    desk.learn(article("a.md", "One.", NOW - timedelta(days=3)))
    marks.append(mark())
    desk.learn(article("a.md", "Two.", NOW - timedelta(days=3), NOW - timedelta(days=1)), at=NOW + timedelta(minutes=1))
    marks.append(mark())
    assert len(set(marks)) == len(marks)


def voice_row() -> VoiceRow:
    return VoiceRow(
        key="k", model="tuned", created_at=NOW, dataset="d", provider="openai", base="b", state="succeeded", parameters={}
    )


def test_what_is_remembered_of_the_knowledge_is_read_anew_when_it_changes(desk: Desk, tmp_path: Path) -> None:
    config: Config = load(write_config(tmp_path, "http://127.0.0.1:9"))
    knowledge = Knowledge(desk.index.engine)
    first = fingerprint(config, desk.index.engine, knowledge)
    desk.learn(article("a.md", "One.", NOW - timedelta(days=3)))
    second = fingerprint(config, desk.index.engine, knowledge)
    assert first != second == fingerprint(config, desk.index.engine)


def test_the_code_that_answers_is_part_of_the_fingerprint() -> None:
    names = {path.name for path in answering_modules()}
    assert {"prompt.py", "decide.py", "model.py", "rewriter.py", "passages.py"} <= names
