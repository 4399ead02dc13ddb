"""Rows of the invented company's YAML files as records, with faults that say in which file and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml

OFFSET = re.compile(r"^(\d+)([smhd])$")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

T = TypeVar("T")
Reading = Callable[[Any, str], Any]  # of a field that holds rows itself: its value, its place


class CompanyFault(ValueError):
    """The company's files contradict themselves; says in which file and where."""


def open_file(folder: Traversable | Path | None, name: str) -> dict[str, Any]:
    """The file's mapping; without a folder, of the company in this package. Raises CompanyFault."""
    place = files(__package__).joinpath("company") if folder is None else folder
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = place.joinpath(name).read_text(encoding="utf-8")
    except OSError as problem:
        raise CompanyFault(f"{name}: cannot be read ({problem.strerror})") from None
    content = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders
    if not isinstance(content, dict):
        raise CompanyFault(f"{name}: a mapping is expected at the top")
    return content


def records(kind: type[T], rows: Iterable[Any] | None, place: str, nested: Mapping[str, Reading] | None = None) -> tuple[T, ...]:
    """Every row as a `kind`; `place` names the list. Raises CompanyFault."""
    return tuple(record(kind, row, f"{place}[{number}]", nested) for number, row in enumerate(rows or ()))


def record(kind: type[T], raw: Any, place: str, nested: Mapping[str, Reading] | None = None) -> T:
    """A row as a `kind`, a dataclass; `nested` reads the fields that hold rows themselves. Raises CompanyFault."""
    if not isinstance(raw, Mapping):
        raise CompanyFault(f"{place}: a mapping is expected")
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(str(key) for key in raw if key not in known):
        raise CompanyFault(f"{place}: unknown {', '.join(unknown)}; known are {', '.join(known)}")
    if missing := [name for name, field in known.items() if name not in raw and field.default is MISSING]:
        raise CompanyFault(f"{place}: {', '.join(missing)} is missing")
    read = nested or {}
    return kind(
        **{
            name: read[name](value, f"{place}.{name}") if name in read else _value(known[name], value, f"{place}.{name}")
            for name, value in raw.items()
        }
    )


def _value(field: Field[Any], value: Any, place: str) -> Any:
    if "timedelta" in str(field.type) and value is not None:
        return offset(value, place)
    if str(field.type).startswith("tuple[str"):
        return tuple(str(item) for item in value or ())
    if str(field.type).startswith("tuple[int"):
        return tuple(value or ())
    if str(field.type).startswith("str") and value is not None and not isinstance(value, str):
        raise CompanyFault(f"{place}: text is expected; put it in quotes")
    return value


def offset(text: Any, place: str) -> timedelta:
    """'36h' -> 36 hours. Raises CompanyFault."""
    match = OFFSET.match(str(text))
    if match is None:
        raise CompanyFault(f"{place}: {text!r} is no time before now; write 30s, 20m, 36h or 400d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def distinct(rows: Iterable[Any], name: str, *, above: int = 0) -> set[int]:
    """The rows' ids. Raises CompanyFault where one stands twice, or is no integer above that."""
    seen: set[int] = set()
    for row in rows:
        if not (isinstance(row.id, int) and row.id > above):
            raise CompanyFault(f"{name}: id {row.id}: an integer above {above} is expected")
        if row.id in seen:
            raise CompanyFault(f"{name}: id {row.id} appears twice")
        seen.add(row.id)
    return seen


def refer(target: int | None, known: set[int], place: str) -> None:
    """Raises CompanyFault for a reference to nothing."""
    if target is not None and target not in known:
        raise CompanyFault(f"{place}: there is no {target}")
