"""The configuration file as one frozen value. Each field is a key of the file; docs/configuration.md explains them to operators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from bot.config.conduct import Hours, Privacy, Triage, Wording
from bot.config.keeping import Retention
from bot.config.languages import language
from connectors.base import ConfigProblem
from connectors.settings import REFERENCE, ConnectorSettings, Secret, Strict
from connectors.timing import Duration

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Tag = Annotated[str, StringConstraints(pattern=r"^[^\s,]+$")]
Address = Annotated[str, StringConstraints(min_length=1)]  # its rule needs the key beside it: see checks.py
DEVICE = r"^(cpu|mps|cuda(:[0-9]+)?)$"
TOPIC_NAME = r"^[^\x00-\x1f]{1,80}$"
Language = Annotated[str, AfterValidator(language)]
Usd = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
PlainHttp = Annotated[bool, Field(description="allow an http:// address that is not on this machine")]
OPENAI = "https://api.openai.com/v1"
SAY_DATABASE = "write sqlite, postgresql://USER@HOST/DATABASE (the password in PGPASSWORD or ~/.pgpass), or env:DATABASE_URL"


def _database(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(REFERENCE, value):
        return Secret(value)
    if isinstance(value, Secret) or value == "sqlite" or (isinstance(value, str) and value.startswith("postgresql://")):
        return value
    raise PydanticCustomError("database", SAY_DATABASE)


def _bound(value: object) -> object:
    if value is None or value == "off" or (isinstance(value, float) and 0 < value < 1):
        return value
    raise PydanticCustomError("bound", "write a share of wrong replies between 0 and 1, such as 0.02, or off to waive the bound")


def _bind(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or (":" in host and not host.startswith("[")) or not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError("write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    return text


def _connector(value: object, info: ValidationInfo) -> object:
    """One connector's block, by its `type`: the registry's types, or those given as validation context."""
    if isinstance(value, ConnectorSettings):
        return value
    types: Mapping[str, type[ConnectorSettings]] = (info.context or {}).get("types") or installed_types()
    if not isinstance(value, dict):
        raise PydanticCustomError("dict_type", "")
    if "type" not in value:
        raise PydanticCustomError("connector_type", "", {"at": ("type",), "known": sorted(types), "missing": True})
    settings = types.get(value["type"]) if isinstance(value["type"], str) else None
    if settings is None:
        raise PydanticCustomError("connector_type", "", {"at": ("type",), "known": sorted(types), "missing": False})
    return settings.model_validate(value)


def installed_types() -> Mapping[str, type[ConnectorSettings]]:
    """Connector types by name: built-in ones and plug-ins."""
    from connectors.registry import settings_types

    types: Mapping[str, type[ConnectorSettings]] = settings_types()
    return types


Connector = Annotated[SerializeAsAny[ConnectorSettings], BeforeValidator(_connector)]


class Index(Strict):
    """Where vectors are kept: nothing given is the engine built in, a URL is a Qdrant server or cluster."""

    url: Address | None = Field(default=None, description="a Qdrant server", examples=["https://qdrant.acme.example:6333"])
    api_key: Secret | None = Field(default=None, description="the Qdrant server's key", examples=["env:QDRANT_KEY"])
    collection: str = Field(default="draftdesk", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="its name", examples=["draftdesk"])
    shards: int = Field(default=1, strict=True, ge=1, le=256, description="parts of a new collection in a cluster", examples=[3])
    replicas: int = Field(default=1, strict=True, ge=1, le=16, description="copies of each part", examples=[2])
    allow_plain_http: PlainHttp = False


class Embedding(Strict):
    """What turns text into vectors. Changing it re-embeds everything."""

    provider: Literal["local", "openai", "fastembed"] = Field(default="local", description="local needs no network", examples=["local"])
    model: Text | None = Field(default=None, description="the model's name", examples=["text-embedding-3-small"])
    base_url: Address = Field(default=OPENAI, description="an OpenAI-compatible server", examples=[OPENAI])
    api_key: Secret | None = Field(default=None, description="that server's key", examples=["env:OPENAI_API_KEY"])
    dimensions: int | None = Field(default=None, strict=True, ge=8, le=8192, description="numbers per vector", examples=[512])
    price: Usd | None = Field(default=None, description="USD per million tokens; counts towards the budget", examples=[0.02])
    allow_plain_http: PlainHttp = False


class Prices(Strict):
    """USD per million tokens."""

    input: Usd = Field(description="prompt tokens", examples=[0.10])
    cached: Usd | None = Field(default=None, description="prompt tokens in the server's cache; else the price of input", examples=[0.01])
    output: Usd = Field(description="completion tokens", examples=[0.50])


class Writer(Strict):
    """Who writes drafts: extractive quotes the knowledge, openai asks a model at any OpenAI-compatible endpoint."""

    provider: Literal["extractive", "openai"] = Field(default="extractive", description="extractive needs no model", examples=["openai"])
    model: Text | None = Field(default=None, description="the model's name", examples=["gpt-6-luna"])
    base_url: Address = Field(default=OPENAI, description="an OpenAI-compatible server", examples=[OPENAI])
    api_key: Secret | None = Field(default=None, description="that server's key", examples=["env:OPENAI_API_KEY"])
    timeout: Duration = Field(default="30s", description="for one call", examples=["30s"])
    at_once: int | None = Field(
        default=None, strict=True, ge=1, le=1000, description="calls at a time, over all processes; without it, no limit", examples=[8]
    )
    fallback: Literal["none", "extractive"] = Field(default="none", description="when the model cannot be had", examples=["extractive"])
    prices: Prices | None = Field(default=None, description="needed for a budget", examples=[{"input": 0.10, "output": 0.50}])
    allow_plain_http: PlainHttp = False


class Voice(Strict):
    """How drafts come to sound like the team: past replies as examples, or a model trained on them."""

    provider: Literal["none", "exemplars", "model"] = Field(default="exemplars", description="none leaves drafts as written")
    model: Text | None = Field(default=None, description="without it the promoted model", examples=["acme-voice-3"])
    base_url: Address = Field(default=OPENAI, description="an OpenAI-compatible server", examples=[OPENAI])
    api_key: Secret | None = Field(default=None, description="that server's key", examples=["env:OPENAI_API_KEY"])
    prices: Prices | None = Field(default=None, description="without them the writer's", examples=[{"input": 0.10, "output": 0.50}])
    allow_plain_http: PlainHttp = False


class OpenAITraining(Strict):
    """Training at OpenAI's fine-tuning API, or a server that speaks it."""

    provider: Literal["openai"]
    model: Text = Field(description="the base model", examples=["gpt-4.1-mini-2025-04-14"])
    base_url: Address = Field(default=OPENAI, description="the server", examples=[OPENAI])
    api_key: Secret | None = Field(default=None, description="that server's key", examples=["env:OPENAI_API_KEY"])
    allow_plain_http: PlainHttp = False


