"""Retrieval on the real index: who may see what, when it held, and how several questions share the places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from bot.answer.retrieve import Index, retrieve, search
from bot.sync import STREAM, sync
from connectors.base import Cursor, Document, Gone, Page
from storage.database import open_database
from storage.embedding import local_embedder
from storage.entries import Entry
from storage.ledger import record_page
from storage.lexical import opening, weigh
from storage.vectors import open_vectors

START = datetime(2026, 5, 1, tzinfo=UTC)
LOCAL = local_embedder()
MOMENTS = (START + timedelta(hours=hour) for hour in count(1))


class Once:
    def __init__(self, *changes: Document | Gone) -> None:
        self.changes = changes

    def check(self) -> None:
        return None

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        yield Page(self.changes, {"v": 1}, caught_up=True)


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@contextmanager
def opened(folder: Path) -> Iterator[Index]:
    index = Index(open_database("sqlite", folder=folder), open_vectors(folder / "index", LOCAL.dimensions), LOCAL)
    try:
        yield index
    finally:
        index.vectors.close()
        index.engine.dispose()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with opened(tmp_path) as made:
        yield made


def doc(name: str, text: str, **more: Any) -> Document:
    common: dict[str, Any] = {"url": f"https://kb.example/{name}", "updated_at": START, "audience": "public"}
    return Document(f"folder:kb:{name}", name, text, **(common | more))


def load(index: Index, *changes: Document | Gone, clock: Clock | None = None, connector: str = "kb") -> None:
    assert sync(connector, Once(*changes), index.engine, index.vectors, LOCAL, now=clock or Clock()).error is None


REFUND = doc("refund", "Refunds are paid to your card within thirty days.")
SECRET = doc("margin", "Refunds above 500 EUR need the finance team.", audience="internal")
PARCEL = doc("parcel", "Parcels are delivered by train on Mondays.")


def test_each_document_is_found_once_best_first_with_what_a_citation_needs(index: Index) -> None:
    long = "\n\n".join(f"Refunds, part {part}. " + "More on refunds. " * 40 for part in range(5))
    load(index, REFUND, PARCEL, doc("long", long, language="en"))
    found = search("refunds to my card", index)
    assert found[0].document == "folder:kb:refund"
    assert len({passage.document for passage in found}) == len(found) == 3
    best = found[0]
    assert (best.title, best.url, best.audience, best.updated_at) == ("refund", "https://kb.example/refund", "public", START)
    assert best.text == REFUND.markdown
    assert 0 < best.cosine <= 1
    assert [passage.score for passage in found] == sorted((passage.score for passage in found), reverse=True)
    assert all(0 <= passage.score <= 1 for passage in found)


def test_k_documents_are_found_though_one_document_fills_the_first_candidates(index: Index) -> None:
    parts = "\n\n".join(f"# Refunds {part}\n\nRefunds and refunds, part {part}. " + "Refunds again. " * 30 for part in range(120))
    load(index, doc("handbook", parts), *(doc(f"other{number}", f"A note on the number {number} bus.") for number in range(6)))
    assert len(search("refunds", index, k=5)) == 5


def test_public_and_internal_are_kept_apart(index: Index) -> None:
    load(index, REFUND, SECRET)
    assert {passage.audience for passage in search("refunds", index)} == {"public", "internal"}
    assert {passage.audience for passage in search("refunds", index, audience="public")} == {"public"}
    found = retrieve(["When are refunds paid?"], index)
    assert [passage.document for passage in found.public] == ["folder:kb:refund"]
    assert [passage.document for passage in found.internal] == ["folder:kb:margin"]


def test_every_question_of_a_ticket_gets_its_turn(index: Index) -> None:
    load(index, PARCEL, REFUND, *(doc(f"refund{number}", f"Refunds, case {number}: paid to your card.") for number in range(9)))
    found = retrieve(["When are refunds paid to my card?", "On which days do parcels come by train?"], index, k=3).public
    assert "folder:kb:parcel" in [passage.document for passage in found[:2]]
    assert len(found) == 3


def test_the_same_words_are_one_find(index: Index) -> None:
    load(index, REFUND, doc("copy", REFUND.markdown), PARCEL)
    found = retrieve(["refunds to my card", "refunds on the card"], index).public
    assert len(found) == len({passage.text for passage in found}) == 2


WIKI = Document("folder:wiki:money", "Money back", f"**{REFUND.markdown}**", "https://wiki.example/money", START, audience="public")


def test_a_copy_in_another_system_is_a_further_source_of_one_find(index: Index) -> None:
    load(index, REFUND, PARCEL)
    load(index, WIKI, connector="wiki")
    for found in (search("when are refunds paid to my card", index), retrieve(["when are refunds paid to my card"], index).public):
        first, *rest = found
        sources = {(first.document, first.url), *((source.document, source.url) for source in first.also)}
        assert sources == {(REFUND.id, REFUND.url), (WIKI.id, WIKI.url)}
        assert [(passage.document, passage.also) for passage in rest] == [(PARCEL.id, ())]


def test_one_place_is_one_place_though_copies_fill_the_first(index: Index) -> None:
    load(index, REFUND, PARCEL)
    load(index, WIKI, connector="wiki")
    assert len(search("when are refunds paid to my card", index, k=2)) == 2


def test_copies_in_one_system_and_almost_copies_elsewhere_are_finds_of_their_own(index: Index) -> None:
    load(index, REFUND, doc("copy", REFUND.markdown))
    load(index, replace(WIKI, markdown=REFUND.markdown.replace("thirty", "14")), connector="wiki")
    found = search("when are refunds paid to my card", index)
    assert len(found) == 3
    assert all(passage.also == () for passage in found)


def test_a_public_find_names_no_internal_source(index: Index) -> None:
    load(index, REFUND)
    load(index, replace(WIKI, audience="internal"), connector="wiki")
    assert search("refunds", index, audience="public")[0].also == ()
    assert [source.document for source in retrieve(["refunds"], index).public[0].also] == []
    assert len(search("refunds", index)[0].also) == 1


def test_nearness_tells_what_the_knowledge_is_about_from_what_it_is_not(index: Index) -> None:
    load(index, *(doc(f"refund{number}", f"Refunds, case {number}: paid to your card.") for number in range(6)))
    near, far = search("refunds to my card", index), search("the orbit of Saturn's moons", index)
    assert len({passage.nearness for passage in near}) == 1
    assert near[0].nearness > far[0].nearness + 0.2
    assert near[0].nearness <= near[0].cosine or near[0].nearness <= max(passage.cosine for passage in near)


def test_the_newest_turn_of_a_long_dialogue_decides_and_the_cosine_is_that_of_the_whole_and_its_beginning(index: Index) -> None:
    load(index, REFUND, PARCEL, SECRET)
    asked = "On which days of the week are my parcels delivered by train, please tell me the days of delivery?"
    before = "Before that I asked how refunds are made. You said that they are paid within thirty days, and that the card gets them."
    told = f"{asked} {before}"
    best = search(told, index)[0]
    assert best.document == PARCEL.id
    whole, begun, passage = LOCAL.embed([told, opening(told), "parcel\nParcels are delivered by train on Mondays."])
    assert best.cosine == pytest.approx(float((whole + begun) @ passage / np.linalg.norm(whole + begun)), abs=1e-4)


@pytest.mark.parametrize("nothing", ["", "   ", "\n"])
def test_no_question_finds_nothing(index: Index, nothing: str) -> None:
    load(index, REFUND)
    assert search(nothing, index) == ()
    assert retrieve([nothing], index) == retrieve([], index)
    assert retrieve([], index).public == ()


@pytest.mark.parametrize("odd", ["???", "\x00", "the", "日本語", "\ud800", "🙂", "a" * 20_000])
def test_an_odd_question_is_no_fault(index: Index, odd: str) -> None:
    load(index, REFUND)
    assert len(search(odd, index)) <= 1


def test_text_that_no_encoding_holds_is_stored_as_far_as_it_goes(index: Index) -> None:
    load(index, doc("odd", "Refunds \ud800 are \x00 odd.", url="https://kb.example/\ud800"))
    assert search("refunds", index)[0].text == "Refunds ? are  odd."


def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert search("refunds", index) == ()


def test_what_the_ledger_does_not_hold_is_not_found_whatever_the_index_says(index: Index) -> None:
    load(index, REFUND)
    stray = Entry("unknown", 0, 1, "folder:kb:stray", "kb", "public", None, START, None, None, "stray", "", (), "Refunds are doubled.")
    index.vectors.upsert([stray], LOCAL.embed([stray.text]), [weigh(stray.text)])
    with Session(index.engine) as s, s.begin():
        record_page(s, "kb", STREAM, versions=[], gone=[REFUND.id], unreadable=[], unchanged=[], cursor=None, now=START)
    assert search("refunds", index) == ()
    assert search("refunds", index, as_of=START) == ()


TEXTS = st.sampled_from(["Refunds are paid to the card.", "Refunds come by cheque.", "Refunds were stopped.", None])
CHANGES = st.tuples(st.sampled_from("abc"), TEXTS, st.sampled_from(["public", "internal"]))
HISTORIES = st.lists(st.lists(CHANGES, min_size=1, max_size=4), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """One index for many histories; each leaves it with nothing to find."""
    with opened(tmp_path_factory.mktemp("shared")) as made:
        yield made


@settings(max_examples=40, deadline=None)
@given(history=HISTORIES)
def test_over_any_history_only_what_its_reader_may_see_now_is_found(shared: Index, history: list[list[Any]]) -> None:
    clock = Clock()
    now: dict[str, Document] = {}
    clock.at = next(MOMENTS)
    try:
        for page in history:
            changes = [doc(name, text, audience=audience) if text else Gone(f"folder:kb:{name}") for name, text, audience in page]
            load(shared, *changes, clock=clock)
            for change in changes:
                now.pop(change.id, None)
                if isinstance(change, Document):
                    now[change.id] = change
            texts = {audience: {one.markdown for one in now.values() if one.audience == audience} for audience in ("public", "internal")}
            for audience, expected in texts.items():
                assert {passage.text for passage in search("refunds", shared, audience=audience)} == expected
            found = retrieve(["refunds", "card or cheque"], shared)
            assert {passage.text for passage in found.public} == texts["public"]
            assert {passage.text for passage in found.internal} == texts["internal"]
            everything = search("refunds", shared)
            assert {(passage.document, passage.text) for passage in everything} == {(one.id, one.markdown) for one in now.values()}
    finally:
        load(shared, *(Gone(f"folder:kb:{name}") for name in "abc"), clock=clock)


def test_scores_do_not_depend_on_the_order_of_writing(tmp_path: Path) -> None:
    orders = ([REFUND, SECRET, PARCEL], [PARCEL, SECRET, REFUND])
    seen = []
    for number, order in enumerate(orders):
        folder = tmp_path / str(number)
        folder.mkdir()
        with opened(folder) as index:
            load(index, *order)
            seen.append([(passage.document, round(passage.score, 5)) for passage in search("refunds", index)])
    assert seen[0] == seen[1]
    assert np.isfinite([score for _, score in seen[0]]).all()
