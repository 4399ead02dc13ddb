"""Files that hold a person's words beside the databases: reports of simulations, training files."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from storage.forgetting import Ticket, struck_out

DATABASES = ("draftdesk.sqlite", "workflows.sqlite")  # and what SQLite puts beside them
LARGEST = 1 << 30  # bytes of a file that is read at once


def files(folder: Path) -> Iterator[Path]:
    """What is neither a database, nor the index, nor a socket."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.parts[0] != "index" and not inside.name.startswith(DATABASES):
            yield path


def concerned(folder: Path, tickets: Collection[Ticket], address: str) -> list[Path]:
    """Files that name the address or, being a simulation's, one of the tickets."""
    reports = {path.parent for path in files(folder) if path.name == "report.json" and _reports_on(path, tickets)}
    return [path for path in files(folder) if path.parent in reports or _says(path, address)]


def erase_files(folder: Path, tickets: Collection[Ticket], address: str) -> list[str]:
    """A report in which one of the tickets stands goes altogether, it can be made again; elsewhere lines and addresses are struck out."""
    touched = []
    for path in concerned(folder, tickets, address):
        if path.suffix == ".jsonl":
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            _overwrite(path, "".join(line for line in lines if address.casefold() not in line.casefold()))
        elif path.parent.parent.name == "simulate" or path.suffix not in (".json", ".yaml", ".txt", ".md"):
            _overwrite(path, "")
            path.unlink()
        else:
            _overwrite(path, struck_out(path.read_text(encoding="utf-8"), address))
        touched.append(str(path.relative_to(folder)))
    return touched


def _overwrite(path: Path, text: str) -> None:
    """In place: the former bytes are not left to a file that nobody names any more."""
    path.write_text(text, encoding="utf-8")


def _reports_on(path: Path, tickets: Collection[Ticket]) -> bool:
    try:
        report: Any = json.loads(path.read_text(encoding="utf-8"))
        connector = report.get("connector")
        return any((connector, str(one.get("ticket_id"))) in tickets for one in report.get("tickets", ()))
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def _says(path: Path, address: str) -> bool:
    if path.stat().st_size > LARGEST:
        return False
    content = path.read_bytes().lower()
    forms = (address.lower(), json.dumps(address.lower())[1:-1], address.lower().replace("@", "&#64;"))
    return any(form.encode() in content for form in forms)