class LoraTraining(Strict):
    """Training an adapter for an open model on one's own machine."""

    provider: Literal["lora"]
    model: Path = Field(description="the base model's folder", examples=["./models/base"])
    device: str = Field(default="cpu", pattern=DEVICE, description="cpu, mps, cuda or cuda:N", examples=["cpu"])


class Topic(Strict):
    """What may be done with tickets of one kind."""

    name: Annotated[str, StringConstraints(pattern=TOPIC_NAME)] = Field(description="shown in the console", examples=["refunds"])
    about: Text = Field(description="words or a sentence that tell this topic from others", examples=["refunds, cancellations"])
    examples: tuple[Text, ...] = Field(default=(), max_length=50, description="questions of this topic, as customers ask them")
    tags: tuple[Tag, ...] = Field(default=(), description="agents' tags for it: such tickets teach the topic", examples=[["refund"]])
    deliver: Literal["reply", "note", "never"] = Field(default="note", description="the answer, a note, or nothing", examples=["note"])
    max_wrong: Annotated[float | Literal["off"] | None, BeforeValidator(_bound)] = Field(
        default=None, description="the largest share of wrong replies that is acceptable; needed for deliver: reply", examples=[0.02]
    )


class Policy(Strict):
    """What the bot may do on its own. A connector's own `deliver` is the ceiling for all topics."""

    topics: tuple[Topic, ...] = Field(default=(), description="kinds of tickets with a rule of their own")
    default: Literal["note", "never"] = Field(default="note", description="for tickets of no topic", examples=["note"])
    opt_out_tags: tuple[Tag, ...] = Field(default=("no-bot",), description="tickets with one are left alone", examples=[["no-bot"]])
    max_replies_per_ticket: int = Field(default=3, strict=True, ge=1, le=100, description="after these a person takes over", examples=[3])
    max_replies_per_day: int | None = Field(
        default=None, strict=True, ge=0, description="public replies of all helpdesks in a day (UTC); then notes", examples=[500]
    )
    hours: Hours | None = Field(default=None, description="when replies may go out by themselves; without it, always")
    agent_active: Duration = Field(default="30m", description="so long after an agent's note or answer the bot sends nothing by itself")
    at_risk: Literal["reply", "note", "handoff"] = Field(
        default="note", description="angry customers and those who come back again and again: a note for a person to send, or no draft"
    )
    allowed_links: tuple[Address, ...] = Field(
        default=(), description="addresses a reply may name without a cited passage", examples=[["https://status.acme.example"]]
    )


