"""What every connector's block of the configuration file has in common, and how secrets are named in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, StringConstraints
from pydantic_core import core_schema

from connectors.base import ConfigProblem

ConnectorName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Secret:
    """A reference to a secret, ``env:NAME`` or ``file:/path``; its value is read when asked for and never kept or shown."""

    __slots__ = ("reference",)

    def __init__(self, reference: str) -> None:
        self.reference = reference

    def reveal(self) -> str:
        """The secret itself. Raises ConfigProblem when the reference leads nowhere."""
        kind, _, where = self.reference.partition(":")
        if kind == "env":
            value = os.environ.get(where)
            if not value:
                raise ConfigProblem(f"{self.reference}: the environment variable {where} is not set; export it, or name another reference")
            return value
        try:
            value = Path(where).read_text(encoding="utf-8").strip()
        except OSError as problem:
            raise ConfigProblem(f"{self.reference}: cannot read the file ({problem.strerror}); create it or correct the path") from None
        if not value:
            raise ConfigProblem(f"{self.reference}: the file is empty")
        return value

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)

    @classmethod
    def parse(cls, value: object) -> Secret:
        if isinstance(value, Secret):
            return value
        if isinstance(value, str) and (value.startswith("env:") or value.startswith("file:")) and value.partition(":")[2]:
            return cls(value)
        raise ValueError("a secret is written as a reference, env:NAME or file:/path, never as the secret itself")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(
            cls.parse,
            core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda secret: secret.reference),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": "^(env|file):.+", "description": "a reference: env:NAME or file:/path"}


class Strict(BaseModel):
    """A frozen block of the file in which an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TicketSettings(Strict):
    """How the bot treats the tickets of one helpdesk."""

    answer: Literal["new", "every_update", "mention"] = "new"
    deliver: Literal["note", "reply"] = "note"
    webhook_secret: Secret | None = None
    backlog: str = Field(default="24h", pattern=r"^[1-9]\d*[smhd]$")


class ConnectorSettings(Strict):
    """Common to all connectors; each adds its own fields in its `settings.py`."""

    name: ConnectorName
    every: str = "15m"
