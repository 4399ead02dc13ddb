"""Who comes in: by a password of the configuration, or announced by a proxy that it trusts."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from bot.config import Config
from bot.config.model import Role, SignInProxy
from bot.console.roles import Person
from bot.console.sessions import LEAST_KEY, digest, read_key
from connectors.base import ConfigProblem

SHARED = "operator"  # the name behind console.password
ANNOUNCED = "proxy"  # the proof of a session that a proxy vouches for
DECOY = "no password is like this one"


@dataclass(frozen=True, slots=True)
class Lock:
    """Somebody's way in; the password is kept out of every repr."""

    role: Role
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Door:
    key: bytes = field(repr=False)
    locks: Mapping[str, Lock]
    proxy: SignInProxy | None
    secure: bool  # cookies travel over TLS only
    origin: str | None  # of public_url

    @property
    def cookie(self) -> str:
        return "__Host-draftdesk" if self.secure else "draftdesk"

    @property
    def asks_for_a_name(self) -> bool:
        return set(self.locks) != {SHARED}

    def sign_in(self, name: str, password: str) -> tuple[Person, str] | None:
        """The person and the session's proof. As slow for a name that nobody has."""
        lock = self.locks.get(name)
        held = lock.password if lock else DECOY
        same = hmac.compare_digest(digest(self.key, "password", password), digest(self.key, "password", held))
        return (Person(name, lock.role), self.proof_of(name)) if lock and same else None

    def proof_of(self, name: str) -> str:
        lock = self.locks.get(name)
        return digest(self.key, "proof", f"{name}\0{lock.role}\0{lock.password}")[:24] if lock else ""

    def still_knows(self, person: Person, proof: str) -> bool:
        """Whether the password that opened a session is still the one that counts."""
        return person.name in self.locks and hmac.compare_digest(proof.encode(), self.proof_of(person.name).encode())

    def trusts(self, peer: str) -> bool:
        return self.proxy is not None and any(_is_in(peer, network) for network in self.proxy.trusted)

    def announced(self, header: str | None, peer: str) -> Person | None:
        """Whom a trusted proxy names; nobody, when others name them or no list has them."""
        name = (header or "").strip()
        if not name or self.proxy is None or not self.trusts(peer) or len(name) > 200 or not name.isprintable():
            return None
        lists: tuple[tuple[Role, tuple[str, ...]], ...] = (
            ("operator", self.proxy.operators),
            ("agent", self.proxy.agents),
            ("viewer", self.proxy.viewers),
        )
        return next((Person(name, role) for role, wanted in lists if any(_fits(name, one) for one in wanted)), None)


def open_door(config: Config) -> Door | None:
    """None where nobody could sign in. Raises ConfigProblem: a reference of `console` leads nowhere, or the key cannot be kept."""
    console = config.console
    if not console.is_served:
        return None
    locks = {one.name: Lock(one.role, one.password.reveal()) for one in console.people}
    if console.password is not None:
        locks[SHARED] = Lock("operator", console.password.reveal())
    key = console.session_key.reveal().encode() if console.session_key else read_key(config.data_dir)
    if len(key) < LEAST_KEY:
        raise ConfigProblem(f"console.session_key: {LEAST_KEY} characters at least; make one with: openssl rand -base64 48")
    url = console.public_url or ""
    scheme, _, rest = url.partition("://")
    return Door(key, locks, console.proxy, url.startswith("https://"), f"{scheme}://{rest.partition('/')[0]}" if url else None)


def _is_in(peer: str, network: str) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address) in ip_network(network)


def _fits(name: str, wanted: str) -> bool:
    name, wanted = name.casefold(), wanted.casefold()
    return wanted in ("*", name) or (wanted.startswith("*@") and name.endswith(wanted[1:]) and "@" not in name.removesuffix(wanted[1:]))
