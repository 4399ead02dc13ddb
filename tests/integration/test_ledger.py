"""What documents say, said, and when; on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from connectors.base import Document, Gone, Transient, Unreadable
from storage.database import reading
from storage.ledger import (
    Version,
    current_versions,
    fingerprint,
    forget_cursor,
    has_segments,
    known,
    last_listing,
    last_syncs,
    plan_version,
    present_ids,
    read_cursor,
    record_page,
    record_sync,
    version_key,
    versions,
)
from storage.tables import DocumentRow, SyncRow, VersionRow, table

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def ident(number: int) -> str:
    return f"zendesk:help:article:{number}"


def article(number: int = 1, markdown: str = "# Refunds", **changes: Any) -> Document:
    base = Document(ident(number), "Refunds", markdown, "https://x.example/1", T0, T0, "public", "en")
    return replace(base, **changes)


def take(s: Session, *changes: Document | Gone | Unreadable, now: datetime, cursor: dict[str, Any] | None = None) -> list[Version]:
    """What a sync makes of one page."""
    held = known(s, [change.id for change in changes])
    new: list[Version] = []
    same: list[str] = []
    for change in changes:
        if isinstance(change, Document):
            if change.id in held and held[change.id].fingerprint == fingerprint(change):
                same.append(change.id)
            else:
                new.append(plan_version(held.get(change.id), change, now))
    record_page(
        s,
        "help",
        "articles",
        versions=new,
        gone=[change.id for change in changes if isinstance(change, Gone)],
        unreadable=[change for change in changes if isinstance(change, Unreadable)],
        unchanged=same,
        cursor=cursor,
        now=now,
    )
    return new


def history(s: Session, number: int = 1) -> list[tuple[str, datetime, datetime | None]]:
    v = table(VersionRow)
    query = select(v.c.markdown, v.c.valid_from, v.c.valid_to).where(v.c.document == ident(number)).order_by(v.c.valid_from)
    return [tuple(row) for row in s.connection().execute(query)]


def dump(s: Session) -> list[list[Any]]:
    d, v = table(DocumentRow), table(VersionRow)
    return [[tuple(row) for row in s.connection().execute(select(t).order_by(t.c[0]))] for t in (d, v)]


def test_the_first_version_begins_with_the_creation_and_is_assumed_when_it_was_edited_since() -> None:
    edited = article(created_at=T0, updated_at=T0 + DAY)
    first = plan_version(None, edited, T0 + 2 * DAY)
    assert (first.valid_from, first.valid_to, first.assumed) == (T0, None, True)
    assert not plan_version(None, article(), T0 + DAY).assumed
    assert plan_version(None, article(created_at=None, updated_at=T0), T0 + DAY).valid_from == T0
    assert plan_version(None, article(created_at=None, updated_at=None), T0 + DAY).valid_from == T0 + DAY


def test_a_first_version_never_begins_in_the_future() -> None:
    assert plan_version(None, article(created_at=T0 + DAY, updated_at=T0 + DAY), T0).valid_from == T0


def test_a_later_version_begins_with_its_edit_and_ends_the_one_before(session: Session) -> None:
    take(session, article(), now=T0 + DAY)
    take(session, article(markdown="two", updated_at=T0 + 2 * DAY), now=T0 + 3 * DAY)
    assert history(session) == [("# Refunds", T0, T0 + 2 * DAY), ("two", T0 + 2 * DAY, None)]


@pytest.mark.parametrize("edited", [None, T0 - DAY, T0, T0 + 9 * DAY])
def test_a_later_version_begins_now_when_the_vendors_time_cannot_be_true(session: Session, edited: datetime | None) -> None:
    take(session, article(), now=T0)
    take(session, article(markdown="two", updated_at=edited), now=T0 + 3 * DAY)
    assert history(session) == [("# Refunds", T0, T0 + 3 * DAY), ("two", T0 + 3 * DAY, None)]


def test_versions_stay_in_order_when_the_clock_is_set_back(session: Session) -> None:
    for number, now in enumerate([T0 + DAY, T0 - DAY, T0 - 2 * DAY, T0 - 2 * DAY]):
        take(session, article(markdown=f"{number % 2}", updated_at=None, created_at=None), now=now)
    spans = history(session)
    assert [markdown for markdown, _, _ in spans] == ["0", "1", "0", "1"]
    assert all(before[2] == after[1] for before, after in pairwise(spans))


def test_the_same_words_again_are_no_new_version(session: Session) -> None:
    take(session, article(), now=T0)
    before = dump(session)
    assert take(session, article(updated_at=T0 + DAY), now=T0) == []
    assert dump(session) == before


@pytest.mark.parametrize(
    "change", [{"title": "x"}, {"markdown": "x"}, {"url": "https://y.example"}, {"audience": "internal"}, {"language": "fr"}]
)
def test_whatever_a_reader_sees_or_who_may_see_it_makes_a_new_version(session: Session, change: dict[str, Any]) -> None:
    take(session, article(), now=T0)
    [planned] = take(session, article(**change), now=T0 + DAY)
    [held] = known(session, [ident(1)]).values()
    assert held.version == planned.key
    assert len(history(session)) == 2


@pytest.mark.parametrize("later", [timedelta(0), DAY])
def test_recording_the_same_page_twice_is_recording_it_once(session: Session, later: timedelta) -> None:
    take(session, article(1), article(2), article(3), now=T0)
    held = known(session, [ident(n) for n in range(1, 5)])
    now = T0 + DAY
    page: dict[str, Any] = {
        "versions": [plan_version(held[ident(1)], article(1, "new"), now), plan_version(None, article(4), now)],
        "gone": [ident(2), ident(99)],
        "unreadable": [],
        "unchanged": [ident(3)],
        "cursor": {"v": 1},
    }
    record_page(session, "help", "articles", **page, now=now)
    spans = [history(session, n) for n in range(1, 5)]
    record_page(session, "help", "articles", **page, now=now + later)
    assert [history(session, n) for n in range(1, 5)] == spans
    assert present_ids(session, "help") == {ident(1), ident(3), ident(4)}


def test_an_old_page_recorded_again_does_not_bring_a_gone_document_back(session: Session) -> None:
    [planned] = take(session, article(), now=T0)
    take(session, Gone(ident(1)), now=T0 + DAY)
    before = dump(session)
    record_page(session, "help", "articles", versions=[planned], gone=[], unreadable=[], unchanged=[], cursor=None, now=T0)
    assert dump(session) == before


def test_a_page_planned_before_another_sync_wrote_is_refused(session: Session) -> None:
    take(session, article(), now=T0)
    stale = plan_version(known(session, [ident(1)])[ident(1)], article(markdown="stale"), T0 + DAY)
    take(session, article(markdown="newer"), now=T0 + 2 * DAY)
    with pytest.raises(Transient, match="newer text"):
        record_page(session, "help", "articles", versions=[stale], gone=[], unreadable=[], unchanged=[], cursor=None, now=T0)


def test_of_two_versions_of_one_document_in_a_page_the_last_counts(session: Session) -> None:
    plans = [plan_version(None, article(markdown=words), T0) for words in ("first", "last")]
    record_page(session, "help", "articles", versions=plans, gone=[], unreadable=[], unchanged=[], cursor=None, now=T0)
    assert history(session) == [("last", T0, None)]


def test_a_gone_document_is_closed_and_a_reappearing_one_opens_a_new_version(session: Session) -> None:
    [first] = take(session, article(), now=T0)
    take(session, Gone(ident(1)), now=T0 + DAY)
    gone = known(session, [ident(1)])[ident(1)]
    assert (gone.state, gone.version, gone.fingerprint) == ("gone", None, "")
    assert present_ids(session, "help") == set()
    assert current_versions(session, [first.key], None) == set()
    take(session, Gone(ident(1)), now=T0 + 2 * DAY)
    [again] = take(session, article(), now=T0 + 3 * DAY)
    assert history(session) == [("# Refunds", T0, T0 + DAY), ("# Refunds", T0 + 3 * DAY, None)]
    assert current_versions(session, [first.key, again.key], None) == {again.key}
    assert known(session, [ident(1)])[ident(1)].state == "live"


def test_an_unreadable_document_counts_as_present_and_keeps_its_last_version(session: Session) -> None:
    [first] = take(session, article(), now=T0)
    for day in (1, 2, 2):  # the same page twice is one failure
        take(session, Unreadable(ident(1), "403"), Unreadable(ident(2), "too large"), now=T0 + day * DAY)
    assert present_ids(session, "help") == {ident(1), ident(2)}
    assert current_versions(session, [first.key], None) == {first.key}
    d = table(DocumentRow)
    rows = session.connection().execute(select(d.c.state, d.c.reason, d.c.fails).order_by(d.c.id)).all()
    assert [tuple(row) for row in rows] == [("unreadable", "403", 2), ("unreadable", "too large", 2)]
    take(session, article(), now=T0 + 3 * DAY)
    [row] = session.connection().execute(select(d.c.state, d.c.reason, d.c.fails).where(d.c.id == ident(1)))
    assert tuple(row) == ("live", None, 0)
    assert len(history(session)) == 1


def test_versions_can_be_asked_as_of_a_moment(session: Session) -> None:
    [one] = take(session, article(), now=T0)
    [two] = take(session, article(markdown="two", updated_at=T0 + DAY), now=T0 + DAY)
    keys = [one.key, two.key, "unknown"]
    asked = {hours: current_versions(session, keys, T0 + timedelta(hours=hours)) for hours in (-1, 0, 23, 24, 25)}
    assert asked == {-1: set(), 0: {one.key}, 23: {one.key}, 24: {two.key}, 25: {two.key}}
    assert current_versions(session, keys, None) == {two.key}
    assert current_versions(session, [], None) == set()


def test_a_document_that_is_gone_now_is_not_found_as_of_an_earlier_moment_either(session: Session) -> None:
    [one] = take(session, article(), now=T0)
    take(session, Gone(ident(1)), now=T0 + 2 * DAY)
    assert current_versions(session, [one.key], T0 + DAY) == set()


def test_a_page_and_its_cursor_are_stored_together_or_not_at_all(engine: Engine) -> None:
    with Session(engine) as s:
        take(s, article(), now=T0, cursor={"v": 1, "after": "abc"})
        s.rollback()
    with Session(engine) as s, s.begin():
        assert read_cursor(s, "help", "articles") is None
        assert known(s, [ident(1)]) == {}
        take(s, article(), now=T0, cursor={"v": 1, "after": "abc"})
    with Session(engine) as s, s.begin():
        assert read_cursor(s, "help", "articles") == {"v": 1, "after": "abc"}
        assert list(known(s, [ident(1)])) == [ident(1)]
        take(s, Gone(ident(1)), now=T0, cursor=None)
        assert read_cursor(s, "help", "articles") == {"v": 1, "after": "abc"}
        forget_cursor(s, "help", "articles")
        assert read_cursor(s, "help", "articles") is None


def test_who_may_read_a_document_is_part_of_its_version(session: Session) -> None:
    inner = article(audience="internal")
    some = replace(inner, segments=("help:a", "help:b"))
    assert fingerprint(some) == fingerprint(replace(inner, segments=("help:b", "help:a"))) != fingerprint(inner)
    assert fingerprint(some) != fingerprint(replace(inner, segments=("help:a",)))
    assert plan_version(None, replace(some, audience="public"), T0).segments == (), "what is for everybody is for no segment"
    take(session, some, now=T0)
    kept = session.connection().scalars(select(table(VersionRow).c.segments)).all()
    assert kept == [("help:a", "help:b")]
    assert has_segments(session, "help")
    assert not has_segments(session, "wiki")
    take(session, inner, now=T0 + DAY)
    assert not has_segments(session, "help"), "only the past has any"


def test_a_second_current_version_of_a_document_is_refused_by_the_database(session: Session) -> None:
    [first] = take(session, article(), now=T0)
    with pytest.raises(IntegrityError):
        session.connection().execute(
            text("INSERT INTO versions SELECT 'k2', document, connector, fingerprint, audience, language, :later, NULL, assumed,"
                 " updated_at, created_at, url, title, markdown, segments FROM versions WHERE key = :key"),
            {"later": T0 + DAY if session.get_bind().dialect.name != "sqlite" else "2026-01-09 00:00:00.000000", "key": first.key},
        )  # fmt: skip


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: object, _u: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_a_page_of_a_hundred_documents_takes_a_handful_of_statements(engine: Engine) -> None:
    with Session(engine) as s, s.begin():
        take(s, *(article(n) for n in range(60)), now=T0, cursor={"v": 1})
    page = [*(article(n, "new") for n in range(40)), *(article(n) for n in range(60, 100)), Gone(ident(55)), Unreadable(ident(200), "x")]
    with counted(engine) as statements, Session(engine) as s, s.begin():
        take(s, *page, now=T0 + DAY, cursor={"v": 2})
    assert len(statements) <= 12, statements


def test_thousands_of_ids_may_be_asked_for_at_once(session: Session) -> None:
    plans = [plan_version(None, article(n), T0) for n in range(1200)]
    record_page(session, "help", "articles", versions=plans, gone=[], unreadable=[], unchanged=[], cursor=None, now=T0)
    assert len(known(session, [ident(n) for n in range(5000)])) == 1200
    assert current_versions(session, [plan.key for plan in plans], None) == {plan.key for plan in plans}


def test_every_version_is_read_back_for_a_rebuild_without_keeping_a_writer_waiting(engine: Engine) -> None:
    with Session(engine) as s, s.begin():
        planned = take(s, *(article(n) for n in range(450)), now=T0)
        other = replace(planned[0], key="ffff", document="folder:notes:x", connector="notes")
        record_page(s, "notes", "files", versions=[other], gone=[], unreadable=[], unchanged=[], cursor=None, now=T0)
    with Session(engine) as s:
        found = versions(s)
        first = next(found)
        with Session(engine) as writer, writer.begin():
            take(writer, article(0, "newer"), now=T0 + DAY)
        assert {version.key for version in [first, *found]} >= {version.key for version in [*planned, other]}
        assert list(versions(s, "notes")) == [other]


def test_syncs_are_remembered_by_connector_and_old_ones_forgotten_but_for_listings(session: Session) -> None:
    assert last_listing(session, "help") is None
    for day, listing in ((0, True), (1, False), (40, False), (41, False)):
        record_sync(session, SyncRow(connector="help", started_at=T0 + day * DAY, seconds=day, listing=listing, added=day))
    record_sync(session, SyncRow(connector="wiki", started_at=T0, seconds=1.0, error="locked out"))
    last = last_syncs(session)
    assert (last["help"].added, last["wiki"].error, last["wiki"].caught_up) == (41, "locked out", False)
    assert last_listing(session, "help") == T0
    assert session.connection().scalar(text("SELECT count(*) FROM syncs WHERE connector = 'help'")) == 3


def test_fingerprints_and_keys_are_for_ever() -> None:
    """Changed, they would have every document of every installation embedded again."""
    assert fingerprint(article()) == "991c4d4e577453e98115c2232f1321b3be7d3822e833c5920ee23eba176c846b"
    assert version_key(ident(1), "f", T0) == "dbf5e010-40d7-53a9-a1fd-9ac13c83ff64"


CHANGES = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(["a", "b", "c"]), st.one_of(st.none(), st.integers(-50, 200))),
    st.tuples(st.just("gone"), st.none(), st.none()),
    st.tuples(st.just("unreadable"), st.none(), st.none()),
)
STEPS = st.lists(st.tuples(st.integers(0, 2), CHANGES, st.integers(-3, 20), st.sampled_from(["once", "twice", "crash"])), max_size=15)
RUNS = count(1)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_history_ends_as_if_nothing_had_crashed_and_is_never_ambiguous(engine: Engine, steps: list[Any]) -> None:
    run = next(RUNS) * 1000
    clock, stands = T0, dict[int, tuple[str, str]]()
    for number, (verb, words, updated), passed, fate in steps:
        clock += timedelta(hours=passed)
        name = ident(run + number)
        change: Document | Gone | Unreadable = Gone(name) if verb == "gone" else Unreadable(name, "x")
        if verb == "say":
            change = article(run + number, words, updated_at=None if updated is None else T0 + timedelta(hours=updated))
        if fate == "crash":
            with Session(engine) as s:
                take(s, change, now=clock)
                s.rollback()
        for _ in range(2 if fate == "twice" else 1):
            with Session(engine) as s, s.begin():
                take(s, change, now=clock)
        before = stands.get(number, ("", ""))
        stands[number] = {"say": ("live", words), "unreadable": ("unreadable", before[1] if before[0] != "gone" else "")}.get(
            verb, ("gone", "") if number in stands else ("", "")
        )
        if stands[number] == ("", ""):
            del stands[number]
    with Session(reading(engine)) as s:
        for number, (state, words) in stands.items():
            held = known(s, [ident(run + number)])[ident(run + number)]
            spans = history(s, run + number)
            assert held.state == state
            assert [markdown for markdown, _, end in spans if end is None] == ([words] if words else [])
            assert all(before[2] is not None and before[2] <= after[1] for before, after in pairwise(spans))


@pytest.mark.parametrize("at", [None, T0])
def test_a_querys_hits_are_looked_up_in_one_statement_by_their_keys(engine: Engine, at: datetime | None) -> None:
    """Asked on every query: no table may be walked for it."""
    plans = [plan_version(None, article(n), T0) for n in range(3000)]
    with Session(engine) as s, s.begin():
        record_page(s, "help", "articles", versions=plans, gone=[], unreadable=[], unchanged=[], cursor=None, now=T0)
        s.connection().execute(text("ANALYZE"))
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _u: object, statement: str, parameters: Any, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    hits = [plan.key for plan in plans[::60]]
    with Session(reading(engine)) as s:
        assert current_versions(s, hits, at) == set(hits)
    [(statement, parameters)] = asked
    with Session(engine) as s:  # a transaction, within which a setting is local
        explain = "EXPLAIN QUERY PLAN "
        if engine.dialect.name == "postgresql":
            explain = "EXPLAIN "
            s.connection().execute(text("SET LOCAL enable_seqscan = off"))  # which would be right for a table as small as this
        way = str(s.connection().exec_driver_sql(explain + statement, parameters).all())
    assert all(walk not in way for walk in ("SCAN versions", "SCAN documents", "Seq Scan on versions")), way


def test_two_syncs_of_one_connector_at_once_end_in_one_history(open_again: Callable[[], Engine]) -> None:
    def sync(number: int) -> None:
        engine = open_again()
        for turn in range(10):
            with Session(engine) as s, s.begin():
                try:
                    take(s, *(article(n, f"{number}-{turn}") for n in range(5)), now=T0 + turn * DAY, cursor={"v": number})
                except Transient:
                    s.rollback()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(sync, (1, 2)))
    with Session(open_again()) as s:
        for n in range(5):
            spans = history(s, n)
            assert sum(end is None for _, _, end in spans) == 1
            assert all(before[2] == after[1] for before, after in pairwise(spans))
