"""The contract that every connector passes, ours and third parties': see docs/connectors.md."""

from __future__ import annotations

from connectors.conformance.stage import (
    Delivers,
    Desk,
    Expires,
    Hides,
    Moves,
    Obscures,
    Posted,
    Restores,
    Restricts,
    Shown,
    Spoils,
    Stage,
)

__all__ = [
    "Delivers",
    "Desk",
    "Expires",
    "Hides",
    "Moves",
    "Obscures",
    "Posted",
    "Restores",
    "Restricts",
    "Shown",
    "Spoils",
    "Stage",
]
