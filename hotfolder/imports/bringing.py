"""Pictures from anywhere on the machine: copied, moved, or left where they are and referred to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath

from hotfolder.clock import NewId
from hotfolder.errors import LibraryError
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import open_regular
from hotfolder.imports.desk import ImportDesk
from hotfolder.imports.faults import reading
from hotfolder.imports.incoming import Incoming
from hotfolder.imports.moving import copy_whole
from hotfolder.library.import_folders import FolderMode

Mode = FolderMode


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
        with stream:
            copy_whole(stream, source, target)
        return Incoming(media_id, self._paths.relative(target), str(source))

    def move(self, source: Path) -> Incoming:
        """Take the file away from there; one that may not be removed is copied and stays."""
        with reading(source):
            open_regular(source).close()
            try:
                return self._desk.claim(source, PurePath(source.name), str(source))
            except PermissionError:
                return self.copy(source)

    def refer_to(self, source: Path) -> Incoming:
        """Leave the file where it is; the library keeps its absolute path."""
        check_name(source)
        path = str(source)
        return Incoming(self._make_id(), path, path, is_reference=True)


def check_name(source: PurePath) -> None:
    """Raise LibraryError when the database cannot keep the path of a file that is to be referred to."""
    try:
        str(source).encode()
    except UnicodeEncodeError as error:
        raise LibraryError(
            f"{display_text(source.name)} cannot be referred to: its path is not UTF-8.",
            code="library.bad_name",
            hint="Rename it, or import it with --copy.",
        ) from error
