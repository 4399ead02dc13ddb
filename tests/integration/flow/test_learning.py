"""What agents do with drafts is noticed, kept once, and counted by topic; what they tag teaches a topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import Session

from bot.acceptance import describe, uses
from bot.answer.flow import answer
from bot.chores import DeskChores
from bot.config import load
from bot.demo import DESK, write_config
from bot.deployment import Deployment, open_deployment
from bot.lessons import Lessons
from bot.metrics import Metrics
from connectors.sandbox import Sandbox
from storage import outcomes

QUESTION = "Which batteries do I need, can I use rechargeable ones?"
TOPICS = """
policy:
  topics:
    - {name: power, about: "batteries, charging", tags: [power, battery]}
    - {name: delivery, about: "parcels, tracking", tags: [parcel]}
"""


@pytest.fixture(scope="module")
def taught(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """As `deployment`, with topics."""
    path = write_config(tmp_path_factory.mktemp("taught"), sandbox.url)
    written = path.read_text(encoding="utf-8")
    assert "policy:" not in written
    path.write_text(written + TOPICS, encoding="utf-8")
    opened = open_deployment(load(path))
    assert opened.sync(DESK).error is None
    yield opened
    opened.close()


@pytest.fixture
def chores(taught: Deployment) -> DeskChores:
    return DeskChores(taught, {DESK: taught.flow(DESK)}, Metrics())


def agent_of(sandbox: Sandbox) -> int:
    return next(user.id for user in sandbox.desk.users.values() if user.role == "agent" and user.id != sandbox.desk.bot_id)


def drafted(chores: DeskChores, sandbox: Sandbox, text: str = QUESTION) -> tuple[int, str]:
    """A ticket with our draft in a note: its number, and the draft's text."""
    flow = chores.flows[DESK]
    ticket = flow.desk.ticket(str(sandbox.desk.create_ticket("Batteries", text).id))
    assert ticket is not None
    record = answer(flow, ticket)
    assert record["decision"] == "note", record["reason"]
    return int(ticket.id), record["body_text"]


def counts(deployment: Deployment) -> dict[str, int]:
    total = uses(deployment.engine)[0]
    return {"sent": total.as_is, "edited": total.changed, "rewritten": total.rewritten, "ignored": total.ignored}


def test_an_agents_answer_is_held_against_the_draft_once(chores: DeskChores, sandbox: Sandbox, taught: Deployment) -> None:
    before = counts(taught)
    for said, kind in (("{draft}", "sent"), ("{draft} Ask me if anything is unclear about these 2 cells.", "edited")):
        number, draft = drafted(chores, sandbox)
        assert chores.attend(DESK, str(number), "look") == 0.0
        assert counts(taught) == before, "nobody has answered yet"
        sandbox.desk.comment(number, said.format(draft=draft), author_id=agent_of(sandbox))
        for _ in range(2):
            chores.attend(DESK, str(number), "look")
        before = {**before, kind: before[kind] + 1}
        assert counts(taught) == before
    told = chores.metrics.registry.get_sample_value
    assert told("draftdesk_drafts_used_total", {"connector": DESK, "topic": "power", "outcome": "sent"}) == 1.0


def test_a_ticket_solved_without_an_answer_ignored_its_draft(chores: DeskChores, sandbox: Sandbox, taught: Deployment) -> None:
    number, _ = drafted(chores, sandbox)
    before = counts(taught)
    sandbox.desk.set_status(number, "solved")
    chores.attend(DESK, str(number), "look")
    assert counts(taught) == {**before, "ignored": before["ignored"] + 1}


def test_the_pair_is_kept_for_whoever_learns_from_it(chores: DeskChores, sandbox: Sandbox, taught: Deployment) -> None:
    number, draft = drafted(chores, sandbox)
    sandbox.desk.comment(number, "Two AAA lithium cells; no rechargeable ones, their voltage is too low.", author_id=agent_of(sandbox))
    chores.attend(DESK, str(number), "look")
    with Session(taught.engine) as session:
        [pair] = [one for one in outcomes.pairs(session, DESK) if one.ticket_id == str(number)]
    assert pair.draft == draft
    assert pair.reply.startswith("Two AAA lithium cells")


def test_acceptance_is_told_by_topic_with_its_interval(chores: DeskChores, sandbox: Sandbox, taught: Deployment) -> None:
    number, draft = drafted(chores, sandbox)
    sandbox.desk.comment(number, draft, author_id=agent_of(sandbox))
    chores.attend(DESK, str(number), "look")
    told: dict[str, Any] = describe(uses(taught.engine, DESK))
    [power] = [one for one in told["topics"] if one["topic"] == "power"]
    assert power["drafts"] >= 1
    assert power["low"] <= power["accepted"] <= power["high"]
    assert told["all"]["drafts"] == sum(one["drafts"] for one in told["topics"])
    assert describe(uses(taught.engine, "nothing-here"))["all"]["accepted"] is None


def test_solved_tickets_are_looked_at_only_where_there_is_something_to_learn(deployment: Deployment, sandbox: Sandbox) -> None:
    plain = DeskChores(deployment, {DESK: deployment.flow(DESK)}, Metrics())
    number, _ = drafted(plain, sandbox)
    other = sandbox.desk.create_ticket("Nothing of ours", "Hello?").id
    for each in (number, other):
        sandbox.desk.set_status(each, "solved")
    told: set[str] = set()
    while True:
        page = plain.moved(DESK)
        told |= set(page.tickets)
        if page.cursor:
            plain.turn(DESK, page.cursor)
        if page.caught_up:
            break
    assert str(number) in told
    assert str(other) not in told


def test_a_tag_of_an_agents_teaches_and_its_absence_unteaches(chores: DeskChores, sandbox: Sandbox, taught: Deployment) -> None:
    lessons = Lessons(taught.engine, taught.index.embedder, ["power", "delivery"])
    before = {topic: len(vectors) for topic, vectors in lessons().items()}
    number = sandbox.desk.create_ticket("Parcel", "My parcel has not come and the tracking stands still.", tags=("parcel",)).id
    chores.attend(DESK, str(number), "look")
    assert len(lessons()["delivery"]) == before.get("delivery", 0) + 1
    sandbox.desk.tickets[number].tags[:] = ["parcel", "power"]
    chores.attend(DESK, str(number), "look")
    assert len(lessons().get("delivery", ())) == before.get("delivery", 0), "two topics' tags name none"
