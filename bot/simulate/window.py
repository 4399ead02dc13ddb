"""A helpdesk that can be read and nothing else: what a simulation is given instead of the real one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NoReturn

from connectors.base import Cursor, Helpdesk, Reply, Ticket, TicketPage


class Window:
    """Reads through; has no way to write."""

    __slots__ = ("_ticket", "_tickets")

    def __init__(self, desk: Helpdesk) -> None:
        self._tickets = desk.tickets
        self._ticket = desk.ticket

    def tickets(self, cursor: Cursor | None, since: datetime) -> Iterator[TicketPage]:
        return self._tickets(cursor, since)

    def ticket(self, ticket_id: str) -> Ticket | None:
        return self._ticket(ticket_id)


class DeliveryCutOff(Exception):
    """Somebody tried to deliver in a simulation: a bug, and nothing was written."""


class Nowhere:
    """The helpdesk of a simulation's flow: behind it is no vendor, so no path through the flow ends at one."""

    def tickets(self, cursor: Cursor | None, since: datetime) -> NoReturn:
        raise DeliveryCutOff("a simulation reads tickets through its window only")

    def ticket(self, ticket_id: str) -> NoReturn:
        raise DeliveryCutOff("a simulation reads tickets through its window only")

    def find_reply(self, ticket_id: str, effect_key: str) -> NoReturn:
        raise DeliveryCutOff("a simulation delivers nothing")

    def post_reply(self, ticket_id: str, reply: Reply, effect_key: str, seen_version: str) -> NoReturn:
        raise DeliveryCutOff("a simulation delivers nothing")

    def add_tags(self, ticket_id: str, tags: tuple[str, ...]) -> NoReturn:
        raise DeliveryCutOff("a simulation delivers nothing")
