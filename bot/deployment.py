"""One configuration, opened: database, index, connectors, writer. What the commands and the worker are given."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Engine

from bot.answer.conduct import Conduct
from bot.answer.decide import Rules
from bot.answer.flow import Flow
from bot.answer.pseudonyms import Mask, PseudonymousWriter
from bot.answer.retrieve import Index
from bot.answer.triage import triage
from bot.answer.voice import Voice
from bot.answer.write import Writer, compose
from bot.config import Config
from bot.intake import Progress
from bot.shelving import move, open_shelf, prune, written_by
from bot.simulate.standing import standing
from bot.spending import Budget, Purse
from bot.sync import Outcome, sync, unnamed
from bot.turnstile import Turnstile
from connectors import registry
from connectors.base import ConfigProblem, Helpdesk, Source, Webhook
from connectors.http import Answer, Authorize, HttpClient, HttpFactory
from connectors.origin import parse_origin
from connectors.quota import Allowance
from connectors.settings import ConnectorSettings, Secret, Strict, TicketSettings
from connectors.timing import seconds
from storage.database import open_database
from storage.embedding import LOCAL, Embedder
from storage.quota import Accounts
from storage.shelf import Shelf
from storage.slots import Slots

if TYPE_CHECKING:
    from bot.answer.topics import TopicFinder

log = structlog.get_logger()

LONG_SILENCE = 5.0  # seconds
HASTE = 0.25  # seconds that a vendor's call waits for a database that is locked


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connector, ready, and the HTTP clients it was given (for counting its requests)."""

    settings: ConnectorSettings
    source: Source
    clients: list[HttpClient]
    lock: threading.Lock  # one sync of a connector at a time
    desk: Helpdesk | None = None  # the same helpdesk, whose calls go ahead of any sync's

    def requests(self) -> int:
        return sum(client.requests for client in self.clients)

    @property
    def tickets(self) -> TicketSettings | None:
        """How its tickets are treated; None when it has none or they are not wanted."""
        settings: TicketSettings | None = getattr(self.settings, "tickets", None)
        return settings if isinstance(self.source, Helpdesk) else None


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything a command may need. Close it when done: the index belongs to one process at a time."""

    config: Config
    engine: Engine
    index: Index
    connections: Mapping[str, Connection]
    problems: Mapping[str, ConfigProblem]  # connectors that could not be made ready; the others work all the same
    accounts: Accounts  # whose calls the connectors make
    now: Callable[[], datetime] = utc_now
    shelf: Shelf | None = None  # the index again, where it can move to another embedder

    def connection(self, name: str) -> Connection:
        """Raises ConfigProblem: why the connector could not be made ready, or which connectors there are."""
        self.config.connector(name)
        if name in self.problems:
            raise self.problems[name]
        return self.connections[name]

    def sync(
        self,
        name: str,
        *,
        full: bool = False,
        confirm_removals: bool = False,
        apart: bool = False,
        part: str | None = None,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> Outcome:
        """Bring one connector's knowledge up to date; what goes wrong at the vendor is in the outcome. `apart`, `part`: see `bot.sync`."""
        if name in self.problems:
            return Outcome(name, 0, 0, 0, 0, 0, 0, 0, 0.0, False, unnamed(name, str(self.problems[name])))
        connection = self.connection(name)
        with connection.lock:
            outcome = sync(
                name,
                connection.source,
                self.engine,
                self.index.vectors,
                written_by(self.shelf, self.engine) if self.shelf else self.index.embedder,
                full=full,
                confirm_removals=confirm_removals,
                apart=apart,
                part=part,
                now=self.now,
                progress=progress,
                requests=connection.requests,
            )
        if self.shelf is None:
            return outcome
        prune(self.shelf, self.engine)
        remark = move(self.shelf, self.config, self.engine, progress)
        return replace(outcome, notes=(*outcome.notes, remark)) if remark else outcome

    def flow(self, name: str) -> Flow:
        """A ticket's way for one helpdesk. Raises ConfigProblem when the connector has no tickets."""
        connection = self.connection(name)
        desk = connection.desk or connection.source
        if connection.tickets is None or not isinstance(desk, Helpdesk):
            raise ConfigProblem(f"{name} answers no tickets: add a `tickets:` block to this connector, or name another one")
        policy, budget = self.config.policy, self.config.budget
        caps = Budget(budget.usd_per_day, budget.usd_per_ticket) if budget else Budget()
        return Flow(
            connector=name,
            desk=desk,
            engine=self.engine,
            index=self.index,
            writer=build_writer(self.config, self.index.embedder, Purse(self.engine, caps, name, self.now)),
            triage=partial(
                triage,
                languages=self.config.languages,
                opt_out_tags=policy.opt_out_tags,
                topics=policy.topics,
                patterns=self.config.triage.entities,
                mask=build_mask(self.config),
                finder=build_finder(self.config, self.engine, self.index.embedder, Purse(self.engine, caps, name, self.now)),
            ),
            rules=Rules(
                policy.topics,
                policy.default,
                connection.tickets.deliver,
                policy.max_replies_per_ticket,
                bounds=standing(self.config, self.engine, name),
                at_risk=policy.at_risk,
                hours=policy.hours,
                max_replies_per_day=policy.max_replies_per_day,
                agent_active=timedelta(seconds=seconds(policy.agent_active)),
            ),
            allowed_links=policy.allowed_links,
            opt_out_tags=policy.opt_out_tags,
            now=self.now,
            voice=build_voice(self.config, Purse(self.engine, caps, name, self.now)),
            conduct=build_conduct(self.config, connection.tickets),
            mask=build_mask(self.config),
        )

    def webhooks(self) -> dict[str, Webhook]:
        return {
            name: connection.source
            for name, connection in self.connections.items()
            if isinstance(connection.source, Webhook) and connection.tickets and connection.tickets.webhook_secret
        }

    def close(self) -> None:
        self.index.vectors.close()
        self.accounts.close()
        self.engine.dispose()


