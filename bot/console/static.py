"""The few files that every page shares, read once; their address changes with their content, so browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@lru_cache(maxsize=1)
def files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


@lru_cache(maxsize=16)
def address(name: str) -> str:
    return f"/static/{name}?v={hashlib.sha256(files()[name]).hexdigest()[:10]}"


def serve(request: Request) -> Response:
    name = request.path_params["name"]
    content = files().get(name)
    if content is None:
        return Response("not found", 404)
    kept = "public, max-age=31536000, immutable" if request.query_params.get("v") else "no-cache"
    return Response(content, media_type=TYPES[Path(name).suffix], headers={"Cache-Control": kept})
