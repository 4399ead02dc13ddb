"""What is kept beside the training files: where each line is from, exemplars, the style sheet; and how a person is erased."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.answer.words import content_stems
from bot.tone.dataset import Example, Preference, build, write
from bot.tone.exemplars import Exemplar, exemplars_for, read_exemplars
from bot.tone.forgetting import forget
from bot.tone.replies import Dropped, TeamReply, read_replies
from bot.tone.style import Style, learn, read_style, write_style
from connectors.base import Author, Comment, ConfigProblem, Ticket
from storage.requesters import requester_key

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
PEOPLE = ("ana@mail.example", "bo@mail.example", "cy@mail.example")
TOPICS = {"pairing": "My sensor does not pair", "refund": "I want my money back for the lamp", "plan": "Which plan has the siren"}


def told(n: int) -> list[TeamReply | Dropped]:
    topic = list(TOPICS)[n % 3]
    author: Author = "customer"
    asked = Comment(f"q{n}", "u", author, True, f"{TOPICS[topic]}, this is case {n}.", MONDAY + timedelta(hours=n))
    body = (
        f"Take{n} part{n} off{n} and{n} then{n} hold{n} the {topic} button for {n + 10} seconds, then see https://help.example/{n} today."
    )
    said = Comment(
        f"a{n}", "agent-1", "agent", True, f"Hi Ana,\n\n{body}\n\nDry floors,\nMira at Tidewell", MONDAY + timedelta(hours=n + 0.5)
    )
    ticket = Ticket(str(n), "Case", "closed", "v", "u", PEOPLE[n // 3 % 3], "Ana Lima", (asked, said), (topic,), "", MONDAY, MONDAY)
    return list(read_replies("help", ticket, ["en"]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """DATA_DIR/voice with one data set."""
    pairs = [Preference("en", "asked", f"better {n}", f"worse {n}", f"help:{n}", requester_key(PEOPLE[n])) for n in range(3)]
    made = build([one for n in range(30) for one in told(n)], pairs)
    write(made, tmp_path / made.id)
    (tmp_path / made.id / "evaluations" / "m").mkdir(parents=True)
    (tmp_path / made.id / "evaluations" / "m" / "evaluation.html").write_text("quotes Ana")
    return tmp_path


def content(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*") if path.is_file())


def rows(folder: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for path in folder.glob(f"*/{name}") for line in path.read_text().splitlines()]


def test_every_line_of_every_file_says_in_a_file_of_its_own_where_it_is_from(folder: Path) -> None:
    sources = rows(folder, "sources.jsonl")
    for name in ("train.jsonl", "validation.jsonl", "preference.jsonl"):
        assert len([row for row in sources if row["file"] == name]) == len(rows(folder, name)) > 0
    assert not any("ticket" in row for row in rows(folder, "train.jsonl"))
    assert "@mail.example" not in content(folder)


def test_a_forgotten_person_is_in_no_file_any_more_and_the_others_stay(folder: Path) -> None:
    before = rows(folder, "sources.jsonl")
    key = requester_key("ANA@mail.example ")
    theirs = [row for row in before if row["requester"] == key]
    words = [row["messages"][-1]["content"] for row in rows(folder, "train.jsonl")]  # type: ignore[index]
    erased = forget(folder, requester=key)
    assert sum(erased.lines.values()) == len(theirs) > 5
    after = rows(folder, "sources.jsonl")
    assert after == [row for row in before if row["requester"] != key]
    left = [row["messages"][-1]["content"] for row in rows(folder, "train.jsonl")]  # type: ignore[index]
    gone = [
        text for text, row in zip(words, [row for row in before if row["file"] == "train.jsonl"], strict=True) if row["requester"] == key
    ]
    assert gone
    assert left == [text for text in words if text not in gone]
    assert not any(text in json.dumps(left) for text in gone)
    assert not list(folder.rglob("evaluation.html"))
    assert forget(folder, requester=key).lines == {}


def test_a_ticket_is_forgotten_by_its_number_and_its_reply_is_no_exemplar_any_more(folder: Path) -> None:
    assert sum(forget(folder, tickets=["help:4"]).lines.values()) == 1
    assert "Take4 " not in content(folder)
    assert not any("Take4 " in one.reply for one in read_exemplars(folder))


def test_a_data_set_that_cannot_say_whose_lines_it_holds_is_named(folder: Path) -> None:
    next(folder.glob("*/sources.jsonl")).unlink()
    assert len(forget(folder, requester=requester_key(PEOPLE[0])).unknown) == 1


def test_exemplars_fit_topic_and_language_and_hold_no_fact(folder: Path) -> None:
    known = read_exemplars(folder)
    shown = exemplars_for(known, before=LATER, asked="Can I have my money back?", language="en", topic="refund", mood="neutral")
    assert len(shown) == 3
    assert all("the refund button" in one for one in shown)
    assert not any(sign in one for one in shown for sign in ("https", "10", "seconds, then see https"))
    assert exemplars_for(known, before=LATER, asked="Bonjour", language="fr", topic="refund", mood="neutral") == ()
    assert read_exemplars(folder / "nothing") == ()


def test_a_ticket_is_shown_neither_its_own_answer_nor_a_later_one(folder: Path) -> None:
    known = read_exemplars(folder)
    moment = sorted(one.at for one in known)[4]
    shown = exemplars_for(known, before=moment, asked="My lamp hums", language="en", topic=None, mood="neutral", most=100)
    assert len(shown) == 4


def test_an_answer_to_nearly_the_same_words_is_not_shown(folder: Path) -> None:
    asked = "The siren of my basement sensor stays silent at night"
    stems = frozenset(content_stems(asked, "en"))
    twin = Exemplar(MONDAY, "en", "siren", "neutral", stems, "twin")
    known = (twin, replace(twin, stems=frozenset([*stems][1:4]), reply="other"))
    assert exemplars_for(known, before=LATER, asked=asked, language="en", topic="siren", mood="neutral") == ("other",)


def french(text: str) -> Example:
    return Example("h:1", "fr", "t", "a", "2026-01-01", "Bonjour {name},", "À pied sec,", "plain", text)


def test_the_style_sheet_tells_formality_emoji_and_length_and_an_operator_may_edit_it(tmp_path: Path) -> None:
    style = learn([french("Vous pouvez ouvrir votre boîtier 🙂. Tenez votre bouton.")] * 6)
    assert (style.address, style.emoji, style.sentence) == ({"fr": "formal"}, {"fr": True}, {"fr": 4})
    assert write_style(style, tmp_path)
    sheet = tmp_path / "style.yaml"
    sheet.write_text(sheet.read_text().replace("formal", "informal"))
    read = read_style(tmp_path)
    assert read is not None
    assert read.guidance("fr") == "address the customer informally (tu); emoji are welcome; sentences of about 4 words"
    assert read.guidance("de") == ""
    sheet.write_text("address: {fr: rude}")
    with pytest.raises(ConfigProblem, match="formal or informal"):
        read_style(tmp_path)
    assert Style({}, {}).guidance("en") == ""
