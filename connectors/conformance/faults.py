"""Rules of the wire: whatever goes wrong on the way, nothing is lost, and nobody else is spoken to."""

# mypy: disable-error-code="type-abstract"
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connectors.base import ConfigProblem, CursorExpired, Listing, RateLimited, Transient
from connectors.conformance.play import Play, Shelf, differences, pages
from connectors.sandbox.server import Server
from connectors.sandbox.site import Site
from connectors.sandbox.wire import Request, Response

DEEPEST = 14  # requests of one reading that are struck one after another
FAULTS: dict[str, dict[str, Any]] = {
    "500 once": {"kind": "status", "status": 500},
    "503 for good": {"kind": "status", "status": 503, "times": None},
    "429 once": {"kind": "status", "status": 429, "retry_after": "2"},
    "HTML": {"kind": "html"},
    "HTML for good": {"kind": "html", "times": None},
    "truncated": {"kind": "truncated"},
    "truncated for good": {"kind": "truncated", "times": None},
    "no answer": {"kind": "lost_response"},
    "an empty page in the middle": {"kind": "empty_page"},
    "the same page twice": {"kind": "duplicate_page"},
    "a next-link to another host": {"kind": "foreign_link"},
    "a redirect to another host": {"kind": "redirect"},
}
LEADS_AWAY = ("foreign_link", "redirect")
EXPECTED = (ConfigProblem, RateLimited, Transient)
every_fault = pytest.mark.parametrize("fault", FAULTS)


class Faults:
    """Skipped for connectors that make no requests."""

    @every_fault
    def test_a_first_load_survives(self, play: Play, fault: str) -> None:
        play.create(12)
        saw = _strike_each(play, fault, Shelf())
        assert not saw, f"somebody else was asked: {saw}"

    @every_fault
    def test_a_catch_up_survives(self, play: Play, fault: str) -> None:
        ids = play.create(12)
        shelf = play.load()
        play.stage.advance(3600)
        for id in ids[:4]:
            play.edit(id)
        play.stage.delete(ids[5])
        play.create(3)
        play.stage.advance(600)
        saw = _strike_each(play, fault, shelf)
        assert not saw, f"somebody else was asked: {saw}"

    @every_fault
    def test_a_listing_is_complete_or_an_exception(self, play: Play, fault: str) -> None:
        site = _site(play)
        play.capable(Listing)
        play.create(12)
        play.stage.advance(600)
        truth = set(play.stage.truth())

        def list_all() -> None:
            listed = set(play.capable(Listing).list_ids())
            assert listed == truth, f"a faulty listing named {len(listed)} of {len(truth)} documents and raised nothing"

        for strike in range(_count(play, list_all)):
            with _fault(site, fault, strike):
                try:
                    list_all()
                except EXPECTED:
                    continue

    def test_credentials_are_for_the_configured_address_only(self, play: Play) -> None:
        site = _site(play)
        play.create(3)
        play.load()
        assert play.origins <= {site.url}, f"clients were asked for {sorted(play.origins)}; configured is {site.url}"

    def test_a_vendor_that_is_down_is_no_bug(self, play: Play) -> None:
        site = _site(play)
        play.create(3)
        shelf = play.load()
        for details in ({"status": 500}, {"status": 502}, {"status": 503, "retry_after": "5"}):
            site.faults.add("status", times=None, **details)
            for cursor in (None, shelf.cursor):
                with pytest.raises((Transient, RateLimited)):
                    list(pages(play.connect(), cursor))
            site.faults.clear()

    def test_too_many_calls_are_not_answered_with_more(self, play: Play) -> None:
        site = _site(play)
        play.create(3)
        site.faults.add("status", status=429, retry_after="900", times=None)
        before = play.requests
        with pytest.raises(RateLimited) as told:
            list(pages(play.connect(), None))
        site.faults.clear()
        assert told.value.retry_after >= 800, f"the vendor asks for 900 seconds, the connector for {told.value.retry_after}"
        assert play.requests - before <= 2, f"{play.requests - before} requests, each answered 429: it must stop at the first"

    def test_a_delay_that_the_vendor_asks_for_is_kept(self, play: Play) -> None:
        site = _site(play)
        play.create(3)
        began = play.stage.now()
        site.faults.add("status", status=429, retry_after="20")
        shelf = Shelf()
        try:
            for page in pages(play.connect(), None):
                shelf.apply(page)
        except RateLimited:
            return
        assert (play.stage.now() - began).total_seconds() >= 20, "the vendor asked for 20 seconds"
        play.agrees(shelf, "after one 429")

    def test_a_wrong_credential_costs_one_request_and_one_sentence(self, play: Play) -> None:
        _site(play)
        play.create(2)
        calls: list[tuple[str, Callable[[Any], object]]] = [
            ("check", lambda source: source.check()),
            ("pull", lambda source: list(source.pull(None))),
        ]
        for name, call in calls:
            source = play.stage.connect(play.http, wrong_credential=True)
            before = play.requests
            with pytest.raises(ConfigProblem) as told:
                call(source)
            assert play.requests - before <= 1, f"{name} with a wrong credential made {play.requests - before} requests"
            assert len(str(told.value)) > 20, f"{name} says too little to an operator: {told.value}"


def _strike_each(play: Play, fault: str, start: Shelf) -> list[str]:
    """A reading from `start`, once for each of its requests with the fault at it; then an undisturbed turn must end in what is true.

    Returns what a server at another address was asked meanwhile: nothing, if all is well.
    """
    site = _site(play)

    def read(shelf: Shelf) -> None:
        for page in pages(play.connect(), shelf.cursor):
            shelf.apply(page)

    for strike in range(_count(play, lambda: read(start.copy()))):
        shelf = start.copy()
        with _elsewhere() as (host, asked):
            with _fault(site, fault, strike, host):
                try:
                    read(shelf)
                except EXPECTED:
                    pass
                except CursorExpired:
                    assert shelf.cursor is not None, "pull(None) has no cursor to expire"
            if asked:
                return asked
        _turn_after(play, shelf, f"{fault} at request {strike + 1}")
    return []


def _turn_after(play: Play, shelf: Shelf, what: str) -> None:
    play.turn(shelf)
    found = differences(shelf, play.stage.truth())
    assert not found, f"after {what} and an undisturbed turn: " + "; ".join(found[:6])


def _site(play: Play) -> Site:
    if play.stage.site is None:
        pytest.skip("it makes no requests")
    return play.stage.site


def _count(play: Play, call: Callable[[], None]) -> int:
    before = play.requests
    call()
    return min(DEEPEST, play.requests - before)


@contextmanager
def _fault(site: Site, name: str, skip: int, host: str = "elsewhere.example") -> Iterator[None]:
    details = dict(FAULTS[name])
    kind = details.pop("kind")
    site.faults.add(kind, skip=skip, host=host, **details)
    try:
        yield
    finally:
        site.faults.clear()


@contextmanager
def _elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Somebody else's server: its host and port, and what it was asked."""
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(f"{request.method} {request.path}" + (" with credentials" if "authorization" in request.headers else ""))
        return Response(200, {})

    server = Server(0, answer)
    try:
        yield server.url.removeprefix("http://"), asked
    finally:
        server.close()
