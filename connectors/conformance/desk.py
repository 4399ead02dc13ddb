"""Rules of writing back: a reply stands once, a person wins, a delivery is believed only when it is genuine."""

# mypy: disable-error-code="type-abstract"
from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.base import Cursor, Helpdesk, Outdated, Refused, Rejected, Reply, Ticket, Transient, Webhook
from connectors.conformance.play import QUIET, Play, stored
from connectors.conformance.stage import Delivers, Desk

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
OTHER_KEY = "ffeeddccbbaa99887766554433221100"
HTML = "<p>The valve closes by itself.</p>"
NOTE, PUBLIC = Reply(HTML, public=False), Reply(HTML, public=True)
LATER = 30.0  # seconds between two people: no vendor tells shorter times apart


class Desks:
    """Skipped for connectors that are no helpdesk."""

    def test_a_ticket_is_read_with_what_the_customer_wrote(self, play: Play) -> None:
        desk, number = _ticket(play)
        ticket = _read(play, number)
        assert ticket.status in ("new", "open")
        said = [comment for comment in ticket.comments if "Does the valve close" in comment.text]
        assert [(comment.author, comment.public) for comment in said] == [("customer", True)], f"read were {ticket.comments}"
        desk.agent_replies(number, "An agent answers this.")
        play.stage.advance(LATER)
        answered = [comment for comment in _read(play, number).comments if "An agent answers" in comment.text]
        assert [comment.author for comment in answered] == ["agent"], "an agent's answer is an agent's"

    def test_what_moved_is_told_from_every_cursor(self, play: Play) -> None:
        desk, number = _ticket(play)
        source = play.capable(Helpdesk)
        play.stage.advance(QUIET)
        told, cursors = _poll(source, None, play)
        assert number in told, f"the waiting ticket {number} was not told, but {sorted(told)}"
        play.stage.advance(QUIET)
        _, later = _poll(play.capable(Helpdesk), cursors[-1], play)
        play.stage.advance(LATER)
        desk.customer_writes(number, "Is anybody there?")
        second = desk.open_ticket("One more question.")
        play.stage.advance(QUIET)
        for cursor in [*cursors, *later]:
            seen, _ = _poll(play.capable(Helpdesk), cursor, play)
            assert {number, second} <= seen, f"from {cursor} only {sorted(seen)} were told; {number} and {second} moved"

    def test_a_reply_stands_once_when_the_answer_to_its_post_is_lost(self, play: Play) -> None:
        for reply in (NOTE, PUBLIC):
            desk, number = _ticket(play)
            version = _read(play, number).version
            desk.lose_next_write()
            with pytest.raises(Transient):
                play.capable(Helpdesk).post_reply(number, reply, KEY, version)
            play.stage.advance(QUIET)
            found = play.capable(Helpdesk).find_reply(number, KEY)
            assert found is not None, "the reply stands at the vendor, and find_reply does not find it: it would be posted again"
            _stands(desk, number, reply, times=1)

    def test_a_reply_that_never_arrived_is_not_found_and_may_be_posted_again(self, play: Play) -> None:
        desk, number = _ticket(play)
        version = _read(play, number).version
        desk.lose_next_write(before=True)
        with pytest.raises(Transient):
            play.capable(Helpdesk).post_reply(number, NOTE, KEY, version)
        play.stage.advance(QUIET)
        source = play.capable(Helpdesk)
        assert source.find_reply(number, KEY) is None, "nothing stands at the vendor, and find_reply found it: the reply would be lost"
        source.post_reply(number, NOTE, KEY, _read(play, number).version)
        _stands(desk, number, NOTE, times=1)

    def test_a_reply_is_found_by_its_own_key_only(self, play: Play) -> None:
        _, number = _ticket(play)
        source = play.capable(Helpdesk)
        assert source.find_reply(number, KEY) is None
        made = source.post_reply(number, NOTE, KEY, _read(play, number).version)
        play.stage.advance(QUIET)
        found = play.capable(Helpdesk).find_reply(number, KEY)
        assert made.id
        assert found is not None
        assert play.capable(Helpdesk).find_reply(number, OTHER_KEY) is None, "another reply's key finds nothing"

    def test_a_note_stays_private_and_a_reply_is_public(self, play: Play) -> None:
        for reply in (NOTE, PUBLIC):
            desk, number = _ticket(play)
            play.capable(Helpdesk).post_reply(number, reply, KEY, _read(play, number).version)
            _stands(desk, number, reply, times=1)

    def test_what_we_wrote_reads_back_as_our_own(self, play: Play) -> None:
        _, number = _ticket(play)
        play.capable(Helpdesk).post_reply(number, NOTE, KEY, _read(play, number).version)
        play.stage.advance(QUIET)
        ours = [comment for comment in _read(play, number).comments if "closes by itself" in comment.text]
        assert [(comment.author, comment.public) for comment in ours] == [("bot", False)], f"read back as {ours}"

    def test_nothing_is_written_when_somebody_was_faster(self, play: Play) -> None:
        people: list[tuple[str, Callable[[Desk, str], None]]] = [
            ("an agent replied", lambda desk, number: desk.agent_replies(number, "I take this one.")),
            ("the customer wrote", lambda desk, number: desk.customer_writes(number, "Never mind.")),
        ]
        for what, happens in people:
            desk, number = _ticket(play)
            version = _read(play, number).version
            play.stage.advance(LATER)
            happens(desk, number)
            play.stage.advance(LATER)
            with pytest.raises(Outdated):
                play.capable(Helpdesk).post_reply(number, PUBLIC, KEY, version)
            assert not desk.answers(number), f"{what}, and the reply was posted all the same"

    def test_a_deleted_ticket_is_none_and_takes_no_reply(self, play: Play) -> None:
        desk, number = _ticket(play)
        version = _read(play, number).version
        play.stage.advance(LATER)
        desk.delete_ticket(number)
        play.stage.advance(LATER)
        assert play.capable(Helpdesk).ticket(number) is None
        with pytest.raises((Refused, Outdated)):
            play.capable(Helpdesk).post_reply(number, NOTE, KEY, version)

    def test_tags_are_added_and_replace_none(self, play: Play) -> None:
        desk, number = _ticket(play)
        desk.tag(number, "by-an-agent")
        for _ in range(2):
            play.capable(Helpdesk).add_tags(number, ("draftdesk-draft",))
        assert {"by-an-agent", "draftdesk-draft"} <= desk.tags(number), f"the ticket's tags are {desk.tags(number)}"

    def test_a_genuine_delivery_names_its_ticket_and_a_repeat_is_told(self, play: Play) -> None:
        vendor, number = _delivers(play)
        source = play.capable(Webhook)
        headers, body = vendor.delivery(number)
        event = source.verify(headers, body, play.stage.now())
        assert event.ticket_id == number, f"the delivery is about ticket {number}, read was {event.ticket_id}"
        again = play.capable(Webhook).verify(headers, body, play.stage.now() + timedelta(seconds=20))
        assert event.delivery_id, "a delivery has an id"
        assert again.delivery_id == event.delivery_id, "a repeat of a delivery has the same delivery_id"

    def test_a_forged_delivery_is_rejected(self, play: Play) -> None:
        vendor, number = _delivers(play)
        source = play.capable(Webhook)
        headers, body = vendor.delivery(number, forged=True)
        genuine, _ = vendor.delivery(number)
        bare = {name: value for name, value in genuine.items() if name.lower() in ("content-type", "user-agent")}
        for what, sent in (("a wrong secret", headers), ("no secret", bare), ("no header at all", {})):
            with pytest.raises(Rejected):
                pytest.fail(f"a delivery with {what} was taken: {source.verify(sent, body, play.stage.now())}")

    def test_an_old_or_altered_delivery_is_rejected(self, play: Play) -> None:
        vendor, number = _delivers(play)
        if not vendor.dated:
            pytest.skip("this vendor signs neither the time nor the body")
        source = play.capable(Webhook)
        headers, body = vendor.delivery(number, age=900)
        with pytest.raises(Rejected):
            pytest.fail(f"a delivery of 15 minutes ago was taken: {source.verify(headers, body, play.stage.now())}")
        headers, body = vendor.delivery(number)
        with pytest.raises(Rejected):
            pytest.fail(f"an altered delivery was taken: {source.verify(headers, body + b' ', play.stage.now())}")

    def test_a_delivery_of_nonsense_is_no_crash(self, play: Play) -> None:
        vendor, number = _delivers(play)
        source = play.capable(Webhook)
        headers, _ = vendor.delivery(number)
        for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"ticket_id": {"x": 1}}', b"null", json.dumps({"id": ["a"]}).encode()):
            try:
                source.verify(headers, body, play.stage.now())
            except Rejected:
                continue


