"""The calls to Drive v3 and Docs v1. Quotas: Drive counts units (a list costs 100 of 325,000 a minute), Docs 300 reads a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.base import ConfigProblem, CursorExpired, Transient
from connectors.google_docs.parse import MIME, Change, Entry, Row, change, entry, mapping, rows, text
from connectors.google_docs.refusals import limited, of_everything
from connectors.google_docs.settings import Settings
from connectors.google_docs.sign_in import access_token
from connectors.http import Denied, HttpClient, HttpError, HttpFactory
from connectors.tokens import Tokens

FILE = "id,name,mimeType,trashed,parents,driveId,modifiedTime,createdTime,shortcutDetails(targetId,targetMimeType)"
FILES = f"nextPageToken,incompleteSearch,files({FILE})"
CHANGES = f"nextPageToken,newStartPageToken,changes(changeType,removed,fileId,driveId,file({FILE}))"
DOCUMENT = "documentId,title,tabs(tabProperties,documentTab(body,lists,footnotes,inlineObjects),childTabs)"
ALL_DRIVES = {"supportsAllDrives": "true", "includeItemsFromAllDrives": "true"}  # without both, a shared drive lists as empty
READ = " or ".join(f"mimeType = '{MIME}{kind}'" for kind in ("document", "folder", "shortcut"))
FOLDERS_AT_ONCE = 50  # in one question: some 3,000 characters
SAME_TOKEN = 3  # times in a row that a token may lead to itself


class Calls:
    """One method per call. What is refused to the whole account raises ConfigProblem; `Denied` otherwise is about one file."""

    def __init__(self, settings: Settings, http: HttpFactory, now: Callable[[], datetime]) -> None:
        door = http(settings.endpoints.token)
        tokens = Tokens(settings.endpoints.token, lambda: access_token(settings, door, now), now)
        self._drive, self._drive_path = _client(settings.endpoints.drive, http, tokens)
        self._docs, self._docs_path = _client(settings.endpoints.docs, http, tokens)
        self._barred: set[str] = set()  # shared drives of which the account is no member, though a folder in them is shared with it

    def file(self, id: str) -> Entry | None:
        """None for what is gone, and for what the account may not see."""
        try:
            return entry(self._ask(f"/files/{quote(id, safe='')}", {"fields": FILE, "supportsAllDrives": "true"}))
        except HttpError as refusal:
            if refusal.status in (400, 404, 410):
                return None
            raise _unexpected(refusal) from None
        except Denied as refusal:
            _only_hidden(refusal)
            return None

    def shared_drive(self, id: str) -> Entry | None:
        """A shared drive as the folder that it is."""
        try:
            told = self._ask(f"/drives/{quote(id, safe='')}", {"fields": "id,name"})
        except HttpError as refusal:
            if refusal.status in (400, 404, 410):
                return None
            raise _unexpected(refusal) from None
        except Denied as refusal:
            _only_hidden(refusal)
            return None
        return Entry(id, "folder", text(told.get("name")), None, id, trashed=False)

    def shared_drives(self) -> Iterator[Row]:
        yield from self._listed("/drives", "drives", {"pageSize": "100", "fields": "nextPageToken,drives(id,name)"})

    def shared_folders(self) -> Iterator[Row]:
        q = f"sharedWithMe and trashed = false and mimeType = '{MIME}folder'"
        yield from self._listed("/files", "files", {"q": q, "pageSize": "1000", "fields": FILES, **ALL_DRIVES})

    def children(self, folders: Sequence[str], drive: str | None) -> Iterator[Entry]:
        """Documents, folders and shortcuts that lie directly in these folders (of one shared drive, or of none), complete.

        Raises Transient for a list that is cut short. A folder that vanished meanwhile is as good as empty.
        """
        for start in range(0, len(folders), FOLDERS_AT_ONCE):
            yield from self._children(folders[start : start + FOLDERS_AT_ONCE], drive)

    def _children(self, folders: Sequence[str], drive: str | None) -> Iterator[Entry]:
        corpora = "user" if drive is None else "allDrives" if drive in self._barred else "drive"
        q = f"({' or '.join(f'{_quoted(id)} in parents' for id in folders)}) and trashed = false and ({READ})"
        params = {"q": q, "pageSize": "1000", "fields": FILES, "spaces": "drive", "corpora": corpora, **ALL_DRIVES}
        try:
            found = list(self._listed("/files", "files", {**params, **({"driveId": drive} if drive and corpora == "drive" else {})}))
        except (HttpError, Denied) as refusal:
            if isinstance(refusal, HttpError) and refusal.status == 400:
                raise Transient(f"Drive no longer knows a page of a list ({refusal}); it is read anew at the next turn") from None
            if drive and corpora == "drive":
                self._barred.add(drive)
                yield from self._children(folders, drive)
            elif len(folders) > 1:
                for id in folders:
                    yield from self._children([id], drive)
            return
        yield from (file for row in found if (file := entry(row)) is not None and not file.trashed)

    def first_document(self, folder: Entry) -> str | None:
        """Some document that lies directly in a folder."""
        q = f"{_quoted(folder.id)} in parents and trashed = false and mimeType = '{MIME}document'"
        params = {"q": q, "pageSize": "1", "fields": "nextPageToken,files(id)", **ALL_DRIVES}
        try:
            found = rows(self._ask("/files", params).get("files"))
        except (HttpError, Denied):
            return None
        return next((text(row.get("id")) for row in found if text(row.get("id"))), None)

    def start_token(self, drive: str | None) -> str | None:
        """Where the feed of changes stands now; None for a shared drive that is not to be seen."""
        params = {"supportsAllDrives": "true", **({"driveId": drive} if drive else {})}
        try:
            found = self._ask("/changes/startPageToken", params).get("startPageToken")
        except (HttpError, Denied) as refusal:
            if drive:
                return None
            raise _unexpected(refusal) if isinstance(refusal, HttpError) else refusal from None
        if not isinstance(found, str | int) or not str(found):
            raise Transient("Drive tells no token for its changes; it is asked again at the next turn")
        return str(found)

    def changes(self, token: str, drive: str | None) -> Iterator[tuple[list[Change], str, bool]]:
        """The feed page by page: what changed, the token to go on from, whether this was the last page.

        Raises CursorExpired for a token that is no longer known.
        """
        repeats, ended = 0, False
        while not ended:
            params = {"pageToken": token, "pageSize": "1000", "includeRemoved": "true", "fields": CHANGES, "spaces": "drive", **ALL_DRIVES}
            try:
                body = self._ask("/changes", {**params, **({"driveId": drive} if drive else {})})
            except HttpError as refusal:
                if refusal.status in (400, 404, 410):
                    raise CursorExpired("Drive no longer knows this token of its changes; reading starts again") from None
                raise _unexpected(refusal) from None
            onward, ends = body.get("nextPageToken"), body.get("newStartPageToken")
            if not isinstance(body.get("changes"), list) or not (onward or ends):
                raise Transient("Drive answers its changes without saying where they go on; they are read anew at the next turn")
            ended, following = not onward, str(onward or ends)
            repeats = repeats + 1 if following == token and not ended else 0
            if repeats > SAME_TOKEN:
                raise Transient("Drive sends the same page of changes again and again; it is read anew at the next turn")
            token = following
            yield [one for row in rows(body["changes"]) if (one := change(row)) is not None], token, ended

    def document(self, id: str, fields: str = DOCUMENT) -> Row:
        """All tabs, as the text stands without what is only proposed. Raises HttpError and Denied too."""
        params = {"includeTabsContent": "true", "suggestionsViewMode": "PREVIEW_WITHOUT_SUGGESTIONS", "fields": fields}
        try:
            return mapping(self._docs.get(f"{self._docs_path}/documents/{quote(id, safe='')}", params).json())
        except Denied as refusal:
            raise of_everything(refusal.json, "Docs") or refusal from None

    def _ask(self, path: str, params: Mapping[str, str]) -> Row:
        try:
            return mapping(self._drive.get(f"{self._drive_path}{path}", dict(params)).json())
        except Denied as refusal:
            raise of_everything(refusal.json, "Drive") or refusal from None

    def _listed(self, path: str, key: str, params: Mapping[str, str]) -> Iterator[Row]:
        token: str | None = None
        repeats = 0
        while True:
            body = self._ask(path, {**params, **({"pageToken": token} if token else {})})
            if not isinstance(body.get(key), list):
                raise Transient(f"Drive answers {path} without its list; it is read anew at the next turn")
            if body.get("incompleteSearch") is True:
                raise Transient("Drive says that it did not search everywhere; the list is read anew at the next turn")
            yield from rows(body[key])
            following = text(body.get("nextPageToken"))
            if not following:
                return
            repeats = repeats + 1 if following == token else 0
            if repeats > SAME_TOKEN:
                raise Transient(f"Drive sends the same page of {path} again and again; it is read anew at the next turn")
            token = following


def _client(address: str, http: HttpFactory, tokens: Tokens) -> tuple[HttpClient, str]:
    return http(address, tokens.headers, renew=tokens.renew, limited=limited), urlsplit(address).path


def _quoted(id: str) -> str:
    escaped = id.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _only_hidden(refusal: Denied) -> None:
    """A 403 is about one file, which is not for us. A 401 is about the credential, and raised."""
    if refusal.status != 403:
        raise refusal


def _unexpected(refusal: HttpError) -> ConfigProblem:
    return ConfigProblem(f"Google refuses a call that it should know ({refusal}); see that the endpoints of this connector are right")


def said(refusal: HttpError | Denied) -> str:
    """Google's own words about a refusal."""
    told: Any = mapping(mapping(refusal.json).get("error")).get("message")
    return " ".join(text(told).split())[:120] or f"it answers {refusal.status}"
