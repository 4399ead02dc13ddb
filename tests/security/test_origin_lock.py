"""Credentials and requests stay with the configured origin, whatever a vendor's answer or a connector asks for."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

import connectors.wire
from connectors.base import ConfigProblem
from connectors.http import HttpClient
from connectors.origin import confine, parse_origin

ACME = "https://acme.zendesk.com"
ELSEWHERE = [
    "https://evil.example/api/v2/x",
    "http://acme.zendesk.com/api/v2/x",
    "https://acme.zendesk.com:8443/api/v2/x",
    "https://acme.zendesk.com:0/x",
    "https://acme.zendesk.com:443443/x",
    "https://acme.zendesk.com:port/x",
    "https://acme.zendesk.com.evil.example/x",
    "https://acme.zendesk.com.:443/x",
    "https://evil.zendesk.com/x",
    "https://user:pw@acme.zendesk.com/x",
    "https://acme.zendesk.com@evil.example/x",
    "https://acme.zendesk.com:443@evil.example/x",
    "https://evil.example\\@acme.zendesk.com/x",
    "https://acme.zendesk.com\\@evil.example/x",
    "https://acme.zendesk.com\\.evil.example/x",
    "https:\\\\evil.example/x",
    "/\\evil.example/x",
    "\\\\evil.example/x",
    "//evil.example/x",
    "///evil.example/x",
    "/\t/evil.example/x",
    "ht\ntps://evil.example/x",
    " https://evil.example/x",
    "https:evil.example",
    "https:/evil.example/x",
    "https:///evil.example/x",
    "evil.example/x",
    "@evil.example/x",
    "https://acme.zendesk.com%2eevil.example/x",
    "https://acme.zendesk.com%00.evil.example/x",
    "https://аcme.zendesk.com/x",  # Cyrillic a
    "https://ａcme.zendesk.com/x",  # full-width a
    "https://acme.zendesk。com/x",
    "https://xn--cme-7cd.zendesk.com/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[fe80::1%25eth0]/x",
    "https://[::1/x",
    "https://127.0.0.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "ftp://acme.zendesk.com/x",
    "gopher://acme.zendesk.com/x",
    "data:application/json,{}",
    "javascript:alert(1)",
    "ws://acme.zendesk.com/x",
    "",
    "?page=2",
    "#x",
]


class Leak(AssertionError):
    """A request got as far as the network."""


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def leak(*args: object, **kwargs: object) -> None:
        raise Leak(args)

    monkeypatch.setattr(socket, "getaddrinfo", leak)
    monkeypatch.setattr(socket.socket, "connect", leak)


def calls(http: HttpClient) -> list[Callable[[str], object]]:
    return [http.get, lambda target: http.post(target, {}), lambda target: http.put(target, {}), http.delete]


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_target_or_next_link_leaves_the_origin(target: str) -> None:
    asked: list[str] = []

    def authorize() -> dict[str, str]:
        asked.append(target)
        return {"Authorization": "Bearer geheim"}

    http = HttpClient(ACME, authorize)
    for call in calls(http):
        with pytest.raises(ConfigProblem) as caught:
            call(target)
        assert "geheim" not in str(caught.value)
        assert "pw" not in str(caught.value)
    assert http.requests == 0
    assert asked == []


@pytest.mark.usefixtures("no_network")
def test_the_guard_of_these_tests_sees_a_request_that_does_leave() -> None:
    with pytest.raises(Leak):
        HttpClient(ACME, sleep=lambda _: None).get("/x")


@pytest.fixture
def redirecting(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """The network as far as requests' adapter: what would be sent is kept, and the answer is the next redirect."""
    sent: list[tuple[str, str | None]] = []

    def send(self: object, request: requests.PreparedRequest, **kwargs: object) -> requests.Response:
        sent.append((str(request.url), request.headers.get("Authorization")))
        location = str(request.url).partition("?to=")[2]
        answer = requests.Response()
        answer.status_code = 302
        answer.headers["Location"] = unquote(location)
        answer.raw = urllib3.HTTPResponse(io.BytesIO(b""), preload_content=False)
        return answer

    monkeypatch.setattr(connectors.wire.PromptAdapter, "send", send)
    return sent


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("location", [where for where in ELSEWHERE if where[:1] not in {"", "?", "#", "e", "@"}])
def test_no_redirect_leaves_the_origin(redirecting: list[tuple[str, str | None]], location: str) -> None:
    http = HttpClient(ACME, lambda: {"Authorization": "Bearer geheim"})
    with pytest.raises(ConfigProblem, match=r"redirects to .*wrong address or expired sign-in"):
        http.get("/x", {"to": location})
    assert [urlsplit(url).netloc for url, _ in redirecting] == ["acme.zendesk.com"]


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("location", ["evil.example/x", "@evil.example/x", ".evil.example", ":80/x", "?page=2"])
def test_a_redirect_that_looks_like_a_host_is_a_path_of_the_origin(redirecting: list[tuple[str, str | None]], location: str) -> None:
    http = HttpClient(ACME, lambda: {"Authorization": "Bearer geheim"})
    with pytest.raises(ConfigProblem):
        http.get("/x", {"to": location})
    assert {urlsplit(url).netloc for url, _ in redirecting} == {"acme.zendesk.com"}


@pytest.mark.parametrize(
    ("origin", "target", "path"),
    [
        (ACME, "/api/v2/x?a=1#top", "/api/v2/x?a=1"),
        (ACME, "https://acme.zendesk.com/api/v2/x", "/api/v2/x"),
        (ACME, "HTTPS://ACME.Zendesk.COM:443", "/"),
        (ACME, "https://acme.zendesk.com:/x", "/x"),
        (ACME, "https://acme.zendesk.com?a=1", "/?a=1"),
        (ACME + "/base/path/", "/x", "/x"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/x", "/x"),
        ("http://[::1]:8080", "http://[::1]:8080/x", "/x"),
        ("https://bücher.example", "https://xn--bcher-kva.example/x", "/x"),
        ("https://xn--bcher-kva.example", "https://bücher.example/x", "/x"),
    ],
)
def test_the_origin_itself_is_reached_in_every_spelling(origin: str, target: str, path: str) -> None:
    assert confine(target, parse_origin(origin)) == path


@pytest.mark.parametrize(
    "origin", ["acme.com", "file:///x", "https://u:p@acme.example", "https://", "https://a b", "https://a:x", "https://a\\b"]
)
def test_a_doubtful_origin_is_refused_in_a_sentence(origin: str) -> None:
    with pytest.raises(ConfigProblem, match="is not an address to connect to") as caught:
        parse_origin(origin)
    assert "u:p" not in str(caught.value)


pieces = st.lists(
    st.sampled_from(
        [
            "http",
            "https",
            ":",
            "/",
            "//",
            "\\",
            "@",
            "acme.zendesk.com",
            "evil.example",
            ":443",
            "?",
            "#",
            "%2f",
            "[",
            "]",
            "::1",
            ".",
            "\t",
            " ",
            "x",
        ]
    )
    | st.text(max_size=3),
    max_size=8,
).map("".join)


@given(pieces | st.text())
def test_whatever_is_let_through_is_a_path_that_stays_behind_the_origin(target: str) -> None:
    try:
        path = confine(target, parse_origin(ACME))
    except ConfigProblem:
        return
    assert path.startswith(("/", "?"))
    prepared = requests.Request("GET", f"{ACME}{path}").prepare()
    assert urlsplit(str(prepared.url)).netloc == "acme.zendesk.com"
