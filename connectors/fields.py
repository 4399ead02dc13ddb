"""Single values out of a vendor's JSON: liberal in what they take, None or empty for what is something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Row = Mapping[str, Any]

TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)


def moment(text: object) -> datetime | None:
    """An ISO 8601 time as UTC, with any number of fraction digits (some webhooks carry nine)."""
    match = TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        return None
    day, clock, fraction, zone = match.groups()
    offset = "+00:00" if zone in (None, "Z", "z") else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock}{fraction or ''}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def number(value: object) -> str | None:
    """A vendor's id as digits, a sign before them or none: they exceed 32 bits, and arrive as numbers or as strings."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    return text if re.fullmatch(r"-?[0-9]{1,20}", text) else None


def mapping(value: object) -> Row:
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Row]:
    """The objects of a list; anything else holds none."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
