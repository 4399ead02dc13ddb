"""What a command asks for, done by this process, or by the running one that has the index open.

The running process listens on a Unix socket in the data folder that only its own user may open, so no other sign-in is needed.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from bot.intake import Progress
from bot.sync import Outcome
from connectors.base import ConfigProblem
from storage.vectors import IndexHeld

if TYPE_CHECKING:
    from bot.config import Config
    from bot.deployment import Deployment
    from connectors.base import Audience

SOCKET = "draftdesk.sock"
CONNECT_WITHIN = 5.0  # seconds
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Drafted:
    """`left`: why the ticket was left as it was, where that is what happened."""

    record: dict[str, Any]
    left: str | None = None


class Errands(Protocol):
    def search(self, query: str, k: int, audience: Audience | None, as_of: datetime | None) -> list[dict[str, Any]]: ...
    def draft(self, name: str, ticket_id: str, *, post: bool) -> Drafted | None: ...  # None: no such ticket
    def sync(self, name: str, *, full: bool, confirm_removals: bool, progress: Callable[[Progress], None]) -> Outcome: ...
    def forget(self, address: str) -> dict[str, Any]: ...
    def export(self, address: str) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Own:
    """Done here."""

    deployment: Deployment
    ready: Callable[[], Mapping[str, str]] = dict  # each part of the running process, `ok` or what is wrong with it

    def search(self, query: str, k: int, audience: Audience | None, as_of: datetime | None) -> list[dict[str, Any]]:
        from bot.answer.retrieve import search
        from bot.report import describe_results

        return describe_results(search(query, self.deployment.index, audience=audience, k=k, as_of=as_of))

    def draft(self, name: str, ticket_id: str, *, post: bool) -> Drafted | None:
        from bot.answer.flow import Postponed, answer, preview

        flow = self.deployment.flow(name)
        ticket = flow.desk.ticket(ticket_id)
        if ticket is None:
            return None
        try:
            record = answer(flow, ticket) if post else preview(flow, ticket)
        except Postponed as postponed:
            return Drafted(postponed.record, postponed.record["reason"])
        delivery = record.get("delivery") or {}
        return Drafted(record, delivery["reason"] if delivery.get("state") == "refused" else None)

    def sync(self, name: str, *, full: bool, confirm_removals: bool, progress: Callable[[Progress], None]) -> Outcome:
        return self.deployment.sync(name, full=full, confirm_removals=confirm_removals, progress=progress)

    def forget(self, address: str) -> dict[str, Any]:
        from bot.forgetting import forget

        return asdict(forget(self.deployment, address))

    def export(self, address: str) -> dict[str, Any]:
        from bot.forgetting import export

        return export(self.deployment, address)


@dataclass(frozen=True, slots=True)
class Borrowed:
    """Done by the running process; each call raises ConfigProblem with its sentence when it cannot."""

    path: Path

    def search(self, query: str, k: int, audience: Audience | None, as_of: datetime | None) -> list[dict[str, Any]]:
        moment = as_of.isoformat() if as_of else None
        found: list[dict[str, Any]] = self.ask("/search", {"query": query, "k": k, "audience": audience, "as_of": moment})
        return found

    def draft(self, name: str, ticket_id: str, *, post: bool) -> Drafted | None:
        drafted = self.ask("/draft", {"name": name, "ticket_id": ticket_id, "post": post})
        return Drafted(**drafted) if drafted else None

    def sync(self, name: str, *, full: bool, confirm_removals: bool, progress: Callable[[Progress], None]) -> Outcome:
        """Without progress: it comes when it is done."""
        from pydantic import TypeAdapter

        return TypeAdapter(Outcome).validate_python(self.ask("/sync", {"name": name, "full": full, "confirm_removals": confirm_removals}))

    def forget(self, address: str) -> dict[str, Any]:
        done: dict[str, Any] = self.ask("/forget", {"address": address})
        return done

    def export(self, address: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("/export", {"address": address})
        return found

    def ask(self, errand: str, asked: dict[str, Any]) -> Any:
        connection = _UnixConnection(self.path)
        try:
            connection.request("POST", errand, json.dumps(asked), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise ConfigProblem(f"{self.path}: the running draftdesk did not answer ({type(problem).__name__}); see its log") from None
        finally:
            connection.close()
        if answer.status != 200:
            raise ConfigProblem(str(body.get("problem", "the running draftdesk refused; see its log")))
        return body["done"]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CONNECT_WITHIN)
        self.sock.connect(str(self._path))
        self.sock.settimeout(None)  # a sync may take hours


@contextmanager
def errands(config: Config) -> Iterator[Errands]:
    """For one command. Raises ConfigProblem, also when the index is held by a process that does not listen."""
    from bot.deployment import open_deployment

    try:
        deployment = open_deployment(config)
    except IndexHeld:
        path = config.data_dir / SOCKET
        if not path.is_socket():
            raise
        yield Borrowed(path)
        return
    try:
        yield Own(deployment)
    finally:
        deployment.close()


def ask_ready(folder: Path) -> dict[str, str]:
    """How the running process says it is. Raises ConfigProblem: none runs here, or it does not answer."""
    path = folder / SOCKET
    if not path.is_socket():
        raise ConfigProblem(f"{path}: no draftdesk runs here")
    parts: dict[str, str] = Borrowed(path).ask("/ready", {})
    return parts


def open_door(folder: Path) -> socket.socket | None:
    """The socket that the other commands of this machine knock at; one that a dead process left is replaced.

    None where there can be none (a path of more than about 100 bytes): the commands then say that the index is taken.
    """
    path = folder / SOCKET
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        door.bind(str(path))
    except OSError as problem:
        door.close()
        log.warning("search, draft and sync cannot reach this process", socket=str(path), reason=problem.strerror or str(problem))
        return None
    finally:
        os.umask(mask)
    door.listen(16)
    return door


def answer_errand(own: Own, errand: str, asked: dict[str, Any]) -> Any:
    """What `Borrowed` asked for, as JSON values."""
    if errand == "search":
        moment = datetime.fromisoformat(asked["as_of"]) if asked["as_of"] else None
        return own.search(asked["query"], asked["k"], asked["audience"], moment)
    if errand == "draft":
        drafted = own.draft(asked["name"], asked["ticket_id"], post=asked["post"])
        return drafted and asdict(drafted)
    if errand == "ready":
        return dict(own.ready())
    if errand == "forget":
        return own.forget(asked["address"])
    if errand == "export":
        return own.export(asked["address"])
    outcome = own.sync(asked["name"], full=asked["full"], confirm_removals=asked["confirm_removals"], progress=lambda _: None)
    return asdict(outcome)
