"""Texts to dense vectors. The local model is wordllama's static table: offline, its weights are in the wheel."""

from __future__ import annotations

import re
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
REMEMBERED = 50_000  # stretches of text whose tokens are kept: some 10 MB
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # what the vocabulary writes for a space
MARKS = ("<s>", "</s>", "<unk>")  # tokens that the tokenizer looks for in the text itself

_STRETCH = re.compile(f"{SPACE}*[^{SPACE}\n]+|{SPACE}+|\n")

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


class Pieces(dict[str, bytes]):
    """The token ids (32 bits each) of the stretches that a text falls into, worked out when first met.

    A stretch is a word with the spaces before it, or a line break. No token of this vocabulary reaches over the end of one, so byte-pair
    merges never do either: the ids of a text are those of its stretches, and a known word costs a look where the tokenizer merges
    letter by letter.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def __missing__(self, stretch: str) -> bytes:
        if len(self) >= REMEMBERED:
            self.clear()
        found = self[stretch] = np.array([token.id for token in self._tokenizer.model.tokenize(stretch)], np.int32).tobytes()
        return found

    def tokens(self, text: str) -> NDArray[np.int32]:
        """As the tokenizer gives them, which puts a space before every text."""
        if not text:
            return np.zeros(0, np.int32)
        if any(mark in text for mark in MARKS):
            return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, np.int32)
        stretches = _STRETCH.findall(SPACE + text.replace(" ", SPACE))
        return np.frombuffer(b"".join(map(self.__getitem__, stretches)), np.int32)


class StaticEmbedder:
    """The mean of the token vectors, each text pooled on its own: without padding it is four times the stock speed, same numbers."""

    def __init__(self, name: str, table: Rows, pieces: Pieces) -> None:
        self.name = name
        self.dimensions = int(table.shape[1])
        self._table = table
        self._pieces = pieces

    def embed(self, texts: Sequence[str]) -> Rows:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            tokens = self._pieces.tokens(text.encode("utf-8", "replace").decode())  # the tokenizer refuses lone surrogates
            if len(tokens):
                rows[row] = self._table[tokens].sum(axis=0)
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
    return StaticEmbedder(LOCAL, table, Pieces(tokenizer))