def open_deployment(config: Config, index: Callable[[Config, Engine], Index] | None = None) -> Deployment:
    """Open what `config` names; `index` opens another index than the one that live tickets are answered from.

    Raises ConfigProblem: a reference that leads nowhere, a folder or an index that cannot be had.
    """
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        reason = f"cannot be created ({problem.strerror}); correct data_dir or its permissions"
        raise ConfigProblem(f"data_dir {config.data_dir}: {reason}") from None
    engine = open_database(config.database_url(), folder=config.data_dir)
    shelf: Shelf | None = None
    if index is None:
        shelf = open_shelf(config, engine)
        opened = Index(engine, shelf, shelf)
    else:
        opened = index(config, engine)
    hasty = open_database(config.database_url(), folder=config.data_dir, patience=HASTE) if engine.dialect.name == "sqlite" else engine
    accounts = Accounts(hasty)
    connections, problems = {}, {}
    for settings in config.connectors:
        try:
            connections[settings.name] = connect(settings, accounts)
        except ConfigProblem as problem:
            problems[settings.name] = problem
    return Deployment(config, engine, opened, connections, problems, accounts, shelf=shelf)


def connect(settings: ConnectorSettings, allowances: Callable[[str], Allowance] | None = None) -> Connection:
    """A connector with HTTP clients of its own; `allowances` gives an account's quota that other processes share. Raises ConfigProblem.

    Where it answers tickets it is made twice: what a ticket needs goes ahead of what a sync reads, whoever wrote the connector.
    """
    clients: list[HttpClient] = []
    source = registry.connect(settings, _clients(settings, allowances, clients, urgent=False))
    desk = None
    if getattr(settings, "tickets", None) is not None and isinstance(source, Helpdesk):
        desk = registry.connect(settings, _clients(settings, allowances, [], urgent=True))
    return Connection(settings, source, clients, threading.Lock(), desk if isinstance(desk, Helpdesk) else None)


def _clients(
    settings: ConnectorSettings, allowances: Callable[[str], Allowance] | None, made: list[HttpClient], *, urgent: bool
) -> HttpFactory:
    """Makes clients on the account's quota, and keeps them in `made`."""

    def http(
        origin: str,
        authorize: Authorize | None = None,
        *,
        renew: Callable[[], bool] | None = None,
        limited: Callable[[Answer], bool] = lambda _: False,
    ) -> HttpClient:
        allowance = allowances(account(origin, settings)) if allowances else None
        client = HttpClient(
            origin,
            authorize,
            renew=renew,
            limited=limited,
            sleep=partial(wait, settings.name),
            share=settings.quota_share,
            allowance=allowance,
            urgent=urgent,
        )
        made.append(client)
        return client

    return http


