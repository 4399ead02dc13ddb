"""Whom an answer reaches: the segments of a helpdesk's knowledge that everybody who reads the ticket is in. Unknown means none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from connectors.base import ConfigProblem, Helpdesk, RateLimited, Segmented, Ticket, Transient
from storage.database import reading
from storage.ledger import has_segments

WITHHELD = "the answer rests on what not everybody who reads this ticket may read now"


@dataclass(frozen=True, slots=True)
class Readers:
    """`segments`: what may be shown beside what is for everybody; `step` says how that came, for `explain`, where anybody was asked."""

    segments: frozenset[str] = frozenset()
    step: str = ""


def readers(desk: Helpdesk, engine: Engine, connector: str, ticket: Ticket) -> Readers:
    """As the helpdesk tells it now. A helpdesk that cannot be asked, or that names another system's segments, opens nothing.

    Nobody is asked where all of its knowledge is for everybody or for the team.
    """
    with Session(reading(engine)) as session:
        if not has_segments(session, connector):
            return Readers()
    if not isinstance(desk, Segmented):
        return Readers(step="audience: everybody (this helpdesk tells no segments)")
    if not ticket.sole_reader:
        return Readers(step="audience: everybody (the reply may reach others than the requester)")
    try:
        told = desk.membership(ticket)
    except (Transient, RateLimited, ConfigProblem) as trouble:
        return Readers(step=f"audience: everybody (the requester's segments are not to be had: {trouble})")
    own = frozenset(name for name in told.segments if name.split(":")[1:2] == [connector])
    why = f" ({told.why})" if told.why else ""
    return Readers(own, f"audience: everybody{''.join(f', {name}' for name in sorted(own))}{why}")


def withheld(record: Mapping[str, Any], desk: Helpdesk, ticket: Ticket) -> str | None:
    """Why a decided answer may no longer be shown to those who read the ticket now; None where it may. Raises what `membership` raises."""
    needed = [frozenset(citation["segments"]) for citation in record["citations"] if citation["audience"] == "segment"]
    if not needed:
        return None
    if not ticket.sole_reader or not isinstance(desk, Segmented):
        return WITHHELD
    own = desk.membership(ticket).segments
    return None if all(one & own for one in needed) else WITHHELD
