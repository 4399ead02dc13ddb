"""Which model stands behind a place in the file: for did-you-mean, for examples of what to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.config.faults import Loc
from connectors.settings import ConnectorSettings

Types = Mapping[str, type[ConnectorSettings]]
Models = tuple[type[BaseModel], ...]


def models_at(root: type[BaseModel], loc: Loc, plain: Any, types: Types) -> Models:
    """The models that may describe the mapping at `loc`; several where the file leaves a choice open."""
    models: Models = (root,)
    for depth, step in enumerate(loc):
        if isinstance(step, str):
            inner = tuple(model for info in _fields(models, step) for model in _models_in(info.annotation))
            models = inner or (() if _fields(models, step) else models)
        elif loc[:depth] == ("connectors",):
            models = _connector_at(plain, step, types)
    return _chosen(models, value_at(plain, loc))


def field_at(root: type[BaseModel], loc: Loc, plain: Any, types: Types) -> FieldInfo | None:
    """The field of the key that `loc` ends with."""
    if not loc or not isinstance(loc[-1], str):
        return None
    return next(iter(_fields(models_at(root, loc[:-1], plain, types), loc[-1])), None)


def keys_of(models: Models) -> list[str]:
    """The keys a mapping of these models may have."""
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def home_of(models: Models, key: str) -> str | None:
    """The key of an inner mapping that knows `key`: where a line with too little indentation belongs."""
    for model in models:
        for name, info in model.model_fields.items():
            if any(key in inner.model_fields for inner in _models_in(info.annotation)):
                return name
    return None


def value_at(plain: Any, loc: Loc) -> Any:
    """The file's value at `loc`, None where there is none."""
    for step in loc:
        if isinstance(plain, dict):
            plain = plain.get(step)
        elif isinstance(plain, list) and isinstance(step, int) and step < len(plain):
            plain = plain[step]
        else:
            return None
    return plain


def _fields(models: Models, key: str) -> list[FieldInfo]:
    return [model.model_fields[key] for model in models if key in model.model_fields]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _connector_at(plain: Any, index: int, types: Types) -> Models:
    kind = value_at(plain, ("connectors", index, "type"))
    settings = types.get(kind) if isinstance(kind, str) else None
    return (settings,) if settings else ()


def _chosen(models: Models, value: Any) -> Models:
    """Of alternatives told apart by `provider`, the one that the file names."""
    if len(models) < 2 or not isinstance(value, dict):
        return models
    return tuple(model for model in models if value.get("provider") in _providers(model)) or models


def _providers(model: type[BaseModel]) -> tuple[Any, ...]:
    info = model.model_fields.get("provider")
    return get_args(info.annotation) if info else ()
