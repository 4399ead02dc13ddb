"""The index in Qdrant's own engine inside this process.

An acknowledged write survives the death of the process (the engine's write-ahead log), and after
`flush` the death of the machine. One process at a time may open a folder. Threads may share an index;
but the engine keeps the interpreter to itself while it works, which matters for `optimize`.

Up to `SCAN` bytes of vectors a question is compared with all of them. A graph answers sooner but loses finds: where help texts repeat
one another, its search fills up with the copies of a few and never meets the rest.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from connectors.base import ConfigProblem
from storage.entries import Entry
from storage.lexical import Sparse
from storage.memory import Memory
from storage.points import (
    BATCH,
    KEYWORDS,
    MOMENTS,
    PAGE,
    TALLIED,
    Candidate,
    Near,
    candidates_from,
    endings,
    entry_from,
    payload_of,
    point_id,
    readers,
    search,
    tally,
)
from storage.vectors import FORMAT, Dense, Filter, Hit, IndexHeld, Stored

if TYPE_CHECKING:
    from datetime import datetime

    from qdrant_edge import EdgeShard, FieldCondition
    from qdrant_edge import Filter as Conditions


SCAN = 256 * 1024 * 1024  # bytes of vectors: 262,144 passages of the local embedder
READ = 4096  # passages kept as they were read: reading the sixty of a question takes longer than finding them
LINKS, BREADTH = 32, 256  # of the graph beyond: neighbours kept of each vector, candidates held while it is built and searched


def open_folder(folder: Path, dimensions: int, embedder: str, *, scan: int = SCAN) -> EdgeVectors:
    """The index in `folder`, made when it is not there.

    Raises IndexHeld when another process has it, ConfigProblem when it was written by another embedder.
    """
    import qdrant_edge as edge

    folder.mkdir(parents=True, exist_ok=True)
    sheet, points = folder / "index.json", folder / "points"
    meant = {"format": FORMAT, "embedder": embedder, "dimensions": dimensions}
    if sheet.is_file():
        _compare(json.loads(sheet.read_text(encoding="utf-8")), meant, folder)
    try:
        if sheet.is_file():
            shard = edge.EdgeShard.load(str(points), _layout(dimensions, scan))
        else:
            shutil.rmtree(points, ignore_errors=True)  # the sheet comes last: without it the making was cut off and nothing was stored
            points.mkdir()
            shard = edge.EdgeShard.create(str(points), _layout(dimensions, scan))
            _index_fields(shard)
    except Exception as problem:  # the engine raises nothing more particular
        if "WouldBlock" not in str(problem):
            raise
        raise IndexHeld(
            f"{folder}: another draftdesk process (run, worker or a command) has the index open, and only one can;"
            " stop it, or wait until it is done"
        ) from None
    if not sheet.is_file():
        draft = sheet.with_suffix(".new")
        draft.write_text(json.dumps(meant), encoding="utf-8")
        draft.replace(sheet)
    return EdgeVectors(shard, folder / "whole", scan // (4 * dimensions))


def _compare(found: dict[str, Any], meant: dict[str, Any], folder: Path) -> None:
    if found != meant:
        raise ConfigProblem(
            f"{folder}: the index was written with {found.get('embedder')} ({found.get('dimensions')} numbers per text, format"
            f" {found.get('format')}), the configuration now means {meant['embedder']} ({meant['dimensions']} numbers, format"
            f" {meant['format']}); delete this folder and run `draftdesk sync`: the index is built anew from the database, nothing is"
            " fetched again for it. Or set `embedding` back"
        )


def _layout(dimensions: int, scan: int) -> Any:
    import qdrant_edge as edge

    return edge.EdgeConfig(
        hnsw_config=edge.HnswIndexConfig(LINKS, BREADTH, full_scan_threshold=1000),
        optimizers=edge.EdgeOptimizersConfig(indexing_threshold=max(1, scan // 1024)),
        vectors={"dense": edge.EdgeVectorParams(dimensions, edge.Distance.Cosine)},
        sparse_vectors={"lexical": edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        max_search_threads=1,  # one segment is searched, and to hand it to one of several threads takes a fifth of the time
    )


def _index_fields(shard: EdgeShard) -> None:
    import qdrant_edge as edge

    kinds = dict.fromkeys(KEYWORDS, edge.PayloadSchemaType.Keyword) | dict.fromkeys(MOMENTS, edge.PayloadSchemaType.Float)
    for field, kind in kinds.items():
        shard.update(edge.UpdateOperation.create_field_index(field, kind))


class EdgeVectors:
    """`Vectors` on qdrant-edge."""

    def __init__(self, shard: EdgeShard, whole: Path, scanned: int) -> None:
        """`scanned`: the most points that a question is compared with one by one."""
        self._shard = shard
        self._scanned = scanned
        self._exact = shard.info().points_count <= scanned
        self._whole = whole  # a folder with one empty file per connector whose points agree with the ledger
        self._locks: dict[str, threading.Lock] = {}
        self._read: Memory[int, Candidate] = Memory(READ)

    def upsert(self, entries: Sequence[Entry], dense: NDArray[np.float32], sparse: Sequence[Sparse]) -> None:
        import qdrant_edge as edge

        for start in range(0, len(entries), BATCH):
            part = slice(start, start + BATCH)
            batch = [
                edge.Point(
                    point_id(entry.version, entry.ordinal),
                    {"dense": near, "lexical": edge.SparseVector(words.indices, words.values)},  # type: ignore[arg-type]
                    payload_of(entry),
                )
                for entry, near, words in zip(entries[part], dense[part].tolist(), sparse[part], strict=True)
            ]
            self._write(edge.UpdateOperation.upsert_points(batch))

    def close_versions(self, versions: Collection[str], valid_to: datetime | None) -> None:
        import qdrant_edge as edge

        for some, end in endings(versions, valid_to, lambda those: self._walk(_any_of("version", those), ["version", "audience"])):
            self._write(edge.UpdateOperation.set_payload_by_filter(_any_of("version", some), end))

    def remove_versions(self, versions: Collection[str]) -> None:
        self._remove("version", versions)

    def remove_documents(self, documents: Collection[str]) -> None:
        self._remove("document", documents)

    def _remove(self, field: str, values: Collection[str]) -> None:
        import qdrant_edge as edge

        if values:
            self._write(edge.UpdateOperation.delete_points_by_filter(_any_of(field, values)))

    def _write(self, operation: Any) -> None:
        self._shard.update(operation)
        self._read.forget()

    def search(self, dense: Dense, sparse: Sparse, where: Filter, limit: int) -> tuple[Hit, ...]:
        return search(self, dense, sparse, where, limit)

    def near(self, asked: Sequence[Near]) -> list[dict[int, float]]:
        """Ids as numbers: a UUID is hashed and compared in Python, and a search does so a thousand times."""
        import qdrant_edge as edge

        how = edge.SearchParams(exact=True) if self._exact else edge.SearchParams(hnsw_ef=BREADTH)
        found = self._shard.query_batch(edge.QueryBatchRequest([_request(near, how) for near in asked]))
        return [{point.id.int: point.score for point in near} for near in found]  # type: ignore[union-attr]  # `point_id` makes no other

    def candidates(self, ids: Sequence[int]) -> dict[int, Candidate]:
        """Read apart from the searches: within them it takes the engine twice the time, and what two searches find is read twice."""
        return self._read.get(ids, self._candidates)

    def _candidates(self, ids: Sequence[int]) -> dict[int, Candidate]:
        records = self._shard.retrieve([uuid.UUID(int=id) for id in ids], True, False)
        read = candidates_from([record.payload or {} for record in records])
        return dict(zip([record.id.int for record in records], read, strict=True))  # type: ignore[union-attr]

    def stored(self, connector: str) -> dict[str, Stored]:
        return tally(self._walk(_any_of("connector", [connector]), TALLIED))

    def _walk(self, conditions: Conditions, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        import qdrant_edge as edge

        offset = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=PAGE, filter=conditions, with_payload=list(names))
            records, offset = self._shard.scroll(request)
            yield from (record.payload or {} for record in records)
            if offset is None:
                return

    def points(self, size: int = BATCH) -> Iterator[tuple[list[Entry], NDArray[np.float32], list[Sparse]]]:
        """Everything that is stored, vectors too, as `upsert` takes it: for another store."""
        import qdrant_edge as edge

        offset = None
        while True:
            records, offset = self._shard.scroll(edge.ScrollRequest(offset=offset, limit=size, with_payload=True, with_vector=True))
            if records:
                vectors: list[Any] = [record.vector for record in records]
                sparse = [Sparse(tuple(one["lexical"].indices), tuple(one["lexical"].values)) for one in vectors]
                dense = np.array([one["dense"] for one in vectors], np.float32)
                yield [entry_from(record.payload or {}) for record in records], dense, sparse
            if offset is None:
                return

    def count(self, where: Filter | None = None) -> int:
        """Passages that pass the filter; without one, all, superseded ones too."""
        import qdrant_edge as edge

        return self._shard.count(edge.CountRequest(True, _conditions(where) if where else None))

    def whole(self, connector: str) -> bool:
        return (self._whole / connector).exists()

    def mark(self, connector: str, *, whole: bool) -> None:
        """Set `whole` to False before a write that belongs together, and to True once the ledger has it and it is flushed."""
        self._whole.mkdir(exist_ok=True)
        if whole:
            (self._whole / connector).touch()
        else:
            (self._whole / connector).unlink(missing_ok=True)
        folder = os.open(self._whole, os.O_RDONLY)  # the mark must not outlive, or be outlived by, what it speaks of
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def writing(self, connector: str) -> Iterator[None]:
        with self._locks.setdefault(connector, threading.Lock()):
            yield

    def flush(self) -> None:
        self._shard.flush()
        self._exact = self._shard.info().points_count <= self._scanned

    def optimize(self) -> bool:
        """Merge what was written since; True when there was something to merge. No other thread of this process runs meanwhile.

        Only beyond `SCAN` does it take long: there it builds the graph, 0.5 s per thousand new passages on two cores.
        """
        return self._shard.optimize()

    def close(self) -> None:
        self._shard.close()


def _request(near: Near, how: Any) -> Any:
    import qdrant_edge as edge

    query = edge.SparseVector(list(near.query.indices), list(near.query.values)) if isinstance(near.query, Sparse) else near.query.tolist()
    must = _conditions(near.where) if near.where else _these(near.among or ())
    params = how if near.vector == "dense" else None
    return edge.QueryRequest(near.limit, query=edge.Query.Nearest(query, using=near.vector), filter=must, params=params)


def _these(ids: Sequence[int]) -> Conditions:
    import qdrant_edge as edge

    return edge.Filter(must=[edge.HasIdCondition({uuid.UUID(int=id) for id in ids})])


def _any_of(field: str, values: Collection[str]) -> Conditions:
    import qdrant_edge as edge

    return edge.Filter(must=[_among(field, values)])


def _among(field: str, values: Collection[str]) -> FieldCondition:
    import qdrant_edge as edge

    if len(values) == 1:  # takes half the time
        return edge.FieldCondition(field, match=edge.MatchValue(next(iter(values))))
    return edge.FieldCondition(field, match=edge.MatchAny(sorted(values)))


def _conditions(where: Filter) -> Conditions:
    import qdrant_edge as edge

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
        must.append(edge.FieldCondition("valid_from", range=edge.RangeFloat(lte=moment)))
        must.append(edge.FieldCondition("valid_to", range=edge.RangeFloat(gt=moment)))
    return edge.Filter(must=must)
