"""Google Docs' part of `draftdesk init`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connectors.guide import Choice, Guide, Pick, Question, Way

if TYPE_CHECKING:
    from connectors.google_docs.parse import Row
    from connectors.http import HttpFactory

GUIDE = Guide(
    title="Google Docs: documents in folders and shared drives",
    name="docs",
    ways=(
        Way(
            "service_account",
            "A service account's key file",
            (
                "In the Google Cloud console choose a project and enable the Google Drive API and the Google Docs API.",
                "Under IAM & Admin > Service accounts create one (no roles needed), then Keys > Add key > JSON; keep the file private.",
                "In Drive, share each folder to learn from with the account's address (…iam.gserviceaccount.com) as a viewer;",
                "add it to a shared drive as a viewer likewise. What is not shared with it does not exist for it.",
            ),
            (
                Question("auth.service_account", "Path of the key file", "/run/secrets/google.json", kind="file"),
                Question("knowledge.audience", "Who may read these documents: public (customers too) or internal", default="internal"),
            ),
        ),
    ),
    picks=(
        Pick("knowledge.folders", "Folders to learn from, with all that is in them"),
        Pick("knowledge.shared_drives", "Shared drives to learn from"),
    ),
)


def choices(block: Mapping[str, Any], http: HttpFactory) -> Mapping[str, tuple[Choice, ...]]:
    """Folders and shared drives that the account can see. Raises what `check` raises."""
    from connectors.google_docs.client import Calls
    from connectors.google_docs.settings import Settings

    knowledge = {"folders": ["root"], **dict(block.get("knowledge") or {})}
    settings = Settings.model_validate({**block, "name": "x", "type": "google_docs", "knowledge": knowledge})
    calls = Calls(settings, http, lambda: datetime.now(UTC))
    return {"knowledge.folders": _choices(calls.shared_folders()), "knowledge.shared_drives": _choices(calls.shared_drives())}


def _choices(found: Iterable[Row]) -> tuple[Choice, ...]:
    return tuple(Choice(row["id"], str(row.get("name") or row["id"])) for row in found if isinstance(row.get("id"), str))
