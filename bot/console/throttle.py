"""How often somebody may guess a password. Counted in the audit log: it holds across restarts, and for all processes together."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlmodel import Session

from storage import audit

REFUSED = "sign-in refused"
GUESSES, WITHIN = 10, timedelta(minutes=15)


def is_throttled(s: Session, address: str, now: datetime) -> bool:
    return audit.count(s, REFUSED, place(address), now - WITHIN) >= GUESSES


def place(address: str) -> str:
    """Whose guesses count together: an IPv4 address, or the network of 64 bits that one household or server has."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(ip_network(f"{known}/64", strict=False))
    return str(known)
