"""One scheme, host and port: the only place that a client's requests and credentials may go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import idna

from connectors.base import ConfigProblem

_DEFAULT_PORT = {"http": 80, "https": 443}
# Parsers disagree about these (one drops a tab, another reads a backslash as a slash), so none may decide.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


@dataclass(frozen=True, slots=True)
class Origin:
    scheme: str
    host: str  # lower case, ASCII; an IPv6 address without brackets
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _DEFAULT_PORT[self.scheme] else f":{self.port}")

    @property
    def loopback(self) -> bool:
        return _LOOPBACK.fullmatch(self.host) is not None


def parse_origin(url: str) -> Origin:
    """The origin of an absolute http(s) URL; a path is ignored. Raises ConfigProblem for anything doubtful."""
    try:
        return _origin(url)[0]
    except ValueError as problem:
        raise ConfigProblem(f"{_shown(url)} is not an address to connect to ({problem}); write https://HOST or https://HOST:PORT") from None


def bare_origin(value: str, *, plain: bool, example: str) -> str:
    """An operator's `base_url` as scheme://host[:port]. Raises ValueError with a sentence.

    `plain` allows http elsewhere than on this machine.
    """
    try:
        found = parse_origin(value.strip())
    except ConfigProblem as problem:
        raise ValueError(str(problem)) from None
    parts = urlsplit(value.strip())
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"only the origin, such as {example}, without a path or a query")
    if found.scheme == "http" and not found.loopback and not plain:
        raise ValueError("plain http would show the credentials to the network; write https, or set allow_plain_http: true beside it")
    return str(found)


def confine(target: str, origin: Origin) -> str:
    """`target` (a path beginning with one slash, or an absolute URL) as path and query on `origin`.

    Raises ConfigProblem when it leads, or might be read as leading, anywhere else. The result never holds a
    host, so a caller that puts `origin` in front of it cannot be led away, whatever a parser makes of it.
    """
    try:
        if _AMBIGUOUS.search(target):
            raise ValueError("it holds a blank, a control character or a backslash")
        if target.startswith("/") and not target.startswith("//"):
            parts = urlsplit(f"{origin}{target}")
        else:
            found, parts = _origin(target)
            if found != origin:
                raise ValueError("it is another scheme, host or port")
    except ValueError as problem:
        raise ConfigProblem(f"{origin}: refused to go to {_shown(target)} ({problem}); credentials stay with {origin}") from None
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _origin(url: str) -> tuple[Origin, SplitResult]:
    if _AMBIGUOUS.search(url):
        raise ValueError("it holds a blank, a control character or a backslash")
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORT or not parts.netloc:
        raise ValueError("only http:// and https:// addresses are used")
    if "@" in parts.netloc:
        raise ValueError("a user name or password does not belong in an address")
    host = parts.hostname or ""
    if not host or "%" in host:
        raise ValueError("it names no host")
    if not host.isascii():
        host = _ascii(host)
    port = _DEFAULT_PORT[parts.scheme] if parts.port is None else parts.port
    return Origin(parts.scheme, host, port), parts


def _ascii(host: str) -> str:
    """An international name as it goes over the wire; only its one exact spelling counts, no look-alike dots or letters."""
    try:
        encoded = idna.encode(host).decode("ascii")
        if idna.decode(encoded) == host:
            return encoded
    except idna.IDNAError:
        pass
    raise ValueError("its host is not a valid international name")


def _shown(url: str) -> str:
    """Scheme and host only: paths and queries may hold secrets, and so may whatever stands before an @."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*:)?[/\\]*([^/\\?#]*)", url)
    scheme, host = (match.group(1) or "", match.group(2)) if match else ("", "")
    name = "".join(c for c in host.rpartition("@")[2] if c.isprintable())[:80]
    return f"{scheme}//{name}" if name or scheme else "an empty address"
