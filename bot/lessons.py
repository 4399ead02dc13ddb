"""Tickets that agents marked with a topic's tag teach that topic: learnt when they are looked at, remembered until that changes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlmodel import Session

from bot.answer.clean import own_words
from bot.answer.pseudonyms import Masking
from bot.answer.topics import LONGEST
from bot.answer.triage import clean_subject
from connectors.base import Ticket
from storage import outcomes
from storage.database import reading
from storage.embedding import Embedder
from storage.tables import TopicRow

Vectors = NDArray[np.float32]
MOST = 200  # tickets of a topic, the newest


class Tagged(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def tags(self) -> Sequence[str]: ...


class Lessons:
    """The vectors of what was taught, by topic; read again only when something was taught since."""

    def __init__(self, engine: Engine, embedder: Embedder, topics: Sequence[str]) -> None:
        self._engine, self._embedder, self._topics = engine, embedder, topics
        self._lock = threading.Lock()
        self._held: tuple[tuple[str, int, datetime | None], Mapping[str, Vectors]] = (("", -1, None), {})

    def __call__(self) -> Mapping[str, Vectors]:
        name = self._embedder.name
        with self._lock, Session(reading(self._engine)) as session:
            stand = (name, *outcomes.teaching(session, name))
            if stand != self._held[0]:
                self._held = (stand, _by_topic(outcomes.taught(session, name, self._topics, MOST)))
            return self._held[1]


def _by_topic(rows: Iterable[tuple[str, bytes]]) -> dict[str, Vectors]:
    found: dict[str, list[Vectors]] = {}
    for topic, vector in rows:
        found.setdefault(topic, []).append(np.frombuffer(vector, dtype="<f4"))
    return {topic: np.stack(vectors) for topic, vectors in found.items()}


def topic_by_tags(ticket: Ticket, topics: Sequence[Tagged]) -> str | None:
    """The one topic that the ticket's tags name; None where none does, or several do."""
    tags = {tag.casefold() for tag in ticket.tags}
    named = [topic.name for topic in topics if tags & {tag.casefold() for tag in topic.tags}]
    return named[0] if len(named) == 1 else None


def question_of(ticket: Ticket) -> str:
    """What the ticket began with, in the customer's own words."""
    first = next((comment.text for comment in ticket.comments if comment.public and comment.author == "customer"), "")
    return f"{clean_subject(ticket.subject)}\n{own_words(first)}".strip()[:LONGEST]


def teach(
    engine: Engine,
    embedder: Embedder,
    connector: str,
    ticket: Ticket,
    *,
    topics: Sequence[Tagged],
    now: datetime,
    mask: Masking | None = None,
) -> str | None:
    """Keep the ticket as an example of the topic that its tags name; a vector is kept, no word of it."""
    if not any(topic.tags for topic in topics) or ticket.automated:
        return None
    topic, question = topic_by_tags(ticket, topics), question_of(ticket)
    question = mask.of(ticket).hide(question) if mask else question
    with Session(engine) as session, session.begin():
        if topic is None or not question:
            outcomes.unteach(session, connector, ticket.id)
            return None
        vector = np.asarray(embedder.embed([question])[0], dtype="<f4").tobytes()
        outcomes.teach(
            session, TopicRow(connector=connector, ticket_id=ticket.id, topic=topic, embedder=embedder.name, at=now, vector=vector)
        )
    return topic
