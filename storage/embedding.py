"""Texts to dense vectors. The local model is wordllama's static table: offline, its weights are in the wheel."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.base import ConfigProblem

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LOCAL = "wordllama-l2-supercat-256"
BATCH = 256  # texts per tokenizer call; bounds the token vectors held at once to some 50 MB

Rows = NDArray[np.float32]


class Embedder(Protocol):
    """`name` and `dimensions` are written beside the index: vectors of different embedders do not mix."""

    @property
    def name(self) -> str: ...
    @property
    def dimensions(self) -> int: ...
    def embed(self, texts: Sequence[str]) -> Rows:
        """One L2-normalised row per text; a text without any token gives a row of zeros."""
        ...


class StaticEmbedder:
    """The mean of the token vectors, each text pooled on its own: without padding it is four times the stock speed, same numbers."""

    def __init__(self, name: str, table: Rows, tokenizer: Tokenizer) -> None:
        self.name = name
        self.dimensions = int(table.shape[1])
        self._table = table
        self._tokenizer = tokenizer

    def embed(self, texts: Sequence[str]) -> Rows:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), BATCH):
            batch = [text.encode("utf-8", "replace").decode() for text in texts[start : start + BATCH]]  # it refuses lone surrogates
            for row, encoding in enumerate(self._tokenizer.encode_batch_fast(batch, add_special_tokens=False), start):
                if encoding.ids:
                    rows[row] = self._table[encoding.ids].sum(axis=0)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, lengths, out=rows, where=lengths > 0)
        return rows


def local_embedder() -> Embedder:
    """wordllama's 256 numbers per text. Raises ConfigProblem when the package or its files are missing.

    The two files are read directly: importing the package configures the root logger, loads an HTTP
    client and, on a missing file, tries the network.
    """
    from safetensors import safe_open
    from tokenizers import Tokenizer

    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigProblem("embedding: the package wordllama is not installed; run the installation again")
    home = Path(spec.submodule_search_locations[0])
    weights = home / "weights" / "l2_supercat_256.safetensors"
    vocabulary = home / "tokenizers" / "l2_supercat_tokenizer_config.json"
    for file in (weights, vocabulary):
        if not file.is_file():
            raise ConfigProblem(f"embedding: {file} is missing; install wordllama again")
    tokenizer = Tokenizer.from_file(str(vocabulary))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    with safe_open(weights, framework="np") as file:
        table = np.ascontiguousarray(file.get_tensor("embedding.weight"), dtype=np.float32)
    return StaticEmbedder(LOCAL, table, tokenizer)
