"""What of a past ticket the bot may see, and what is only measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.answer.retrieve import Passage
from bot.simulate.past import Past, Unfit, look_back
from bot.simulate.sample import withhold
from bot.simulate.window import DeliveryCutOff, Nowhere, Window
from connectors.base import Author, Comment, Helpdesk, Reply, Ticket
from storage.embedding import local_embedder

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = MONDAY + timedelta(days=100)


def said(author: Author, text: str, hours: float, public: bool = True) -> Comment:
    return Comment(f"c{hours}", f"{author}-1", author, public, text, MONDAY + timedelta(hours=hours))


ASKED = said("customer", "How long is the warranty of the hub?", 0)
ANSWERED = said("agent", "Hi Ana,\n\nThree years from the invoice date.\n\nDry floors,\nMira at Tidewell", 3)


def ticket(*comments: Comment) -> Ticket:
    last = comments[-1].created_at if comments else MONDAY
    tags = ("solved_by_warranty_macro", "no-bot")
    return Ticket("7", "Warranty", "closed", "v9", "u1", "ana@example.org", "Ana Lima", comments, tags, "", MONDAY, last)


def past(*comments: Comment) -> Past:
    found = look_back(ticket(*comments), ("no-bot",), NOW)
    assert isinstance(found, Past)
    return found


def test_nothing_that_came_after_the_first_message_is_seen() -> None:
    note = said("agent", "It is three years, see the warranty page", 1, public=False)
    found = past(ASKED, note, said("customer", "Hello?", 2), ANSWERED)
    assert found.asked.comments == (ASKED,)
    assert found.asked.status == "new"
    assert found.asked.updated_at == found.as_of == ASKED.created_at


def test_tags_that_an_agent_may_have_set_are_not_seen_but_an_opt_out_is_heeded() -> None:
    assert past(ASKED, ANSWERED).asked.tags == ("no-bot",)


def test_the_agents_answer_is_measured_without_its_closing() -> None:
    assert past(ASKED, ANSWERED).answer == "Hi Ana,\n\nThree years from the invoice date."


@pytest.mark.parametrize(
    ("comments", "reason"),
    [
        ((ASKED,), "no agent answered in public"),
        ((ANSWERED, replace(ASKED, created_at=MONDAY + timedelta(hours=9))), "the team wrote first"),
        ((said("agent", "a note", 1, public=False),), "no customer wrote in public"),
    ],
)
def test_from_some_tickets_nothing_is_learnt(comments: tuple[Comment, ...], reason: str) -> None:
    assert look_back(ticket(*comments), (), NOW) == Unfit(reason)


@pytest.mark.parametrize(
    ("comments", "durable"),
    [
        ((ASKED, ANSWERED), True),
        ((ASKED, ANSWERED, said("customer", "Thanks a lot!", 5)), True),
        ((ASKED, ANSWERED, said("customer", "That is not what I asked: does it cover the valve?", 30)), False),
        ((ASKED, ANSWERED, said("customer", "A new question: how do I add a sensor?", 24 * 9)), True),
    ],
    ids=["silence", "thanks", "came back", "came back later"],
)
def test_a_resolution_is_durable_when_the_customer_does_not_come_back_within_a_week(comments: tuple[Comment, ...], durable: bool) -> None:
    assert past(*comments).durable is durable


def test_whether_it_is_durable_is_not_told_too_early_or_of_an_open_ticket() -> None:
    soon = look_back(ticket(ASKED, ANSWERED), (), MONDAY + timedelta(days=2))
    still_open = look_back(replace(ticket(ASKED, ANSWERED), status="open"), (), NOW)
    assert isinstance(soon, Past)
    assert isinstance(still_open, Past)
    assert soon.durable is still_open.durable is None


def passage(document: str, text: str) -> Passage:
    return Passage(document, "Warranty", "", "internal", "en", None, (), text, 0.5, 0.5, "v")


def test_the_ticket_itself_and_tickets_that_ask_the_same_are_withheld() -> None:
    is_withheld = withhold(past(ASKED, ANSWERED).asked, local_embedder())
    assert is_withheld(passage("zendesk:help:ticket:7", "whatever it says"))
    assert is_withheld(passage("zendesk:help:ticket:8", "How long is the warranty of the hub?"))
    assert not is_withheld(passage("zendesk:help:ticket:9", "The parcel with my curtains never arrived in Lyon."))
    assert not is_withheld(passage("zendesk:help:article:7", "How long is the warranty of the hub?"))


def test_a_window_has_no_way_to_write() -> None:
    window = Window(Nowhere())
    assert not isinstance(window, Helpdesk)
    assert {name for name in dir(window) if not name.startswith("_")} == {"ticket", "tickets"}


def test_behind_a_simulations_flow_there_is_no_vendor() -> None:
    nowhere: Helpdesk = Nowhere()
    for call in (
        lambda: nowhere.post_reply("7", Reply("<p>x</p>", True), "key", "v"),
        lambda: nowhere.add_tags("7", ("x",)),
        lambda: nowhere.find_reply("7", "key"),
    ):
        with pytest.raises(DeliveryCutOff):
            call()
