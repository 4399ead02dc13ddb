"""Segments fail closed: what Zendesk does not say, or says in another shape, shows nothing to anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Comment
from connectors.zendesk import readers
from connectors.zendesk.readers import doubt, membership, segments, sole_reader

WHEN = datetime(2026, 11, 20, 9, tzinfo=UTC)
VOUCHED = {"id": 1, "role": "end-user", "active": True, "suspended": False, "verified": True}
ALONE = {
    "requester_id": 1, "via": {"channel": "email"}, "forum_topic_id": None,
    "collaborator_ids": [], "follower_ids": [], "email_cc_ids": [], "sharing_agreement_ids": [],
}  # fmt: skip
EVERYBODY = {"user_type": "signed_in_users", "organization_ids": [], "tags": [], "or_tags": [], "group_ids": []}
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
SCRAPS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner), max_leaves=5)


def said(author: str = "1") -> Comment:
    return Comment("1", author, "customer", True, "Hello", WHEN)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"user_segment_id": 5}, ("5",)),
        ({"user_segment_id": 5, "user_segment_ids": []}, ("5",)),
        ({"user_segment_id": 5, "user_segment_ids": [6, 5]}, ("5", "6")),
        ({"user_segment_id": None, "user_segment_ids": [6, 5]}, ("5", "6")),
        ({"user_segment_id": 5, "user_segment_ids": [6]}, ()),
        ({"user_segment_id": "all", "user_segment_ids": "all"}, ()),
        ({}, ()),
    ],
)
def test_an_article_is_open_to_the_segments_it_names_and_to_none_where_fields_disagree(row: dict[str, Any], named: tuple[str, ...]) -> None:
    assert segments("help", row) == tuple(f"zendesk:help:segment:{id}" for id in named)


@pytest.mark.parametrize(
    "change",
    [
        {"verified": False}, {"verified": None}, {"suspended": True}, {"suspended": None}, {"active": False}, {"active": None},
        {"role": "agent"}, {"role": "admin"}, {"role": None},
    ],
)  # fmt: skip
def test_a_requester_whom_zendesk_does_not_vouch_for_is_in_no_segment(change: dict[str, Any]) -> None:
    assert doubt(VOUCHED) is None
    assert doubt({**VOUCHED, **change})
    assert doubt({key: value for key, value in VOUCHED.items() if key not in change})
    assert doubt(None)


@pytest.mark.parametrize(
    "change",
    [
        {"email_cc_ids": [2]}, {"collaborator_ids": [2]}, {"follower_ids": [2]}, {"sharing_agreement_ids": [7]}, {"email_cc_ids": None},
        {"forum_topic_id": 3}, {"via": {"channel": "native_messaging"}}, {"via": {"channel": "twitter"}}, {"via": None},
        {"requester_id": None},
    ],
)  # fmt: skip
def test_a_ticket_that_somebody_else_reads_has_no_sole_reader(change: dict[str, Any]) -> None:
    assert sole_reader(ALONE, [said()], [{}])
    assert not sole_reader({**ALONE, **change}, [said()], [{}])


def test_a_message_of_somebody_else_or_with_a_copy_has_no_sole_reader() -> None:
    copied = {"via": {"channel": "email", "source": {"to": {"email_ccs": [9]}}}}
    assert not sole_reader(ALONE, [said()], [copied])
    assert not sole_reader(ALONE, [said(), said("2")], [{}, {}])


def test_a_ticket_that_does_not_tell_who_is_copied_has_no_sole_reader() -> None:
    for key in readers.OTHERS:
        assert not sole_reader({name: value for name, value in ALONE.items() if name != key}, [said()], [{}])


@pytest.mark.parametrize(
    ("segment", "counts"),
    [
        ({}, True),
        ({"organization_ids": [70]}, True),
        ({"organization_ids": ["70", 71]}, True),
        ({"organization_ids": [71]}, False),
        ({"tags": ["vip"]}, False),
        ({"or_tags": ["vip"]}, False),
        ({"group_ids": [4]}, False),
        ({"user_type": "staff"}, False),
        ({"organization_ids": None}, False),
    ],
)
def test_where_colleagues_may_open_the_ticket_only_segments_of_all_of_them_count(segment: dict[str, Any], counts: bool) -> None:
    row = {"id": 5, **EVERYBODY, **segment}
    assert membership("help", [row], None).segments == {"zendesk:help:segment:5"}
    found = membership("help", [row], "70")
    assert (found.segments == {"zendesk:help:segment:5"}) is counts
    assert bool(found.why) is not counts


@given(st.dictionaries(st.sampled_from(["user_segment_id", "user_segment_ids"]), SCRAPS), st.lists(SCRAPS), st.text(max_size=4) | st.none())
def test_no_shape_of_an_answer_is_an_exception_and_none_makes_up_a_segment(
    row: dict[str, Any], rows: list[Any], organization: str | None
) -> None:
    for name in segments("help", row):
        assert name.removeprefix("zendesk:help:segment:") in str(row)
    assert not membership("help", [one for one in rows if not (isinstance(one, dict) and "id" in one)], organization).segments
    assert doubt(row)
