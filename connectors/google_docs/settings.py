"""Google Docs' block of the configuration file."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from connectors.base import Audience
from connectors.settings import ConnectorSettings, Secret, Strict


class Auth(Strict):
    """A service account, for itself or, with domain-wide delegation, in a person's name."""

    service_account: Secret = Field(description="the key file (JSON)", examples=["file:/run/secrets/google.json"])
    subject: str | None = Field(default=None, description="the person it acts for", examples=["bot@acme.example"])


class Endpoints(Strict):
    """Google's addresses; change them for a proxy or the sandbox only."""

    token: str = Field(default="https://oauth2.googleapis.com/token", description="where tokens are had")
    drive: str = Field(default="https://www.googleapis.com/drive/v3", description="the Drive API")
    docs: str = Field(default="https://docs.googleapis.com/v1", description="the Docs API")


class Knowledge(Strict):
    """Which folders and shared drives are learnt, with all that is in them, and who may read it."""

    folders: tuple[str, ...] = Field(default=(), description="folder ids, as in their addresses", examples=[["1AbCdEfGh"]])
    shared_drives: tuple[str, ...] = Field(default=(), description="shared drive ids", examples=[["0AbCdEfGh"]])
    audience: Audience = Field(default="internal", description="who may read these documents", examples=["internal"])

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.folders and not self.shared_drives:
            raise ValueError("nothing to learn from; name at least one id under folders or shared_drives")
        return self


class Settings(ConnectorSettings):
    """Google Docs in folders and shared drives."""

    type: Literal["google_docs"]
    auth: Auth = Field(description="how the bot signs in", examples=[{"service_account": "file:/run/secrets/google.json"}])
    endpoints: Endpoints = Endpoints()
    allow_plain_http: bool = Field(default=False, description="allow http:// endpoints that are not on this machine")
    knowledge: Knowledge = Field(description="what is learnt", examples=[{"folders": ["1AbCdEfGh"]}])
