"""Freshdesk's block of the configuration file."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from connectors.origin import bare_origin
from connectors.settings import ConnectorSettings, Secret, Strict, TicketSettings

LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}", re.IGNORECASE)  # as it may stand in a path


class Auth(Strict):
    """An agent's API key; it reads what that agent may read."""

    api_key: Secret = Field(description="an agent's API key", examples=["env:FRESHDESK_API_KEY"])


class Knowledge(Strict):
    """What is learnt from Freshdesk."""

    articles: bool = Field(default=True, description="the published solution articles", examples=[True])
    macros: bool = Field(default=False, description="canned responses, for agents only", examples=[True])
    solved_tickets: Literal["off", "voice", "hints"] = Field(
        default="off", description="past answers: not read, read for the voice only, or shown to agents as hints too", examples=["voice"]
    )
    locales: tuple[str, ...] | None = Field(
        default=None, description="only these languages, as Freshdesk writes them (en, fr, pt-BR); null means all", examples=[["en", "fr"]]
    )

    @field_validator("solved_tickets", mode="before")
    @classmethod
    def off_is_a_word(cls, value: object) -> object:
        return "off" if value is False else value  # YAML 1.1 reads a bare `off` as false

    @field_validator("locales")
    @classmethod
    def language_codes(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for code in value or ():
            if not LANGUAGE.fullmatch(code):
                raise ValueError("a language is written as a code, such as en, fr or pt-BR")
        return value or None


class Settings(ConnectorSettings):
    """A Freshdesk account: `base_url` is its origin."""

    type: Literal["freshdesk"]
    allow_plain_http: bool = Field(default=False, description="allow an http:// address that is not on this machine")  # base_url reads it
    base_url: str = Field(min_length=1, description="the account's address", examples=["https://acme.freshdesk.com"])
    auth: Auth = Field(description="how the bot signs in", examples=[{"api_key": "env:FRESHDESK_API_KEY"}])
    knowledge: Knowledge = Knowledge()
    tickets: TicketSettings | None = Field(default=None, description="without this block no ticket is answered")

    @field_validator("base_url")
    @classmethod
    def absolute_origin(cls, value: str, checked: ValidationInfo) -> str:
        return bare_origin(value, plain=bool(checked.data.get("allow_plain_http")), example="https://acme.freshdesk.com")
