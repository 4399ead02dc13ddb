"""What every connector's block of the configuration file has in common, and how secrets are named in it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, StringConstraints
from pydantic_core import PydanticCustomError, core_schema

from connectors.base import ConfigProblem
from connectors.timing import Duration, Schedule

FIELD = r"^[A-Za-z0-9_]{1,80}$"  # a ticket field, as the helpdesk's API names it: a number, or a name such as cf_topic
REFERENCE = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"
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
        except UnicodeDecodeError:
            raise ConfigProblem(f"{self.reference}: the file is not UTF-8 text") from None
        if not value:
            raise ConfigProblem(f"{self.reference}: the file is empty; write the secret into it")
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
        if isinstance(value, str) and re.fullmatch(REFERENCE, value):
            return cls(value)
        sentence = "a secret is written as a reference, env:NAME or file:/path, never as the secret itself"
        raise PydanticCustomError("literal_secret", sentence)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(
            cls.parse,
            core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda secret: secret.reference),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": REFERENCE, "description": "a reference: env:NAME or file:/path"}


def _text_or_reference(value: object) -> object:
    return Secret.parse(value) if isinstance(value, str) and value.startswith(("env:", "file:")) else value


TextOrReference = Annotated[str | Secret, BeforeValidator(_text_or_reference)]  # no secret, but it may stand where the secrets stand


def text_of(value: str | Secret) -> str:
    """The text, its reference followed. Raises ConfigProblem when the reference leads nowhere."""
    return value.reveal() if isinstance(value, Secret) else value


class Strict(BaseModel):
    """A frozen block of the file in which an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # only the types that a file names cost start-up time


Told = Literal["topic", "sentiment", "priority", "language"]  # what triage can write into a ticket's field
TicketField = Annotated[str, StringConstraints(pattern=FIELD), BeforeValidator(lambda value: str(value) if type(value) is int else value)]


class TicketSettings(Strict):
    """How the bot treats the tickets of one helpdesk."""

    answer: Literal["new", "every_update", "mention"] = Field(default="new", description="new tickets, every comment, or on request")
    deliver: Literal["note", "reply"] = Field(default="note", description="the most that may happen: a note, or a reply if policy allows")
    webhook_secret: Secret | None = Field(default=None, description="what the vendor signs webhooks with", examples=["env:WEBHOOK_SECRET"])
    after_reply: Literal["pending", "solved", "open"] = Field(default="pending", description="a ticket's status once it was replied to")
    fields: Mapping[Told, TicketField] = Field(
        default={}, description="this helpdesk's own triage.fields", examples=[{"topic": "cf_topic"}]
    )
    backlog: Duration = Field(default="24h", description="on the first start, how far back waiting tickets go", examples=["24h"])
    at_once: int = Field(default=32, ge=1, le=256, description="tickets under way at a time, in each process", examples=[32])


class ConnectorSettings(Strict):
    """Common to all connectors; each adds its own fields in its `settings.py`."""

    name: ConnectorName = Field(description="the operator's own name for it, part of every id", examples=["help"])
    every: Schedule = Field(default="15m", description="how often knowledge is brought up to date", examples=["15m"])
    quota_share: float = Field(default=0.5, gt=0, le=1, description="how much of the account's API quota syncs may use", examples=[0.5])
