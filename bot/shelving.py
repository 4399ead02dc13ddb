"""The configured index and embedder, and the move from one embedder to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime

import numpy as np
import structlog
from sqlalchemy import Engine, select

from bot.config import Config
from bot.config.model import Embedding
from bot.intake import Progress
from bot.spending import Budget, Purse
from bot.sync import rebuild
from connectors.base import ConfigProblem, RateLimited, Transient
from storage.embedding import LOCAL, Embedder, Rows, local_embedder
from storage.embedding_openai import KNOWN, Bill, Charge, OpenAIEmbedder
from storage.place import FolderPlace, ServerPlace, Sheet
from storage.recall import RecallingEmbedder
from storage.server import Layout, connect, told
from storage.shelf import Place, Shelf, WritingEmbedder
from storage.tables import VersionRow, table
from storage.vectors import Vectors

log = structlog.get_logger()

PAYER = "embedding"  # under this name its cost stands in the spending table


class WordsOnly:
    """In the place of a former embedder that cannot be had any more: vectors of zeros, so that words alone find."""

    def __init__(self, sheet: Sheet, embedder: Embedder | None = None) -> None:
        self.name, self.dimensions = sheet.embedder, sheet.dimensions
        self._embedder = embedder

    def embed(self, texts: Sequence[str]) -> Rows:
        if self._embedder is not None:
            try:
                return self._embedder.embed(texts)
            except ConfigProblem as problem:
                log.warning("the former model is gone; until the index has moved, words alone find", model=self.name, reason=str(problem))
                self._embedder = None
        return np.zeros((len(texts), self.dimensions), np.float32)


def open_shelf(config: Config, engine: Engine) -> Shelf:
    """Raises ConfigProblem, Transient: what cannot be had. Another embedder than the index was written with is no fault: see `move`."""
    embedder = build_embedder(config.embedding, charged(config, engine))
    shelf = Shelf(_place(config, engine), embedder, lambda sheet: former(sheet, config.embedding))
    if shelf.moving:
        log.info("the index moves to another model at the next sync", serving=shelf.serving.embedder, meant=shelf.meant.embedder)
    return shelf


def _place(config: Config, engine: Engine) -> Place:
    folder = config.data_dir / "index"
    if not config.index.url:
        return FolderPlace(folder)
    layout = Layout(config.index.shards, config.index.replicas)
    key = config.index.api_key.reveal() if config.index.api_key else None
    return ServerPlace(connect(config.index.url, key), config.index.collection, engine, folder, layout)


def reach_server(config: Config) -> None:
    """Raises ConfigProblem or Transient when the Qdrant server cannot be used."""
    client = connect(str(config.index.url), config.index.api_key.reveal() if config.index.api_key else None)
    try:
        with told(config.index.collection):
            client.get_aliases()
    finally:
        client.close()


def build_embedder(settings: Embedding, charge: Charge | None = None) -> Embedder:
    if settings.provider == "local":
        return local_embedder()
    if settings.provider == "fastembed":
        from storage.embedding_fastembed import fast_embedder

        return fast_embedder(settings.model or "", settings.dimensions)
    return _endpoint(settings, settings.model or "", settings.dimensions, charge)


def _endpoint(settings: Embedding, model: str, dimensions: int | None, charge: Charge | None) -> OpenAIEmbedder:
    key = settings.api_key.reveal() if settings.api_key else None
    return OpenAIEmbedder(model, settings.base_url, key, dimensions, charge=charge or (lambda _: nullcontext()), cut=_tell_cut)


def _tell_cut(texts: int) -> None:
    log.warning("passages longer than the model reads were cut for embedding", passages=texts)


def former(sheet: Sheet, settings: Embedding) -> Embedder:
    """The embedder of the index that still serves: local always, another model where the configured provider still has it."""
    if sheet.embedder == LOCAL:
        return local_embedder()
    model = sheet.embedder.rpartition("/")[0]
    try:
        if settings.provider == "openai":
            asked = None if KNOWN.get(model) == sheet.dimensions else sheet.dimensions
            return WordsOnly(sheet, _endpoint(settings, model, asked, None))
        if settings.provider == "fastembed":
            from storage.embedding_fastembed import fast_embedder

            return WordsOnly(sheet, fast_embedder(model, sheet.dimensions))
    except ConfigProblem:
        pass
    return WordsOnly(sheet)


def charged(config: Config, engine: Engine) -> Charge | None:
    """What pays for embedding out of the day's budget; None where the file names no price."""
    price, budget = config.embedding.price, config.budget
    if price is None:
        return None
    purse = Purse(engine, Budget(budget.usd_per_day if budget else None), PAYER, lambda: datetime.now(UTC))

    @contextmanager
    def charge(bill: Bill) -> Iterator[None]:
        most = bill.most * price / 1e6
        with purse.open("", most, model=config.embedding.model or config.embedding.provider) as purchase:
            if purchase.usd < most:
                purchase.cost = 0.0
                raise Transient(f"embedding: {purchase.told}; it goes on tomorrow, or with a higher budget.usd_per_day")
            try:
                yield
            finally:
                purchase.cost = None if bill.tokens is None else bill.tokens * price / 1e6

    return charge


def written_by(shelf: Shelf, engine: Engine) -> Embedder:
    """The embedder for a sync: vectors of unchanged passages come from the database, where asking it is cheaper than the model."""
    return WritingEmbedder(shelf, lambda embedder: recalled(embedder, engine))


def recalled(embedder: Embedder, engine: Engine) -> Embedder:
    return embedder if embedder.name == LOCAL else RecallingEmbedder(embedder, engine)


def prune(shelf: Shelf, engine: Engine) -> None:
    """Forget vectors that nobody asked for of late."""
    if shelf.writer.name != LOCAL:
        RecallingEmbedder(shelf.writer, engine).prune()


def move(shelf: Shelf, config: Config, engine: Engine, progress: Callable[[Progress], None]) -> str | None:
    """Where the configuration means another embedder: build its index from the ledger, and let it serve. What is to be told of it."""
    if not shelf.moving:
        return None
    rows = table(VersionRow)

    def connectors() -> set[str]:
        with engine.connect() as connection:
            return {*connection.scalars(select(rows.c.connector).distinct()), *(one.name for one in config.connectors)}

    def fill(vectors: Vectors, embedder: Embedder) -> int:
        return rebuild(engine, vectors, recalled(embedder, engine), progress)

    before = shelf.serving.embedder
    log.info("the index is being made anew for another model; the former one answers meanwhile", serving=before, meant=shelf.meant.embedder)
    try:
        if not shelf.move(fill, connectors):
            return None
    except (ConfigProblem, RateLimited, Transient) as problem:
        log.warning("the move of the index stopped", reason=str(problem))
        return f"the index still answers with {before}: {problem}. The next sync goes on with the move"
    log.info("the index has moved", serving=shelf.serving.embedder)
    return f"the index was made anew for {shelf.serving.embedder} and answers with it now"
