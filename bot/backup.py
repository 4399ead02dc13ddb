"""`draftdesk backup` and `draftdesk restore`: databases and files, consistent while draftdesk works; the index is made anew from them.

Durable work is copied before the rest: work that is done twice is harmless, work that is thought done and is not would be lost.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from bot.config import Config
from bot.leftovers import files
from connectors.base import ConfigProblem

MANIFEST = "backup.json"
SQLITE = ("workflows.sqlite", "draftdesk.sqlite")  # in this order
DUMP = "postgresql.dump"
NEVER = ("console.key",)  # a key that signs sessions is made anew
MODE = 0o600


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup: its files with their digests."""

    made_at: str
    database: str
    files: dict[str, str]


def backup(config: Config, folder: Path) -> Kept:
    """Into a new or empty folder. Raises ConfigProblem."""
    if folder.exists() and any(folder.iterdir()):
        raise ConfigProblem(f"{folder}: is not empty; name a new folder for each backup")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = "sqlite" if config.database_url() == "sqlite" else "postgresql"
        if database == "sqlite":
            for name in SQLITE:
                _copy_database(config.data_dir / name, folder / name)
        else:
            _run_pg("pg_dump", config, ["--format=custom", "--no-owner", f"--file={folder / DUMP}"])
        for path in files(config.data_dir):
            if path.name not in NEVER:
                _copy_file(path, folder / "files" / path.relative_to(config.data_dir))
        kept = Kept(datetime.now(UTC).isoformat(timespec="seconds"), database, {name: _digest(folder / name) for name in _names(folder)})
        draft = folder / f"{MANIFEST}.new"
        _write(draft, json.dumps({"made_at": kept.made_at, "database": database, "files": kept.files}, indent=2))
        draft.replace(folder / MANIFEST)
    except OSError as problem:
        raise ConfigProblem(f"{folder}: the backup cannot be written ({problem.strerror or problem})") from None
    return kept


def restore(config: Config, folder: Path) -> Kept:
    """Into an installation that has nothing yet. Raises ConfigProblem, before anything is written where the backup is not whole."""
    kept = examine(folder)
    if (config.database_url() == "sqlite") != (kept.database == "sqlite"):
        raise ConfigProblem(f"{folder}: is a backup of {kept.database}; set `database` to such a one, restore, then use draftdesk migrate")
    there = [name for name in SQLITE if (config.data_dir / name).exists()]
    if there or (config.data_dir / "index").exists():
        raise ConfigProblem(f"data_dir {config.data_dir}: holds an installation already; name an empty one, or move this one away")
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True)
        for name in kept.files:
            if name in SQLITE:
                _copy_file(folder / name, config.data_dir / name)
            elif name == DUMP:
                _run_pg("pg_restore", config, ["--no-owner", "--exit-on-error", str(folder / DUMP)])
            else:
                _copy_file(folder / name, config.data_dir / Path(name).relative_to("files"))
    except OSError as problem:
        raise ConfigProblem(f"data_dir {config.data_dir}: cannot be written ({problem.strerror or problem})") from None
    return kept


def examine(folder: Path) -> Kept:
    """The backup in this folder. Raises ConfigProblem: it is none, or it is damaged."""
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        kept = Kept(told["made_at"], told["database"], dict(told["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigProblem(f"{folder}: holds no finished backup ({MANIFEST} is missing or cannot be read)") from None
    bad = [name for name, digest in kept.files.items() if not (folder / name).is_file() or _digest(folder / name) != digest]
    if bad:
        raise ConfigProblem(f"{folder}: the backup is damaged: {', '.join(bad)} differ from what was written; take another one")
    return kept


def _copy_database(source: Path, target: Path) -> None:
    """As of one moment, whoever writes meanwhile."""
    if not source.exists():
        return
    target.touch(mode=MODE)
    place = f"{source.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(place, uri=True, timeout=30)) as reader, closing(sqlite3.connect(target)) as writer:
        reader.backup(writer)
        writer.execute("PRAGMA journal_mode=DELETE")  # one file, without a -wal beside it


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=MODE)
    shutil.copyfile(source, target)


def _write(path: Path, text: str) -> None:
    path.touch(mode=MODE)
    path.write_text(text, encoding="utf-8")


def _names(folder: Path) -> Iterator[str]:
    return (str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run_pg(program: str, config: Config, options: list[str]) -> None:
    """PostgreSQL's own tool, the password in its environment and not in its arguments."""
    found, url = shutil.which(program), make_url(config.database_url())
    if found is None:
        raise ConfigProblem(f"{program} is not installed here; install PostgreSQL's client programs, or use the server's own backups")
    password = url.password or url.query.get("password")
    place = url._replace(password=None).difference_update_query(["password"]).render_as_string()
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    done = subprocess.run([found, f"--dbname={place}", *options], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ConfigProblem(f"{program}: {' '.join(done.stderr.split())[:300]}")
