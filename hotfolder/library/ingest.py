"""The only door into originals/: a picture's file, its two sidecars and its thumbnail."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hotfolder.files.images import write_thumbnail
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import write_atomic, write_json


@dataclass(frozen=True, slots=True)
class Arrival:
    """A picture with its metadata already in it, and where it will lie; equal arrivals write equal files."""

    media_id: str
    at: datetime
    extension: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes that will be stored."""
        return hashlib.sha256(self.data).hexdigest()


class Ingest:
    """Writes into originals/ and thumbnails/; repeating a step after a crash overwrites the same files."""

    def __init__(self, paths: LibraryPaths) -> None:
        self._paths = paths

    def original_path(self, arrival: Arrival) -> Path:
        """Where the picture goes: originals/YYYY/MM/<media_id>.<ext>."""
        return self._paths.original(arrival.at, arrival.media_id, arrival.extension)

    def store_picture(self, arrival: Arrival) -> Path:
        """Write the picture itself."""
        target = self.original_path(arrival)
        write_atomic(target, arrival.data)
        return target

    def store_sidecars(self, arrival: Arrival, sidecar: dict[str, Any], xmp: bytes) -> None:
        """Write `<picture>.json` and `<picture>.xmp` beside it."""
        original = self.original_path(arrival)
        write_json(self._paths.sidecar_json(original), sidecar)
        write_atomic(self._paths.sidecar_xmp(original), xmp)

    def store_thumbnail(self, media_id: str, source: Path) -> Path:
        """Write the square thumbnail of a picture."""
        target = self._paths.thumbnail(media_id)
        write_thumbnail(source, target)
        return target
