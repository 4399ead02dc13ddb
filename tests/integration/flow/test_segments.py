"""What only some customers may read: not one word of it for anybody else, and the whole of it for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlmodel import Session

from bot.answer.approved import Letter, plan_approved, send_approved
from bot.answer.flow import Flow, answer, preview
from bot.answer.prompt import ask
from bot.answer.readers import WITHHELD
from bot.answer.retrieve import Found, search
from bot.answer.triage import Triage
from bot.answer.units import units
from bot.answer.write import Draft, Sentence, Usage
from bot.config.model import Topic
from bot.demo import DESK
from bot.deployment import Deployment
from connectors.base import Ticket, Transient
from connectors.sandbox import Sandbox
from connectors.sandbox.company import Segment
from connectors.sandbox.zendesk.records import UserRecord
from storage import outbox
from storage.outbox import State

PRO = Segment(36_000_000_000_021, "Pro", "signed_in_users", tags=("pro",))
ACME = Segment(36_000_000_000_022, "Acme", "signed_in_users", organizations=(70,))
QUESTION = "How many quandle credits does the zarnfold plan include, and when do they lapse?"
# Words that stand nowhere else: one of them in a text of anybody else is a leak.
SECRETS = {
    PRO: ("Zarnfold plan for Pro", "The zarnfold plan includes 417 quandle credits. Quandle credits lapse after 19 brimweeks."),
    ACME: ("Acme frame contract", "The contract Vostrel-9 gives 23 percent on a gorsebolt. Gorsebolts are ordered with the code JINKET."),
}
WORDS = re.compile(r"zarnfold|quandle|brimweek|417|19 brim|vostrel|gorsebolt|jinket|23 percent", re.IGNORECASE)


@pytest.fixture(scope="module")
def sandbox(clock: Any) -> Iterator[Sandbox]:
    with Sandbox(export_delay=0, now=clock.now) as running:
        for segment, (title, text) in SECRETS.items():
            running.guide.segments[segment.id] = segment
            running.guide.create(title, f"<p>{text}</p>", segment_id=segment.id)
        yield running


@pytest.fixture
def loose(flow: Flow) -> Flow:
    """A flow that may reply on the one topic that every ticket here has."""
    topic = Topic(name="plans", about="plans", deliver="reply", max_wrong="off")
    rules = replace(flow.rules, topics=(topic,), ceiling="reply")
    return replace(flow, triage=lambda t: replace(flow.triage(t), topic=topic.name, skip=None, human_wanted=False), rules=rules)


def customer(sandbox: Sandbox, *tags: str, **more: Any) -> UserRecord:
    user = sandbox.desk.add_user("Ida Wells", "ida@wells.example")
    user.tags = list(tags)
    for name, value in more.items():
        setattr(user, name, value)
    return user


def asked(flow: Flow, sandbox: Sandbox, user: UserRecord, text: str = QUESTION, **more: Any) -> Ticket:
    found = flow.desk.ticket(str(sandbox.desk.create_ticket("A question", text, requester_id=user.id, channel="email", **more).id))
    assert found is not None
    return found


def copied(flow: Flow, sandbox: Sandbox) -> Ticket:
    ticket = asked(flow, sandbox, customer(sandbox, "pro"))
    sandbox.desk.copy_to(int(ticket.id), sandbox.desk.any_customer())
    found = flow.desk.ticket(ticket.id)
    assert found is not None
    return found


def joined(flow: Flow, sandbox: Sandbox) -> Ticket:
    """Another customer wrote on the ticket too."""
    ticket = asked(flow, sandbox, customer(sandbox, "pro"))
    sandbox.desk.comment(int(ticket.id), QUESTION, author_id=sandbox.desk.any_customer())
    found = flow.desk.ticket(ticket.id)
    assert found is not None
    return found


def chatting(flow: Flow, sandbox: Sandbox) -> Ticket:
    user = customer(sandbox, "pro")
    found = flow.desk.ticket(str(sandbox.desk.create_ticket("Chat", QUESTION, requester_id=user.id, channel="native_messaging").id))
    assert found is not None
    return found


OUTSIDERS: dict[str, Callable[[Flow, Sandbox], Ticket]] = {
    "a customer in no segment": lambda flow, sandbox: asked(flow, sandbox, customer(sandbox)),
    "one in another segment": lambda flow, sandbox: asked(flow, sandbox, customer(sandbox, organization_id=70)),
    "one whose address nobody confirmed": lambda flow, sandbox: asked(flow, sandbox, customer(sandbox, "pro", verified=False)),
    "one who is suspended": lambda flow, sandbox: asked(flow, sandbox, customer(sandbox, "pro", suspended=True)),
    "one whose colleagues may open the ticket": lambda flow, sandbox: asked(flow, sandbox, customer(sandbox, "pro", organization_id=71)),
    "a copy to somebody else": copied,
    "two customers on one ticket": joined,
    "a visitor who chats": chatting,
}


@dataclass
class Obedient:
    """A writer that repeats everything it was shown or could reach, and cites it."""

    shown: list[str] = field(default_factory=list)

    def write(self, ticket: Ticket, read: Triage, found: Found) -> Draft | None:
        self.shown += [message["content"] for message in ask(ticket, read, (*found.public, *found.internal)).messages]
        passages = (*found.public, *found.internal)
        said = [
            Sentence(unit.text, (marker,), "statement") for marker, passage in enumerate(passages, start=1) for unit in units(passage.text)
        ]
        return Draft(tuple(said), passages, Usage(), True, confidence=1.0)


def written(sandbox: Sandbox, ticket: Ticket) -> str:
    """Every public comment of ours as the customer gets it."""
    rows = sandbox.desk.tickets[int(ticket.id)].comments
    return " ".join(comment.html for comment in rows if comment.public and comment.author_id == sandbox.desk.bot_id)


def leaked(record: dict[str, Any]) -> list[str]:
    """Words of a segment in what a customer could come to see, but those that the customer used."""
    cited = [citation["passage"] + citation["title"] for citation in record["citations"] if citation["audience"] != "internal"]
    told = [sentence["text"] for sentence in record["sentences"] if sentence["supported"]]
    own = {word.lower() for word in WORDS.findall(QUESTION)}
    found = WORDS.findall(" ".join([record["body_text"], record["body_html"], *told, *cited]))
    return [word for word in found if word.lower() not in own]


@pytest.mark.parametrize("outsider", OUTSIDERS)
def test_nobody_outside_a_segment_gets_one_word_of_it(loose: Flow, sandbox: Sandbox, outsider: str) -> None:
    for flow in (loose, replace(loose, writer=(writer := Obedient()))):
        ticket = OUTSIDERS[outsider](flow, sandbox)
        record = answer(flow, ticket)
        assert not leaked(record)
        assert not WORDS.search(written(sandbox, ticket))
        assert not [citation for citation in record["citations"] if citation["audience"] == "segment"]
    for prompt in writer.shown:
        assert "brimweek" not in prompt
        assert "417" not in prompt


@pytest.mark.parametrize("answer_of_the_vendor", [{"status": 404}, {"status": 403}, {"status": 500}])
def test_a_vendor_that_does_not_tell_segments_opens_none(loose: Flow, sandbox: Sandbox, answer_of_the_vendor: dict[str, Any]) -> None:
    ticket = asked(loose, sandbox, customer(sandbox, "pro"))
    for path in ("/api/v2/help_center/users/*", "/api/v2/users/4*"):
        sandbox.faults.add("status", path, times=9, **answer_of_the_vendor)
        record = preview(loose, ticket)
        sandbox.faults.clear()
        assert not leaked(record)
        assert [step for step in record["policy"] if step.startswith("audience: everybody (")]


def test_a_requester_in_the_segment_is_answered_from_it(loose: Flow, sandbox: Sandbox) -> None:
    ticket = asked(loose, sandbox, customer(sandbox, "pro"))
    record = answer(loose, ticket)
    assert (record["decision"], record["posted"]["public"]) == ("reply", True)
    assert "417 quandle credits" in written(sandbox, ticket)
    assert [(c["audience"], c["segments"]) for c in record["citations"]] == [("segment", [f"zendesk:help:segment:{PRO.id}"])]
    assert record["policy"][-1] == f"audience: everybody, zendesk:help:segment:{PRO.id}"
    assert not [hint for hint in record["internal_hints"] if "Zarnfold" in hint["title"]], "a source, and no hint"


def test_a_note_says_that_a_source_is_not_for_everybody(flow: Flow, sandbox: Sandbox) -> None:
    ticket = asked(flow, sandbox, customer(sandbox, "pro"))
    record = answer(flow, ticket)
    assert record["decision"] == "note"
    note = sandbox.desk.tickets[int(ticket.id)].comments[-1]
    assert not note.public
    assert "Zarnfold plan for Pro</a> (not for everybody; this requester may read it)" in note.html


def test_an_agent_gets_the_hint_where_the_requester_is_outside(flow: Flow, sandbox: Sandbox) -> None:
    record = preview(flow, asked(flow, sandbox, customer(sandbox)))
    assert "Zarnfold plan for Pro" in [hint["title"] for hint in record["internal_hints"]]


def test_who_left_the_segment_gets_nothing_at_the_next_ticket(loose: Flow, sandbox: Sandbox) -> None:
    user = customer(sandbox, "pro")
    assert leaked(preview(loose, asked(loose, sandbox, user)))
    user.tags = []
    assert not leaked(preview(loose, asked(loose, sandbox, user)))


def test_an_article_that_went_to_another_segment_is_closed_after_the_next_sync(
    loose: Flow, sandbox: Sandbox, deployment: Deployment
) -> None:
    made = sandbox.guide.create("Kestrelmoor", "<p>The kestrelmoor discount is 61 florins.</p>", segment_id=PRO.id)
    insider, other = customer(sandbox, "pro"), customer(sandbox, organization_id=70)

    def told(user: UserRecord) -> bool:
        return "61 florins" in preview(loose, asked(loose, sandbox, user, "How high is the kestrelmoor discount?"))["body_text"]

    assert deployment.sync(DESK).error is None
    assert (told(insider), told(other)) == (True, False)
    sandbox.guide.restrict(made.id, ACME.id)
    assert deployment.sync(DESK).error is None
    assert (told(insider), told(other)) == (False, True)
    sandbox.guide.archive(made.id)


def test_search_without_a_customer_knows_no_segments(deployment: Deployment) -> None:
    assert not [one for one in search(QUESTION, deployment.index, audience="public", k=20) if WORDS.search(one.text)]
    found = {one.title: one.audience for one in search(QUESTION, deployment.index, audience="internal", k=5)}
    assert found["Zarnfold plan for Pro"] == "internal"


@pytest.mark.parametrize("change", ["copy", "left"])
def test_a_reply_that_its_readers_may_no_longer_see_is_not_sent(loose: Flow, sandbox: Sandbox, change: str) -> None:
    user = customer(sandbox, "pro")
    ticket = asked(loose, sandbox, user)
    sandbox.faults.add("lost_request", f"/api/v2/tickets/{ticket.id}*", method="PUT")  # the reply is decided, and did not get through
    with pytest.raises(Transient):
        answer(loose, ticket)
    if change == "copy":
        sandbox.desk.copy_to(int(ticket.id), sandbox.desk.any_customer())
    else:
        user.tags = []
    record = answer(loose, ticket)
    assert (record["decision"], record["reason"]) == ("skip", WITHHELD)
    assert not written(sandbox, ticket)


def test_an_approved_reply_that_its_readers_may_no_longer_see_is_not_sent(flow: Flow, sandbox: Sandbox) -> None:
    user = customer(sandbox, "pro")
    ticket = asked(flow, sandbox, user)
    record = answer(flow, ticket)
    with Session(flow.engine) as session, session.begin():
        draft = outbox.draft(session, record["draft_id"])
        assert draft is not None
        effect = plan_approved(session, draft, Letter("417 credits.", "<p>417 credits.</p>", True), "ada", flow.now())
    assert effect is not None
    user.tags = []
    settled = send_approved(flow, effect.key)
    assert settled is not None
    assert (settled.state, settled.reason) == (State.CANCELLED, WITHHELD)
    assert not written(sandbox, ticket)
