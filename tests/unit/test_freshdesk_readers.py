"""Folders and segments fail closed: what Freshdesk does not say, or says in another shape, shows nothing to anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Comment
from connectors.freshdesk.readers import CONTACTS, OTHERS, Readers, membership, of_folder, sole_reader

WHEN = datetime(2026, 11, 20, 9, tzinfo=UTC)
ALL, TEAM, SIGNED_IN = Readers(public=True), Readers(), Readers(groups=frozenset({CONTACTS}))
ALONE: dict[str, Any] = {"requester_id": 1, "source": 1, "to_emails": ["help@acme.example"], **{name: [] for name in OTHERS}}
CONTACT = {"id": 1, "active": True, "company_id": 7, "other_companies": []}
SEGMENT = "freshdesk:fresh:segment:signed-in"
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
SCRAPS = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner), max_leaves=5)


def companies(*ids: int) -> Readers:
    return Readers(groups=frozenset(f"company:{id}" for id in ids))


def said(author: str = "1") -> Comment:
    return Comment("1", author, "customer", True, "Hello", WHEN)


@pytest.mark.parametrize(
    ("row", "readers"),
    [
        ({"visibility": 1}, ALL),
        ({"visibility": 1, "company_ids": []}, ALL),
        ({"visibility": 2}, SIGNED_IN),
        ({"visibility": 4, "company_ids": [7, 8]}, companies(7, 8)),
        ({"visibility": 4, "company_ids": [7], "contact_segment_ids": [5]}, TEAM),
        ({"visibility": 4}, TEAM),
        ({"visibility": 4, "company_ids": "7"}, TEAM),
        ({"visibility": 2, "company_ids": [7]}, TEAM),
        ({"visibility": 2, "company_segment_ids": [7]}, TEAM),
        ({"visibility": 1, "company_ids": [5]}, TEAM),
        ({"visibility": 1, "contact_segment_ids": [5]}, TEAM),
        ({}, TEAM),
        *(({"visibility": code}, TEAM) for code in (3, 5, 6, 7, 17, None, True, "all", [1])),
    ],
)
def test_a_folder_is_open_to_those_it_names_and_an_unknown_code_to_nobody(row: dict[str, Any], readers: Readers) -> None:
    assert of_folder(row) == readers


@pytest.mark.parametrize(
    ("inner", "outer", "both"),
    [
        (ALL, ALL, ALL),
        (ALL, TEAM, TEAM),
        (ALL, SIGNED_IN, SIGNED_IN),
        (SIGNED_IN, SIGNED_IN, SIGNED_IN),
        (SIGNED_IN, companies(7), companies(7)),
        (SIGNED_IN, TEAM, TEAM),
        (companies(7, 8), companies(8, 9), companies(8)),
        (companies(7), companies(8), TEAM),
        (ALL, companies(7), companies(7)),
    ],
)
def test_a_folder_in_a_folder_is_open_to_those_who_may_read_both(inner: Readers, outer: Readers, both: Readers) -> None:
    assert inner.within(outer) == both
    assert outer.within(inner) == both


def test_a_contact_is_signed_in_and_of_its_company() -> None:
    assert membership("fresh", CONTACT, None).segments == {SEGMENT, "freshdesk:fresh:company:7"}
    assert membership("fresh", CONTACT, "7").segments == {SEGMENT, "freshdesk:fresh:company:7"}
    assert membership("fresh", {"active": True}, None).segments == {SEGMENT}


@pytest.mark.parametrize("change", [{"active": False}, {"active": None}, {"active": "true"}, {"deleted": True}, {"blocked": True}])
def test_a_contact_whom_nobody_confirmed_is_in_no_segment(change: dict[str, Any]) -> None:
    found = membership("fresh", {**CONTACT, **change}, "7")
    assert not found.segments
    assert found.why
    assert not membership("fresh", None, "7").segments
    assert not membership("fresh", {"company_id": 7}, "7").segments


def test_of_several_companies_only_the_tickets_counts() -> None:
    several = {**CONTACT, "other_companies": [{"company_id": 8, "view_all_tickets": True}]}
    assert membership("fresh", several, "8").segments == {SEGMENT, "freshdesk:fresh:company:8"}
    assert membership("fresh", several, None).segments == {SEGMENT}
    assert membership("fresh", several, "9").segments == {SEGMENT}
    assert membership("fresh", several, "8").why


@pytest.mark.parametrize(
    "change",
    [
        *({name: ["somebody@else.example"]} for name in OTHERS), *({name: None} for name in OTHERS),
        {"to_emails": ["help@acme.example", "boss@else.example"]}, {"to_emails": "help@acme.example"}, {"requester_id": None},
        *({"source": code} for code in (3, 5, 6, 7, 9, 10, 13, None)),
    ],
)  # fmt: skip
def test_a_ticket_that_somebody_else_reads_has_no_sole_reader(change: dict[str, Any]) -> None:
    assert sole_reader(ALONE, [said()], [{"cc_emails": None, "bcc_emails": []}])
    assert sole_reader({**ALONE, "source": 2, "to_emails": None}, [said()], [])
    assert not sole_reader({**ALONE, **change}, [said()], [])


def test_a_message_of_somebody_else_or_with_a_copy_has_no_sole_reader() -> None:
    assert not sole_reader(ALONE, [said()], [{"cc_emails": ["boss@else.example"]}])
    assert not sole_reader(ALONE, [said()], [{"bcc_emails": ["boss@else.example"]}])
    assert not sole_reader(ALONE, [said(), said("2")], [])


@given(st.dictionaries(st.sampled_from(["visibility", "company_ids", "contact_segment_ids"]), SCRAPS), SCRAPS, st.sampled_from(["7", None]))
def test_no_shape_of_an_answer_is_an_exception_and_none_makes_up_a_company(row: dict[str, Any], scrap: Any, company: str | None) -> None:
    for group in of_folder(row).groups - {CONTACTS}:
        assert group.removeprefix("company:") in str(row["company_ids"])
    assert isinstance(sole_reader({**ALONE, "to_emails": scrap, "cc_emails": scrap}, [said()], []), bool)
    assert not membership("fresh", {"active": scrap if scrap is not True else None, "other_companies": scrap}, company).segments
