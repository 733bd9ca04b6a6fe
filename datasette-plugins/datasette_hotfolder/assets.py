"""Scripts, styles and the icon of our pages: served from memory, and kept by browsers for good."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).parent / "static"
KEPT_FOR_GOOD: Final = b"public, max-age=31536000, immutable"
ASKED_AGAIN: Final = b"no-cache"
_TYPES: Final = {".js": b"text/javascript", ".css": b"text/css", ".svg": b"image/svg+xml"}
_PATH: Final = re.compile(r"/-/assets/([0-9a-f]{16})/([a-z0-9_]+\.[a-z]+)")


class Asset(NamedTuple):
    """A file, and its type."""

    content_type: bytes
    body: bytes


@cache
def load_assets() -> Mapping[str, Asset]:
    """All files by name."""
    files = (each for each in sorted(FOLDER.iterdir()) if each.suffix in _TYPES)
    return {each.name: Asset(_TYPES[each.suffix] + b"; charset=utf-8", each.read_bytes()) for each in files}


@cache
def find_version() -> str:
    """Of all files together: an address with it never leads to other content, whatever imports what."""
    digest = hashlib.sha256()
    for name, asset in load_assets().items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(asset.body).digest())
    return digest.hexdigest()[:16]


def find_asset(method: str, path: str) -> tuple[list[tuple[bytes, bytes]], bytes] | None:
    """Headers and body for a GET or HEAD of a file of ours; None for every other request."""
    match = _PATH.fullmatch(path)
    asset = load_assets().get(match[2]) if match and method in ("GET", "HEAD") else None
    if match is None or asset is None:
        return None
    kept = KEPT_FOR_GOOD if match[1] == find_version() else ASKED_AGAIN
    headers = [
        (b"content-type", asset.content_type),
        (b"cache-control", kept),
        (b"content-length", str(len(asset.body)).encode()),
    ]
    return headers, asset.body if method == "GET" else b""
