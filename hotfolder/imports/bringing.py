"""Pictures from anywhere on the machine: copied, moved, or left where they are and referred to."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from pathlib import Path, PurePath
from typing import Literal

from hotfolder.clock import NewId
from hotfolder.errors import LibraryError
from hotfolder.files.names import display_name
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import copy_into, open_regular, sha256_file
from hotfolder.imports.desk import ImportDesk
from hotfolder.imports.faults import reading, writing
from hotfolder.imports.incoming import Incoming

Mode = Literal["copy", "move", "reference"]


class Carrier:
    """Brings one picture to the import desk; the LibraryError of a bad one is not that of the next."""

    def __init__(self, paths: LibraryPaths, desk: ImportDesk, *, make_id: NewId) -> None:
        self._paths = paths
        self._desk = desk
        self._make_id = make_id

    def method(self, mode: Mode) -> Callable[[Path], Incoming]:
        """The way of bringing with this name; it takes absolute paths."""
        return {"copy": self.copy, "move": self.move, "reference": self.refer_to}[mode]

    def copy(self, source: Path) -> Incoming:
        """Copy the file, with its date, and compare."""
        media_id = self._make_id()
        target = self._desk.place(media_id, PurePath(source.name))
        with reading(source):
            stream = open_regular(source)
        with stream, writing():
            copy_into(stream.fileno(), target)
            if _hash(stream) != sha256_file(target):
                target.unlink()
                raise _changed(source)
            found = os.fstat(stream.fileno())
            os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
        return Incoming(media_id, self._paths.relative(target), str(source))

    def move(self, source: Path) -> Incoming:
        """Rename the file; from another file system copy and compare, then remove it if it may be."""
        with reading(source):
            try:
                return self._desk.claim(source, PurePath(source.name), str(source))
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
        copied = self.copy(source)
        with suppress(PermissionError):  # of a medium that is read-only the copy stays
            source.unlink()
        return copied

    def refer_to(self, source: Path) -> Incoming:
        """Leave the file where it is; the library keeps its absolute path."""
        path = str(source)
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise LibraryError(
                f"{display_name(source)} cannot be referred to: its path is not UTF-8.",
                code="library.bad_name",
                hint="Rename it, or import it with --copy.",
            ) from error
        return Incoming(self._make_id(), path, path, is_reference=True)


def _hash(stream: BufferedReader) -> str:
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _changed(source: Path) -> LibraryError:
    return LibraryError(
        f"{display_name(source)} was not imported: it changed while it was copied.",
        code="library.changed",
        hint="Import it again once nobody writes to it.",
    )
