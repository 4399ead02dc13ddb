"""Splitting: nothing lost, nothing cut that belongs together, the same every time."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.passages import LIMIT, split

LINES = st.sampled_from(
    [
        "# Refunds", "## How long?", "### Cards", "#", "Title", "====", "----", "---", "", "  ", "Plain words here.", "Do this:",
        "1. First step", "2. Second step", "- a bullet", "  continued under it", "    - nested", "| a | b |", "|---|---|", "| 1 | 2 |",
        "```", "~~~", "``` python", "code = 1", "> quoted", "A sentence. Another one! " * 20, "x" * 300,
        "日本語の文。" * 30, "\u2028", "\ttabbed",
    ]
)  # fmt: skip
DOCUMENTS = st.lists(LINES, max_size=40).map("\n".join) | st.text(max_size=400)


@given(DOCUMENTS, st.integers(1, 300), st.integers(0, 600))
@example("## Only a heading", 100, 0)
def test_every_passage_is_a_slice_of_its_source_and_within_the_limit(markdown: str, target: int, more: int) -> None:
    passages = split(markdown, target=target, limit=target + more)
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    for passage in passages:
        assert markdown[passage.start : passage.end] == passage.text
        assert passage.text.strip()
        assert len(passage.text) <= target + more
    for one, following in pairwise(passages):
        assert one.end <= following.start


@given(DOCUMENTS, st.integers(40, 400))
def test_no_word_is_lost(markdown: str, target: int) -> None:
    passages = split(markdown, target=target)
    kept = "\n".join([*(passage.text for passage in passages), *(step for passage in passages for step in passage.heading)])
    words = [word for word in re.findall(r"\w+", markdown) if len(word) <= target]
    assert set(words) <= set(re.findall(r"\w+", kept))


@given(DOCUMENTS)
def test_the_same_text_gives_the_same_passages(markdown: str) -> None:
    assert split(markdown) == split(markdown)


def test_passages_carry_the_headings_above_them() -> None:
    markdown = "# Refunds\n\n" + "Intro. " * 40 + "\n\n## Cards\n\n" + "Cards take days. " * 20 + "\n\n# Delivery\n\n" + "By post. " * 40
    assert [passage.heading for passage in split(markdown)] == [("Refunds",), ("Refunds", "Cards"), ("Delivery",)]


def test_underlined_headings_are_headings() -> None:
    text = "Words. " * 40
    assert [passage.heading for passage in split(f"Top\n===\n\n{text}\n\nBelow\n---\n\n{text}")] == [("Top",), ("Top", "Below")]


def test_a_hash_in_code_is_no_heading() -> None:
    (passage,) = split("# Setup\n\nRun:\n\n```\n# a comment\nmake\n\nmake test\n```\n")
    assert passage.heading == ("Setup",)
    assert passage.text.endswith("make test\n```")


@pytest.mark.parametrize(
    "whole",
    [
        "\n".join(f"{number}. Press button {number} and wait for the light to turn green again." for number in range(1, 12)),
        "| Plan | Price |\n|---|---|\n" + "\n".join(f"| plan number {number} | {number} EUR per month |" for number in range(20)),
        "```\n" + "\n\n".join(f"line {number}" for number in range(60)) + "\n```",
        "- one\n\n  more about one " + "and more " * 60 + "\n\n- two\n- three",
    ],
    ids=["steps", "table", "code", "loose list"],
)
def test_what_belongs_together_stays_together_with_the_sentence_that_announces_it(whole: str) -> None:
    markdown = "Before. " * 60 + f"\n\nIt goes like this:\n\n{whole}\n\n" + "After. " * 60
    assert sum(f"It goes like this:\n\n{whole}" in passage.text for passage in split(markdown, target=200)) == 1


def test_a_list_beyond_the_limit_is_cut_between_its_items() -> None:
    items = [f"{number}. Step {number}: " + "do it well " * 20 for number in range(1, 40)]
    passages = split("\n".join(items))
    assert len(passages) > 1
    assert all(re.match(r"\d+\. Step", passage.text) and len(passage.text) <= LIMIT for passage in passages)


def test_short_sections_join_and_keep_their_inner_headings() -> None:
    (passage,) = split("# FAQ\n\n## Price?\n\nFree.\n\n## Account?\n\nNone needed.")
    assert passage.heading == ("FAQ",)
    assert passage.text == "## Price?\n\nFree.\n\n## Account?\n\nNone needed."


def test_sections_of_some_length_stay_apart() -> None:
    answer = "Refunds are available within thirty days of the purchase, to the card that was used for paying. " * 2
    assert len(split(f"## Refunds?\n\n{answer}\n\n## Returns?\n\n{answer}")) == 2


def test_windows_line_ends_change_nothing_but_the_offsets() -> None:
    markdown = "# A\n\nText:\n\n1. one\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    unix, windows = split(markdown, target=20), split(markdown.replace("\n", "\r\n"), target=20)
    assert [passage.text for passage in unix] == [passage.text.replace("\r\n", "\n") for passage in windows]


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(ValueError, match="target"):
        split("text", target=10, limit=5)
