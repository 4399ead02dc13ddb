"""The index on a Qdrant server or cluster, shared by any number of processes.

A write is acknowledged when the server has applied and logged it (`wait`), so `flush` has nothing left to do; merging and indexing
are the server's own business, in its background. Whether a connector's points agree with the ledger is noted in the database, where
every process sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from connectors.base import ConfigProblem, RateLimited, Transient
from storage.entries import Entry
from storage.lexical import Sparse
from storage.marks import Marks
from storage.points import (
    BATCH,
    KEYWORDS,
    MOMENTS,
    PAGE,
    TALLIED,
    Candidate,
    Near,
    Payload,
    candidates_from,
    endings,
    payload_of,
    point_id,
    readers,
    search,
    tally,
)
from storage.vectors import FORMAT, Dense, Filter, Hit, Stored

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

TIMEOUT = 30  # seconds for one call; the server is told too
SHARDS, REPLICAS = 1, 1


class NoCollection(Transient):
    """The collection is not there: replaced by another process, or removed by somebody."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a collection is spread over a cluster. A write is acknowledged by a majority of the replicas."""

    shards: int = SHARDS
    replicas: int = REPLICAS


def connect(url: str, api_key: str | None, *, timeout: int = TIMEOUT) -> QdrantClient:
    """A client for the server at `url`. Certificates are verified, and no redirect is followed: the key stays with this origin."""
    from qdrant_client import QdrantClient

    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 6333)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    # Headers instead of `api_key`: that one warns on every plain http address, and the configuration has allowed or refused it already.
    headers = {"api-key": api_key} if api_key else None
    return QdrantClient(
        url=f"{parts.scheme}://{host}:{port}",
        prefix=parts.path.strip("/") or None,
        headers=headers,
        timeout=timeout,
        check_compatibility=False,
        follow_redirects=False,
    )


def make_collection(client: QdrantClient, name: str, embedder: str, dimensions: int, layout: Layout) -> None:
    """Make the collection, or finish a making that was cut off. Raises ConfigProblem where its layout is another one."""
    from qdrant_client import models
    from qdrant_client.http.exceptions import UnexpectedResponse

    with told(name):
        if not client.collection_exists(name):
            try:
                client.create_collection(
                    name,
                    vectors_config={"dense": models.VectorParams(size=dimensions, distance=models.Distance.COSINE)},
                    sparse_vectors_config={"lexical": models.SparseVectorParams(modifier=models.Modifier.IDF)},
                    shard_number=layout.shards,
                    replication_factor=layout.replicas,
                    write_consistency_factor=layout.replicas // 2 + 1,
                    metadata={"draftdesk": {"format": FORMAT, "embedder": embedder, "dimensions": dimensions}},
                )
            except UnexpectedResponse as problem:
                if problem.status_code != 409:  # another process made it meanwhile
                    raise
        schema = dict.fromkeys(KEYWORDS, models.PayloadSchemaType.KEYWORD) | dict.fromkeys(MOMENTS, models.PayloadSchemaType.FLOAT)
        for field, kind in schema.items() if not _local(client) else ():
            client.create_payload_index(name, field, kind, wait=True)


