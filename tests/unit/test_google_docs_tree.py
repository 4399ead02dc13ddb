"""What is read of Drive, what a cursor keeps of it, and how a service account signs."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.base import ConfigProblem, CursorExpired
from connectors.google_docs import Settings, connect
from connectors.google_docs.parse import Entry, change, entry, reasons
from connectors.google_docs.sign_in import assertion, read_key
from connectors.google_docs.state import State, Waiting
from connectors.google_docs.tree import Tree
from connectors.http import HttpClient

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def folder(id: str, parent: str) -> Entry:
    return Entry(id, "folder", id, parent, None, trashed=False)


def document(id: str, parent: str) -> Entry:
    return Entry(id, "document", id, parent, None, trashed=False)


def shortcut(id: str, parent: str, target: str) -> Entry:
    return Entry(id, "shortcut", id, parent, None, trashed=False, target=target)


def planted(*entries: Entry) -> Tree:
    tree = Tree(("R",))
    for one in (folder("R", "above"), *entries):
        tree.put(one)
    return tree


def settings(key: Path, **more: Any) -> Settings:
    auth = {"service_account": f"file:{key}", "subject": more.pop("subject", None)}
    return Settings.model_validate({"name": "docs", "type": "google_docs", "auth": auth, "knowledge": {"folders": ["R"]}, **more})


def key_file(folder: Path, **changed: Any) -> Path:
    kind = serialization.PrivateFormat.PKCS8
    pem = KEY.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()
    told = {"type": "service_account", "client_email": "bot@p.iam.gserviceaccount.com", "private_key": pem, "private_key_id": "k1",
            "token_uri": "https://oauth2.googleapis.com/token", **changed}  # fmt: skip
    file = folder / "key.json"
    file.write_text(json.dumps({name: value for name, value in told.items() if value is not None}))
    return file


# --- the tree ---


def test_a_folder_that_leaves_takes_all_that_is_in_it() -> None:
    tree = planted(folder("A", "R"), folder("B", "A"), document("d", "B"), document("e", "R"))
    tree.put(folder("A", "elsewhere"))
    assert tree.read() == {"e"}


def test_shortcuts_in_a_circle_end() -> None:
    tree = planted(folder("A", "R"), shortcut("s", "A", "R"), shortcut("t", "R", "A"), shortcut("u", "A", "u"), document("d", "A"))
    assert tree.read() == {"d"}


def test_a_document_with_two_ways_to_it_stays_until_both_are_gone() -> None:
    tree = planted(document("d", "far"), shortcut("s", "R", "d"), folder("A", "R"), shortcut("t", "A", "d"))
    tree.drop("s")
    assert tree.read() == {"d"}
    tree.drop("A")
    assert tree.read() == set()


def test_what_is_not_reached_is_not_kept() -> None:
    tree = planted(folder("X", "nowhere"), document("x", "X"), document("d", "R"))
    tree.prune()
    assert (set(tree.folders), set(tree.documents)) == ({"R"}, {"d"})


ids = st.sampled_from("RABCdefst")
entries = st.builds(folder, ids, ids) | st.builds(document, ids, ids) | st.builds(shortcut, ids, ids, ids)


@given(st.lists(entries, max_size=15))
def test_a_tree_of_any_shape_comes_back_from_its_cursor(planted_: list[Entry]) -> None:
    tree = Tree(("R", "A"))
    for one in planted_:
        tree.put(one)
    state = State(tree, {"": "7"}, Waiting({"d": (1, None)}, {"e": (None, 2)}), young=True)
    again = State.of(json.loads(json.dumps(state.cursor())), ("A", "R"))
    assert (again.tree.read(), again.waiting, again.feeds, again.young) == (tree.read(), state.waiting, {"": "7"}, True)
    assert again.cursor() == state.cursor()


odd = st.sampled_from([1, None, [], {}, ["R"], {"": "1"}, {"documents": 3}, [[1]], {"folders": {}, "documents": {"a": 1}}])


@given(st.dictionaries(st.sampled_from(["v", "roots", "feeds", "tree", "todo", "later", "young"]), odd))
def test_a_cursor_of_an_odd_shape_is_expired(cursor: Any) -> None:
    try:
        State.of(cursor, ("R",))
    except CursorExpired:
        return
    raise AssertionError(f"{cursor} was taken for a cursor")


def test_other_folders_in_the_configuration_mean_reading_all_again() -> None:
    with pytest.raises(CursorExpired, match="other folders"):
        State.of(State(Tree(("R",)), {"": "1"}).cursor(), ("R", "S"))


# --- rows ---


def test_a_removed_row_has_no_file_and_one_of_a_drive_says_so() -> None:
    removed = change({"changeType": "file", "removed": True, "fileId": "d"})
    assert removed is not None
    assert (removed.entry, removed.of_drive) == (None, False)
    drive = change({"changeType": "drive", "driveId": "0A", "drive": {"id": "0A"}})
    assert drive is not None
    assert drive.of_drive


NAMES = [
    *("id", "mimeType", "parents", "shortcutDetails", "targetId", "targetMimeType", "modifiedTime", "trashed", "driveId"),
    *("error", "errors", "reason", "details", "status", "file", "fileId", "changeType"),
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=15,
)


@given(values)
def test_no_row_is_an_exception(row: Any) -> None:
    entry(row)
    reasons(row)
    if isinstance(row, dict):
        change(row)


# --- signing in ---


def test_an_assertion_is_signed_for_an_hour_and_for_the_key_files_address(tmp_path: Path) -> None:
    key = read_key(settings(key_file(tmp_path, token_uri="https://tokens.example/t")))
    header, claims, signature = assertion(key, "ada@acme.example", NOW).split(".")
    told = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert (told["aud"], told["sub"], told["exp"] - told["iat"]) == ("https://tokens.example/t", "ada@acme.example", 3600)
    raw = base64.urlsafe_b64decode(signature + "==")
    KEY.public_key().verify(raw, f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())


def test_nobody_is_acted_for_unless_it_is_said(tmp_path: Path) -> None:
    claims = assertion(read_key(settings(key_file(tmp_path))), None, NOW).split(".")[1]
    assert "sub" not in json.loads(base64.urlsafe_b64decode(claims + "=="))


ELLIPTIC = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_email": None}, "lacks client_email"),
        ({"private_key": None}, "lacks private_key"),
        ({"type": "authorized_user"}, "authorized_user"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "private_key is damaged"),
        ({"private_key": ELLIPTIC}, "not an RSA key"),
    ],
)
def test_a_faulty_key_file_is_named_and_not_repeated(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigProblem, match=words) as told:
        read_key(settings(key_file(tmp_path, **changed)))
    assert "key.json" in str(told.value)
    assert "BEGIN" not in str(told.value)


def test_a_file_that_is_no_key_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("not json")
    with pytest.raises(ConfigProblem, match="is not JSON"):
        read_key(settings(tmp_path / "key.json"))


# --- settings ---


def test_a_folders_address_is_as_good_as_its_id(tmp_path: Path) -> None:
    known = {"folders": ["https://drive.google.com/drive/u/0/folders/1AbC-d_e?usp=sharing"]}
    assert settings(tmp_path, knowledge=known).knowledge.folders == ("1AbC-d_e",)


@pytest.mark.parametrize("id", ["", "a b", "1' or '1", "https://elsewhere.example/folders/1"])
def test_what_is_no_id_is_refused(tmp_path: Path, id: str) -> None:
    with pytest.raises(ValidationError, match="is not an id"):
        settings(tmp_path, knowledge={"folders": [id]})


def test_credentials_do_not_go_in_the_clear(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="in the clear"):
        connect(settings(tmp_path, endpoints={"drive": "http://drive.lan/v3"}), HttpClient)
    assert connect(settings(tmp_path, endpoints={"drive": "http://127.0.0.1:9/v3"}), HttpClient)
