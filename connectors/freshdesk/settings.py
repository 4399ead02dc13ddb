"""Freshdesk's block of the configuration file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.settings import ConnectorSettings, Secret, Strict, TicketSettings


class Auth(Strict):
    """An agent's API key; it reads what that agent may read."""

    api_key: Secret = Field(description="an agent's API key", examples=["env:FRESHDESK_API_KEY"])


class Knowledge(Strict):
    """What is learnt from Freshdesk."""

    articles: bool = Field(default=True, description="the published solution articles", examples=[True])
    solved_tickets: Literal["off", "voice", "hints"] = Field(
        default="off", description="past answers: not read, read for the voice only, or shown to agents as hints too", examples=["voice"]
    )


class Settings(ConnectorSettings):
    """A Freshdesk account."""

    type: Literal["freshdesk"]
    base_url: str = Field(min_length=1, description="the account's address", examples=["https://acme.freshdesk.com"])
    allow_plain_http: bool = Field(default=False, description="allow an http:// address that is not on this machine")
    auth: Auth = Field(description="how the bot signs in", examples=[{"api_key": "env:FRESHDESK_API_KEY"}])
    knowledge: Knowledge = Knowledge()
    tickets: TicketSettings | None = Field(default=None, description="without this block no ticket is answered")
