"""The stage says of itself what a reader of the plain API finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.conformance import stage as kinds
from connectors.sandbox.freshdesk.stage import FreshdeskStage

STAFF_KEY = "sandbox-freshdesk-key"


@pytest.fixture
def stage() -> Iterator[FreshdeskStage]:
    made = FreshdeskStage()
    yield made
    made.close()


@pytest.fixture
def read(stage: FreshdeskStage, reader: Any) -> Any:
    client = reader(stage.site.url, STAFF_KEY)

    def walked() -> dict[str, tuple[Any, bool]]:
        found: dict[str, tuple[Any, bool]] = {}
        for category in client.walk("/solutions/categories"):
            waiting = [(row, True) for row in client.walk(f"/solutions/categories/{category['id']}/folders")]
            while waiting:
                folder, public = waiting.pop()
                public = public and folder["visibility"] == 1
                waiting += [(row, public) for row in client.walk(f"/solutions/folders/{folder['id']}/subfolders")]
                for row in client.walk(f"/solutions/folders/{folder['id']}/articles"):
                    if row["status"] == 2:
                        found[f"freshdesk:trade:article:{row['id']}"] = (row["description"], public)
        return found

    return walked


def agrees(stage: FreshdeskStage, read: Any) -> bool:
    found, truth = read(), stage.truth()
    return found.keys() == truth.keys() and all(
        public == truth[id].public and (not truth[id].readable or truth[id].marker in text) for id, (text, public) in found.items()
    )


def test_it_can_all_that_the_vendor_can(stage: FreshdeskStage) -> None:
    documents = (kinds.Stage, kinds.Restores, kinds.Hides, kinds.Restricts, kinds.Obscures, kinds.Moves, kinds.Spoils)
    assert [kind.__name__ for kind in (*documents, kinds.Desk, kinds.Delivers) if not isinstance(stage, kind)] == []
    assert not isinstance(stage, kinds.Expires), "no cursor is the vendor's"


def test_the_truth_is_what_the_api_shows_after_every_step(stage: FreshdeskStage, read: Any) -> None:
    first, second = stage.create("one"), stage.create("two", public=False)
    assert agrees(stage, read)
    steps: list[Callable[[], object]] = [
        lambda: stage.edit(first, "three"),
        lambda: stage.restrict(first),
        lambda: stage.restrict(first),
        lambda: stage.move(first),
        lambda: stage.unrestrict(first),
        lambda: stage.move(first),
        lambda: stage.obscure(first),
        lambda: stage.unrestrict(first),
        lambda: stage.unrestrict(second),
        lambda: stage.hide(second),
        lambda: stage.show(second),
        lambda: stage.spoil(first),
        lambda: stage.spoil(first),
        lambda: stage.mend(first),
        lambda: stage.spoil(second),
        lambda: stage.edit(second, "four"),
        lambda: stage.delete(first),
        lambda: stage.restore(first),
    ]
    for number, step in enumerate(steps):
        step()
        assert agrees(stage, read), f"step {number}"
    assert {shown.marker for shown in stage.truth().values()} == {"three", "four"}


def test_a_forged_delivery_differs_in_its_secret_only(stage: FreshdeskStage) -> None:
    ticket = stage.open_ticket("Does it close?")
    genuine, body = stage.delivery(ticket)
    forged, same = stage.delivery(ticket, forged=True)
    assert body == same == f'{{"ticket_id": "{ticket}"}}'.encode()
    assert {name for name in genuine if genuine[name] != forged[name]} == {"X-Draftdesk-Secret"}
