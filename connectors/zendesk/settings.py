"""The `type: zendesk` block of the configuration file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from connectors.origin import bare_origin
from connectors.settings import ConnectorSettings, Secret, Strict, TextOrReference, TicketSettings

KINDS_OF_AUTH = (("client_id", "client_secret"), ("email", "api_token"), ("access_token",))


class Auth(Strict):
    """Exactly one way to sign in; OAuth client credentials outlive the API tokens, which all stop on 2027-04-30."""

    client_id: TextOrReference | None = None
    client_secret: Secret | None = None
    scope: str = "read write"
    email: TextOrReference | None = None
    api_token: Secret | None = None
    access_token: Secret | None = None

    @model_validator(mode="after")
    def exactly_one_kind(self) -> Auth:
        given = {field for kind in KINDS_OF_AUTH for field in kind if getattr(self, field) is not None}
        if not any(given == set(kind) for kind in KINDS_OF_AUTH):
            raise ValueError("give exactly one of: client_id and client_secret; email and api_token; access_token")
        return self


class Knowledge(Strict):
    """What is read: Help Center articles, macros (for agents only), and what past tickets are used for."""

    articles: bool = True
    macros: bool = False
    solved_tickets: Literal["off", "voice", "hints"] = "off"
    locales: tuple[str, ...] | None = Field(default=None, description="only these, as Zendesk writes them (en-us, fr); null means all")

    @field_validator("solved_tickets", mode="before")
    @classmethod
    def off_is_a_word(cls, value: object) -> object:
        return "off" if value is False else value  # YAML 1.1 reads a bare `off` as false

    @field_validator("locales")
    @classmethod
    def lower_case(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return tuple(locale.lower() for locale in value) if value else None


class Settings(ConnectorSettings):
    """One Zendesk account: `base_url` is its origin, such as https://acme.zendesk.com."""

    type: Literal["zendesk"]
    allow_plain_http: bool = False  # before base_url: its validator reads it
    base_url: str
    auth: Auth
    knowledge: Knowledge = Knowledge()
    tickets: TicketSettings | None = None

    @field_validator("base_url")
    @classmethod
    def absolute_origin(cls, value: str, checked: ValidationInfo) -> str:
        return bare_origin(value, plain=bool(checked.data.get("allow_plain_http")), example="https://acme.zendesk.com")
