"""Texts to dense vectors. The local model is wordllama's static table: offline, its weights are in the wheel."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.base import ConfigProblem

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LOCAL = "wordllama-l2-supercat-256"
BATCH = 256  # texts whose words are looked up together
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


class Pieces:
    """Texts to token ids, as the tokenizer gives them, by the stretches of a text: words with the space before them, and line breaks.

    No token of this vocabulary reaches over the end of a stretch, so byte-pair merges never do either: the ids of a text are those of
    its stretches, and a known word costs a look where the tokenizer merges letter by letter. Threads may share it.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        from tokenizers import Tokenizer as Bare

        self._tokenizer = tokenizer
        self._merges = Bare(tokenizer.model)  # without what puts a space before every text
        (self._line_break,) = self._merges.encode("\n", add_special_tokens=False).ids
        self._known = {"\n": np.array([self._line_break], np.int32).tobytes()}  # 32 bits an id

    def tokens(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        apart = [() if any(mark in text for mark in MARKS) else _STRETCH.findall(_spaced(text)) for text in texts]
        known = self._learn(set(chain.from_iterable(apart)))
        return [
            np.frombuffer(b"".join(map(known.__getitem__, stretches)), np.int32) if stretches else self._whole(text)
            for text, stretches in zip(texts, apart, strict=True)
        ]

    def _learn(self, stretches: Collection[str]) -> Mapping[str, bytes]:
        """What is known, these stretches among it."""
        known = self._known
        if new := [stretch for stretch in stretches if stretch not in known]:
            if len(known) + len(new) > REMEMBERED:
                known = self._known = {stretch: known[stretch] for stretch in ("\n", *stretches) if stretch in known}
            known.update(zip(new, self._merged(new), strict=True))
        return known

    def _merged(self, stretches: Sequence[str]) -> Iterator[bytes]:
        """Of all at once, a line each: to ask the tokenizer for one costs ten times what it does for it."""
        ids = np.array(self._merges.encode("\n".join(stretches), add_special_tokens=False).ids, np.int32)
        ends = [*np.flatnonzero(ids == self._line_break).tolist(), len(ids)]
        start = 0
        for end in ends:
            yield ids[start:end].tobytes()
            start = end + 1

    def _whole(self, text: str) -> NDArray[np.int32]:
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, np.int32)


def _spaced(text: str) -> str:
    return SPACE + text.replace(" ", SPACE) if text else ""


class StaticEmbedder:
    """The mean of the token vectors, each text pooled on its own: without padding it is four times the stock speed, same numbers."""

    def __init__(self, name: str, table: Rows, pieces: Pieces) -> None:
        self.name = name
        self.dimensions = int(table.shape[1])
        self._table = table
        self._pieces = pieces

    def embed(self, texts: Sequence[str]) -> Rows:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for start in range(0, len(texts), BATCH):
            batch = [text.encode("utf-8", "replace").decode() for text in texts[start : start + BATCH]]  # it refuses lone surrogates
            for row, tokens in enumerate(self._pieces.tokens(batch), start):
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
