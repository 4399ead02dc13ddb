"""Google Docs' part of `draftdesk init`."""

from __future__ import annotations

from connectors.guide import Guide, Pick, Question, Way

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
