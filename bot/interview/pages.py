"""What the interview writes: the configuration file and the env file beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

HEAD = """\
# Written by `draftdesk init`. Every key: docs/configuration.md; a file with all of them: config.example.yaml.
# Secrets are named here, never written: env:NAME is a line of draftdesk.env (beside this file) or an environment variable.

data_dir: ./data
"""
ENV_HEAD = """\
# Secrets of config.yaml, read at every start of draftdesk; the environment wins.
# Keep it to yourself, and out of version control.
"""


@dataclass(frozen=True, slots=True)
class Page:
    """One connector's block."""

    name: str
    type: str
    block: Mapping[str, Any]


def yaml_text(languages: str, pages: Sequence[Page]) -> str:
    words = [word.strip() for word in languages.replace(" ", ",").split(",") if word.strip()]
    blocks = [{"name": page.name, "type": page.type, **page.block} for page in pages]
    body = yaml.safe_dump({"languages": words, "connectors": blocks}, sort_keys=False, allow_unicode=True, width=120)
    return HEAD + body


def env_text(secrets: Mapping[str, str]) -> str:
    """NAME='value' lines, as shells, systemd and dotenv readers take them."""
    return ENV_HEAD + "".join(f"{name}={_quoted(value)}\n" for name, value in secrets.items())


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