def wait(connector: str, seconds: float) -> None:
    """Sleeps; a silence that somebody might wonder about is told."""
    if seconds >= LONG_SILENCE:
        log.info("waiting until more calls are in order", connector=connector, seconds=round(seconds))
    time.sleep(seconds)


def account(origin: str, settings: ConnectorSettings) -> str:
    """Whose quota a call to `origin` uses: a digest of the origin and the credential, costly to guess a credential from."""
    place = str(parse_origin(origin))
    words = "\n".join(_words(getattr(settings, "auth", None)))
    return hashlib.scrypt(words.encode(), salt=place.encode(), n=2**12, r=8, p=1, dklen=16).hex()


def _words(block: object) -> list[str]:
    """What an auth block says, its references followed; a reference that leads nowhere stands for itself."""
    if isinstance(block, Strict):
        return [f"{name}={word}" for name in type(block).model_fields for word in _words(getattr(block, name))]
    if isinstance(block, Secret):
        try:
            return [block.reveal()]
        except ConfigProblem:
            return [block.reference]
    return [] if block is None else [str(block)]


def build_finder(config: Config, engine: Engine, embedder: Embedder, purse: Purse) -> TopicFinder:
    """Topics by their neighbours, and by the writer's model where that is wanted."""
    from bot.answer.topic_model import TopicAsker
    from bot.answer.topics import TopicFinder
    from bot.lessons import Lessons

    topics = config.policy.topics
    asks = config.triage.model and config.writer.provider == "openai"
    asker = TopicAsker(config.writer, purse) if asks else None
    return TopicFinder(topics, embedder, Lessons(engine, embedder, [topic.name for topic in topics]), asker)


def build_mask(config: Config) -> Mask | None:
    """What hides personal data from models, where that is wanted."""
    if not config.privacy.pseudonymise:
        return None
    return Mask(tuple(pattern for pattern in config.triage.entities if pattern.personal))


def build_conduct(config: Config, tickets: TicketSettings) -> Conduct:
    """The operator's manners, as they apply to one helpdesk."""
    return Conduct(
        status=None if tickets.after_reply == "open" else tickets.after_reply,
        tags=config.triage.tags,
        fields={str(told): name for told, name in (tickets.fields or config.triage.fields).items()},
        bot_line=config.wording.bot_line,
        handoff={str(reason): texts for reason, texts in config.wording.handoff.items()},
        main=config.languages[0],
    )


def build_writer(config: Config, embedder: Embedder, purse: Purse) -> Writer:
    """The configured writer, with its fallback behind it."""
    from bot.answer.extractive import ExtractiveWriter

    extractive = ExtractiveWriter(embedder.embed, scored=embedder.name == LOCAL)
    if config.writer.provider == "extractive":
        return extractive
    from bot.answer.check import check
    from bot.answer.manner import plain
    from bot.answer.model import ModelWriter
    from bot.tone.exemplars import manners

    shown = manners(config.data_dir / "voice") if config.voice.provider == "exemplars" else plain
    model: Writer = ModelWriter(config.writer, purse, manners=shown, judge=partial(check, allowed_links=config.policy.allowed_links))
    if mask := build_mask(config):
        model = PseudonymousWriter(model, mask)
    if config.writer.at_once is not None:
        model = Turnstile(model, Slots(purse.engine, f"{config.writer.base_url} {config.writer.model}", config.writer.at_once))
    return compose([model, extractive] if config.writer.fallback == "extractive" else [model])


def build_voice(config: Config, purse: Purse) -> Voice:
    """The configured voice; the team's style sheet is behind a model too. Raises ConfigProblem: a style sheet that cannot be used."""
    from bot.tone.style import read_style

    if config.voice.provider == "none":
        return Voice()
    style = read_style(config.data_dir / "voice")
    from bot.tone.training import promoted

    name = config.voice.model or promoted(purse.engine)
    if config.voice.provider == "exemplars" or name is None:
        return Voice(style)
    from bot.config.model import Writer as ModelSettings
    from bot.tone.rewriter import ModelRewriter

    voice = config.voice
    settings = ModelSettings(
        provider="openai",
        model=name,
        base_url=voice.base_url,
        api_key=voice.api_key,
        prices=voice.prices or config.writer.prices,
        allow_plain_http=voice.allow_plain_http,
    )
    return Voice(style, ModelRewriter(settings, purse))
