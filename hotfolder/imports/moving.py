"""A picture's way into the library's own folders: renamed, or where that will not do copied and compared."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Final

from hotfolder.errors import DiskFull, LibraryError
from hotfolder.files.names import display_name
from hotfolder.files.paths import ensure_folder, sync_folder
from hotfolder.files.storage import open_regular, sha256_file
from hotfolder.imports.faults import is_full, reading, writing
from hotfolder.imports.incoming import Incoming
from hotfolder.library.ingest import flush_file

log = logging.getLogger(__name__)

COPY_FOLDER: Final = ".copy"
"""Below the folder of an import: here lies what is still whole in its import folder, too."""
_CHUNK_BYTES: Final = 1024 * 1024


def move_whole(file: Path, target: Path) -> None:
    """Move a file, from another file system too; the system's error when it may not be: then it stays.

    What a second name leads to is copied: whoever has that name could change the picture of the library.
    """
    if file.lstat().st_nlink > 1 or not _renamed(file, target):
        _copy_and_remove(file, target)


def copy_whole(stream: BufferedReader, source: Path, target: Path) -> None:
    """Copy an open file with its date; it has its real name, on the disk, only once it was compared."""
    half = target.with_name(f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.tmp")
    with writing():
        ensure_folder(target.parent)
        half.unlink(missing_ok=True)
    with _nothing_left(half):
        copied = _copy(stream, source, half)
        with reading(source):
            now_there = _hash(stream)
        if copied != now_there:
            raise _changed(display_name(source))
        with writing():
            flush_file(half)
            half.rename(target)
            sync_folder(target.parent)


def copy_known(stream: BufferedReader, source: Path, target: Path, sha256: str) -> None:
    """Copy an open file whose content is known, and compare; nothing of it is left after a fault.

    It is not flushed to the disk: the source is there until the library has flushed what it keeps.
    """
    with _nothing_left(target):
        if _copy(stream, source, target) != sha256:
            raise _changed(display_name(source), retryable=True)


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, which may be swept away as empty at the same time."""
    while not folder.is_dir():
        with suppress(FileNotFoundError):
            folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def leaving_its_folder(file: Incoming) -> Iterator[None]:
    """A picture that may not be moved out of its import folder is refused: trying again changes nothing."""
    try:
        yield
    except PermissionError as error:
        if not file.is_in_place or str(error.filename) != file.path:
            raise
        raise LibraryError(
            f"{display_name(Path(file.path))} may not be moved: {error.strerror}.",
            code="library.not_movable",
            hint="Give the user of the service the right to move it, or add its folder with --mode copy.",
        ) from error


def rename_into(file: Path, target: Path) -> None:
    """Rename a file into folders that may be swept away as empty at the same time."""
    while True:
        with writing():
            target.parent.mkdir(parents=True, exist_ok=True)
        try:
            file.rename(target)
        except FileNotFoundError:
            if target.parent.is_dir() or not os.path.lexists(file):
                raise
        except OSError as error:
            if is_full(error):
                raise DiskFull("There is no room left for an import.") from error
            raise
        else:
            return


def _renamed(file: Path, target: Path) -> bool:
    try:
        rename_into(file, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    return True


def _copy_and_remove(file: Path, target: Path) -> None:
    if not os.access(file.parent, os.W_OK):  # known before gigabytes are copied
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    with open_regular(file) as stream:
        copy_whole(stream, file, target)
    try:
        remove_source(file)
    except OSError:
        target.unlink()
        raise
    log.info("%s was copied and removed: it could not just be renamed", display_name(file))


def remove_source(file: Path) -> None:
    """Remove what has been copied; somebody else may have done so."""
    file.unlink(missing_ok=True)


@contextmanager
def _nothing_left(target: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            target.unlink(missing_ok=True)
        raise


def _copy(stream: BufferedReader, source: Path, target: Path) -> str:
    """Copy an open file with its date to a new name; gives the hash of what can be read there then."""
    _pour(stream, source, target)
    with writing():
        found = os.fstat(stream.fileno())
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
        return sha256_file(target)


def _hash(stream: BufferedReader) -> str:
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _pour(stream: BufferedReader, source: Path, target: Path) -> None:
    """Either disk may fail here: that of the source, or ours."""
    stream.seek(0)
    with writing():
        writer = _create(target)
    with writer:
        while True:
            with reading(source):
                chunk = stream.read(_CHUNK_BYTES)
            if not chunk:
                return
            with writing():
                writer.write(chunk)


def _create(target: Path) -> BufferedWriter:
    """A new file, in folders that may be swept away as empty at the same time."""
    while True:
        make_folders(target.parent)
        try:
            return target.open("xb")
        except FileNotFoundError:
            if target.parent.is_dir():
                raise


def _changed(name: str, *, retryable: bool = False) -> LibraryError:
    return LibraryError(
        f"{name} was not imported: it changed while it was copied.",
        code="library.changed",
        hint="Import it again once nobody writes to it.",
        retryable=retryable,
    )
