"""What a ticket is about: by its neighbours among examples and past tickets, then by the writer's model; else of no topic."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.answer.write import ModelUnavailable, Usage
from storage.embedding import Embedder

Vectors = NDArray[np.float32]

LEAST = 0.22  # similarity from which on a topic's own words and examples name it
LEAST_MARGIN = 0.04  # to the next topic
TAUGHT_HIGHER = 0.12  # past tickets are whole messages, which are more alike: their similarity counts for so much less
NEIGHBOURS = 3  # past tickets of a topic whose mean counts
OWN = 2  # of a topic's own texts
CERTAIN = 0.5  # similarity that is as sure as it gets
MODEL_SURE = 0.6  # nobody measured how sure a model is
LONGEST = 2_000  # characters of a message that are looked at


class Topic(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def examples(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Topical:
    """`sure`: 0.5 to 1 by neighbours, a fixed figure from a model, 0 for no topic. `usage`: what asking a model cost."""

    name: str | None
    sure: float
    usage: Usage = Usage()  # noqa: RUF009 - frozen


class Asker(Protocol):
    def ask(self, text: str, topics: Sequence[Topic], ticket_id: str) -> tuple[str | None, Usage]:
        """One of the topics' names, or None. Raises ModelUnavailable."""
        ...


Taught = Callable[[], Mapping[str, Vectors]]  # vectors of past tickets, by topic


class TopicFinder:
    """`embedder` may change under it, with the index: what was embedded by the former one is then embedded anew."""

    def __init__(self, topics: Sequence[Topic], embedder: Embedder, taught: Taught, asker: Asker | None = None) -> None:
        """An embedder or a model elsewhere sees what `find` is given: whoever wants it hidden hides it before."""
        self._topics, self._embedder, self._taught, self._asker = topics, embedder, taught, asker
        self._own: tuple[str, dict[str, Vectors]] = ("", {})
        self._lock = threading.Lock()

    def find(self, text: str, ticket_id: str, *, may_ask: bool = True) -> Topical:
        """`may_ask`: whether a model may see the text; one that speaks to bots had better not choose its topic."""
        text = text.strip()[:LONGEST]
        if not self._topics or not text:
            return Topical(None, 0.0)
        vector = self._embedder.embed([text])[0]
        found = nearest(vector, self._own_vectors(), self._taught())
        if found.name is not None or self._asker is None or not may_ask:
            return found
        try:
            name, usage = self._asker.ask(text, self._topics, ticket_id)
        except ModelUnavailable as outage:
            return Topical(None, 0.0, outage.usage)
        return Topical(name, MODEL_SURE if name else 0.0, usage)

    def _own_vectors(self) -> dict[str, Vectors]:
        with self._lock:
            if self._own[0] != self._embedder.name:
                self._own = (self._embedder.name, {topic.name: self._embedder.embed(own_texts(topic)) for topic in self._topics})
            return self._own[1]


def own_texts(topic: Topic) -> list[str]:
    """What a topic is known by: its whole description, each part of it, each example."""
    parts = [part.strip() for part in re.split(r"[,;\n]", topic.about) if part.strip()]
    return list(dict.fromkeys([f"{topic.name}: {topic.about}", *parts, *topic.examples]))


def nearest(vector: Vectors, own: Mapping[str, Vectors], taught: Mapping[str, Vectors]) -> Topical:
    """The topic that is near enough and nearer than any other. Pure."""
    scores = {name: _mean_of_best(vectors @ vector, OWN) for name, vectors in own.items()}
    for name, vectors in taught.items():
        if name in scores and len(vectors) >= NEIGHBOURS:
            scores[name] = max(scores[name], _mean_of_best(vectors @ vector, NEIGHBOURS) - TAUGHT_HIGHER)
    first, second = (*sorted(scores.values(), reverse=True), 0.0, 0.0)[:2]
    if first < LEAST or first - second < LEAST_MARGIN:
        return Topical(None, 0.0)
    name = max(scores, key=lambda one: scores[one])
    return Topical(name, round(min(1.0, 0.5 + 0.5 * (first - LEAST) / (CERTAIN - LEAST)), 3))


def _mean_of_best(similarities: Any, most: int) -> float:
    return float(np.sort(similarities)[-most:].mean())


def chosen(content: str, topics: Sequence[Topic]) -> str | None:
    """The topic that a model's answer names: JSON with that one key, and one of the names or null. Anything else is no answer."""
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or set(said) != {"topic"}:
        return None
    return next((topic.name for topic in topics if topic.name == said["topic"]), None)
