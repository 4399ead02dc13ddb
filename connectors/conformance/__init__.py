"""The contract that every connector passes, ours and third parties': see docs/connectors.md."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in ("play", "reading", "faults", "desk")))

from connectors.conformance.play import Play, Shelf  # noqa: E402
from connectors.conformance.stage import (  # noqa: E402
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
from connectors.conformance.suite import Conformance  # noqa: E402

__all__ = [
    "Conformance",
    "Delivers",
    "Desk",
    "Expires",
    "Hides",
    "Moves",
    "Obscures",
    "Play",
    "Posted",
    "Restores",
    "Restricts",
    "Shelf",
    "Shown",
    "Spoils",
    "Stage",
]
