"""How a voice is measured: whether it can be told from the team, what it does to facts, and whether it beats what needs no training."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.answer.voice import Voice
from bot.answer.write import ModelUnavailable, Usage
from bot.tone.classifier import nearer, tell
from bot.tone.curves import curves
from bot.tone.evaluation import Measured, document, judge, measure, shuffled
from bot.tone.habits import habits, reading_ease
from bot.tone.heldout import Reply, everyone, levelled, provable, read_held_out, speak
from bot.tone.page import write_page
from bot.tone.style import Style
from connectors.base import ConfigProblem

STYLE = Style({"en": "Hi {name},"}, {"en": "Dry floors"})
THINGS = ["hub", "lamp", "sensor", "valve", "cable", "socket", "battery", "router", "plan", "invoice", "voucher", "parcel"]
PLACES = ["kitchen", "cellar", "garden", "attic", "garage", "bathroom", "office", "hall"]


def reply(n: int) -> Reply:
    thing, place = THINGS[n % len(THINGS)], PLACES[n % len(PLACES)]
    plain = f"The {thing} in the {place} is not ready. It is sent within {n + 3} days. See https://help.example/{thing}."
    chatty = f"The {thing} in the {place} isn't ready. It's sent within {n + 3} days. See https://help.example/{thing}."
    return Reply("en", plain, f"Hi [name],\n\n{chatty}\n\nDry floors,")


REPLIES = [reply(n) for n in range(24)]


class Model:
    def __init__(self, says: Callable[[str], str]) -> None:
        self.says = says

    def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
        return self.says(text), Usage(10, 10, 0.001)


def contracted(text: str) -> str:
    return text.replace("is not", "isn't").replace("It is", "It's")


def shown(says: Callable[[str], str], replies: list[Reply] = REPLIES) -> list[Measured]:
    voices = {"none": Voice(), "exemplars": Voice(STYLE), "model": Voice(STYLE, Model(says))}
    return measure(replies, {name: everyone(replies, voice) for name, voice in voices.items()})


def test_two_kinds_that_differ_are_told_and_the_same_kind_twice_is_not() -> None:
    chance = random.Random(3)
    words = [" ".join(chance.choices(THINGS + PLACES, k=30)) for _ in range(80)]
    apart = tell([(f"Hello! {text}", f"Dear Sir. {text}") for text in words])
    same = tell(list(zip(words[:40], words[40:], strict=True)))
    assert apart.auc > 0.99
    assert same.low <= 0.5
    assert nearer(same, tell([(f"Hi! {one}", f"Sir. {other}") for one, other in zip(words[:40], words[40:], strict=True)])) > 0.99


def test_a_voice_that_writes_like_the_team_beats_exemplars_and_one_that_does_not_is_told() -> None:
    measured = shown(contracted)
    none, exemplars, model = measured
    assert none.told.auc > 0.95
    assert exemplars.told.auc > 0.9
    assert model.told.distance < 0.1
    assert judge(measured).better
    stiff = judge(shown(lambda text: text))
    assert not stiff.better
    assert "not shown to sound more like the team than exemplars" in stiff.says


def test_facts_are_kept_in_every_measured_reply_whatever_the_model_says_and_fallbacks_are_counted() -> None:
    measured = shown(lambda text: re.sub(r"\d+", "99", text))
    assert all(one.kept for one in measured[2].spoken)
    told = document(REPLIES, measured, [], {"dataset": "d", "model": "m", "base": None, "made_at": "2026-11-26T00:00:00"})
    row = told["voices"][2]
    assert (row["facts_kept"], row["fell_back"]) == (1.0, 1.0)
    assert row["reasons"] == {"the voice changed a number, a link or an address": 24}
    assert row["auc_before_fallback"] is not None


def test_what_is_measured_is_what_would_be_sent() -> None:
    said = speak(REPLIES[0], Voice(STYLE, Model(contracted)))
    assert said is not None
    assert levelled(said.text) == levelled(REPLIES[0].team)
    assert said.voice == "model"


def test_a_model_that_is_away_counts_as_fallen_back() -> None:
    def away(text: str) -> str:
        raise ModelUnavailable("away", retryable=True)

    assert {one.voice for one in everyone(REPLIES[:8], Voice(STYLE, Model(away)))} == {"exemplars"}


def test_too_few_replies_are_refused_and_what_cannot_be_proved_is_left_out() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        shown(contracted, REPLIES[:5])
    assert provable([Reply("en", "Yes.", "Yes.")]) == []


def test_habits_and_reading_ease_are_counted_by_language() -> None:
    told = habits([REPLIES[0].team, "Hello,\n\nDone! It works again now.\n\nCheers"], "en")
    assert (told.greets, told.signs_off, told.exclaims) == (1.0, 1.0, 0.5)
    easy, hard = "The cat sat on the mat. It was fat.", "Institutional considerations necessitate comprehensive documentation."
    for language in ("en", "fr", "de", "es"):
        assert (reading_ease(easy, language) or 0) > (reading_ease(hard, language) or 0)
    assert reading_ease(easy, "it") is None


def test_the_page_needs_nothing_else_and_does_not_tell_who_is_who_by_the_order(tmp_path: Path) -> None:
    measured = shown(contracted)
    curve = [{"step": 1, "train_loss": 2.0, "valid_loss": None}, {"step": 2, "train_loss": 1.0, "valid_loss": 1.5}]
    about = {"dataset": "d", "model": "<m>", "base": "b", "made_at": "2026-11-26T00:00:00"}
    made = document(REPLIES, measured, curve, about)
    rows = shuffled(REPLIES, measured, 5)
    page = write_page(tmp_path, made, rows).read_text()
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert "<script" not in page
    assert "<m>" not in page
    assert "held-out loss" in page
    assert len({row.index(next(cell for cell in row if cell[0] == "team")) for row in rows}) == 4
    assert json.loads((tmp_path / "evaluation.json").read_text())["better_than_exemplars"] is True
    assert not any(one.plain in (tmp_path / "evaluation.json").read_text() for one in REPLIES)


def test_no_curve_is_drawn_where_nothing_was_measured() -> None:
    assert curves([], "x") == ""
    assert curves([{"step": 1, "train_loss": None, "valid_loss": None}], "x") == ""


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "v.jsonl"
    file.write_text('{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n')
    with pytest.raises(ConfigProblem, match="no held-out file"):
        read_held_out(file)
