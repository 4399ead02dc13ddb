"""A voice changes how a proven draft sounds, and never what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answer.check import check
from bot.answer.render import Blocked, render
from bot.answer.retrieve import Passage
from bot.answer.voice import Voice, Voiced, changed
from bot.answer.write import Draft, ModelUnavailable, Sentence, Usage
from bot.tone.dataset import Example
from bot.tone.style import Style, learn, read_style, write_style
from connectors.base import ConfigProblem

TEXT = (
    "You can return unopened lamps within 30 days of delivery. The refund is 49 EUR and is paid to the original card. "
    "Lamps that were installed cannot be returned. Write to returns@tidewell.example before you send anything."
)
PASSAGE = Passage(
    "zendesk:help:article:1", "Returns", "https://t.example/1", "public", "en", datetime(2026, 1, 1, tzinfo=UTC), (), TEXT, 0.9, 0.9, "v1"
)
PARTS = [part if part.endswith(".") else part + "." for part in TEXT.split(". ")]
DRAFT = Draft(
    (
        Sentence("Hello Ana,", (), "courtesy"),
        Sentence("Thank you for your message.", (), "courtesy"),
        *(Sentence(part, (1,), "statement") for part in PARTS),
        Sentence("Kind regards", (), "courtesy"),
    ),
    (PASSAGE,),
    Usage(),
    complete=True,
)
PROVEN = check(DRAFT, ())
STYLE = Style({"en": "Hi {name},"}, {"en": "Dry floors"})


@dataclass(frozen=True)
class Speaker:
    """Other people's model: says what the function makes of the text."""

    says: Callable[[str], str]

    def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
        return self.says(text), Usage(10, 5, 0.01)


class Absent:
    def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
        raise ModelUnavailable("the model is away", retryable=True)


def speak(says: Callable[[str], str]) -> Voiced:
    return Voice(STYLE, Speaker(says)).speak(DRAFT, PROVEN, "en", "7", ())


def body(voiced: Voiced) -> list[str]:
    return [sentence.text for sentence in voiced.draft.sentences if sentence.kind != "courtesy"]


def test_the_teams_own_greeting_and_sign_off_replace_ours_and_pass_the_check() -> None:
    voiced = Voice(STYLE).speak(DRAFT, PROVEN, "en", "7", ())
    assert (voiced.voice, voiced.verdict.supported) == ("exemplars", True)
    shown = render(voiced.draft, voiced.verdict, "en", (), voiced.courtesies).text
    assert shown.startswith("Hi Ana,")
    assert shown.endswith("Dry floors")
    with pytest.raises(Blocked):
        render(voiced.draft, voiced.verdict, "en")


def test_a_style_of_another_language_changes_nothing() -> None:
    assert Voice(Style({"fr": "Bonjour {name},"}, {})).speak(DRAFT, PROVEN, "en", "7", ()) == Voiced(DRAFT, PROVEN, "none")


def test_a_faithful_rewriting_is_used_and_what_it_cost_is_counted() -> None:
    voiced = speak(lambda text: text.replace("Lamps that were installed", "Installed lamps"))
    assert (voiced.voice, voiced.why) == ("model", None)
    assert "Installed lamps cannot be returned." in body(voiced)
    assert voiced.draft.usage == Usage(10, 5, 0.01)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (lambda text: text.replace("30", "60"), "number"),
        (lambda text: text.replace("returns@tidewell", "refunds@tidewell"), "address"),
        (lambda text: text + " See https://evil.example/login.", "link"),
        (lambda text: text.replace("cannot", "can"), "negation"),
        (lambda text: text + " We guarantee it.", "promise"),
        (lambda text: "Lamps: 30 days, 49 EUR, returns@tidewell.example; refund cannot, before.", "left out"),
        (lambda text: text.replace("within 30 days of delivery", "within 30 weeks of delivery"), "unit"),
        (lambda text: text.replace("unopened", "damaged"), "not proved"),
        (lambda text: text + "\n\nYour parcel is on its way to the north pole by a very fast reindeer and its sledge today.", "added"),
        (lambda text: "", "left something out"),
    ],
)
def test_a_changed_fact_falls_back_to_the_proven_words(says: Callable[[str], str], why: str) -> None:
    voiced = speak(says)
    assert voiced.voice == "exemplars"
    assert why in str(voiced.why)
    assert body(voiced) == PARTS


def test_a_model_that_is_away_leaves_the_exemplars_and_says_so() -> None:
    voiced = Voice(STYLE, Absent()).speak(DRAFT, PROVEN, "en", "7", ())
    assert (voiced.voice, voiced.why) == ("exemplars", "the voice's model failed: the model is away")


WORDS = st.sampled_from([*TEXT.split(), "not", "never", "60", "https://x.example", "free", "always", "weeks", "\n\n", "unless", "refund"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(TEXT.split()) - 1), WORDS), min_size=1, max_size=4))
def test_whatever_a_model_does_the_result_is_proved_and_its_facts_are_the_drafts(edits: list[tuple[int, str]]) -> None:
    words = TEXT.split()
    for at, word in edits:
        words[at] = word
    voiced = speak(lambda _: " ".join(words))
    assert check(voiced.draft, (), voiced.courtesies).supported
    assert changed(" ".join(PARTS), " ".join(body(voiced))) is None


def example(greeting: str, closing: str) -> Example:
    return Example("help:1", "en", "t", "a", "2026-01-01", greeting, closing, "plain", "voice")


def test_a_style_is_learnt_from_what_the_team_does_and_an_operators_sheet_is_kept(tmp_path: Path) -> None:
    style = learn([example("Hi {name},", "Dry floors,")] * 6 + [example("Hello,", "Cheers,")] * 3)
    assert (style.greeting, style.sign_off) == (STYLE.greeting, STYLE.sign_off)
    assert write_style(style, tmp_path)
    assert read_style(tmp_path) == style
    assert not write_style(Style({}, {}), tmp_path)


@pytest.mark.parametrize(
    "closing", ["Call 0800 123", "https://evil.example", "Refund guaranteed", "You will be paid", "one two three four five six"]
)
def test_what_is_no_mere_courtesy_is_never_learnt_as_one_nor_read(tmp_path: Path, closing: str) -> None:
    assert learn([example("Hi {name},", closing)] * 20).sign_off == {}
    (tmp_path / "style.yaml").write_text(f"sign_off: {{en: '{closing}'}}")
    with pytest.raises(ConfigProblem, match="cannot be used"):
        read_style(tmp_path)
