"""The only door into originals/: a picture's file, its two sidecars and its thumbnail."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hotfolder.files.decoding import CONTENT_EXTENSIONS
from hotfolder.files.images import write_thumbnail
from hotfolder.files.paths import LibraryPaths, ensure_folder, sync_folder
from hotfolder.files.storage import (
    copy_into,
    free_name,
    remove_file,
    rename_new,
    sha256_file,
    write_atomic,
    write_json,
    write_unlisted,
)

SIDECAR_SCHEMA = "hotfolder/sidecar@1"


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
        self.store_sidecars_of(original, sidecar, xmp)
        sync_folder(original.parent)

    def store_sidecars_of(self, original: Path, sidecar: dict[str, Any], xmp: bytes) -> None:
        """The same for a place in originals/, but for `flush_names`; the picture itself may lie elsewhere."""
        write_json(self._paths.sidecar_json(original), sidecar, write=write_unlisted)
        write_unlisted(self._paths.sidecar_xmp(original), xmp)

    def store_thumbnail(self, media_id: str, source: Path) -> Path:
        """Write the square thumbnail of a picture."""
        target = self._paths.thumbnail(media_id)
        write_thumbnail(source, target)
        return target

    def store_thumbnail_file(self, media_id: str, data: bytes) -> Path:
        """Write a thumbnail that was made already; `flush_names` follows."""
        target = self._paths.thumbnail(media_id)
        write_unlisted(target, data)
        return target

    def take_picture(self, source: Path, target: Path) -> None:
        """Move a picture into originals/ as it is; one that is there already stays; `flush_names` follows.

        The folder that it leaves need not be flushed: a name that comes back leads to known content.
        """
        if source == target:
            return
        flush_file(source)
        ensure_folder(target.parent)
        try:
            move_new(source, target)
        except FileExistsError:  # a crash came between the second name, or the copy, and the removal
            if sha256_file(source) != sha256_file(target):
                raise
            source.unlink()

    def flush_names(self, pictures: Iterable[tuple[str, datetime]]) -> None:
        """Put the names of all files of these pictures, by id and arrival, onto the disk: many at once."""
        folders = {
            folder
            for media_id, at in pictures
            for folder in (self._paths.originals_dir(at), self._paths.thumbnail(media_id).parent)
        }
        for folder in folders:
            sync_folder(folder)

    def find_picture(self, media_id: str, at: datetime) -> Path | None:
        """The file in originals/ with this id, whatever its format."""
        places = (self._paths.original(at, media_id, extension) for extension in CONTENT_EXTENSIONS)
        return next((each for each in places if each.is_file()), None)

    def remove_traces(self, media_id: str, at: datetime) -> None:
        """Remove thumbnail and sidecars of a picture that does not become one of the library."""
        remove_file(self._paths.thumbnail(media_id))
        for extension in CONTENT_EXTENSIONS:
            original = self._paths.original(at, media_id, extension)
            remove_file(self._paths.sidecar_json(original))
            remove_file(self._paths.sidecar_xmp(original))
            _half_of(original).unlink(missing_ok=True)

    def throw_away(self, source: Path, name: str, at: datetime) -> Path:
        """Move a file into the trash of a day under a free name, and give its place."""
        return move_to_free_place(source, self._paths.trash_dir(at), name)


def move_to_free_place(source: Path, folder: Path, name: str) -> Path:
    """Move a file into a folder under the first free name, from another file system too; gives its place."""
    ensure_folder(folder)
    while True:
        target = folder / free_name(folder, name, os.path.lexists)
        with suppress(FileExistsError):  # somebody was quicker: the next name
            move_new(source, target)
            sync_folder(folder)
            sync_folder(source.parent)
            return target


def move_new(source: Path, target: Path) -> None:
    """Rename a file to a name that is not there yet, or copy and remove it; FileExistsError when it is."""
    try:
        rename_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_and_remove(source, target)


def _copy_and_remove(source: Path, target: Path) -> None:
    """The source goes once its copy has been compared; of one that may not be removed there is no copy."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    half = _half_of(target)
    copy_into(source, half)
    if sha256_file(source) != sha256_file(half):
        half.unlink()
        raise OSError(errno.EIO, "a copy differs from its source", str(target))
    found = source.stat()
    os.utime(half, ns=(found.st_atime_ns, found.st_mtime_ns))
    rename_new(half, target)
    sync_folder(target.parent)
    try:
        source.unlink()
    except OSError:
        target.unlink()
        raise


def _half_of(target: Path) -> Path:
    """Where a copy lies until it has been compared; a repeat writes over what a crash left there."""
    return target.with_name(f".{target.name}.copy")


def flush_file(file: Path) -> None:
    """Whoever wrote the file may have left its bytes in memory."""
    descriptor = os.open(file, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
