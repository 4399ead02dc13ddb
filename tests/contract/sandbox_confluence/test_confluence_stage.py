"""The stage says of itself what a reader of the plain API finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from connectors.conformance import stage as kinds
from connectors.sandbox.confluence.access import API_TOKEN, EMAIL, PERSONAL_TOKEN
from connectors.sandbox.confluence.stage import PREFIX, ConfluenceStage


@pytest.fixture(params=["cloud", "datacenter"])
def stage(request: pytest.FixtureRequest) -> Iterator[ConfluenceStage]:
    made = ConfluenceStage(request.param)
    yield made
    made.close()


def read(stage: ConfluenceStage) -> dict[str, tuple[Any, bool]]:
    with requests.Session() as session:
        session.trust_env = False
        if stage.flavour == "cloud":
            session.auth = (EMAIL, API_TOKEN)
        else:
            session.headers["Authorization"] = f"Bearer {PERSONAL_TOKEN}"
        base, found = f"{stage.site.url}{stage.api.base_path}/rest/api/content", {}
        for key in ("KB", "ENG"):
            asked = {"spaceKey": key, "limit": "50", "expand": "body.storage,ancestors"}
            for row in session.get(base, params=asked, timeout=10).json()["results"]:
                chain = [row["id"], *(above["id"] for above in row["ancestors"])]
                expand = "expand=restrictions.user,restrictions.group"
                told = [session.get(f"{base}/{id}/restriction/byOperation/read?{expand}", timeout=10).json() for id in chain]
                closed = any(
                    "restrictions" not in own or own["restrictions"]["user"]["size"] or own["restrictions"]["group"]["size"] for own in told
                )
                found[f"{PREFIX}{row['id']}"] = (row["body"]["storage"]["value"], key == "KB" and not closed)
    return found


def agrees(stage: ConfluenceStage) -> bool:
    found, truth = read(stage), stage.truth()
    return found.keys() == truth.keys() and all(
        public == truth[id].public and (truth[id].marker in text if truth[id].readable else not isinstance(text, str))
        for id, (text, public) in found.items()
    )


def test_it_can_all_that_the_vendor_can(stage: ConfluenceStage) -> None:
    able = (kinds.Stage, kinds.Restores, kinds.Hides, kinds.Restricts, kinds.Moves, kinds.Spoils, kinds.Expires, kinds.Obscures)
    assert [kind.__name__ for kind in able if not isinstance(stage, kind)] == []


def test_the_truth_is_what_the_api_shows_after_every_step(stage: ConfluenceStage) -> None:
    first, second = stage.create("one"), stage.create("two", public=False)
    assert agrees(stage)
    steps: list[Callable[[], object]] = [
        lambda: stage.edit(first, "three"),
        lambda: stage.restrict(first),
        lambda: stage.restrict(first),
        lambda: stage.move(first),
        lambda: stage.unrestrict(first),
        lambda: stage.move(first),
        lambda: stage.move(first),
        lambda: stage.obscure(first),
        lambda: stage.unrestrict(first),
        lambda: stage.hide(second),
        lambda: stage.show(second),
        lambda: stage.spoil(first),
        lambda: stage.mend(first),
        lambda: stage.spoil(second),
        lambda: stage.edit(second, "four"),
        lambda: stage.delete(first),
        lambda: stage.restore(first),
    ]
    for number, step in enumerate(steps):
        step()
        assert agrees(stage), f"step {number}"
    assert {"three", "four"} <= {shown.marker for shown in stage.truth().values()}
