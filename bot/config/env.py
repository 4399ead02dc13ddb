"""The env file beside the configuration: secrets that `env:` references name, kept from other users' eyes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bot.config.faults import ConfigFaults, Fault

ENV_FILE = "draftdesk.env"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_env(folder: Path) -> None:
    """Take up `folder`/draftdesk.env into the environment, where it is there; what the environment has already wins.

    Raises ConfigFaults for a file that others may read, or that cannot be read.
    """
    path = folder / ENV_FILE
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if mode & OTHERS:
        raise ConfigFaults([Fault(str(path), 0, 0, "", f"others may read this file of secrets; run: chmod 600 {path}")])
    from dotenv import dotenv_values

    try:
        found = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigFaults([Fault(str(path), 0, 0, "", f"cannot be read ({type(problem).__name__}); correct it or remove it")]) from None
    for name, value in found.items():
        if value is not None:
            os.environ.setdefault(name, value)
