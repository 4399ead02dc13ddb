"""One score out of several."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bot.answer.fusion import STATIC, STRONG, Weights, fuse, weights_for
from storage.embedding import LOCAL
from storage.entries import Entry, searchable
from storage.lexical import sequences
from storage.vectors import Hit

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def hit(text: str, dense: float = 0.5, lexical: float = 0.0, *, title: str = "", document: str = "") -> Hit:
    entry = Entry("v", 0, 1, document or text, "kb", "public", None, WHEN, None, None, title, "", (), text)
    return Hit(entry, dense, lexical, sequences([searchable(entry)])[0])


def test_every_score_alone_lifts_a_passage() -> None:
    for better, worse in (
        (hit("a", 0.6), hit("b", 0.5)),
        (hit("a", lexical=2.0), hit("b", lexical=1.0)),
        (hit("refunds in cash"), hit("parcels by train")),
    ):
        first, second = fuse("cash refunds", [better, worse], STATIC)
        assert first > second


def test_the_best_passage_lifts_those_under_its_title_and_no_others() -> None:
    alone = [hit("a", 0.9, title="Refunds"), hit("b", 0.5, title="Parcels"), hit("c", 0.5, title="Shops")]
    together = [hit("a", 0.9, title="Refunds"), hit("b", 0.5, title="Refunds"), hit("c", 0.5, title="Shops")]
    assert fuse("x", alone, STATIC)[1] == fuse("x", alone, STATIC)[2]
    assert fuse("x", together, STATIC)[1] > fuse("x", together, STATIC)[2]
    assert fuse("x", together, STATIC)[0] > fuse("x", together, STATIC)[1]


def test_documents_without_a_title_keep_no_company() -> None:
    first, second, third = fuse("x", [hit("a", 0.9), hit("b", 0.5), hit("c", 0.5, document="c")], STATIC)
    assert second == third < first


def test_a_passage_that_is_near_is_worth_more_when_it_is_nearer_whatever_else_was_found() -> None:
    far, near = fuse("x", [hit("a", 0.2)], STATIC), fuse("x", [hit("a", 0.8)], STATIC)
    assert near[0] - far[0] > 0.3


def test_among_tickets_meaning_counts_more_than_among_passages() -> None:
    def lead(text: str) -> float:
        nearer, worded = fuse("x", [hit(f"{text} a", 0.6), hit(f"{text} b", 0.4, 3.0)], STATIC)
        return float(nearer - worded)

    assert lead("A ticket of a line.") > lead("A passage of some length. " * 20)


def test_an_embedder_of_sentences_weighs_more_than_the_table_of_words() -> None:
    assert weights_for(LOCAL) is STATIC
    assert weights_for("text-embedding-3-small") is STRONG

    def share(weights: Weights) -> float:
        return weights.dense / (weights.dense + weights.lexical + weights.letters)

    assert share(STRONG) > share(STATIC)


SCORES = st.floats(-1, 1, width=32)
TITLES = st.sampled_from(["", "a", "b"])
HITS = st.lists(st.builds(hit, st.text(max_size=40), SCORES, st.floats(0, 50), title=TITLES), max_size=6)


@given(st.text(max_size=40), HITS)
def test_scores_are_one_finite_number_from_0_to_1_per_hit(question: str, hits: list[Hit]) -> None:
    scores = fuse(question, hits, STATIC)
    assert scores.shape == (len(hits),)
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()