class ServerVectors:
    """`Vectors` on qdrant-client: one collection."""

    def __init__(self, client: QdrantClient, collection: str, marks: Marks) -> None:
        self._client = client
        self.collection = collection
        self._marks = marks

    def upsert(self, entries: Sequence[Entry], dense: NDArray[np.float32], sparse: Sequence[Sparse]) -> None:
        from qdrant_client import models

        for start in range(0, len(entries), BATCH):
            rows = range(start, min(start + BATCH, len(entries)))
            batch = [
                models.PointStruct(
                    id=point_id(entries[row].version, entries[row].ordinal),
                    vector={
                        "dense": dense[row].tolist(),
                        "lexical": models.SparseVector(indices=list(sparse[row].indices), values=list(sparse[row].values)),
                    },
                    payload=payload_of(entries[row]),
                )
                for row in rows
            ]
            with told(self.collection):
                self._client.upsert(self.collection, batch, wait=True)

    def close_versions(self, versions: Collection[str], valid_to: datetime | None) -> None:
        for some, end in endings(versions, valid_to, lambda those: self._walk(_any_of("version", those), ["version", "audience"])):
            with told(self.collection):
                self._client.set_payload(self.collection, end, points=_any_of("version", some), wait=True)

    def remove_versions(self, versions: Collection[str]) -> None:
        self._remove("version", versions)

    def remove_documents(self, documents: Collection[str]) -> None:
        self._remove("document", documents)

    def _remove(self, field: str, values: Collection[str]) -> None:
        from qdrant_client import models

        if values:
            with told(self.collection):
                self._client.delete(self.collection, models.FilterSelector(filter=_any_of(field, values)), wait=True)

    def search(self, dense: Dense, sparse: Sparse, where: Filter, limit: int) -> tuple[Hit, ...]:
        """One or two requests: payloads come with the first."""
        return search(_Asking(self._ask), dense, sparse, where, limit)

    def _ask(self, requests: list[Any]) -> list[list[Any]]:
        with told(self.collection):
            return [answer.points for answer in self._client.query_batch_points(self.collection, requests)]

    def stored(self, connector: str) -> dict[str, Stored]:
        return tally(self._walk(_any_of("connector", [connector]), TALLIED))

    def _walk(self, conditions: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        offset: Any = None
        while True:
            with told(self.collection):
                records, offset = self._client.scroll(
                    self.collection, conditions, limit=PAGE, offset=offset, with_payload=list(names)
                )
            yield from (record.payload or {} for record in records)
            if offset is None:
                return

    def count(self, where: Filter | None = None) -> int:
        """Passages that pass the filter; without one, all, superseded ones too."""
        with told(self.collection):
            return int(self._client.count(self.collection, _conditions(where) if where else None, exact=True).count)

    def whole(self, connector: str) -> bool:
        return self._marks.whole(connector)

    def mark(self, connector: str, *, whole: bool) -> None:
        self._marks.mark(connector, whole=whole)

    @contextmanager
    def writing(self, connector: str) -> Iterator[None]:
        with self._marks.writing(connector):
            yield

    def flush(self) -> None:
        """Every write was waited for."""

    def optimize(self) -> bool:
        """The server does so by itself."""
        return False

    def close(self) -> None:
        """The connection belongs to whoever made it."""


class _Asking:
    """`Points` for one search: what the first request brought along is not asked for again."""

    def __init__(self, ask: Callable[[list[Any]], list[list[Any]]]) -> None:
        self._ask = ask
        self._brought: dict[Any, Payload] = {}

    def near(self, asked: Sequence[Near]) -> list[dict[Any, float]]:
        found = self._ask([_request(near) for near in asked])
        self._brought |= {point.id: point.payload for near in found for point in near if point.payload}
        return [{point.id: point.score for point in near} for near in found]

    def candidates(self, ids: Sequence[Any]) -> dict[Any, Candidate]:
        return dict(zip(ids, candidates_from([self._brought[id] for id in ids]), strict=True))


@contextmanager
def told(place: str) -> Iterator[None]:
    """The client's errors as sentences: ConfigProblem for what the operator must mend, Transient and RateLimited for what passes."""
    from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    try:
        yield
    except ResourceExhaustedResponse as problem:
        raise RateLimited(f"index {place}: the Qdrant server asks for patience", float(problem.retry_after_s)) from None
    except UnexpectedResponse as problem:
        raise _refused(place, problem.status_code or 0) from None
    except ResponseHandlingException as problem:
        reason = f"cannot be reached or does not answer ({type(problem.source).__name__})"
        raise Transient(f"index {place}: the Qdrant server {reason}; look at it and at index.url") from None


def _refused(place: str, status: int) -> Exception:
    if status in (401, 403):
        return ConfigProblem(f"index {place}: the Qdrant server refused the key ({status}); index.api_key must be one that may write")
    if 300 <= status < 400:
        return ConfigProblem(f"index {place}: the server redirects ({status}), which is not followed; write the final address as index.url")
    if status == 404:
        return NoCollection(f"index {place}: the collection is not there (404); `draftdesk sync` builds it anew from the database")
    if status in (408, 425, 429) or status >= 500:
        return Transient(f"index {place}: the Qdrant server is in trouble ({status}); it is tried again")
    return ConfigProblem(f"index {place}: the Qdrant server refused the request ({status}); is index.url a Qdrant 1.16 or newer?")


def _local(client: QdrantClient) -> bool:
    """The client's in-memory mode, which has no payload indexes and warns when asked for one."""
    return "location" in client.init_options and client.init_options["location"] == ":memory:"


def _request(near: Near) -> Any:
    from qdrant_client import models

    if isinstance(near.query, Sparse):
        query: Any = models.SparseVector(indices=list(near.query.indices), values=list(near.query.values))
    else:
        query = near.query.tolist()
    return models.QueryRequest(
        query=query,
        using=near.vector,
        filter=_conditions(near.where) if near.where else models.Filter(must=[models.HasIdCondition(has_id=sorted(near.among or ()))]),
        limit=near.limit,
        with_payload=near.among is None,
    )


def _any_of(field: str, values: Collection[str]) -> Any:
    from qdrant_client import models

    return models.Filter(must=[_among(field, values)])


def _among(field: str, values: Collection[str]) -> Any:
    from qdrant_client import models

    return models.FieldCondition(key=field, match=models.MatchAny(any=sorted(values)))


def _conditions(where: Filter) -> Any:
    from qdrant_client import models

    must: list[Any] = []
    if where.connectors is not None:
        must.append(_among("connector", where.connectors))
    if where.languages is not None:
        must.append(_among("language", {*where.languages, ""}))
    if where.as_of is None:
        must.append(_among("current", readers(where)))
    else:
        if where.audience is not None:
            must.append(_among("audience", readers(where)))
        moment = where.as_of.timestamp()
        must.append(models.FieldCondition(key="valid_from", range=models.Range(lte=moment)))
        must.append(models.FieldCondition(key="valid_to", range=models.Range(gt=moment)))
    return models.Filter(must=must)
