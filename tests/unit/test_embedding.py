"""The local model: offline, normalised, and the numbers of the stock call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.embedding import BATCH, LOCAL, Embedder, local_embedder


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return local_embedder()


def test_the_local_embedder_tells_what_is_written_beside_the_index(embedder: Embedder) -> None:
    assert (embedder.name, embedder.dimensions) == (LOCAL, 256)


def test_rows_are_normalised_float32_and_empty_text_is_zeros(embedder: Embedder) -> None:
    rows = embedder.embed(["How do I get a refund?", "", "Rückgabe"])
    assert rows.dtype == np.float32
    assert rows.shape == (3, 256)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1.0, 0.0, 1.0], abs=1e-5)
    assert embedder.embed([]).shape == (0, 256)


def test_vectors_are_those_of_the_stock_call() -> None:
    import wordllama

    texts = ["refund", "How do I reset my password?", "A longer text. " * 30]
    stock = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True).embed(texts, norm=True)
    assert np.allclose(local_embedder().embed(texts), stock, atol=1e-5)


def test_a_text_has_the_same_vector_alone_and_among_others(embedder: Embedder) -> None:
    texts = [f"text number {number}" for number in range(BATCH + 3)]
    together = embedder.embed(texts)
    assert np.array_equal(embedder.embed(texts[-1:])[0], together[-1])


@given(text=st.text(max_size=100))
def test_any_text_gives_finite_numbers(embedder: Embedder, text: str) -> None:
    assert np.isfinite(embedder.embed([text])).all()


def test_nearer_meanings_have_nearer_vectors(embedder: Embedder) -> None:
    asked, near, far = embedder.embed(["I want my money back", "How to get a refund", "Parcel size limits"])
    assert asked @ near > asked @ far


def test_importing_and_loading_leaves_logging_and_the_network_alone() -> None:
    code = (
        "import logging, socket, sys\n"
        "socket.socket = None\n"
        "from storage.embedding import local_embedder\n"
        "assert not {'tokenizers', 'wordllama', 'requests'} & set(sys.modules)\n"
        "local_embedder().embed(['x'])\n"
        "assert not logging.getLogger().handlers and 'wordllama' not in sys.modules and 'requests' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
