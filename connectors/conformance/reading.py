"""Rules of reading: ids, cursors, pages, and what people do with documents."""

# mypy: disable-error-code="type-abstract"
from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.base import Cursor, CursorExpired, Divided, Gone, Listing
from connectors.conformance.play import Play, Shelf, differences, ended, moments, pages, stored
from connectors.conformance.stage import Expires, Hides, Moves, Obscures, Restores, Restricts, Spoils

FEW_REQUESTS = 12  # of one check


class Reading:
    """Each test is a promise of base.py."""

    def test_check_is_quiet_and_cheap_where_all_is_well(self, play: Play) -> None:
        play.create(3)
        before = play.requests
        play.connect().check()
        assert play.requests - before <= FEW_REQUESTS, f"check made {play.requests - before} requests; it is the cheapest real call"

    def test_a_first_load_ends_in_what_is_true(self, play: Play) -> None:
        play.create(6)
        play.create(2, public=False)
        play.agrees(play.load(), "after a first load")

    def test_ids_are_stable_and_carry_the_connector(self, play: Play) -> None:
        made = play.create(4)
        first, second = play.load(), play.load()
        assert first.present() == second.present(), "two readings of the same gave different ids"
        assert set(made) <= first.present(), f"the stage made {made}, told were {sorted(first.present())}"
        prefixes = {tuple(id.split(":")[:2]) for id in first.present()}
        assert len(prefixes) == 1, f"every id begins TYPE:CONNECTOR:, all with the same; found {prefixes}"
        assert all(len(id.split(":")) >= 3 and all(id.split(":")[:3]) for id in first.present())

    def test_documents_have_what_a_reader_needs(self, play: Play) -> None:
        play.create(3)
        for document in play.load().documents.values():
            assert document.title.strip(), f"{document.id} has no title"
            assert document.markdown.strip(), f"{document.id} has no text"
            assert "://" in document.url, f"{document.id} has no address: {document.url!r}"
            for moment in moments(document):
                assert moment.utcoffset() == timedelta(0), f"{document.id}: times are UTC and say so, this one is {moment!r}"

    def test_a_new_document_and_an_edit_come_with_the_next_turn(self, play: Play) -> None:
        ids = play.create(4)
        shelf = play.load()
        play.stage.advance(3600)
        play.create()
        play.edit(ids[1])
        play.settle(shelf, listing=False)
        play.agrees(shelf, "a turn after an edit and a new document")

    def test_a_pull_ends_with_its_caught_up_page(self, play: Play) -> None:
        play.create(3)
        for cursor in (None, play.load().cursor):
            told = list(play.connect().pull(cursor))
            assert [page.caught_up for page in told] == [False] * (len(told) - 1) + [True], "exactly the last page is caught up"

    def test_cursors_stay_as_they_were_given(self, play: Play) -> None:
        play.crowd()
        shelf, given, then = Shelf(), list[Cursor](), list[str]()
        for _ in range(2):
            for page in pages(play.connect(), shelf.cursor):
                shelf.apply(page)
                given.append(page.cursor)
                then.append(json.dumps(stored(page.cursor), sort_keys=True))
            play.edit(next(iter(play.stage.truth())))
            play.stage.advance(3600)
        now = [json.dumps(cursor, sort_keys=True) for cursor in given]
        assert now == then, "a cursor changed after it was given: what was stored is not what was meant"
        assert all("v" in cursor for cursor in given), 'a cursor says its version under "v"'

    def test_a_cursor_that_makes_no_sense_is_expired_never_a_crash(self, play: Play) -> None:
        play.create(2)
        later: Cursor = {**(play.load().cursor or {}), "v": 99}
        strange: list[Cursor] = [{}, {"v": 99}, {"v": None}, {"v": "1"}, {"other": [1, {"x": None}]}, later]
        for cursor in strange:
            try:
                shelf = Shelf()
                for page in pages(play.connect(), cursor):
                    shelf.apply(page)
            except CursorExpired:
                continue
            found = differences(shelf, play.stage.truth())
            assert not found, f"the cursor {cursor} was taken for a beginning and led to: {found[:3]}"

    def test_reading_resumes_from_every_cursor_ever_given(self, play: Play) -> None:
        ids = play.crowd()
        shelf, saved = Shelf(), list[Shelf]()
        for _ in range(2):
            for page in pages(play.connect(), shelf.cursor):
                shelf.apply(page)
                saved.append(shelf.copy())
            play.stage.advance(3600)
            play.edit(ids[-1])
        play.edit(ids[0])
        play.stage.delete(ids[1])
        play.create()
        play.stage.advance(600)
        for number, kept in enumerate(saved):
            play.turn(kept)
            play.agrees(kept, f"resumed from cursor {number + 1} of {len(saved)}")

    def test_a_crash_at_any_page_boundary_loses_nothing(self, play: Play) -> None:
        ids = play.crowd()
        crashes, ended_ = 0, False
        while not ended_:
            shelf = Shelf()
            for number, page in enumerate(pages(play.connect(), None)):
                if number == crashes:
                    break
                shelf.apply(page)
            else:
                ended_ = True
            play.edit(ids[crashes % len(ids)])
            play.settle(shelf)
            play.agrees(shelf, f"after a crash behind page {crashes}")
            crashes += 1
            assert crashes < 200, "200 pages and no end"

    def test_a_crash_inside_a_catch_up_loses_nothing(self, play: Play) -> None:
        ids = play.create(8)
        first = play.load()
        play.stage.advance(3600)
        for id in ids[:5]:
            play.edit(id)
        play.stage.delete(ids[6])
        play.create(2)
        play.stage.advance(600)
        for crash in range(6):
            shelf = first.copy()
            for number, page in enumerate(pages(play.connect(), shelf.cursor)):
                if number == crash:
                    break
                shelf.apply(page)
            play.turn(shelf)
            play.agrees(shelf, f"after a crash behind page {crash} of a catch-up")

    def test_a_change_in_the_very_moment_of_a_cursor_is_not_lost(self, play: Play) -> None:
        ids = play.create(4)
        play.stage.advance(3600)
        play.edit(ids[0])
        shelf = play.load()
        play.edit(ids[1])
        play.create()
        play.settle(shelf, listing=False)
        play.agrees(shelf, "after changes in the moment of the cursor")
        play.edit(ids[2])
        play.turn(shelf, listing=False)
        play.edit(ids[3])
        play.create()
        play.settle(shelf, listing=False)
        play.agrees(shelf, "after changes on both sides of a cursor, in one moment")

    def test_a_change_during_a_pull_is_not_lost(self, play: Play) -> None:
        ids = play.crowd()
        shelf = Shelf()
        for number, page in enumerate(pages(play.connect(), None)):
            shelf.apply(page)
            if number < 3:
                play.stage.advance(1)
                play.edit(ids[number])
                play.edit(ids[-1 - number])
                play.create()
        play.settle(shelf, listing=False)
        play.agrees(shelf, "after changes behind and before a load that was under way")

    def test_a_deleted_document_is_gone_after_the_stream_and_the_listing(self, play: Play) -> None:
        ids = play.create(6)
        shelf = play.load()
        play.stage.advance(3600)
        play.stage.delete(ids[0])
        play.stage.delete(ids[4])
        play.settle(shelf)
        play.agrees(shelf, "a turn and a listing after two deletions")

    def test_a_restored_document_comes_back(self, play: Play) -> None:
        people = play.able(Restores)
        ids = play.create(4)
        shelf = play.load()
        play.stage.delete(ids[2])
        play.settle(shelf)
        people.restore(ids[2])
        play.within_a_day(shelf)

    def test_the_listing_names_every_document_and_no_other(self, play: Play) -> None:
        source = play.capable(Listing)
        ids = play.crowd()
        play.stage.delete(ids[1])
        play.stage.advance(600)
        told, listed = set(play.stage.truth()), list(source.list_ids())
        assert set(listed) == told, f"missing: {sorted(told - set(listed))[:5]}; too many: {sorted(set(listed) - told)[:5]}"

    def test_a_hidden_document_is_gone_and_comes_back(self, play: Play) -> None:
        people = play.able(Hides)
        ids = play.create(4)
        shelf = play.load()
        play.stage.advance(3600)
        people.hide(ids[1])
        play.settle(shelf)
        play.agrees(shelf, "a turn and a listing after a document was taken from view")
        people.show(ids[1])
        play.within_a_day(shelf)

    def test_a_restricted_document_is_internal_at_once_or_within_a_day(self, play: Play) -> None:
        people = play.able(Restricts)
        ids = play.create(4)
        shelf = play.load()
        play.stage.advance(3600)
        people.restrict(ids[1])
        play.within_a_day(shelf)
        people.unrestrict(ids[1])
        play.within_a_day(shelf)

    def test_a_document_that_was_always_restricted_is_never_public(self, play: Play) -> None:
        people = play.able(Restricts)
        ids = play.create(3)
        people.restrict(ids[0])
        shelf = Shelf()
        for page in pages(play.connect(), None):
            shelf.apply(page)
            shown = shelf.documents.get(ids[0])
            assert shown is None or shown.audience == "internal", "a restricted document was public, if only for one page"
        play.agrees(shelf, "after a first load with a restricted document")

    def test_an_audience_that_nobody_knows_is_internal(self, play: Play) -> None:
        people = play.able(Obscures)
        ids = play.create(3)
        people.obscure(ids[1])
        shelf = play.load()
        assert shelf.documents[ids[1]].audience == "internal", "who may read it is unknown, so customers may not"
        play.agrees(shelf, "after a first load with a document of an unknown audience")

    def test_a_moved_document_is_followed(self, play: Play) -> None:
        people = play.able(Moves)
        ids = play.create(4)
        shelf = play.load()
        for _ in range(2):
            play.stage.advance(3600)
            people.move(ids[2])
            play.within_a_day(shelf)

    def test_an_unreadable_document_stops_no_other_and_is_tried_again(self, play: Play) -> None:
        people = play.able(Spoils)
        ids = play.create(4)
        people.spoil(ids[1])
        shelf = play.load()
        play.agrees(shelf, "after a first load with an unreadable document")
        source = play.connect()
        if isinstance(source, Listing):
            assert ids[1] in set(source.list_ids()), "an unreadable document is there: a listing names it"
        play.settle(shelf)
        play.agrees(shelf, "a turn later, the document still unreadable")
        people.mend(ids[1])
        play.within_a_day(shelf)

    def test_a_document_that_becomes_unreadable_does_not_vanish(self, play: Play) -> None:
        people = play.able(Spoils)
        ids = play.create(4)
        shelf = play.load()
        play.stage.advance(3600)
        people.spoil(ids[2])
        play.edit(ids[0])
        play.settle(shelf)
        assert ids[2] in shelf.present(), "it is there, and only cannot be read"
        people.mend(ids[2])
        play.within_a_day(shelf)

    def test_an_expired_cursor_is_told_and_everything_read_again(self, play: Play) -> None:
        vendor = play.able(Expires)
        ids = play.crowd()
        shelf, saved = Shelf(), list[Shelf]()
        for page in pages(play.connect(), None):
            shelf.apply(page)
            saved.append(shelf.copy())
        play.stage.advance(3600)
        play.edit(ids[0])
        play.stage.delete(ids[1])
        vendor.expire()
        for kept in saved:
            play.settle(kept)
            play.agrees(kept, "after the vendor forgot our cursors")

    def test_a_turn_with_nothing_new_costs_the_same_however_much_there_is(self, play: Play) -> None:
        if play.stage.site is None:
            pytest.skip("it makes no requests")
        costs = []
        shelf = Shelf()
        for number in (3, 40):
            for _ in range(number):
                play.create()
                play.stage.advance(300)
            play.settle(shelf)
            play.stage.advance(7200)
            play.turn(shelf, listing=False)
            play.stage.advance(7200)
            before = play.requests
            play.turn(shelf, listing=False)
            costs.append(play.requests - before)
        assert costs[1] <= costs[0] + 2, f"a turn that brings nothing costs {costs[0]} requests, and {costs[1]} with 40 documents more"

    def test_parts_then_catching_up_equal_one_load(self, play: Play) -> None:
        source = play.capable(Divided)
        ids = play.crowd()
        whole, shelf = play.load(), Shelf()
        begun = stored(source.begin())
        for part in source.parts():
            saved, told = list[Shelf](), set[str]()
            for page in ended(source.pull_part(part.key, None)):
                shelf.apply(page)
                saved.append(shelf.copy())
                told.update(change.id for change in page.changes if not isinstance(change, Gone))
            assert len(told) >= (part.expected or 0), f"part {part.key} told {len(told)} documents of {part.expected}: a false alarm"
            for number, kept in enumerate(saved):
                for page in ended(play.capable(Divided).pull_part(part.key, kept.cursor)):
                    kept.apply(page)
                assert kept.present() == shelf.present(), f"part {part.key} resumed from its cursor {number + 1} ends otherwise"
        assert shelf.documents.keys() == whole.documents.keys(), "the parts together are not the whole"
        play.edit(ids[0])
        shelf.cursor = begun
        play.settle(shelf)
        play.agrees(shelf, "parts, then catching up")

    def test_a_change_between_the_parts_is_not_lost(self, play: Play) -> None:
        source = play.capable(Divided)
        ids = play.create(8)
        shelf = Shelf()
        begun = stored(source.begin())
        for part in source.parts():
            for page in ended(source.pull_part(part.key, None)):
                shelf.apply(page)
            play.stage.advance(1)
            play.edit(ids[0])
            play.edit(ids[-1])
        play.stage.delete(ids[3])
        play.create()
        shelf.cursor = begun
        play.settle(shelf)
        play.agrees(shelf, "parts with changes between them, then catching up")

