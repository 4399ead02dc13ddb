"""The local model: offline, normalised, and the numbers of the stock call."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from storage.embedding import LOCAL, MARKS, SPACE, Embedder, Pieces, local_embedder


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
    texts = [f"text number {number}" for number in range(300)]
    together = embedder.embed(texts)
    assert np.array_equal(embedder.embed(texts[-1:])[0], together[-1])


@given(text=st.text(max_size=100))
def test_any_text_gives_finite_numbers(embedder: Embedder, text: str) -> None:
    assert np.isfinite(embedder.embed([text])).all()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    spec = find_spec("wordllama")
    assert spec is not None
    assert spec.submodule_search_locations
    return Tokenizer.from_file(str(Path(spec.submodule_search_locations[0]) / "tokenizers" / "l2_supercat_tokenizer_config.json"))


SCRAPS = [" ", "  ", "\n", "\r\n", "\t", SPACE, *MARKS, "refund", "Rückgabe", "iPhone,", "don't", "返金", "🙂", "1,299.00", "{", "\x00"]
WORDS = st.lists(st.sampled_from(SCRAPS))


@given(text=st.one_of(st.text(max_size=60), WORDS.map("".join)))
def test_a_text_taken_apart_has_the_tokens_of_the_whole(tokenizer: Tokenizer, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert Pieces(tokenizer).tokens([text])[0].tolist() == tokenizer.encode(text, add_special_tokens=False).ids


def test_no_token_reaches_over_the_start_of_a_word_or_the_end_of_a_line(tokenizer: Tokenizer) -> None:
    assert not [token for token in tokenizer.get_vocab() if SPACE in token.lstrip(SPACE) or "\n" in token]


def test_words_are_forgotten_for_new_ones_and_nothing_changes(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.embedding.REMEMBERED", 10)
    pieces = Pieces(tokenizer)
    for number in range(50):
        text = f"word{number} of word{number - 3} and word{number // 2}"
        assert pieces.tokens([text, "of"])[0].tolist() == tokenizer.encode(text, add_special_tokens=False).ids
    assert len(pieces._known) <= 10


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
