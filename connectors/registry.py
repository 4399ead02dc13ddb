"""Which connectors there are: ours, and those that plug-ins bring.

A connector is a module with `Settings` (a ConnectorSettings with `type: Literal["…"]`) and
`connect(settings, http) -> Source`. A plug-in names its module under the entry-point group
"draftdesk.connectors", the entry's name being the type.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TYPE_CHECKING

from pydantic import BaseModel

from connectors import base
from connectors.base import ConfigProblem, Source
from connectors.guide import Choices, Guide, Question, Way
from connectors.settings import ConnectorSettings, Secret

if TYPE_CHECKING:
    from connectors.http import HttpFactory

GROUP = "draftdesk.connectors"
BUILT_IN = {
    "zendesk": "connectors.zendesk",
    "freshdesk": "connectors.freshdesk",
    "confluence": "connectors.confluence",
    "google_docs": "connectors.google_docs",
    "folder": "connectors.folder",
}
_CAPABILITIES = (base.Source, base.Listing, base.Helpdesk, base.Webhook)


@dataclass(frozen=True, slots=True)
class Installed:
    type: str
    origin: str  # "built-in", or the distribution and its version
    capabilities: tuple[str, ...]  # names of the protocols in base.py; () for a connector whose settings only are read
    problem: str | None = None  # why a plug-in cannot be used


def settings_types() -> dict[str, type[ConnectorSettings]]:
    """Each usable type and the model of its block in the configuration file. A broken plug-in is left out."""
    found = {type_: _settings(importlib.import_module(module), type_) for type_, module in BUILT_IN.items()}
    for entry in _plug_ins():
        module = _load(entry)
        if isinstance(module, ModuleType):
            found[entry.name] = _settings(module, entry.name)
    return found


def connect(settings: ConnectorSettings, http: HttpFactory) -> Source:
    """The connector for one block of the file; makes no request. Raises ConfigProblem when this release has none for it."""
    type_ = str(getattr(settings, "type", ""))
    module = _module(type_)
    if not hasattr(module, "connect"):
        raise ConfigProblem(
            f"connector {settings.name}: this release reads the settings of type {type_} but cannot connect to it yet; "
            "remove the block, or wait for a release that can"
        )
    source: Source = module.connect(settings, http)
    return source


def installed() -> list[Installed]:
    """Every connector, built-in ones first. Plug-ins that cannot be used are listed with the reason."""
    rows = [Installed(type_, "built-in", _capabilities(importlib.import_module(module))) for type_, module in BUILT_IN.items()]
    for entry in _plug_ins():
        module = _load(entry)
        origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
        if isinstance(module, ModuleType):
            rows.append(Installed(entry.name, origin, _capabilities(module)))
        else:
            rows.append(Installed(entry.name, origin, (), problem=module))
    return rows


def guides() -> dict[str, Guide]:
    """How each usable connector is set up; one that brings no guide is asked for the required keys of its settings."""
    return {type_: guide(type_)[0] for type_ in settings_types() if type_ not in BUILT_IN or hasattr(_module(type_), "connect")}


def guide(type_: str) -> tuple[Guide, Choices | None]:
    """A connector's guide, and what lists the choices in it, if anything does."""
    module = _module(type_)
    if hasattr(module, "__path__") and importlib.util.find_spec(f"{module.__name__}.guide"):
        found = importlib.import_module(f"{module.__name__}.guide")
        return found.GUIDE, getattr(found, "choices", None)
    return _plain_guide(type_, _settings(module, type_)), None


def _plain_guide(type_: str, settings: type[ConnectorSettings]) -> Guide:
    def questions(model: type[BaseModel], above: str) -> Iterator[Question]:
        for name, field in model.model_fields.items():
            if name in ("name", "type") or not field.is_required():
                continue
            inner = field.annotation
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from questions(inner, f"{above}{name}.")
            else:
                examples = field.examples or [""]
                yield Question(f"{above}{name}", field.description or name, str(examples[0]), kind="secret" if inner is Secret else "text")

    way = Way("settings", "its settings", (), tuple(questions(settings, "")))
    return Guide(f"{type_}: {(settings.__doc__ or type_).strip().splitlines()[0]}", type_, (way,))


def _plug_ins() -> Iterator[EntryPoint]:
    """Entry points of others, the first of each name; our own distribution lists its connectors under the same group."""
    names: set[str] = set()
    for entry in sorted(entry_points(group=GROUP), key=lambda e: (e.name, e.value)):
        if BUILT_IN.get(entry.name) != entry.value and entry.name not in names:
            names.add(entry.name)
            yield entry


def _module(type_: str) -> ModuleType:
    if type_ in BUILT_IN:
        return importlib.import_module(BUILT_IN[type_])
    for entry in _plug_ins():
        if entry.name == type_:
            module = _load(entry)
            if isinstance(module, ModuleType):
                return module
            raise ConfigProblem(f"the plug-in for connectors of type {type_} cannot be used: {module}")
    raise ConfigProblem(f"there is no connector of type {type_}; installed are: {', '.join(sorted(settings_types()))}")


def _load(entry: EntryPoint) -> ModuleType | str:
    """A plug-in's module, or why it cannot be used. Somebody else's code may fail in any way; ours goes on."""
    if entry.name in BUILT_IN:
        return f"the type {entry.name} is built in; the plug-in must take another name"
    try:
        module = entry.load()
    except Exception as problem:  # noqa: BLE001
        return f"it cannot be imported ({type(problem).__name__}: {problem})"
    if not isinstance(module, ModuleType):
        return f"{entry.value} is not a module"
    try:
        _settings(module, entry.name)
    except ConfigProblem as problem:
        return str(problem)
    return module if callable(getattr(module, "connect", None)) else f"{entry.value} has no function connect"


def _settings(module: ModuleType, type_: str) -> type[ConnectorSettings]:
    found = getattr(module, "Settings", None)
    if not (isinstance(found, type) and issubclass(found, ConnectorSettings)):
        raise ConfigProblem(f"{module.__name__} has no class Settings made from ConnectorSettings")
    kind = found.model_fields.get("type")
    if kind is None or getattr(kind.annotation, "__args__", ()) != (type_,):
        raise ConfigProblem(f'{module.__name__}.Settings has no field type: Literal["{type_}"]')
    return found


def _capabilities(module: ModuleType) -> tuple[str, ...]:
    """The protocols that the classes of a connector's package fulfil; instances are made of real settings only."""
    if not hasattr(module, "connect"):
        return ()
    places = [module]
    if hasattr(module, "__path__") and importlib.util.find_spec(f"{module.__name__}.connector"):
        places.append(importlib.import_module(f"{module.__name__}.connector"))
    classes = {
        value
        for place in places
        for value in vars(place).values()
        if isinstance(value, type) and value.__module__.startswith(module.__name__) and issubclass(value, Source)
    }
    return tuple(protocol.__name__ for protocol in _CAPABILITIES if any(issubclass(found, protocol) for found in classes))
