"""What is learnt from a team's replies, and what never is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.tone.cleaning import clean
from bot.tone.dataset import build, write
from bot.tone.labels import build_labels, read_labels
from bot.tone.plain import facts, plain
from bot.tone.preferences import preferences
from bot.tone.prices import Price, estimate, read_prices
from bot.tone.redaction import personal, redact
from bot.tone.replies import Dropped, TeamReply, read_replies
from bot.tone.validation import validate
from connectors.base import Author, Comment, ConfigProblem, Ticket

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
BODY = (
    "Happy to fix that with you!\n\n"
    "Hold the button for 10 seconds, then open https://app.example/pair and pick sensor number {n}.\n\nWrite back any time."
)
REPLY = f"Hi Ana,\n\n{BODY}\n\nDry floors,\nMira at Tidewell"


def said(author: Author, text: str, hours: float, public: bool = True) -> Comment:
    return Comment(f"c{hours}", f"{author}-1", author, public, text, MONDAY + timedelta(hours=hours))


def ticket(*comments: Comment, identity: str = "7", satisfaction: str | None = None) -> Ticket:
    return Ticket(
        identity, "Pairing", "closed", "v9", "u1", "ana@example.org", "Ana Lima", comments, ("pairing",), "", MONDAY, MONDAY,
        satisfaction=satisfaction,  # type: ignore[arg-type]
    )  # fmt: skip


def reasons(one: Ticket) -> list[str]:
    return [found.reason for found in read_replies("help", one, ["en"]) if isinstance(found, Dropped)]


ASKED = said("customer", "My sensor does not pair, what now?", 0)


def test_a_good_reply_is_taken_apart_into_greeting_body_and_closing() -> None:
    taken = clean(REPLY + "\n\nOn Mon, Ana wrote:\n> help")
    assert (taken.greeting, taken.closing, taken.signed) == ("Hi {name},", "Dry floors,", "Mira at Tidewell")
    assert "wrote" not in taken.body


@pytest.mark.parametrize(
    ("text", "satisfaction", "reason"),
    [
        ("Hi,\n\nDone.", None, "one-liner"),
        (REPLY, "bad", "low satisfaction"),
        ("This is an automated reply: " + BODY, None, "auto-reply"),
        ("---------- Forwarded message\n" + BODY, None, "forward"),
    ],
)
def test_a_reply_that_teaches_nothing_good_is_dropped_with_its_reason(text: str, satisfaction: str | None, reason: str) -> None:
    assert reasons(ticket(ASKED, said("agent", text, 1), satisfaction=satisfaction)) == [reason]


def test_a_reply_after_which_the_customer_came_back_is_dropped_and_thanks_are_no_coming_back() -> None:
    again = said("customer", "It still does not pair, the light stays red.", 2)
    thanks = said("customer", "Thanks!", 2)
    assert reasons(ticket(ASKED, said("agent", REPLY, 1), again)) == ["reopened"]
    assert reasons(ticket(ASKED, said("agent", REPLY, 1), thanks)) == []


def test_private_notes_and_the_bots_own_replies_are_never_looked_at() -> None:
    one = ticket(ASKED, said("agent", REPLY, 1, public=False), said("bot", REPLY, 2))
    assert list(read_replies("help", one, ["en"])) == []


def test_the_plain_side_keeps_the_facts_and_loses_the_manner() -> None:
    made = plain(clean(REPLY))
    assert made == "Hold the button for 10 seconds, then open https://app.example/pair and pick sensor number {n}."


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["It's 10 €!", "Just don't press 3.", "See https://a.example/x1!", "Of course", "Mail a@b.example", "7:30 :)"]),
        min_size=1,
    )
)
def test_no_number_link_or_address_is_ever_lost_or_made_on_the_plain_side(parts: list[str]) -> None:
    taken = clean("\n\n".join([*parts, "Regards,\nMira"]))
    assert facts(plain(taken)) == facts(taken.body)


@settings(deadline=None)
@given(
    st.from_regex(r"[a-z]{3,8}\.[a-z]{3,8}@[a-z]{3,8}\.(?:com|org)", fullmatch=True),
    st.from_regex(r"\+49 [1-9][0-9]{2} [0-9]{7}", fullmatch=True),
)
def test_formed_personal_data_never_survives(address: str, phone: str) -> None:
    text = redact(f"Write to {address} or call {phone}. Card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00.")
    assert address not in text
    assert phone not in text
    assert personal(text) == ()


def test_names_go_and_ordinary_numbers_stay() -> None:
    assert redact("Ana, hold it for 10 seconds at 868.3 MHz; Ana Lima's is v2.4.1 of 2026-03-02", ["Ana Lima"]) == (
        "[name], hold it for 10 seconds at 868.3 MHz; [name]'s is v2.4.1 of 2026-03-02"
    )


def replies(count: int) -> list[TeamReply | Dropped]:
    found: list[TeamReply | Dropped] = []
    for n in range(count):
        text = REPLY.format(n=n).replace("Hold the button", f"Take{n} part{n} off{n} and{n} then{n} hold{n} button{n}")
        found.extend(read_replies("help", ticket(ASKED, said("agent", text, n + 1), identity=str(n)), ["en"]))
    return found


def test_near_duplicates_count_once_and_the_newest_tickets_are_held_out() -> None:
    made = build([*replies(40), *replies(40)])
    assert made.dropped["near-duplicate"] >= 40
    assert max(one.at for one in made.train) < min(one.at for one in made.validation)
    assert not {one.ticket for one in made.train} & {one.ticket for one in made.validation}


def test_written_files_are_valid_and_a_leak_between_them_is_found(tmp_path: Path) -> None:
    write(build(replies(40)), tmp_path)
    train, held_out = tmp_path / "train.jsonl", tmp_path / "validation.jsonl"
    assert validate(train, apart_from=held_out).ok
    held_out.write_text(held_out.read_text() + train.read_text().splitlines()[0] + "\n")
    assert "its reply stands in train.jsonl too" in [fault.says for fault in validate(held_out, apart_from=train).faults]


GOOD = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "is no JSON object"),
        (json.dumps({"messages": [{"role": "robot", "content": "a"}]}), "messages[0].role"),
        (json.dumps({"messages": [{"role": "user", "content": "a", "weight": 1}]}), "weight"),
        (json.dumps({"messages": [{"role": "user", "content": "a"}]}), "no assistant message"),
        (
            json.dumps({"messages": [{"role": "user", "content": "a@b.example"}, {"role": "assistant", "content": "b"}]}),
            "personal data (email)",
        ),
        (json.dumps({"messages": [{"role": "user", "content": "SECRET-1"}, {"role": "assistant", "content": "b"}]}), "canary"),
    ],
)
def test_each_fault_is_told_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join([json.dumps(GOOD)] * 11 + [line, ""]))
    faults = validate(path, canaries=["SECRET-1"]).faults
    assert any(fault.line == 12 and says in fault.says for fault in faults), faults


def test_bytes_that_are_not_utf8_and_too_few_examples_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(b'{"messages": "\xff"}\n')
    assert [(fault.line, fault.says) for fault in validate(path).faults] == [
        (0, "has 0 examples; at least 10 are needed"),
        (1, "is not UTF-8 at byte 14"),
    ]


def test_training_is_billed_per_token_and_epoch_and_an_operators_prices_override_ours(tmp_path: Path) -> None:
    made = estimate([GOOD["messages"]] * 10, Price("m", 3.0, 0.3, 1.2), epochs=4, replies_per_month=100)
    assert made.training_usd == pytest.approx(made.tokens * 4 * 3.0 / 1e6)
    (tmp_path / "tone-prices.yaml").write_text("models: {gpt-4o-mini-2024-07-18: {train: 9, input: 1, output: 2}}")
    prices = read_prices(tmp_path).models
    assert (prices["gpt-4o-mini-2024-07-18"].train, prices["gpt-4.1-mini-2025-04-14"].train) == (9.0, 5.0)
    (tmp_path / "tone-prices.yaml").write_text("models: 7")
    with pytest.raises(ConfigProblem, match="is no price table"):
        read_prices(tmp_path)


CARDS = ("4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005")


def planted(n: int) -> tuple[Ticket, list[str]]:
    """A ticket with a private canary, and personal data in what customer and agent say aloud; and what must stand nowhere."""
    mail, phone, card = f"kay{n}.moss{n}@post.example", f"+44 20 79{n % 90 + 10} {1000 + n}", CARDS[n % 3]
    canary = f"CANARY-{n:04d}-DO-NOT-TELL"
    asked = said("customer", f"My number {n} is {phone}, {card}, and {mail}. Why does part{n} of{n} mine{n} blink?", n)
    body = f"Take{n} part{n} off{n} and{n} then{n} hold{n} it. We will call {phone} or write to {mail}; card {card} was charged once."
    answer = said("agent", f"Hi Ana,\n\n{body}\n\nDry floors,\nMira at Tidewell", n + 0.5)
    note = said("agent", f"{canary}: the customer of {mail} is Kay.", n + 0.2, public=False)
    return ticket(asked, note, answer, identity=str(n)), [mail, phone, card, canary, "post.example"]


def test_no_planted_canary_and_no_email_phone_or_card_is_in_any_training_file(tmp_path: Path) -> None:
    tickets = [planted(n) for n in range(120)]
    secrets = {secret for _, found in tickets for secret in found}
    drafts = {(one.id, one.comments[0].id): f"Call {found[1]}, mail {found[0]}." for one, found in tickets}
    pairs = [pair for one, _ in tickets for pair in preferences("help", one, "en", {**drafts})]
    write(build([found for one, _ in tickets for found in read_replies("help", one, ["en"])], pairs), tmp_path / "tone")
    write(build_labels([read_labels("help", one, [], ["en"]) for one, _ in tickets], []), tmp_path / "triage")
    written = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(written["tone/train.jsonl"].splitlines()) > 80
    assert len(written["triage/train.jsonl"].splitlines()) > 80
    assert [(name, secret) for name, text in written.items() for secret in secrets if secret in text] == []
    for name in ("tone/train.jsonl", "tone/validation.jsonl", "tone/preference.jsonl", "triage/train.jsonl"):
        assert validate(tmp_path / name, canaries=[found[3] for _, found in tickets]).kind
        assert not any("canary" in fault.says or "personal" in fault.says for fault in validate(tmp_path / name).faults)
