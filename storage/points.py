"""A passage as a point of a store, the same in both stores, and the search that both run.

A point's id comes from version and place, its payload from the entry. A search proposes the nearest by each vector, then asks for the
scores that a proposal lacks, so that whoever fuses them has all of every hit.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from connectors.base import Audience
from storage.entries import Entry, searchable
from storage.lexical import Sparse, sequences
from storage.vectors import FOREVER, Dense, Filter, Hit, Stored

POINTS = uuid.UUID("0d5b7a52-54f7-5d0e-8a3a-6f1f0a3c9b11")  # the namespace of point ids: never change it
BATCH = 256  # points per write
PAGE = 5000  # points per step when all are walked
KEYWORDS = ("document", "version", "connector", "audience", "language", "current")
MOMENTS = ("valid_from", "valid_to")
TALLIED = ("version", "valid_to", "passages")

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Near:
    """One question to a store: the `limit` nearest by `vector` (`dense` or `lexical`) that pass, or the scores of `among`."""

    vector: str
    query: Dense | Sparse
    limit: int
    where: Filter | None = None
    among: Sequence[Any] | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A point as a search reads it: worked out once for as long as it is remembered."""

    entry: Entry
    letters: NDArray[np.uint32]


class Points(Protocol):
    """What a store is asked for by a search; ids are the store's own."""

    def near(self, asked: Sequence[Near]) -> list[dict[Any, float]]:
        """Scores by id, in the order of the questions."""
        ...

    def candidates(self, ids: Sequence[Any]) -> dict[Any, Candidate]:
        """By id; without what was removed meanwhile."""
        ...


def search(points: Points, dense: Dense, sparse: Sparse, where: Filter, limit: int) -> tuple[Hit, ...]:
    """The `limit` nearest by each of the vectors, every hit with all its scores; in no particular order."""
    asked = {"dense": Near("dense", dense, limit, where)}
    if sparse.indices:
        asked["lexical"] = Near("lexical", sparse, limit, where)
    scores = dict(zip(asked, points.near(list(asked.values())), strict=True))
    ids = list({id: None for near in scores.values() for id in near})
    lacking = {name: rest for name, near in scores.items() if (rest := [id for id in ids if id not in near])}
    again = [Near(asked[name].vector, asked[name].query, len(rest), among=rest) for name, rest in lacking.items()]
    for name, near in zip(lacking, points.near(again) if again else (), strict=True):
        scores[name] |= near
    dense_scores, lexical_scores = scores["dense"], scores.get("lexical", {})
    return tuple(
        Hit(found.entry, dense_scores.get(id, 0.0), lexical_scores.get(id, 0.0), found.letters)
        for id, found in points.candidates(ids).items()
    )


def point_id(version: str, ordinal: int) -> str:
    """The same for the same passage of the same version: writing it twice leaves one."""
    return str(uuid.uuid5(POINTS, f"{version}/{ordinal}"))


def payload_of(entry: Entry) -> Payload:
    return {
        "version": entry.version,
        "ordinal": entry.ordinal,
        "passages": entry.passages,
        "document": entry.document,
        "connector": entry.connector,
        "audience": [entry.audience, *entry.segments],
        "language": entry.language or "",
        "valid_from": entry.valid_from.timestamp(),
        **holding([entry.audience, *entry.segments], entry.valid_to),
        "updated_at": entry.updated_at.isoformat() if entry.updated_at else None,
        "title": entry.title,
        "url": entry.url,
        "heading": list(entry.heading),
        "text": entry.text,
    }


def entry_from(payload: Payload) -> Entry:
    return Entry(
        version=payload["version"],
        ordinal=payload["ordinal"],
        passages=payload["passages"],
        document=payload["document"],
        connector=payload["connector"],
        audience=payload["audience"][0],
        language=payload["language"] or None,
        valid_from=_moment(payload["valid_from"]),
        valid_to=_moment(payload["valid_to"]) if payload["valid_to"] < FOREVER else None,
        updated_at=datetime.fromisoformat(payload["updated_at"]) if payload["updated_at"] else None,
        title=payload["title"],
        url=payload["url"],
        heading=tuple(payload["heading"]),
        text=payload["text"],
        segments=tuple(payload["audience"][1:]),
    )


def candidates_from(payloads: Sequence[Payload]) -> Iterator[Candidate]:
    entries = [entry_from(payload) for payload in payloads]
    return map(Candidate, entries, sequences([searchable(entry) for entry in entries]))


def holding(readers: Sequence[str], valid_to: datetime | None) -> Payload:
    """Until when a passage holds. `current` says in one field for whom it holds now: a search compares one where it would have to
    compare two, which takes the engine less than half the time.
    """
    return {"valid_to": seconds_of(valid_to, FOREVER), "current": list(readers) if valid_to is None else []}


def readers(where: Filter) -> list[str]:
    """The values of `audience`, and of `current`, that a search may find."""
    return [where.audience, *sorted(where.segments)] if where.audience is not None else list(get_args(Audience))


def endings(
    versions: Collection[str], valid_to: datetime | None, told: Callable[[Collection[str]], Iterable[Mapping[str, Any]]]
) -> Iterator[tuple[Collection[str], Payload]]:
    """What to set on which versions. `told`: their payloads; asked only where they hold again, each for its own readers."""
    if valid_to is not None and versions:
        yield versions, holding((), valid_to)
        return
    reopened: dict[tuple[str, ...], set[str]] = {}
    for payload in told(versions) if versions else ():
        reopened.setdefault(tuple(payload["audience"]), set()).add(payload["version"])
    for whose, some in reopened.items():
        yield some, holding(whose, None)


def seconds_of(moment: datetime | None, otherwise: float) -> float:
    return otherwise if moment is None else moment.timestamp()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def tally(payloads: Iterable[Mapping[str, Any]]) -> dict[str, Stored]:
    """What `Vectors.stored` answers, from all points of a connector."""
    ends: dict[str, set[float]] = {}
    left: dict[str, int] = {}
    for payload in payloads:
        version = payload["version"]
        ends.setdefault(version, set()).add(payload["valid_to"])
        left[version] = left.get(version, payload["passages"]) - 1
    return {version: Stored(max(found), left[version] == 0 and len(found) == 1) for version, found in ends.items()}
