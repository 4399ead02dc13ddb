"""Items, permissions, drives as Drive v3 tells them, and which fields there are to ask for."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.sandbox.google_docs.items import CAN_LIST_PERMISSIONS, DOCUMENT, FOLDER, SHEET, SHORTCUT, Grant, Item, SharedDrive
from connectors.sandbox.google_docs.masks import Mask, Shape, parse, shape
from connectors.sandbox.google_docs.tree import Tree
from connectors.sandbox.wire import JsonObject

EXPORTS = {
    DOCUMENT: ("text/plain", "text/markdown", "text/html", "application/rtf", "application/pdf", "application/zip"),
    SHEET: ("text/csv", "text/tab-separated-values"),
}
PAGES = {FOLDER: "https://drive.google.com/drive/folders/{}", DOCUMENT: "https://docs.google.com/document/d/{}/edit?usp=drivesdk"}

USER = "kind,displayName,photoLink,me,permissionId,emailAddress"
PERMISSION = (
    "kind,id,type,role,emailAddress,domain,displayName,photoLink,allowFileDiscovery,deleted,expirationTime,pendingOwner,view,"
    "permissionDetails,teamDrivePermissionDetails,inheritedPermissionsDisabled"
)
FILE = (
    "kind,id,name,mimeType,description,starred,trashed,explicitlyTrashed,trashedTime,trashingUser,parents,properties,appProperties,spaces,"
    "version,webContentLink,webViewLink,iconLink,hasThumbnail,thumbnailLink,thumbnailVersion,viewedByMe,viewedByMeTime,createdTime,"
    f"modifiedTime,modifiedByMe,modifiedByMeTime,sharedWithMeTime,sharingUser({USER}),owners({USER}),teamDriveId,driveId,"
    f"lastModifyingUser({USER}),shared,ownedByMe,capabilities,viewersCanCopyContent,copyRequiresWriterPermission,writersCanShare,"
    f"permissions({PERMISSION}),permissionIds,hasAugmentedPermissions,folderColorRgb,originalFilename,fullFileExtension,fileExtension,"
    "md5Checksum,sha1Checksum,sha256Checksum,size,quotaBytesUsed,headRevisionId,contentHints,imageMediaMetadata,videoMediaMetadata,"
    "isAppAuthorized,exportLinks,shortcutDetails(targetId,targetMimeType,targetResourceKey),contentRestrictions,labelInfo,resourceKey,"
    "linkShareMetadata,downloadRestrictions,inheritedPermissionsDisabled,clientEncryptionDetails"
)
DRIVE = "kind,id,name,colorRgb,backgroundImageFile,backgroundImageLink,capabilities,themeId,createdTime,hidden,restrictions,orgUnitId"
CHANGE = f"kind,removed,file({FILE}),fileId,time,driveId,type,teamDriveId,teamDrive,changeType,drive({DRIVE})"
SHAPES: dict[str, Shape] = {
    "file": shape(FILE),
    "files": shape(f"kind,incompleteSearch,nextPageToken,files({FILE})"),
    "changes": shape(f"kind,newStartPageToken,nextPageToken,changes({CHANGE})"),
    "startPageToken": shape("kind,startPageToken"),
    "drive": shape(DRIVE),
    "drives": shape(f"kind,nextPageToken,drives({DRIVE})"),
    "permissions": shape(f"kind,nextPageToken,permissions({PERMISSION})"),
    "about": shape(f"kind,user({USER}),storageQuota,importFormats,exportFormats,maxImportSizes,maxUploadSize,appInstalled,canCreateDrives"),
    "comments": shape(
        f"kind,nextPageToken,comments(id,kind,createdTime,modifiedTime,author({USER}),htmlContent,content,deleted,resolved,"
        "quotedFileContent,anchor,replies)"
    ),
}
FEW = "kind,id,name,mimeType,driveId,teamDriveId"
PLAIN: dict[str, Mask] = {  # what is told where no `fields` are asked for
    "file": parse(FEW),
    "files": parse(f"kind,incompleteSearch,nextPageToken,files({FEW})"),
    "changes": parse(
        "kind,newStartPageToken,nextPageToken,"
        f"changes(kind,removed,fileId,time,driveId,type,teamDriveId,changeType,file({FEW}),drive(kind,id,name))"
    ),
    "startPageToken": parse("*"),
    "drive": parse("kind,id,name"),
    "drives": parse("kind,nextPageToken,drives(kind,id,name)"),
    "permissions": parse("kind,nextPageToken,permissions(kind,id,type,role)"),
}


def moment(at: datetime) -> str:
    """RFC 3339 with milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def user(address: str, me: str) -> JsonObject:
    name = address.partition("@")[0].replace(".", " ").title()
    return {
        "kind": "drive#user",
        "displayName": name,
        "me": address == me,
        "permissionId": Grant(address).id,
        "emailAddress": address,
    }


