"""`draftdesk forget`: a person is erased from everything that is held here, and `draftdesk export`: all of it, as one document.

Whose tickets are whose is known by a digest kept with each. What was written before there was one is looked up at the helpdesk once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlmodel import Session

from bot.deployment import Deployment
from bot.intake import Job, mend
from bot.leftovers import concerned, erase_files
from bot.shelving import recalled
from bot.sync import rebuild
from bot.workflows import erase_workflows, sweep_workflows, workflow_url
from connectors.base import ConfigProblem, Helpdesk, RateLimited, Transient
from storage import forgetting
from storage.database import reading
from storage.forgetting import Struck
from storage.requesters import requester_key
from storage.shelf import Shelf
from storage.tables import Row

NOBODY, GONE = "nobody", "gone"  # instead of a requester's key: no address is known; the helpdesk has no such ticket any more
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went. `documents` named the address and would name it again when the source still does; `left` could not be cleared."""

    tickets: int
    rows: int
    struck: int  # rows of others from which the address was struck out
    workflows: int
    documents: tuple[str, ...]
    files: tuple[str, ...]
    unsure: int  # tickets of which the helpdesk could not say whose they are
    left: tuple[str, ...]


def forget(deployment: Deployment, address: str) -> Forgotten:
    """Erase this requester. Safe to repeat; what a crash left of it, the next call clears."""
    address, key, engine = address.strip(), _key(address), deployment.engine
    with Session(engine) as session, session.begin():
        forgetting.forget(session, key, deployment.now())
    tickets, unsure = find_tickets(deployment, address, key)
    workflows = erase_workflows(workflow_url(deployment.config.database_url(), deployment.config.data_dir), tickets)
    rows = 0
    for ticket in sorted(tickets):
        with Session(engine) as session, session.begin():
            rows += forgetting.erase_ticket(session, ticket, deployment.now())
    with Session(engine) as session, session.begin():
        struck = forgetting.strike(session, address)
    _write_anew(deployment, struck)
    files = erase_files(deployment.config.data_dir, tickets, address)
    forgetting.sweep(engine)
    sweep_workflows(workflow_url(deployment.config.database_url(), deployment.config.data_dir))
    log.info("forgotten", tickets=len(tickets), rows=rows, workflows=workflows, files=len(files))
    return Forgotten(
        tickets=len(tickets),
        rows=rows,
        struck=sum(struck.rows.values()),
        workflows=workflows,
        documents=tuple(struck.versions),
        files=tuple(files),
        unsure=len(unsure),
        left=_left(deployment, address),
    )


def export(deployment: Deployment, address: str) -> dict[str, Any]:
    """All that is held of this requester: every row of their tickets, and every other row and file that names the address."""
    address, key = address.strip(), _key(address)
    tickets, unsure = find_tickets(deployment, address, key)
    rows: dict[str, list[dict[str, Any]]] = {}
    with Session(reading(deployment.engine)) as session:
        for ticket in sorted(tickets):
            for name, row in forgetting.rows_of(session, ticket):
                rows.setdefault(name, []).append(row)
        for one, row in forgetting.naming(session, address):
            if (row.get("connector"), row.get("ticket_id")) not in tickets:
                rows.setdefault(one.name, []).append(row)
    document = {
        "requester": address,
        "tickets": [{"connector": connector, "id": id} for connector, id in sorted(tickets)],
        "unsure": [{"connector": connector, "id": id} for connector, id in sorted(unsure)],
        "rows": rows,
        "files": [str(path.relative_to(deployment.config.data_dir)) for path in concerned(deployment.config.data_dir, tickets, address)],
    }
    plain: dict[str, Any] = json.loads(json.dumps(document, default=str, ensure_ascii=False))
    return plain


def find_tickets(deployment: Deployment, address: str, key: str) -> tuple[set[forgetting.Ticket], set[forgetting.Ticket]]:
    """This requester's, and those of which nobody can say whose they are and that do not name the address either."""
    with Session(reading(deployment.engine)) as session:
        tickets = forgetting.tickets_of(session, key)
        unknown = forgetting.unattributed(session)
        named = forgetting.unattributed(session, address) if unknown else set()
    unsure: set[forgetting.Ticket] = set()
    for ticket in sorted(unknown):
        try:
            whose = _whose(deployment, ticket)
        except (ConfigProblem, RateLimited, Transient):
            (tickets if ticket in named else unsure).add(ticket)
            continue
        if whose in (key, GONE) or (whose == NOBODY and ticket in named):
            tickets.add(ticket)
        else:
            with Session(deployment.engine) as session, session.begin():
                forgetting.attribute(session, ticket, whose)
    return tickets, unsure


def _key(address: str) -> str:
    key = requester_key(address)
    if key is None or "@" not in address:
        raise ConfigProblem("--requester: write the person's e-mail address, such as ada@example.org")
    return key


def _whose(deployment: Deployment, ticket: forgetting.Ticket) -> str:
    """The requester's key, asked of the helpdesk; or NOBODY, or GONE. A ticket that the helpdesk no longer has may be anybody's."""
    connection = deployment.connection(ticket[0])
    desk = connection.desk or connection.source
    if not isinstance(desk, Helpdesk):
        raise ConfigProblem(f"{ticket[0]} is no helpdesk")
    read = desk.ticket(ticket[1])
    return GONE if read is None else requester_key(read.requester_email) or NOBODY


def _write_anew(deployment: Deployment, struck: Struck) -> None:
    """Passages of documents that named the address are written as they read now; the embedded index leaves no bytes of the former."""
    if not struck.versions:
        return
    vectors = deployment.index.vectors
    for name, keys in struck.by_connector().items():
        with vectors.writing(name):
            vectors.mark(name, whole=False)
            vectors.remove_versions(keys)
            mend(Job(name, deployment.engine, vectors, deployment.index.embedder, deployment.now, lambda _: None))
    if isinstance(vectors, Shelf):
        engine = deployment.engine
        vectors.renew(lambda made, embedder: rebuild(engine, made, recalled(embedder, engine)), deployment.connections.keys)


def _left(deployment: Deployment, address: str) -> tuple[str, ...]:
    """Where the address still stands: keys and names, which cannot be struck out."""
    left: list[str] = []
    with Session(reading(deployment.engine)) as session:
        for one in Row.metadata.sorted_tables:
            left += [f"{one.name}: {count}" for count in _counted(forgetting.keys_naming(session, one, address))]
    return tuple(left)


def _counted(found: Iterable[str]) -> list[int]:
    count = len(list(found))
    return [count] if count else []
