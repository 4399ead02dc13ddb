"""Samples, labels and bounds on a real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from storage import samples
from storage.forgetting import erase_ticket, forget
from storage.tables import BoundRow, LabelRow, SampleRow

THEN = datetime(2026, 3, 1, tzinfo=UTC)


def sample(ticket: str, **more: Any) -> SampleRow:
    common: dict[str, Any] = {
        "id": f"s{ticket}{more.get('fingerprint', 'one')}",
        "connector": "help",
        "fingerprint": "one",
        "ticket_id": ticket,
        "decision": "note",
        "confidence": 0.5,
        "eligible": True,
        "topic": "refunds",
        "words": f"w{ticket}",
        "as_of": THEN,
        "made_at": THEN,
        "record": {"agreement": 0.25},
    }
    return SampleRow(**(common | more))


def label(words: str, verdict: str, **more: Any) -> LabelRow:
    common: dict[str, Any] = {"connector": "help", "ticket_id": "1", "topic": "refunds", "live": False, "at": THEN}
    return LabelRow(**(common | {"words": words, "verdict": verdict} | more))


def bound(topic: str, **more: Any) -> BoundRow:
    common: dict[str, Any] = {"connector": "help", "fingerprint": "one", "max_wrong": 0.05, "threshold": 0.4, "made_at": THEN}
    return BoundRow(**(common | {"topic": topic, "upper": 0.04, "labelled": 90, "missing": 0} | more))


def test_a_ticket_is_kept_once_per_fingerprint_and_the_first_answer_stands(session: Session) -> None:
    samples.keep(session, sample("1"))
    samples.keep(session, sample("1", id="other", decision="handoff"))
    samples.keep(session, sample("1", fingerprint="two", made_at=THEN + timedelta(hours=1)))
    assert samples.made(session, "help", "one") == {"1": samples.Made("note", THEN)}


def test_the_newest_run_is_the_one_that_was_begun_last_whatever_samples_came_after(session: Session) -> None:
    samples.begin_run(session, "help", "one", THEN)
    samples.begin_run(session, "help", "two", THEN + timedelta(hours=1))
    samples.keep(session, sample("1", fingerprint="compared", made_at=THEN + timedelta(hours=2)))
    assert samples.newest_run(session, "help") == "two"
    assert samples.newest_run(session, "wiki") is None


def test_what_waits_for_a_label_is_eligible_and_unlabelled(session: Session) -> None:
    nothing_to_compare = sample("5", record={"agreement": None})
    for row in (sample("1"), sample("2"), sample("3", eligible=False), sample("4", topic="devices"), nothing_to_compare):
        samples.keep(session, row)
    samples.label(session, label("w2", "right"))
    assert [row.ticket_id for row in samples.unlabelled(session, "help", "one")] == ["1", "4", "5"]
    assert [row.ticket_id for row in samples.unlabelled(session, "help", "one", "devices")] == ["4"]
    assert [(one.words, one.agreement) for one in sorted(samples.eligible(session, "help", "one"), key=lambda one: one.words)] == [
        ("w1", 0.25),
        ("w2", 0.25),
        ("w4", 0.25),
        ("w5", None),
    ]


def test_of_labels_the_last_word_counts(session: Session) -> None:
    samples.label(session, label("w1", "right"))
    samples.label(session, label("w1", "wrong"))
    assert samples.labels(session, "help") == {"w1": "wrong"}


def test_only_live_labels_since_the_bound_was_shown_speak_against_it(session: Session) -> None:
    for words, verdict, more in (
        ("a", "wrong", {"live": True}),
        ("b", "right", {"live": True}),
        ("c", "unsure", {"live": True}),
        ("d", "wrong", {"live": False}),
        ("e", "wrong", {"live": True, "topic": "devices"}),
        ("f", "wrong", {"live": True, "at": THEN - timedelta(days=1)}),
    ):
        samples.label(session, label(words, verdict, **more))
    assert samples.live_labels(session, "help", "refunds", THEN) == (3, 2)


def test_the_newest_bounds_take_the_place_of_all_before(session: Session) -> None:
    samples.write_bounds(session, "help", [bound("refunds"), bound("devices", threshold=None)])
    samples.write_bounds(session, "help", [bound("refunds", threshold=0.7)])
    shown = samples.bound(session, "help", "refunds")
    assert shown is not None
    assert shown.threshold == 0.7
    assert samples.bound(session, "help", "devices") is None


def test_a_forgotten_ticket_leaves_nothing(session: Session) -> None:
    samples.keep(session, sample("1"))
    samples.keep(session, sample("2"))
    samples.label(session, label("w1", "right"))
    erase_ticket(session, ("help", "1"), THEN)
    assert set(samples.made(session, "help", "one")) == {"2"}
    assert samples.labels(session, "help") == {}


def test_what_was_made_of_somebody_who_was_forgotten_meanwhile_is_not_kept(session: Session) -> None:
    forget(session, "digest of ana", THEN + timedelta(seconds=1))
    samples.keep(session, sample("1", requester="digest of ana"))
    samples.keep(session, sample("2", requester="digest of bea"))
    samples.keep(session, sample("3", requester="digest of ana", made_at=THEN + timedelta(days=1)))
    assert set(samples.made(session, "help", "one")) == {"2", "3"}