class Budget(Strict):
    """Where spending on models stops."""

    usd_per_day: Usd | None = Field(default=None, description="all tickets of a day (UTC)", examples=[20])
    usd_per_ticket: Usd | None = Field(default=None, description="one ticket", examples=[0.05])


def _network(text: str) -> str:
    ip_network(text)  # a ValueError says what is wrong
    return text


Role = Literal["operator", "agent", "viewer"]
Network = Annotated[str, AfterValidator(_network)]


class Colleague(Strict):
    """Somebody who signs in with a name and a password of their own."""

    name: Annotated[str, StringConstraints(pattern=r"^[^\s:/]{1,80}$")] = Field(description="to sign in, and shown", examples=["ada"])
    role: Role = Field(default="agent", description="operator: everything; agent: drafts; viewer: reading", examples=["agent"])
    password: Secret = Field(description="theirs", examples=["env:ADA_PASSWORD"])


class SignInProxy(Strict):
    """A proxy that has signed people in (OpenID Connect or the like) and names them in a header."""

    trusted: tuple[Network, ...] = Field(min_length=1, description="addresses the proxy connects from", examples=[["127.0.0.1"]])
    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")] = Field(
        default="X-Forwarded-Email", description="whose value is the person's name", examples=["X-Forwarded-Email"]
    )
    operators: tuple[Text, ...] = Field(default=(), description="names, or *@DOMAIN", examples=[["ada@acme.example"]])
    agents: tuple[Text, ...] = Field(default=(), description="names, or *@DOMAIN", examples=[["*@acme.example"]])
    viewers: tuple[Text, ...] = Field(default=(), description="names, or *@DOMAIN; whoever is in no list is refused", examples=[["*"]])


class Console(Strict):
    """The web page for operators, and the address webhooks arrive at."""

    bind: Annotated[str, AfterValidator(_bind)] = Field(default="127.0.0.1:8080", description="HOST:PORT", examples=["127.0.0.1:8080"])
    password: Secret | None = Field(default=None, description="to sign in as operator", examples=["env:DRAFTDESK_PASSWORD"])
    people: tuple[Colleague, ...] = Field(default=(), description="those who sign in with passwords of their own")
    proxy: SignInProxy | None = Field(default=None, description="a proxy that signs people in")
    session_key: Secret | None = Field(default=None, description="for several processes: one key for all", examples=["env:CONSOLE_KEY"])
    public_url: Address | None = Field(default=None, description="how others reach it", examples=["https://desk.acme.example"])
    allow_plain_http: PlainHttp = False

    @property
    def is_served(self) -> bool:
        """Only where somebody could sign in."""
        return self.password is not None or bool(self.people) or self.proxy is not None

Training = Annotated[OpenAITraining | LoraTraining, Field(discriminator="provider")]


class Config(Strict):
    """draftdesk's configuration file. Relative paths have become absolute, starting from the file's folder."""

    data_dir: Path = Field(default=Path("data"), description="what the bot keeps on disk", examples=["./data"])
    database: Annotated[str | Secret, BeforeValidator(_database)] = Field(default="sqlite", description=SAY_DATABASE, examples=["sqlite"])
    index: Index = Index()
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1, description="ISO 639-1, main one first", examples=[["en", "fr"]])
    embedding: Embedding = Embedding()
    writer: Writer = Writer()
    voice: Voice = Voice()
    training: Training | None = Field(default=None, description="how a voice is trained, for `draftdesk tone`")
    connectors: tuple[Connector, ...] = Field(min_length=1, description="the systems to learn from and answer in")
    policy: Policy = Policy()
    triage: Triage = Triage()
    privacy: Privacy = Privacy()
    wording: Wording = Wording()
    budget: Budget | None = Field(default=None, description="no budget, no limit")
    console: Console = Console()
    retention: Retention = Retention()

    def database_url(self) -> str:
        """``sqlite`` or a postgresql:// address, its reference followed. Raises ConfigProblem; never shows what the reference holds."""
        if not isinstance(self.database, Secret):
            return self.database
        url = self.database.reveal()
        if url != "sqlite" and not url.startswith("postgresql://"):
            raise ConfigProblem(f"database: {self.database.reference} holds neither sqlite nor an address that begins with postgresql://")
        return url

    def connector(self, name: str) -> Any:
        """The settings of the connector of that name. Raises ConfigProblem naming those there are."""
        for settings in self.connectors:
            if settings.name == name:
                return settings
        raise ConfigProblem(f"no connector is named {name}; the file has {', '.join(one.name for one in self.connectors)}")
