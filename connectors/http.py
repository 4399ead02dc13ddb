"""HttpClient: the one way a connector talks to its vendor.

It sends to one origin only, keeps within the vendor's budget, retries reads that may be retried and never
repeats a write. It rides on requests' adapter rather than on a Session, because a Session adds what nobody
asked for: credentials out of ~/.netrc, cookies, redirects. Proxies (HTTPS_PROXY, NO_PROXY) and a company's
certificate bundle (REQUESTS_CA_BUNDLE) are taken from the environment all the same, since without them many
offices reach nothing; neither can move a credential to another origin. Certificates are always verified.
No header and no body is logged.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import IncompleteRead
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies

from connectors.base import ConfigProblem, RateLimited, Transient
from connectors.envelope import looks_like_html, sentence, short
from connectors.origin import Origin, confine, parse_origin
from connectors.pace import HOLD, WINDOW, Pace
from connectors.quota import Allowance, retry_after
from connectors.wire import Oversize, PromptAdapter, read_body

Authorize = Callable[[], Mapping[str, str]]  # headers for the configured origin only
Params = Mapping[str, Any]
Body = Mapping[str, Any] | bytes

ATTEMPTS = 4  # of one read
REDIRECTS = 3
FIRST_BACK_OFF = 0.5  # seconds, doubling
CONNECT_TIMEOUT = 5.0  # seconds
BODY_LIMIT = 50 * 1024 * 1024  # bytes after decompression
ERROR_BODY_LIMIT = 64 * 1024  # bytes: enough for a sentence
_RETRIED = {408, 425, 429}
_MOVED = {301, 302, 303, 307, 308}
_SIGN_IN = re.compile(r"/(log[-_]?in|sign[-_]?in|sso|saml\d?|oauth2?|auth|authenticate|unauthenticated)([/.]|$)", re.IGNORECASE)
_UNSTORABLE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


class HttpError(Exception):
    """A 4xx that the caller interprets (404, 409, 422, 400 …); `json` is the body where it was JSON, `body` one masked sentence."""

    def __init__(self, where: str, status: int, body: str, parsed: Any | None) -> None:
        super().__init__(f"{where} answers {status}" + (f": {body}" if body else ""))
        self.status = status
        self.body = body
        self.json = parsed


class Denied(ConfigProblem):
    """A 401 or 403, for a caller that can tell from the body what is denied: one item, or everything; `json` is None without one."""

    def __init__(self, text: str, status: int, parsed: Any | None) -> None:
        super().__init__(text)
        self.status = status
        self.json = parsed


class Excessive(ConfigProblem):
    """An answer to a GET of more than BODY_LIMIT bytes."""


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str  # as `confine` gives it
    params: Params | None = None
    body: Body | None = None
    form: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer. Its repr shows no header, no body and no query."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    url: str = field(repr=False)
    body: bytes = field(repr=False, default=b"")

    def json(self) -> Any:
        """The body. Raises Transient, naming what came instead, when it is not one whole JSON value.

        NUL and half surrogate pairs, which no database stores, are replaced.
        """
        where = urlsplit(self.url)
        place = f"{where.scheme}://{where.netloc}{where.path}"
        if looks_like_html(self.headers.get("content-type", ""), self.body):
            raise Transient(f"{place} answers HTML instead of JSON: a wrong address, an expired sign-in or a maintenance page")
        if not self.body.strip():
            raise Transient(f"{place} answers nothing where JSON was due")
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise Transient(f"{place} answers truncated or invalid JSON ({len(self.body)} bytes)") from None
        return _storable(value) if _UNSTORABLE.search(self.body) else value


class HttpClient:
    """Requests to one origin. `target` is a path ("/api/v2/…") or an absolute URL of the same origin.

    `authorize` gives the credential headers, `renew` fetches a new token and tells whether it got one.
    `total_timeout` is seconds on the wire per call, waits not counted; waits together stay within `max_wait`
    seconds. `share` is the part of the vendor's quota used at full speed: the team works on the same quota;
    `allowance`, where given, keeps all processes together within it. Every read of an `urgent` client is urgent.
    `limited` tells an answer that means "too many calls" under another status than 429 (Google's 403 with a reason).
    """

    def __init__(
        self,
        origin: str,
        authorize: Authorize | None = None,
        *,
        renew: Callable[[], bool] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        total_timeout: float = 60.0,
        max_wait: float = 60.0,
        share: float = 0.5,
        allowance: Allowance | None = None,
        urgent: bool = False,
        limited: Callable[[Answer], bool] = lambda _: False,
    ) -> None:
        self.origin: Origin = parse_origin(origin)
        self.requests = 0
        self._authorize = authorize
        self._renew = renew
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._total_timeout = total_timeout
        self._max_wait = max_wait
        self._pace = Pace(self.origin, share, allowance, sleep=sleep, clock=clock, now=now)
        self._urgent = urgent
        self._limited = limited
        self._secrets: tuple[str, ...] = ()
        self._adapter = PromptAdapter()
        self._proxies = {} if self.origin.loopback else get_environ_proxies(str(self.origin))
        self._verify: bool | str = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True

    def get(self, target: str, params: Params | None = None, *, urgent: bool = False) -> Answer:
        """Reads, retrying what may be retried. `urgent` reads (somebody waits) are neither slowed nor held back to spare the quota.

        Raises ConfigProblem (wrong credentials or address), RateLimited, Transient or HttpError.
        """
        path = confine(target, self.origin)
        deadline = self._clock() + self._total_timeout
        waited, renew = 0.0, self._renew
        for attempt in itertools.count(1):
            deadline += self._pace.admit(path, urgent=urgent or self._urgent)
            answer = self._tried(path, params, deadline)
            if isinstance(answer, Answer) and answer.status == 401 and renew is not None:
                fresh, renew = renew(), None
                if fresh:
                    continue
            if isinstance(answer, Answer) and not self._is_busy(answer):
                return self._judged(answer, path)
            delay = self._delay(answer, attempt)
            if attempt >= ATTEMPTS or waited + delay > self._max_wait or self._clock() >= deadline:
                raise self._busy(answer, path, delay) if isinstance(answer, Answer) else answer
            self._sleep(delay)
            waited += delay
            deadline += delay
        raise AssertionError("unreachable: the loop has no other end")

    def post(self, target: str, body: Body, *, form: bool = False) -> Answer:
        """Sends once. A mapping goes as JSON, or as a form; bytes as they are. See `_write` for what it raises."""
        return self._write("POST", target, body, form)

    def put(self, target: str, body: Body) -> Answer:
        """Sends once, as `post`."""
        return self._write("PUT", target, body, form=False)

    def delete(self, target: str) -> Answer:
        """Sends once, as `post`."""
        return self._write("DELETE", target, None, form=False)

    def _write(self, method: str, target: str, body: Body | None, form: bool) -> Answer:
        """One request. RateLimited: no effect. Transient: nobody knows whether it took effect. HttpError, ConfigProblem: refused.

        Only a 401 is followed by a second request, after a renewal: a caller that was not let in has changed nothing.
        """
        path = confine(target, self.origin)
        call = _Call(method, path, body=body, form=form)
        self._pace.admit(path, urgent=True)
        answer = self._send(call, self._clock() + self._total_timeout)
        if answer.status == 401 and self._renew is not None and self._renew():
            answer = self._send(call, self._clock() + self._total_timeout)
        if self._is_busy(answer):
            raise self._busy(answer, path, retry_after(answer.headers, self._now()) or WINDOW / 2, wrote=True)
        if answer.status in _MOVED:
            raise self._astray(answer.headers.get("location", ""))
        return self._judged(answer, path)

    def _tried(self, path: str, params: Params | None, deadline: float) -> Answer | Transient:
        try:
            return self._follow(path, params, deadline)
        except Transient as fault:
            return fault

    def _follow(self, path: str, params: Params | None, deadline: float) -> Answer:
        answer = self._send(_Call("GET", path, params), deadline)
        for _ in range(REDIRECTS):
            if answer.status not in _MOVED:
                return answer
            location = answer.headers.get("location", "")
            try:
                path = confine(location if re.match(r"[\\/]{2}|[^/?#]*:", location) else urljoin(path, location), self.origin)
            except ConfigProblem:
                raise self._astray(location) from None
            if _SIGN_IN.search(urlsplit(path).path):
                raise self._astray(location)
            answer = self._send(_Call("GET", path), deadline)
        if answer.status in _MOVED:
            raise ConfigProblem(f"{self.origin} redirects more than {REDIRECTS} times in a row: check base_url")
        return answer

    def _send(self, call: _Call, deadline: float) -> Answer:
        """One request, its whole body read; any status is an Answer. Raises Transient when none comes, ConfigProblem when none can."""
        prepared = self._prepared(call)
        left = max(0.05, deadline - self._clock())
        self.requests += 1
        with self._named_faults(call):
            response = self._adapter.send(
                prepared, stream=True, timeout=(min(CONNECT_TIMEOUT, left), left), verify=self._verify, proxies=self._proxies
            )
            headers = CaseInsensitiveDict(response.headers)
            self._pace.remember(call.path, headers)
            fine = response.status_code < 300
            content = read_body(response, BODY_LIMIT if fine else ERROR_BODY_LIMIT, whole=fine)
        answer = Answer(response.status_code, headers, str(prepared.url), content)
        if self._is_full(answer):
            self._pace.hold(retry_after(headers, self._now()) or HOLD)
        return answer

    def _prepared(self, call: _Call) -> requests.PreparedRequest:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "draftdesk", **self._credentials()}
        data: Any = call.body
        if isinstance(call.body, bytes):
            headers["Content-Type"] = "application/octet-stream"
        elif call.body is not None and not call.form:
            headers["Content-Type"] = "application/json"
            data = json.dumps(dict(call.body)).encode()
        prepared = requests.Request(call.method, f"{self.origin}{call.path}", headers=headers, params=call.params, data=data).prepare()
        if not str(prepared.url).startswith((f"{self.origin}/", f"{self.origin}?")):
            raise ConfigProblem(f"{self.origin}: refused to send a request that would leave this address")
        return prepared

    def _credentials(self) -> dict[str, str]:
        headers = {name: value.strip() for name, value in (self._authorize() if self._authorize else {}).items()}
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise ConfigProblem(f"{self.origin}: the credential holds a line break or a letter that no header may hold; check it")
        self._secrets = tuple(word for value in headers.values() for word in (value, value.rpartition(" ")[2]) if word)
        return headers

    @contextmanager
    def _named_faults(self, call: _Call) -> Iterator[None]:
        """Turns the transport's exceptions, whose texts hold URLs and queries, into ours, whose texts do not."""
        where = f"{call.method} {self.origin}{urlsplit(call.path).path}"
        try:
            yield
        except _BROKEN as problem:
            raise _fault(where, problem) from None
        except Oversize as problem:
            text = f"{where}: the answer holds {problem}, which is more than is read of one page"
            raise (Excessive(text) if call.method == "GET" else Transient(text)) from None

    def _judged(self, answer: Answer, path: str) -> Answer:
        """A 2xx answer itself; anything else as the exception it means."""
        if 200 <= answer.status < 300:
            return answer
        where = f"{self.origin}{urlsplit(path).path}"
        said = self._said(answer)
        heard = f" ({said})" if said else ""
        if answer.status < 400:
            raise ConfigProblem(f"{where} answers {answer.status}, which no call of ours expects; check base_url")
        try:
            parsed = answer.json()
        except Transient:
            parsed = None
        if answer.status == 401:
            text = f"{where} answers 401, the credentials were not accepted{heard}; check the auth settings of this connector"
            raise Denied(text, 401, parsed)
        if answer.status == 403:
            text = f"{where} answers 403, the credentials do not allow this{heard}; give them the missing permission or scope"
            raise Denied(text, 403, parsed)
        raise HttpError(where, answer.status, said, parsed)

    def _busy(self, answer: Answer, path: str, delay: float, wrote: bool = False) -> RateLimited | Transient:
        """What a 408, 425, 429 or 5xx comes to when it is not tried again (now)."""
        said = self._said(answer)
        text = f"{self.origin}{urlsplit(path).path} answers {answer.status}" + (f" ({said})" if said else "")
        if self._is_full(answer) or (not wrote and delay > self._max_wait):
            return RateLimited(f"{text}; it asks us to wait {delay:.0f} s", delay)
        return Transient(text + ("; nobody knows whether the write took effect" if wrote else ""))

    def _is_full(self, answer: Answer) -> bool:
        """Whether it says that too many calls were made."""
        return answer.status == 429 or (answer.status >= 400 and self._limited(answer))

    def _is_busy(self, answer: Answer) -> bool:
        return answer.status in _RETRIED or answer.status >= 500 or self._is_full(answer)

    def _delay(self, answer: Answer | Transient, attempt: int) -> float:
        """Seconds until the next try: as the vendor asks, else doubling; longer where the limit is told without a time."""
        asked = retry_after(answer.headers, self._now()) if isinstance(answer, Answer) else None
        untimed = isinstance(answer, Answer) and answer.status != 429 and self._is_full(answer)
        return asked or (HOLD if untimed else FIRST_BACK_OFF) * 2 ** (attempt - 1)

    def _said(self, answer: Answer) -> str:
        said = sentence(answer.headers.get("content-type", ""), answer.body)
        for secret in self._secrets:
            said = said.replace(secret, "…")
        return said

    def _astray(self, location: str) -> ConfigProblem:
        """The sentence for a redirect that is not followed: its host and path, never its query."""
        match = re.match(r"(?:[A-Za-z][\w+.-]*:)?[/\\]{2}([^/\\?#]*)([^?#]*)", location)
        host, path = (match[1].rpartition("@")[2], match[2]) if match else ("", re.split(r"[?#]", location)[0])
        place = short(host if host and host != self.origin.host else path) or "nowhere"
        return ConfigProblem(f"{self.origin} redirects to {place}: wrong address or expired sign-in; check base_url and auth")


HttpFactory = Callable[..., HttpClient]  # HttpFactory(origin, authorize=None, renew=None, limited=…)


def _fault(where: str, problem: BaseException) -> Transient | ConfigProblem:
    chain: list[BaseException] = []
    seen: BaseException | None = problem
    while seen is not None and len(chain) < 12:
        chain.append(seen)
        inner = seen.args[0] if seen.args and isinstance(seen.args[0], BaseException) else getattr(seen, "reason", None)
        seen = inner if isinstance(inner, BaseException) else seen.__cause__ or seen.__context__
    for kinds, sentence_for in _FAULTS:
        if any(isinstance(fault, kinds) for fault in chain):
            return sentence_for(where)
    return Transient(f"{where}: the connection broke ({type(problem).__name__})")


# The first kind found in an exception and its causes names the fault: urllib3 calls a refused connection a time-out as well.
_FAULTS: tuple[tuple[tuple[type[BaseException], ...], Callable[[str], Transient | ConfigProblem]], ...] = (
    (
        (ssl.SSLCertVerificationError,),
        lambda where: ConfigProblem(f"{where}: the certificate is not trusted; check base_url, or name your CA in REQUESTS_CA_BUNDLE"),
    ),
    (
        (urllib3.exceptions.NameResolutionError,),
        lambda where: Transient(f"{where}: the host name was not found; check base_url and the network"),
    ),
    ((ConnectionRefusedError,), lambda where: Transient(f"{where}: connection refused; is it running, and is base_url right?")),
    ((TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError), lambda where: Transient(f"{where}: timed out")),
    ((IncompleteRead, urllib3.exceptions.DecodeError), lambda where: Transient(f"{where}: the answer is truncated")),
)


def _storable(value: Any) -> Any:
    """`value` with NUL and lone surrogates replaced in every string; as deep as the JSON parser went."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
