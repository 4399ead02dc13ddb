"""The configuration file: found, read, judged, and turned into a Config."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config import checks
from bot.config.faults import ConfigFaults, Fault, Finding, Loc, Mark, dotted
from bot.config.model import Config, installed_types
from bot.config.places import anchored
from bot.config.sentences import Speaker
from bot.config.shape import Types
from bot.config.yamltree import Tree, parse

DEFAULT_FILE = "config.yaml"
VARIABLE = "DRAFTDESK_CONFIG"
GET_ONE = "`draftdesk sandbox` prints a ready one, `draftdesk init` asks for what it needs, config.example.yaml is there to copy"


def find(explicit: Path | None = None, *, folder: Path | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The file to load: the one named, else ./config.yaml, else the one $DRAFTDESK_CONFIG names. Raises ConfigFaults."""
    if explicit is not None:
        return explicit
    here = (folder or Path()) / DEFAULT_FILE
    named = (os.environ if environ is None else environ).get(VARIABLE)
    if here.is_file() or not named:
        return here
    return Path(named)


def load(path: Path, *, types: Types | None = None) -> Config:
    """The file as a Config; secrets are not read yet. Raises ConfigFaults with all that is wrong.

    `types` are the connector types to know; without it, the installed ones.
    """
    tree = parse(_read(path), str(path))
    known = installed_types() if types is None else types
    found = [*tree.findings, *checks.findings(tree.plain)]
    config: Config | None = None
    try:
        config = Config.model_validate(tree.plain, context={"types": known})
    except ValidationError as problem:
        found += Speaker(Config, tree.plain, known).findings(problem)
    if found or config is None:
        raise ConfigFaults(_placed(found, tree, str(path)))
    return anchored(config, path.absolute().parent)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        message = f"there is no such file; {GET_ONE}; name it with --config FILE or ${VARIABLE}"
    except IsADirectoryError:
        message = f"this is a folder; name the file, {path / DEFAULT_FILE}"
    except OSError as problem:
        message = f"cannot be read ({problem.strerror}); correct its permissions or name another with --config FILE"
    except ValueError:
        message = "not the name of a file; name one with --config FILE"
    raise ConfigFaults([Fault(str(path), 0, 0, "", message)])


def _placed(found: Iterable[Finding], tree: Tree, file: str) -> list[Fault]:
    """One fault per place and path, the first found, in the order of their places."""
    faults: dict[tuple[Mark, Loc], Fault] = {}
    for finding in found:
        mark = finding.mark or (tree.keys.get(finding.loc) if finding.at_key else None) or _nearest(finding.loc, tree)
        loc = (*finding.loc[:-1], "…") if finding.hidden else finding.loc
        faults.setdefault((mark, finding.loc), Fault(file, *mark, dotted(loc), finding.message))
    return sorted(faults.values(), key=lambda fault: (fault.line, fault.col))


def _nearest(loc: Loc, tree: Tree) -> Mark:
    """Where the value stands; for a missing one, where the mapping stands that lacks it."""
    for end in range(len(loc), 0, -1):
        if loc[:end] in tree.values:
            return tree.values[loc[:end]]
    return tree.values.get((), (1, 1))


def schema(types: Types | None = None) -> dict[str, Any]:
    """The file's JSON Schema (draft 2020-12) for editors, with the connector types given, else the installed ones."""
    from pydantic.json_schema import models_json_schema

    settings = (installed_types() if types is None else types).values()
    references, whole = models_json_schema([(Config, "validation"), *((model, "validation") for model in settings)])
    definitions = whole["$defs"]
    root = definitions.pop(references[(Config, "validation")]["$ref"].rpartition("/")[2])
    root["properties"]["connectors"]["items"] = {"oneOf": [references[(model, "validation")] for model in settings]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "title": "draftdesk configuration", "$defs": definitions}