def file(item: Item, tree: Tree, me: str) -> JsonObject:
    """Everything about it that `me` may know. `parents` names the folder only where `me` may see that."""
    role = tree.role(item, me) or "reader"
    above = tree.items.get(item.parent) if item.parent else None
    told: JsonObject = {
        "kind": "drive#file",
        "id": item.id,
        "name": item.name,
        "mimeType": item.mime,
        "starred": False,
        "trashed": tree.in_trash(item),
        "explicitlyTrashed": item.trashed is not None,
        "spaces": ["drive"],
        "version": str(item.version),
        "webViewLink": PAGES.get(item.mime, "https://drive.google.com/file/d/{}/view?usp=drivesdk").format(item.id),
        "createdTime": moment(item.created),
        "modifiedTime": moment(item.modified),
        "lastModifyingUser": user(item.editor or tree.people[0], me),
        "shared": bool(tree.grants(item)),
        "ownedByMe": item.drive is None and item.owner == me,
        "copyRequiresWriterPermission": item.no_download,
        "writersCanShare": True,
        "viewedByMe": False,
        "permissionIds": [grant.id for grant, _ in tree.grants(item)],
        "capabilities": _capabilities(item, role),
        "quotaBytesUsed": str(len(item.content.encode()) or 1024),
    }
    if above is not None and tree.role(above, me):
        told["parents"] = [above.id]
    if item.trashed:
        told["trashedTime"] = moment(item.trashed)
    if item.drive:
        told |= {"driveId": item.drive, "teamDriveId": item.drive}
    else:
        told["owners"] = [user(item.owner, me)]
        if role in CAN_LIST_PERMISSIONS:
            told["permissions"] = [permission(grant, item, place) for grant, place in tree.grants(item)]
    if item.mime == FOLDER:
        told["inheritedPermissionsDisabled"] = item.limited
    return told | _of_its_kind(item, tree)


def _of_its_kind(item: Item, tree: Tree) -> JsonObject:
    if item.mime == SHORTCUT:
        target = tree.items.get(item.target or "")
        return {"shortcutDetails": {"targetId": item.target, "targetMimeType": target.mime if target else DOCUMENT}}
    if item.mime in EXPORTS:
        host = "https://docs.google.com/feeds/download/documents/export/Export"
        return {"exportLinks": {mime: f"{host}?id={item.id}&exportFormat={mime.rpartition('/')[2]}" for mime in EXPORTS[item.mime]}}
    if item.mime == FOLDER:
        return {}
    size = str(len(item.content.encode()))
    return {
        "size": size,
        "originalFilename": item.name,
        "fileExtension": item.name.rpartition(".")[2],
        "headRevisionId": f"0B{item.id[:20]}",
    }


def _capabilities(item: Item, role: str) -> JsonObject:
    writes = role in CAN_LIST_PERMISSIONS
    return {
        "canDownload": writes or not item.no_download,
        "canCopy": writes or not item.no_download,
        "canEdit": writes,
        "canComment": writes or role == "commenter",
        "canShare": writes,
        "canListChildren": item.mime == FOLDER,
        "canReadRevisions": writes,
    }


def permission(grant: Grant, item: Item, place: Item) -> JsonObject:
    told: JsonObject = {"kind": "drive#permission", "id": grant.id, "type": grant.type, "role": grant.role}
    if grant.type == "user":
        told |= {"emailAddress": grant.who, "displayName": grant.who.partition("@")[0], "deleted": False, "pendingOwner": False}
    elif grant.type == "domain":
        told |= {"domain": grant.who, "displayName": grant.who, "allowFileDiscovery": True}
    else:
        told["allowFileDiscovery"] = False
    if item.drive:
        inherited = place.id != item.id
        line = {"permissionType": "member" if place.id == item.drive else "file", "role": grant.role, "inherited": inherited}
        told["permissionDetails"] = [{**line, **({"inheritedFrom": place.id} if inherited else {})}]
    return told


def drive(of: SharedDrive) -> JsonObject:
    return {
        "kind": "drive#drive",
        "id": of.id,
        "name": of.name,
        "createdTime": moment(of.created),
        "hidden": of.hidden,
        "capabilities": {"canListChildren": True, "canEdit": False},
        "restrictions": {"copyRequiresWriterPermission": False, "domainUsersOnly": False},
    }
