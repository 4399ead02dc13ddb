"""A folder's files become documents; deletions, lost volumes and hostile files end well."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import ConfigProblem, Cursor, CursorExpired, Document, Gone, Page, Unreadable
from connectors.folder import Settings, connect
from connectors.folder.connector import PAGE, Folder
from connectors.folder.parse import Place, parse

OLD = 1_700_000_000
NOW = datetime(2026, 11, 22, tzinfo=UTC)
unprivileged = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def write(root: Path, name: str, content: str | bytes = "# Title\n\ntext", at: int = OLD) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (at, at))
    return path


def folder(root: Path, audience: str = "public") -> Folder:
    return Folder("hb", root, "public" if audience == "public" else "internal", now=lambda: NOW)


def sync(source: Folder, cursor: Cursor | None, store: dict[str, object]) -> Cursor:
    for page in source.pull(cursor):
        keep(page, store)
        cursor = json.loads(json.dumps(page.cursor))
    assert page.caught_up
    return dict(cursor or {})


def keep(page: Page, store: dict[str, object]) -> None:
    for change in page.changes:
        if isinstance(change, Gone):
            assert store.pop(change.id, None) is not None, "gone was said of something never told of"
        else:
            store[change.id] = change


def doc(name: str, content: str | bytes, audience: str = "public") -> Document:
    place = Place(f"folder:hb:{name}", name, f"file:///x/{name}", NOW)
    return parse(content if isinstance(content, bytes) else content.encode(), place, "public" if audience == "public" else "internal")


def test_settings_default_to_internal(tmp_path: Path) -> None:
    block = Settings.model_validate({"name": "hb", "type": "folder", "path": str(tmp_path)})
    assert (block.knowledge.audience, block.every, connect(block, lambda: None).audience) == ("internal", "15m", "internal")  # type: ignore[arg-type, return-value]


def test_markdown_html_and_text_are_read_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "# Refunds\n\nWithin 30 days.")
    write(tmp_path, "sub/dir/b.HTML", '<html lang="fr"><title>Retours</title><body><h2>Délai</h2><p>30 jours</p></body>')
    write(tmp_path, "opening-hours.txt", "Mon-Fri 9-17")
    for name in ("c.png", "d.pdf", ".hidden.md", ".git/e.md", "f"):
        write(tmp_path, name)
    store: dict[str, object] = {}
    sync(folder(tmp_path), None, store)
    assert {key: (d.title, d.markdown, d.language) for key, d in store.items() if isinstance(d, Document)} == {
        "folder:hb:a.md": ("Refunds", "# Refunds\n\nWithin 30 days.", None),
        "folder:hb:sub/dir/b.HTML": ("Retours", "## Délai\n\n30 jours", "fr"),
        "folder:hb:opening-hours.txt": ("opening hours", "Mon-Fri 9-17", None),
    }
    assert sorted(folder(tmp_path).list_ids()) == sorted(store)
    document = store["folder:hb:a.md"]
    assert isinstance(document, Document)
    assert document.updated_at == datetime.fromtimestamp(OLD, UTC)
    assert document.url == (tmp_path / "a.md").resolve().as_uri()


def test_front_matter_names_title_language_dates_and_address() -> None:
    front = "title: Our *terms*\nlanguage: en-GB\nupdated: 2026-01-02\ncreated: 2025-01-02T03:00:00+02:00\nurl: https://a.example/terms"
    front = f"---\n{front}\n---\n# Other\n[x](y.html)"
    found = doc("t.md", front)
    assert (found.title, found.language, found.url, found.audience) == ("Our *terms*", "en", "https://a.example/terms", "public")
    assert (found.updated_at, found.created_at) == (datetime(2026, 1, 2, tzinfo=UTC), datetime(2025, 1, 2, 1, tzinfo=UTC))
    assert found.markdown == "# Other\n[x](https://a.example/y.html)"


@pytest.mark.parametrize(
    ("front", "configured", "audience"),
    [
        ("audience: internal", "public", "internal"),
        ("audience: public", "internal", "internal"),
        ("audience: public", "public", "public"),
        ("audience: Staff only", "public", "internal"),
        ("audience: [public]", "public", "internal"),
        ("audience:", "public", "internal"),
        ("Audience: internal", "public", "internal"),
        ("draft: true", "public", "internal"),
        ("published: false", "public", "internal"),
        ("title: x", "public", "public"),
        ("title: x", "internal", "internal"),
    ],
)
def test_a_file_may_narrow_its_audience_and_never_widen_it(front: str, configured: str, audience: str) -> None:
    assert doc("a.md", f"---\n{front}\n---\ntext", configured).audience == audience


@pytest.mark.parametrize("front", ["a: [", "a: b: c", "\ta: 1", "&a [*a, *b]", "{" * 5000])
def test_broken_front_matter_makes_a_file_unreadable_rather_than_public(tmp_path: Path, front: str) -> None:
    write(tmp_path, "a.md", f"---\n{front}\n---\ntext")
    (page,) = folder(tmp_path).pull(None)
    assert isinstance(page.changes[0], Unreadable)
    assert "front matter" in page.changes[0].reason


def test_a_line_of_dashes_is_not_front_matter() -> None:
    assert doc("a.md", "---\nJust a rule above\n---\nmore").markdown.startswith("---")


def test_markdown_is_told_as_a_reader_sees_it() -> None:
    text = (
        "Title\n=====\n\n<!-- SECRET\n\n-->Within **30 days**, A\\_1 and a_b_c, *soon*.\n\n![SECRET](https://evil.example/x.png)\n"
        '<div style="display: none">SECRET</div>\n<details><summary>More</summary>x</details>\n\n[rel](b.md) [abs](https://a.example/_x_)\n'
        "\nSub\n---\n\n```html\n<!-- kept --> **kept**\n```\n`**kept**` ~~SECRET~~\n"
    )
    markdown = doc("a.md", text.replace("![SECRET]", "![]")).markdown
    assert "SECRET" not in markdown
    assert markdown == (
        "# Title\n\nWithin 30 days, A_1 and a_b_c, soon.\n\nMorex\n\nrel [abs](https://a.example/_x_)\n"
        "\n## Sub\n\n```html\n<!-- kept --> **kept**\n```\n`**kept**`"
    )


def test_the_title_is_the_first_heading_that_is_not_code() -> None:
    assert doc("a.md", "```\n# not this\n```\n## The [real](https://a.example) `one`\n").title == "The real one"
    assert doc("my-file_name.md", "text").title == "my file name"


def test_nothing_changed_costs_no_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        write(tmp_path, f"{number}.md")
    store: dict[str, object] = {}
    cursor = sync(folder(tmp_path), None, store)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("a file was read"))
    (page,) = folder(tmp_path).pull(cursor)
    assert (page.changes, page.caught_up, page.cursor) == ((), True, cursor)


def test_a_change_that_keeps_size_and_date_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "old!")
    store: dict[str, object] = {}
    cursor = sync(folder(tmp_path), None, store)
    (tmp_path / "a.md").unlink()
    write(tmp_path, "a.md", "new!")
    sync(folder(tmp_path), cursor, store)
    assert [d.markdown for d in store.values() if isinstance(d, Document)] == ["new!"]


def test_a_file_written_a_moment_ago_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, "a.md", at=int(NOW.timestamp()) - 1)
    first = sync(folder(tmp_path), None, {})
    (page,) = folder(tmp_path).pull(first)
    assert [change.id for change in page.changes] == ["folder:hb:a.md"]


def test_deleted_and_moved_files_are_gone(tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "sub/c.md"):
        write(tmp_path, name)
    store: dict[str, object] = {}
    cursor = sync(folder(tmp_path), None, store)
    (tmp_path / "a.md").unlink()
    (tmp_path / "sub").rename(tmp_path / "moved")
    cursor = sync(folder(tmp_path), cursor, store)
    assert sorted(store) == ["folder:hb:b.md", "folder:hb:moved/c.md"]
    assert sync(folder(tmp_path), cursor, store) == cursor


def test_a_folders_last_file_is_told_to_be_gone(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    store: dict[str, object] = {}
    cursor = sync(folder(tmp_path), None, store)
    (tmp_path / "a.md").unlink()
    sync(folder(tmp_path), cursor, store)
    assert store == {}


def told_gone(root: Path, cursor: Cursor) -> dict[str, bool]:
    return {change.id: change.inferred for page in folder(root).pull(cursor) for change in page.changes if isinstance(change, Gone)}


def test_that_files_vanished_is_left_to_the_listing_to_confirm(tmp_path: Path) -> None:
    for number in range(200):
        write(tmp_path, f"{number:03}.md")
    cursor = sync(folder(tmp_path), None, {})
    for path in tmp_path.iterdir():
        path.unlink()
    assert told_gone(tmp_path, cursor) == {f"folder:hb:{number:03}.md": True for number in range(200)}
    assert list(folder(tmp_path).list_ids()) == []


def test_a_moved_file_is_surely_gone_from_where_it_was(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, f"old/{number}.md", f"text {number * 100}", at=OLD + number)
    cursor = sync(folder(tmp_path), None, {})
    (tmp_path / "old").rename(tmp_path / "new")
    (tmp_path / "new/2.md").unlink()
    assert told_gone(tmp_path, cursor) == {"folder:hb:old/0.md": False, "folder:hb:old/1.md": False, "folder:hb:old/2.md": True}


def test_one_arrival_stands_for_one_moved_file_only(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, f"{number}.md")
    cursor = sync(folder(tmp_path), None, {})
    for number in range(3):
        (tmp_path / f"{number}.md").unlink()
    write(tmp_path, "new.md")
    assert sorted(told_gone(tmp_path, cursor).values()) == [False, True, True]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none", write(tmp_path, "file.md")):
        for use in (lambda f: f.check(), lambda f: list(f.pull(None)), lambda f: list(f.list_ids())):
            with pytest.raises(ConfigProblem, match=r"connector hb: the folder .* cannot be read"):
                use(folder(path))
    folder(tmp_path).check()


def test_an_unlistable_folder_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.md", "sub/b.md", "sub/deep/c.md", "subway.md"):
        write(tmp_path, name)
    store: dict[str, object] = {}
    cursor = sync(folder(tmp_path), None, store)
    scandir = os.scandir

    def barred(path: Path) -> object:
        if Path(path).name == "sub":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    with monkeypatch.context() as locked:
        locked.setattr(os, "scandir", barred)
        cursor = sync(folder(tmp_path), cursor, store)
        kinds = {key: type(value) for key, value in store.items()}
        assert kinds == {
            "folder:hb:a.md": Document,
            "folder:hb:subway.md": Document,
            "folder:hb:sub/": Unreadable,
            "folder:hb:sub/b.md": Unreadable,
            "folder:hb:sub/deep/c.md": Unreadable,
        }
        with pytest.raises(ConfigProblem, match="cannot be listed"):
            list(folder(tmp_path).list_ids())
    sync(folder(tmp_path), cursor, store)
    assert {key: type(value) for key, value in store.items()} == dict.fromkeys(kinds.keys() - {"folder:hb:sub/"}, Document)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"caf\xe9", "UTF-8"), (b"a\x00b", "not a text file"), (b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MiB"), (b"\xff\xfea", "UTF-8")],
)
def test_an_unreadable_file_is_told_of_each_time_until_it_is_mended(tmp_path: Path, content: bytes, why: str) -> None:
    path = write(tmp_path, "a.md", content)
    store: dict[str, object] = {}
    cursor = sync(folder(tmp_path), None, store)
    (page,) = folder(tmp_path).pull(cursor)
    assert isinstance(page.changes[0], Unreadable)
    assert why in page.changes[0].reason
    assert list(folder(tmp_path).list_ids()) == ["folder:hb:a.md"]
    path.write_text("fine")
    sync(folder(tmp_path), cursor, store)
    assert isinstance(store["folder:hb:a.md"], Document)


def test_other_encodings_are_read_where_the_file_tells(tmp_path: Path) -> None:
    assert doc("a.md", "\ufeffcafé".encode("utf-8")).markdown == "café"
    assert doc("a.txt", "café".encode("utf-16")).markdown == "café"
    assert doc("a.html", '<meta charset="iso-8859-1"><p>café'.encode("iso-8859-1")).markdown == "café"


def test_a_link_leading_outside_is_not_followed_and_one_inside_is(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside/secret.md", "SECRET")
    root = tmp_path / "root"
    write(root, "..data/real.md", "inside")
    (root / "link.md").symlink_to(root / "..data" / "real.md")
    (root / "out.md").symlink_to(outside)
    (root / "outdir").symlink_to(outside.parent)
    (root / "loop").symlink_to(root)
    (root / "self.md").symlink_to(root / "self.md")
    (root / "dangling.md").symlink_to(root / "nothing.md")
    os.mkfifo(root / "pipe.md")
    store: dict[str, object] = {}
    sync(folder(root), None, store)
    assert {key: value.markdown for key, value in store.items() if isinstance(value, Document)} == {"folder:hb:link.md": "inside"}
    assert list(folder(root).list_ids()) == ["folder:hb:link.md"]


def test_a_name_that_is_no_text_gets_an_id_that_is(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.md", "wb") as file:
        file.write(b"x")
    (identity,) = folder(tmp_path).list_ids()
    assert identity == "folder:hb:caf\\xe9.md"
    assert sync(folder(tmp_path), None, {})


def test_a_cursor_of_another_version_starts_again(tmp_path: Path) -> None:
    for cursor in ({}, {"v": 2, "seen": {}}, {"v": 1}):
        with pytest.raises(CursorExpired):
            list(folder(tmp_path).pull(cursor))


def test_a_big_folder_comes_in_pages_and_goes_on_from_any_of_their_cursors(tmp_path: Path) -> None:
    for number in range(2 * PAGE + 3):
        write(tmp_path, f"{number:04}.md", f"text {number}")
    pages = list(folder(tmp_path).pull(None))
    assert [(len(page.changes), page.caught_up) for page in pages] == [(PAGE, False), (PAGE, False), (3, True)]
    for done, page in enumerate(pages, start=1):
        assert sum(len(rest.changes) for rest in folder(tmp_path).pull(page.cursor)) == sum(len(p.changes) for p in pages[done:])


edits = st.lists(
    st.tuples(st.sampled_from(["write", "delete", "sync", "crash"]), st.integers(0, 5), st.integers(0, 99)), min_size=1, max_size=25
)


@settings(max_examples=60, deadline=None)
@given(edits)
def test_after_any_history_of_edits_and_crashes_the_store_holds_what_the_folder_holds(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, int, int]]
) -> None:
    root = tmp_path_factory.mktemp("h")
    store: dict[str, object] = {}
    cursor: Mapping[str, object] | None = None
    for kind, which, value in history:
        name = f"{'sub/' if which % 2 else ''}{which}.md"
        if kind == "write":
            write(root, name, f"text {value}")
        elif kind == "delete":
            (root / name).unlink(missing_ok=True)
        elif kind == "sync":
            cursor = sync(folder(root), cursor, store)  # type: ignore[arg-type]
        else:
            page = next(folder(root).pull(cursor))  # type: ignore[arg-type]
            keep(page, dict(store))  # read, and lost before it was stored
    sync(folder(root), cursor, store)  # type: ignore[arg-type]
    assert {key: value.markdown for key, value in store.items() if isinstance(value, Document)} == {
        f"folder:hb:{path.relative_to(root).as_posix()}": path.read_text() for path in root.rglob("*.md")
    }


@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace"))
    | st.text(alphabet="<>-!`*_~[]()#=\n |adivhsk:/\\", max_size=200).map(str.encode),
    name=st.sampled_from(["a.md", "a.html", "a.txt"]),
    front=st.booleans(),
)
def test_any_file_is_a_document_or_unreadable(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str, front: bool) -> None:
    root = tmp_path_factory.mktemp("f")
    write(root, name, b"---\n" + content + b"\n---\nx" if front else content)
    (page,) = folder(root).pull(None)
    assert isinstance(page.changes[0], Document | Unreadable)


def test_renaming_a_whole_folder_of_many_files_is_no_lost_volume(tmp_path: Path) -> None:
    for number in range(60):
        write(tmp_path, f"old/{number}.md")
    store: dict[str, object] = {}
    cursor = sync(folder(tmp_path), None, store)
    (tmp_path / "old").rename(tmp_path / "new")
    sync(folder(tmp_path), cursor, store)
    assert sorted(store) == sorted(f"folder:hb:new/{number}.md" for number in range(60))
