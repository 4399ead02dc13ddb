"""The index on both its stores: filters, intervals, kills, and the sentences an operator may see.

The server's store is tried on the server at QDRANT_URL; without that variable on the client's in-memory mode, as the tests' names say.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from connectors.base import ConfigProblem
from storage.database import open_database
from storage.edge import open_folder
from storage.entries import Entry
from storage.lexical import Sparse, ask, weigh
from storage.place import ServerPlace, Sheet
from storage.points import point_id
from storage.server import connect
from storage.vectors import Filter, Vectors, open_vectors

ROOT = Path(__file__).parents[2]
DIMENSIONS = 4
DAY = datetime(2026, 5, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
ENTRY = Entry(
    version="v1",
    ordinal=0,
    passages=1,
    document="folder:kb:a.md",
    connector="kb",
    audience="public",
    language="en",
    valid_from=DAY,
    valid_to=None,
    updated_at=DAY,
    title="Refunds",
    url="https://kb.example/a",
    heading=("Refunds", "Cards"),
    text="Refunds take thirty days.",
)
NORTH = np.array([1, 0, 0, 0], np.float32)
PRESENT = Filter()


SERVER = os.environ.get("QDRANT_URL")
SERVER_STORE = "server" if SERVER else "server-in-memory"


def client_of() -> QdrantClient:
    return connect(SERVER, os.environ.get("QDRANT_KEY")) if SERVER else QdrantClient(":memory:")


@pytest.fixture(params=["embedded", SERVER_STORE])
def vectors(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Vectors]:
    if request.param == "embedded":
        opened = open_vectors(tmp_path / "index", DIMENSIONS)
        yield opened
        opened.close()
        return
    client, engine, name = client_of(), open_database("sqlite", folder=tmp_path), f"test-{uuid.uuid4().hex}"
    place = ServerPlace(client, name, engine, tmp_path)
    yield place.open(Sheet("test", DIMENSIONS))
    place.tidy(())
    place.close()
    engine.dispose()


def put(vectors: Vectors, *entries: Entry) -> None:
    vectors.upsert(entries, np.tile(NORTH, (len(entries), 1)), [weigh(entry.text) for entry in entries])


def found(vectors: Vectors, where: Filter = PRESENT, text: str = "refunds") -> set[str]:
    return {hit.entry.version for hit in vectors.search(NORTH, ask(text), where, 10)}


def test_what_is_stored_comes_back_whole(vectors: Vectors) -> None:
    put(vectors, ENTRY)
    (hit,) = vectors.search(NORTH, ask("refunds"), Filter(), 10)
    assert hit.entry == ENTRY
    assert hit.dense == pytest.approx(1.0)
    assert hit.lexical > 0


def test_every_hit_has_both_scores_though_one_search_alone_found_it(vectors: Vectors) -> None:
    near = replace(ENTRY, version="near", text="Something else entirely.")
    worded = replace(ENTRY, version="worded")
    vectors.upsert([near, worded], np.array([[1, 0, 0, 0], [0.6, 0.8, 0, 0]], np.float32), [weigh(near.text), weigh(worded.text)])
    hits = {hit.entry.version: hit for hit in vectors.search(NORTH, ask("refunds"), Filter(), 1)}
    assert hits["near"].lexical == 0
    assert hits["worded"].dense == pytest.approx(0.6)


def test_a_question_without_words_is_searched_by_meaning_alone(vectors: Vectors) -> None:
    put(vectors, ENTRY)
    (hit,) = vectors.search(NORTH, Sparse((), ()), Filter(), 10)
    assert hit.lexical == 0


def test_filters_hold_inside_the_search(vectors: Vectors) -> None:
    put(
        vectors,
        ENTRY,
        replace(ENTRY, version="internal", audience="internal"),
        replace(ENTRY, version="wiki", connector="wiki"),
        replace(ENTRY, version="french", language="fr"),
        replace(ENTRY, version="unknown", language=None),
    )
    assert found(vectors, Filter(audience="internal")) == {"internal"}
    assert "internal" not in found(vectors, Filter(audience="public"))
    assert found(vectors, Filter(connectors=["wiki"])) == {"wiki"}
    assert found(vectors, Filter(languages=["fr"])) == {"french", "unknown"}
    assert found(vectors, Filter(connectors=[])) == set()
    assert len(found(vectors)) == 5


def test_versions_are_found_in_their_time_only(vectors: Vectors) -> None:
    put(vectors, replace(ENTRY, version="old"), replace(ENTRY, version="new", valid_from=DAY + WEEK))
    vectors.close_versions(["old"], DAY + WEEK)
    assert found(vectors) == {"new"}
    assert found(vectors, Filter(as_of=DAY)) == {"old"}
    assert found(vectors, Filter(as_of=DAY + WEEK)) == {"new"}
    assert found(vectors, Filter(as_of=DAY - WEEK)) == set()
    vectors.close_versions(["old"], None)
    assert found(vectors) == {"old", "new"}


def test_what_is_for_a_segment_passes_for_it_and_for_the_team_only(vectors: Vectors) -> None:
    both = replace(ENTRY, version="both", audience="internal", segments=("help:a", "help:b"))
    put(vectors, ENTRY, both, replace(ENTRY, version="only b", audience="internal", segments=("help:b",)))
    for moment in (None, DAY + WEEK):
        asked = Filter(audience="public", as_of=moment)
        assert found(vectors, asked) == {"v1"}
        assert found(vectors, replace(asked, segments=frozenset({"help:a"}))) == {"v1", "both"}
        assert found(vectors, replace(asked, segments=frozenset({"help:a", "help:b"}))) == {"v1", "both", "only b"}
        assert found(vectors, replace(asked, segments=frozenset({"help"}))) == {"v1"}
        assert found(vectors, Filter(audience="internal", as_of=moment)) == {"both", "only b"}
    (hit,) = [hit for hit in vectors.search(NORTH, ask("refunds"), PRESENT, 10) if hit.entry.version == "both"]
    assert hit.entry == both


def test_what_holds_again_holds_for_whom_it_held(vectors: Vectors) -> None:
    inner = replace(ENTRY, version="inner", audience="internal")
    put(vectors, ENTRY, inner, replace(inner, version="b", segments=("help:b",)))
    vectors.close_versions(["v1", "inner", "b"], DAY + WEEK)
    assert found(vectors, Filter(audience="public", segments=frozenset({"help:b"}))) == set()
    assert found(vectors) == set()
    vectors.close_versions(["v1", "inner", "b"], None)
    assert found(vectors, Filter(audience="public")) == {"v1"}
    assert found(vectors, Filter(audience="public", segments=frozenset({"help:b"}))) == {"v1", "b"}
    assert found(vectors, Filter(audience="internal")) == {"inner", "b"}


def test_writing_a_passage_twice_leaves_one(vectors: Vectors) -> None:
    put(vectors, ENTRY)
    put(vectors, ENTRY)
    assert vectors.count() == 1
    assert point_id("v1", 0) != point_id("v1", 1) != point_id("v", 10)


def test_removal_takes_what_is_named_and_nothing_else(vectors: Vectors) -> None:
    put(vectors, ENTRY, replace(ENTRY, version="v2"), replace(ENTRY, version="v3", document="folder:kb:b.md"))
    vectors.remove_versions([])
    vectors.remove_documents([])
    assert vectors.count() == 3
    vectors.remove_versions(["v2"])
    assert found(vectors) == {"v1", "v3"}
    vectors.remove_documents(["folder:kb:a.md"])
    assert found(vectors) == {"v3"}


def test_the_index_tells_what_it_holds_of_a_connector_and_what_is_incomplete(vectors: Vectors) -> None:
    put(vectors, ENTRY, replace(ENTRY, version="half", passages=2), replace(ENTRY, version="wiki", connector="wiki"))
    assert {version: stored.complete for version, stored in vectors.stored("kb").items()} == {"v1": True, "half": False}


def test_marks_stay_until_they_are_taken_back(vectors: Vectors) -> None:
    assert not vectors.whole("kb")
    with vectors.writing("kb"):
        vectors.mark("kb", whole=True)
        vectors.mark("kb", whole=True)
    assert vectors.whole("kb")
    assert not vectors.whole("wiki")
    vectors.mark("kb", whole=False)
    assert not vectors.whole("kb")


def test_it_opens_again_with_all_it_had_after_optimizing_and_closing(tmp_path: Path) -> None:
    vectors = open_vectors(tmp_path, DIMENSIONS)
    put(vectors, ENTRY)
    vectors.mark("kb", whole=True)
    vectors.flush()
    vectors.optimize()
    vectors.close()
    again = open_vectors(tmp_path, DIMENSIONS)
    assert found(again) == {"v1"}
    assert again.whole("kb")
    assert not again.whole("wiki")
    again.mark("kb", whole=False)
    assert not again.whole("kb")
    again.close()


def test_a_second_process_is_told_who_is_in_the_way(tmp_path: Path) -> None:
    held = open_vectors(tmp_path, DIMENSIONS)
    with pytest.raises(ConfigProblem, match=rf"{tmp_path}: another draftdesk process .* has the index open"):
        open_vectors(tmp_path, DIMENSIONS)
    held.close()
    open_vectors(tmp_path, DIMENSIONS).close()


@pytest.mark.parametrize(("dimensions", "embedder"), [(8, "first"), (4, "second")])
def test_another_embedder_is_refused_with_the_way_out(tmp_path: Path, dimensions: int, embedder: str) -> None:
    open_vectors(tmp_path, 4, embedder="first").close()
    with pytest.raises(ConfigProblem, match="delete this folder and run `draftdesk sync`"):
        open_vectors(tmp_path, dimensions, embedder=embedder)
    open_vectors(tmp_path, 4, embedder="first").close()


def test_an_index_whose_making_was_cut_off_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "points" / "wal").mkdir(parents=True)
    (tmp_path / "points" / "wal" / "torn").write_text("x")
    vectors = open_vectors(tmp_path, DIMENSIONS)
    put(vectors, ENTRY)
    assert found(vectors) == {"v1"}
    vectors.close()


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[1])
from storage.edge import open_folder
from storage.entries import Entry
from storage.lexical import weigh
from storage.vectors import open_vectors
vectors, day = open_vectors(Path(sys.argv[2]), 4), datetime(2026, 5, 1, tzinfo=UTC)
for number in range(10_000):
    text = f"refunds {number} " * 50
    entries = [
        Entry(f"{number}-{one}", 0, 1, "folder:kb:a.md", "kb", "public", None, day, None, None, "", "", (), text) for one in range(20)
    ]
    vectors.upsert(entries, np.ones((20, 4), np.float32), [weigh(text)] * 20)
    print(number, flush=True)
"""


