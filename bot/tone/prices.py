"""What training and using a voice costs: a dated table that ships as data, and tokens counted without a network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from connectors.base import ConfigProblem

SHIPPED = Path(__file__).with_name("prices.yaml")
OWN = "tone-prices.yaml"  # in data_dir
EPOCHS = 3  # where the server chooses: what it usually takes for some hundred examples
# A rule of thumb, held against no vendor's own count: a word costs a token per 5.5 letters, three digits and a sign one each.
_PIECES = re.compile(r"\d{1,3}|[^\W\d_]+|[^\w\s]|_", re.UNICODE)
LETTERS = 5.5
PER_MESSAGE = 4


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    model: str
    train: float
    input: float
    output: float
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class PriceTable:
    checked: date
    models: dict[str, Price]
    batch_share: float = 0.5  # of the usage price, for requests handed in as a batch


@dataclass(frozen=True, slots=True)
class Estimate:
    """`monthly_usd` is for the replies per month that were assumed."""

    model: str
    tokens: int
    epochs: int
    training_usd: float
    monthly_usd: float
    ends: date | None


def read_prices(data_dir: Path | None = None) -> PriceTable:
    """The shipped table, with the operator's own file on top. Raises ConfigProblem."""
    table = _read(SHIPPED)
    own = data_dir / OWN if data_dir else None
    if own is None or not own.exists():
        return table
    mine = _read(own, default=table.checked)
    return PriceTable(mine.checked, {**table.models, **mine.models}, mine.batch_share)


def _read(path: Path, default: date | None = None) -> PriceTable:
    import yaml

    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        models = {name: _price(name, row) for name, row in content["models"].items()}
        return PriceTable(content.get("checked") or default or date.min, models, float(content.get("batch_share", 0.5)))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as problem:
        reason = "write `models: {NAME: {train: 3.0, input: 0.3, output: 1.2}}`"
        raise ConfigProblem(f"{path}: is no price table ({type(problem).__name__}); {reason}") from None


def _price(name: str, row: Any) -> Price:
    return Price(name, float(row["train"]), float(row["input"]), float(row["output"]), row.get("ends"))


def count_tokens(text: str) -> int:
    """An estimate from the words' lengths, the same on every machine: no table is loaded, nothing is asked."""
    return sum(max(1, round(len(piece) / LETTERS)) if piece[0].isalpha() else 1 for piece in _PIECES.findall(text))


def count_chat(messages: Sequence[Mapping[str, Any]]) -> int:
    return sum(PER_MESSAGE + count_tokens(str(message.get("content") or "")) for message in messages)


def estimate(examples: Sequence[Sequence[dict[str, Any]]], price: Price, *, epochs: int, replies_per_month: int) -> Estimate:
    """Pure. Training is billed for every token of the file in every epoch; a reply is billed as an average example."""
    tokens = sum(count_chat(messages) for messages in examples)
    asked = sum(count_chat(messages[:-1]) for messages in examples) / max(1, len(examples))
    said = tokens / max(1, len(examples)) - asked
    monthly = replies_per_month * (asked * price.input + said * price.output) / 1e6
    return Estimate(price.model, tokens, epochs, tokens * epochs * price.train / 1e6, monthly, price.ends)