def _ticket(play: Play) -> tuple[Desk, str]:
    """A fresh waiting ticket."""
    desk = play.able(Desk)
    play.capable(Helpdesk)
    number = desk.open_ticket("Does the valve close by itself?")
    play.stage.advance(LATER)
    return desk, number


def _read(play: Play, number: str) -> Ticket:
    ticket = play.capable(Helpdesk).ticket(number)
    assert ticket is not None, f"ticket {number} is there and was read as deleted"
    return ticket


def _poll(source: Helpdesk, cursor: Cursor | None, play: Play) -> tuple[set[str], list[Cursor]]:
    """Ticket ids told up to the caught-up page, and every cursor given."""
    told, cursors = set[str](), list[Cursor]()
    for page in source.tickets(cursor, play.stage.now() - timedelta(days=1)):
        told.update(ref.id for ref in page.tickets)
        cursors.append(stored(page.cursor))
        if page.caught_up:
            return told, cursors
    raise AssertionError("the tickets ended without a page that is caught up")


def _stands(desk: Desk, number: str, reply: Reply, *, times: int) -> None:
    posted = [answer for answer in desk.answers(number) if "closes by itself" in answer.html]
    assert len(posted) == times, f"the reply stands {len(posted)} times"
    assert all(answer.public == reply.public for answer in posted), f"public was to be {reply.public}; posted were {posted}"


def _delivers(play: Play) -> tuple[Delivers, str]:
    vendor = play.able(Delivers)
    play.capable(Webhook)
    return vendor, play.able(Desk).open_ticket("Does the valve close by itself?")