def test_acknowledged_passages_survive_kill_9(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(ROOT), str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    acknowledged = -1
    for line in writer.stdout:
        acknowledged = int(line)
        if acknowledged == 40:
            os.kill(writer.pid, signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *(int(line) for line in writer.stdout.read().split())])
    writer.wait()
    writer.stdout.close()
    vectors = open_vectors(tmp_path, DIMENSIONS)
    stored = vectors.stored("kb")
    assert {f"{number}-{one}" for number in range(acknowledged + 1) for one in range(20)} <= set(stored)
    assert len(stored) == vectors.count()
    vectors.close()


@pytest.mark.parametrize("scan", [0, 1 << 20], ids=["by graph", "by scan"])
def test_the_merged_index_finds_the_nearest_ten_though_most_texts_are_copies(tmp_path: Path, scan: int) -> None:
    """Twelve near copies of each text: a graph's search, filled with the copies of a few, would miss the rest unless it is broad."""
    rng = np.random.default_rng(5)
    rows = np.repeat(rng.normal(size=(100, 16)), 12, axis=0) + rng.normal(size=(1200, 16)) * 0.01
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    vectors = open_folder(tmp_path, 16, "test", scan=scan)
    entries = [replace(ENTRY, version=str(number), audience="internal" if number % 4 else "public") for number in range(1200)]
    vectors.upsert(entries, rows, [Sparse((), ())] * 1200)
    vectors.flush()
    vectors.optimize()
    internal, asked, found = np.arange(1200) % 4 != 0, rng.normal(size=(20, 16)).astype(np.float32), 0
    for question in asked:
        near = {hit.entry.version for hit in vectors.search(question, Sparse((), ()), Filter(audience="internal"), 10)}
        found += len(near & {str(one) for one in np.argsort(-np.where(internal, rows @ question, -99.0))[:10]})
    vectors.close()
    assert found >= (198 if scan == 0 else 200)
