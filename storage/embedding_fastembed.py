"""Vectors from a model that fastembed runs on this machine (`pip install draftdesk[fastembed]`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from connectors.base import ConfigProblem
from storage.embedding import Rows

BATCH = 64  # texts the model reads at once


class FastEmbedder:
    """`Embedder` on a loaded fastembed model."""

    def __init__(self, name: str, model: Any, dimensions: int) -> None:
        self.name = f"{name}/{dimensions}"
        self.dimensions = dimensions
        self._model = model

    def embed(self, texts: Sequence[str]) -> Rows:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        places = [place for place, text in enumerate(texts) if text.strip()]
        for place, vector in zip(places, self._model.embed([texts[place] for place in places], batch_size=BATCH), strict=True):
            rows[place] = vector[: self.dimensions]
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, lengths, out=rows, where=lengths > 0)
        return rows


def fast_embedder(model: str, dimensions: int | None = None) -> FastEmbedder:
    """The model, fetched at its first use by fastembed itself. Raises ConfigProblem: not installed, not a model it knows."""
    try:
        package = import_module("fastembed")
    except ModuleNotFoundError:
        way = "run pip install 'draftdesk[fastembed]', or use provider: local"
        raise ConfigProblem(f"embedding: fastembed is not installed; {way}") from None
    known = {str(one["model"]): int(one["dim"]) for one in package.TextEmbedding.list_supported_models()}
    if model not in known:
        raise ConfigProblem(f"embedding: fastembed does not know the model {model}; it knows {', '.join(sorted(known)[:8])} and others")
    if dimensions is not None and dimensions > known[model]:
        raise ConfigProblem(f"embedding: {model} gives {known[model]} numbers; dimensions cannot be more")
    try:
        loaded = package.TextEmbedding(model_name=model)
    except (OSError, ValueError) as problem:
        raise ConfigProblem(f"embedding: the model {model} cannot be fetched or opened ({type(problem).__name__})") from None
    return FastEmbedder(model, loaded, dimensions or known[model])
