"""What was pasted from one system into another is one find; what says something else is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer.copies import is_copy

RULE = "Refunds are paid to the card you used, within 30 days of the day on which your parcel reaches our warehouse in Lyon."


@pytest.mark.parametrize(
    "copy",
    [
        RULE,
        RULE.upper(),
        f"**{RULE}**",
        RULE.replace("parcel", "package"),
        RULE.replace(" our", ""),
    ],
)
def test_a_copy_may_differ_in_case_markup_and_a_word_or_so(copy: str) -> None:
    assert is_copy(RULE, copy)


@pytest.mark.parametrize(
    "other",
    [
        RULE.replace("30", "14"),
        RULE.replace("are paid", "are not paid"),
        RULE.replace("30 days", "30 hours"),
        RULE.replace("are paid", "are always paid"),
        RULE + " Gift cards are refunded as gift cards, and shipping is not refunded at all.",
        "Parcels are delivered by train.",
        "",
    ],
)
def test_another_figure_negation_measure_or_scope_is_another_statement(other: str) -> None:
    assert not is_copy(RULE, other)


@given(st.text(max_size=80), st.text(max_size=80))
def test_it_does_not_matter_which_came_first(one: str, other: str) -> None:
    assert is_copy(one, other) == is_copy(other, one)
