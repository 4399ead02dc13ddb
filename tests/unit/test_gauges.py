"""What Prometheus is told, and what the example dashboard and alerts ask for."""

from __future__ import annotations

from bot.workflows import _connector_of


def test_work_is_counted_for_the_connector_whose_it_is() -> None:
    assert [_connector_of(name) for name in ("answer:help:7:1", "look:help:01J", "look:poll:help:60s-9:0:7")] == ["help"] * 3


def test_a_helpdesk_may_be_called_poll() -> None:
    assert _connector_of("look:poll:01J") == "poll"
