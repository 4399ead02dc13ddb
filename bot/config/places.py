"""Relative paths in the file start from the file's folder."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from connectors.settings import Secret

M = TypeVar("M", bound=BaseModel)

def anchored(model: M, folder: Path) -> M:
    """The same settings with every path, and every ``file:`` reference, made absolute; plug-ins' settings too."""
    return model.model_copy(update={name: _value(getattr(model, name), folder) for name in type(model).model_fields})


def _value(value: Any, folder: Path) -> Any:
    if isinstance(value, BaseModel):
        return anchored(value, folder)
    if isinstance(value, Path):
        return _absolute(str(value), folder)
    if isinstance(value, Secret) and value.reference.startswith("file:"):
        return Secret(f"file:{_absolute(value.reference.removeprefix('file:'), folder)}")
    if isinstance(value, tuple | list):
        return type(value)(_value(item, folder) for item in value)
    if isinstance(value, dict):
        return {key: _value(item, folder) for key, item in value.items()}
    return value


def _absolute(text: str, folder: Path) -> Path:
    return Path(os.path.normpath(folder / os.path.expanduser(text)))
