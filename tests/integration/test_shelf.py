"""Another embedder: its index is built beside the one that answers, and takes its place at one stroke, whatever dies meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient
from sqlalchemy import Engine

from storage.database import open_database
from storage.embedding import Embedder, Rows
from storage.entries import Entry
from storage.lexical import ask, weigh
from storage.place import FolderPlace, ServerPlace, Sheet
from storage.shelf import Place, Shelf
from storage.vectors import Filter, Vectors, open_vectors

DAY = datetime(2026, 5, 1, tzinfo=UTC)
ENTRY = Entry("v1", 0, 1, "folder:kb:a.md", "kb", "public", "en", DAY, None, None, "Refunds", "", (), "Refunds take days.")


class Axis:
    """An embedder that lays every text on one axis."""

    def __init__(self, name: str, dimensions: int, axis: int) -> None:
        self.name, self.dimensions, self._axis = name, dimensions, axis

    def embed(self, texts: Sequence[str]) -> Rows:
        return np.tile(np.eye(self.dimensions, dtype=np.float32)[self._axis], (len(texts), 1))


FIRST, SECOND = Axis("first", 4, 0), Axis("second", 4, 1)


@pytest.fixture(params=["embedded", "server-in-memory"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[], Place]]:
    """Opens the same place again and again, as processes would."""
    if request.param == "embedded":
        yield lambda: FolderPlace(tmp_path / "index")
        return
    engine: Engine = open_database("sqlite", folder=tmp_path)
    client = QdrantClient(":memory:")

    class Kept(ServerPlace):
        def close(self) -> None:
            """The in-memory server outlives its processes."""

    yield lambda: Kept(client, "desk", engine, tmp_path)
    client.close()
    engine.dispose()


def shelf_of(place: Place, wanted: Embedder) -> Shelf:
    return Shelf(place, wanted, lambda sheet: FIRST if sheet.embedder == "first" else SECOND)


def fill(vectors: Vectors, embedder: Embedder) -> int:
    vectors.upsert([ENTRY], embedder.embed([ENTRY.text]), [weigh(ENTRY.text)])
    return 1


def nearness(shelf: Shelf) -> float:
    (hit,) = shelf.search(shelf.embed(["refunds"])[0], ask("refunds"), Filter(), 5)
    return hit.dense


def first_filled(place: Callable[[], Place]) -> None:
    shelf = shelf_of(place(), FIRST)
    fill(shelf, shelf.writer)
    shelf.mark("kb", whole=True)
    shelf.flush()
    shelf.close()


def test_the_former_index_answers_until_the_new_one_is_whole(place: Callable[[], Place]) -> None:
    first_filled(place)
    shelf = shelf_of(place(), SECOND)
    assert shelf.moving
    seen: list[tuple[str, float]] = []

    def watched(vectors: Vectors, embedder: Embedder) -> int:
        seen.append((shelf.name, nearness(shelf)))
        return fill(vectors, embedder)

    assert shelf.move(watched, lambda: ["kb"])
    assert seen == [("first", pytest.approx(1.0))] * 2
    assert not shelf.moving
    assert nearness(shelf) == pytest.approx(1.0)
    assert shelf.name == "second"
    assert not shelf.move(fill, lambda: ["kb"])
    shelf.close()
    again = shelf_of(place(), SECOND)
    assert again.serving == Sheet("second", 4)
    assert nearness(again) == pytest.approx(1.0)
    again.close()


def test_a_question_is_searched_where_it_was_embedded_though_the_index_moves_in_between(place: Callable[[], Place]) -> None:
    first_filled(place)
    shelf = shelf_of(place(), SECOND)
    asked = shelf.embed(["refunds"])[0]
    shelf.move(fill, lambda: ["kb"])
    (hit,) = shelf.search(asked, ask("refunds"), Filter(), 5)
    assert hit.dense == pytest.approx(1.0)
    shelf.close()


@pytest.mark.parametrize("dies_in", ["first pass", "second pass", "pointing"])
def test_a_move_that_dies_leaves_the_former_index_and_is_gone_on_with(
    place: Callable[[], Place], dies_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_filled(place)
    shelf, passes = shelf_of(place(), SECOND), iter(["first pass", "second pass"])

    def dying(vectors: Vectors, embedder: Embedder) -> int:
        fill(vectors, embedder)
        if next(passes) == dies_in:
            raise KeyboardInterrupt
        return 1

    def no_pointing(self: Place, sheet: Sheet) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        if dies_in == "pointing":
            patched.setattr(FolderPlace, "point", no_pointing)
            patched.setattr(ServerPlace, "point", no_pointing)
        with pytest.raises(KeyboardInterrupt):
            shelf.move(dying, lambda: ["kb"])
    shelf.close()
    again = shelf_of(place(), SECOND)
    assert again.serving == Sheet("first", 4)
    assert nearness(again) == pytest.approx(1.0)
    found: list[int] = []
    assert again.move(lambda vectors, embedder: found.append(vectors.count()) or fill(vectors, embedder), lambda: ["kb"])
    assert found[0] == 1
    again.close()


def test_only_the_serving_and_the_meant_index_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    first_filled(lambda: FolderPlace(folder))
    shelf = shelf_of(FolderPlace(folder), SECOND)
    shelf.move(fill, lambda: ["kb"])
    shelf.close()
    shelf_of(FolderPlace(folder), SECOND).close()
    assert {one.name for one in folder.iterdir() if one.is_dir()} == {Sheet("second", 4).key}


def test_another_process_follows_the_pointer_of_a_shared_index(tmp_path: Path) -> None:
    engine, client, clock = open_database("sqlite", folder=tmp_path), QdrantClient(":memory:"), iter(range(0, 1000, 10))
    place = ServerPlace(client, "desk", engine, tmp_path)
    first_filled_on = shelf_of(place, FIRST)
    fill(first_filled_on, FIRST)
    other = Shelf(place, SECOND, lambda _: FIRST, clock=lambda: float(next(clock)))
    shelf_of(place, SECOND).move(fill, lambda: ["kb"])
    assert other.moving
    assert nearness(other) == pytest.approx(1.0)
    assert not other.moving
    client.close()
    engine.dispose()


def test_an_index_from_before_there_were_generations_goes_on_serving(tmp_path: Path) -> None:
    old = open_vectors(tmp_path / "index", 4, embedder="first")
    fill(old, FIRST)
    old.flush()
    old.close()
    shelf = shelf_of(FolderPlace(tmp_path / "index"), SECOND)
    assert nearness(shelf) == pytest.approx(1.0)
    shelf.move(fill, lambda: ["kb"])
    shelf.close()
    again = shelf_of(FolderPlace(tmp_path / "index"), SECOND)
    assert again.serving == Sheet("second", 4)
    assert not (tmp_path / "index" / "points").exists()
    again.close()
