"""Google Docs' block of the configuration file."""

from __future__ import annotations

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from connectors.base import Audience, ConfigProblem
from connectors.origin import parse_origin
from connectors.settings import ConnectorSettings, Secret, Strict

_FOLDER_ADDRESS = re.compile(r"https://drive\.google\.com/drive/(?:u/\d+/)?folders/([\w-]+)(?:[/?#].*)?", re.ASCII)


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

    @field_validator("folders", "shared_drives")
    @classmethod
    def ids(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        """An address copied from the browser is as good as the id in it."""
        found = tuple(dict.fromkeys(_FOLDER_ADDRESS.sub(r"\1", value.strip()) for value in values))
        wrong = [value for value in found if not re.fullmatch(r"[\w-]+", value, re.ASCII)]
        if wrong:
            raise ValueError(f"{wrong[0][:60]!r} is not an id; it is the part after /folders/ in the folder's address")
        return found

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

    @field_validator("endpoints")
    @classmethod
    def addresses(cls, value: Endpoints) -> Endpoints:
        return Endpoints(**{name: _address(name, getattr(value, name)) for name in Endpoints.model_fields})

    def unprotected(self) -> str | None:
        """An endpoint to which the credentials would go in the clear, though nobody allowed that."""
        origins = (parse_origin(getattr(self.endpoints, name)) for name in Endpoints.model_fields)
        plain = (str(origin) for origin in origins if origin.scheme == "http" and not origin.loopback)
        return None if self.allow_plain_http else next(plain, None)


def _address(name: str, value: str) -> str:
    """Scheme, host and path, without a slash at the end. Raises ValueError with a sentence for the operator."""
    try:
        origin = parse_origin(value.strip())
    except ConfigProblem as problem:
        raise ValueError(f"{name}: {problem}") from None
    parts = urlsplit(value.strip())
    if parts.query or parts.fragment:
        raise ValueError(f"{name}: an address without a query, such as {Endpoints.model_fields[name].default}")
    return f"{origin}{parts.path.rstrip('/')}"
