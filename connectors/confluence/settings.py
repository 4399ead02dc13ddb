"""Confluence's block of the configuration file."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from connectors.base import Audience
from connectors.origin import bare_origin
from connectors.settings import ConnectorSettings, Secret, Strict, TextOrReference


class Auth(Strict):
    """Either an account's address and API token (Cloud), or a personal access token (Data Center) or OAuth token."""

    email: TextOrReference | None = Field(default=None, description="the account's address, with api_token", examples=["bot@acme.example"])
    api_token: Secret | None = Field(default=None, description="the account's API token", examples=["env:CONFLUENCE_API_TOKEN"])
    token: Secret | None = Field(default=None, description="a personal access token, alone", examples=["env:CONFLUENCE_TOKEN"])

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.token and (self.email or self.api_token):
            raise ValueError("two ways to sign in; keep email and api_token, or token")
        if self.token or (self.email and self.api_token):
            return self
        if self.email or self.api_token:
            lacking = "api_token" if self.email else "email"
            raise PydanticCustomError("missing_pair", "missing; email and api_token go together", {"at": (lacking,)})
        raise ValueError("no way to sign in; write email and api_token, or token")


class Knowledge(Strict):
    """Which spaces are learnt, and who may read them."""

    spaces: tuple[str, ...] = Field(min_length=1, description="space keys", examples=[["KB", "ENG"]])
    audience: dict[str, Audience] = Field(default={}, description="by space; one not named is internal", examples=[{"KB": "public"}])

    internal_labels: tuple[str, ...] = Field(
        default=(), description="pages with one of these labels are for agents only, whatever their space says", examples=[["staff-only"]]
    )

    @model_validator(mode="after")
    def _named_spaces(self) -> Self:
        for key in self.audience:
            if key not in self.spaces:
                sentence = "this space is not among spaces; add it there, or remove it here"
                raise PydanticCustomError("unknown_space", sentence, {"at": ("audience", key)})
        return self


class Settings(ConnectorSettings):
    """A Confluence site."""

    type: Literal["confluence"]
    allow_plain_http: bool = Field(default=False, description="allow an http:// address that is not on this machine")  # base_url reads it
    base_url: str = Field(min_length=1, description="the site's address", examples=["https://acme.atlassian.net/wiki"])
    flavour: Literal["cloud", "datacenter"] = Field(default="cloud", description="which Confluence it is", examples=["cloud"])
    auth: Auth = Field(description="how the bot signs in", examples=[{"token": "env:CONFLUENCE_TOKEN"}])
    knowledge: Knowledge = Field(description="what is learnt", examples=[{"spaces": ["KB"], "audience": {"KB": "public"}}])

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str, checked: ValidationInfo) -> str:
        return address(value.strip(), plain=bool(checked.data.get("allow_plain_http")))


def address(value: str, *, plain: bool) -> str:
    """`value` as scheme://host[:port][/path] without a slash at the end; Atlassian's own hosts get their /wiki.

    Raises ValueError with a sentence for the operator.
    """
    parts = re.fullmatch(r"([^/?#]*//[^/?#]*)([^?#]*)(.*)", value, re.DOTALL)
    origin = bare_origin(parts[1] if parts else value, plain=plain, example="https://acme.atlassian.net")
    path = parts[2].rstrip("/") if parts else ""
    if (parts and parts[3]) or not re.fullmatch(r"(/[\w.~-]+)*", path) or "/." in path:
        raise ValueError("only the site's address with its context path, such as https://acme.atlassian.net/wiki, without a query")
    return f"{origin}{path or ('/wiki' if origin.endswith('.atlassian.net') else '')}"
