"""The index that a simulation searches: one of its own, made from the ledger.

The live index belongs to one process at a time, and a simulation may take hours. With its own neither waits for the other, and what a
sync brings meanwhile does not move the ground under a run. It is kept for the next run, which then writes only what changed since.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from bot.answer.retrieve import Index
from bot.config import Config
from bot.shelving import build_embedder, charged, recalled
from bot.sync import OPTIMIZE_AFTER, rebuild
from storage.place import Sheet
from storage.vectors import IndexHeld, open_vectors

FOLDER = "simulation-index"  # in the data folder; may be deleted at any time


def open_index(config: Config, engine: Engine, told: Callable[[str], None] = lambda _: None) -> Index:
    """Brought to what the ledger holds. Raises IndexHeld when another simulation has it, and what the embedder raises."""
    embedder = build_embedder(config.embedding, charged(config, engine))
    folder = config.data_dir / FOLDER / Sheet(embedder.name, embedder.dimensions).key
    try:
        vectors = open_vectors(folder, embedder.dimensions, embedder=embedder.name)
    except IndexHeld:
        raise IndexHeld(f"{folder}: another simulation is running here; wait until it is done, or stop it: it goes on later") from None
    try:
        written = rebuild(engine, vectors, recalled(embedder, engine))
    except BaseException:
        vectors.close()
        raise
    if written:
        told(f"{written:,} passages were indexed for simulations")
    if written >= OPTIMIZE_AFTER:
        vectors.optimize()
    return Index(engine, vectors, embedder)


def opener(config: Config, told: Callable[[str], None] = lambda _: None) -> Callable[[Config, Engine], Index] | None:
    """For `open_deployment`; None: the configured index, a server that any number of processes may ask."""
    return None if config.index.url else partial(open_index, told=told)


def discard(data_dir: Path) -> None:
    """What was erased from the ledger is left in no copy; the next simulation makes its index anew."""
    shutil.rmtree(data_dir / FOLDER, ignore_errors=True)
