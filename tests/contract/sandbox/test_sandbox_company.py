"""The company behind the sandbox: its files are read with care, its times are laid before now."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox import Sandbox
from connectors.sandbox.company import load_company
from connectors.sandbox.rows import CompanyFault, offset

PEOPLE = """
bot: 46406145565000
users:
  - {id: 46406145565000, name: Bot, email: bot@tidewell.example, role: admin, created: 300d}
  - {id: 46406145565001, name: Anna, role: end-user, created: 40d}
"""
ARTICLES = """
categories: [{id: 36002000000001, locale: en-us, created: 9d, names: {en-us: A}}]
sections: [{id: 36003000000001, category: 36002000000001, locale: en-us, created: 9d, names: {en-us: A}}]
articles:
  - {id: 36001000000001, section: 36003000000001, source_locale: en-us, created: 8d,
     translations: {en-us: {title: T, body: "<p>B</p>", updated: 2d}}}
"""
WAITING = """
tickets:
  - {id: 5158000000001, key: one, subject: S, requester: 46406145565001, status: new, created: 3h,
     comments: [{by: 46406145565001, body: Hello, from: anna@x.example}, {by: 46406145565001, body: More, at: 1h}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    texts = {"people": PEOPLE, "articles": ARTICLES, "waiting_tickets": WAITING, "past_tickets": "tickets: []", "macros": "macros: []"}
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_offsets_are_laid_before_the_start(folder: Path) -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    sandbox = Sandbox(company=load_company(folder), now=lambda: now)
    ticket = sandbox.desk.tickets[sandbox.desk.keys["one"]]
    assert (ticket.created_at, ticket.updated_at) == (now - timedelta(hours=3), now - timedelta(hours=1))
    assert ticket.comments[0].address == "anna@x.example"
    article = sandbox.guide.articles[36_001_000_000_001]
    assert (article.created_at, article.updated_at) == (now - timedelta(days=8), now - timedelta(days=2))


@pytest.mark.parametrize(
    ("name", "before", "after", "sentence"),
    [
        ("people", "role: end-user", "roles: end-user", r"people\.yaml users\[1\]: unknown roles"),
        ("people", "46406145565001", "46406145565000", "appears twice"),
        ("people", "id: 46406145565001", "id: 7", "above 4294967296"),
        ("articles", "section: 36003000000001", "section: 36003000000009", "there is no 36003000000009"),
        ("articles", "source_locale: en-us", "source_locale: fr", "no translation in its source_locale"),
        ("waiting_tickets", "key: one, ", "", "key of its own"),
        ("waiting_tickets", "at: 1h", "at: 4h", "older than what stands before it"),
        ("waiting_tickets", "created: 3h", "created: 3 hours", "no time before now"),
        ("waiting_tickets", "requester: 46406145565001", "requester: 46406145565009", "there is no 46406145565009"),
        ("waiting_tickets", "subject: S, ", "", "subject is missing"),
    ],
)
def test_a_contradiction_is_told_with_its_place(folder: Path, name: str, before: str, after: str, sentence: str) -> None:
    file = folder / f"{name}.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(CompanyFault, match=sentence):
        load_company(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "macros.yaml").unlink()
    with pytest.raises(CompanyFault, match=r"macros\.yaml"):
        load_company(folder)


def test_units_of_time() -> None:
    assert [offset(text, "x") for text in ("30s", "20m", "36h", "400d")] == [
        timedelta(seconds=30),
        timedelta(minutes=20),
        timedelta(hours=36),
        timedelta(days=400),
    ]


def test_the_company_in_the_package_is_sound_and_the_bot_is_who_the_credentials_are(stranger: Any) -> None:
    with Sandbox(export_delay=0) as sandbox:
        credentials = ("bot@tidewell.example/token", "sandbox-token")
        me = stranger("GET", f"{sandbox.url}/api/v2/users/me.json", auth=credentials).json()["user"]
        assert me["id"] == sandbox.desk.bot_id
        waiting = {number: sandbox.desk.tickets[number] for number in sandbox.desk.keys.values()}
        assert waiting
        rows = stranger("GET", f"{sandbox.url}/api/v2/incremental/tickets/cursor.json?start_time=0", auth=credentials).json()["tickets"]
        assert {row["id"] for row in rows} == set(sandbox.desk.tickets)
        assert sandbox.guide.articles


def test_it_loads_none_of_the_heavy_libraries() -> None:
    heavy = "{'openai', 'dbos', 'pydantic', 'sqlmodel', 'numpy', 'wordllama', 'bs4', 'requests', 'starlette'}"
    code = f"import sys, connectors.sandbox; sys.exit(', '.join({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
