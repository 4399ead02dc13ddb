"""The pages that promise name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("page", ["promises.md", "security.md"])
def test_every_test_that_a_page_names_is_there(page: str) -> None:
    named = set(re.findall(r"`(tests/[^`\s]+)`", (ROOT / "docs" / page).read_text(encoding="utf-8")))
    assert len(named) > 20
    assert not [name for name in named if not list(ROOT.glob(name))]


def test_every_rule_of_the_security_model_names_its_proof() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rules = re.split(r"^\d+\. ", text[text.index("## Rules") : text.index("## What is not")], flags=re.MULTILINE)[1:]
    assert len(rules) > 20
    assert not [rule for rule in rules if "`tests/" not in rule]
