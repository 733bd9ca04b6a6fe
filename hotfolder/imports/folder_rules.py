"""Which folders may be import folders."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from hotfolder.errors import LibraryError
from hotfolder.files.names import display_text
from hotfolder.imports.probing import try_rename
from hotfolder.library.import_folders import SourceFolder


def check_place(folder: SourceFolder, library: Path, others: Iterable[SourceFolder]) -> None:
    """Raise LibraryError when a folder lies in the library, holds it, or overlaps another import folder."""
    path, root = folder.path.resolve(), library.resolve()
    if not _is_utf8(path):
        raise _refused(f"{display_text(str(path))}: this path is not UTF-8.", "Rename the folder.")
    if path.is_relative_to(root):
        raise _refused(f"{folder.path} lies in the library.", "Drop pictures into import/ there.")
    if root.is_relative_to(path):
        raise _refused(f"{folder.path} holds the library.", "Name a folder beside the library.")
    for other in others:
        if _overlap(path, folder, other):
            raise _refused(
                f"{folder.path} overlaps the import folder {other.path}.",
                "Remove that one first, or let it not be recursive.",
            )
    if path.exists() and not path.is_dir():
        raise _refused(f"{folder.path} is not a folder.", "Name the folder that the file is in.")


def check_access(folder: SourceFolder) -> None:
    """Raise LibraryError when a folder that is there cannot be read or, to move, files in it be renamed."""
    path = folder.path
    try:
        with os.scandir(path) as entries:
            next(entries, None)
    except OSError as error:
        raise _refused(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    if folder.mode != "move":
        return
    name = f".hotfolder-{uuid.uuid4()}.tmp"
    try:
        try_rename(path / name, path / f"{name}.2.tmp")
    except OSError as error:
        raise _refused(
            f"Files may not be moved out of {path}: {error.strerror}.",
            "Give the user of the service the right to write there, or use --mode copy.",
        ) from error


def _overlap(path: Path, folder: SourceFolder, other: SourceFolder) -> bool:
    place = other.path.resolve()
    if path == place:
        return True
    return (other.recursive and path.is_relative_to(place)) or (
        folder.recursive and place.is_relative_to(path)
    )


def _is_utf8(path: Path) -> bool:
    try:
        os.fsencode(path).decode()
    except UnicodeDecodeError:
        return False
    return True


def _refused(message: str, hint: str) -> LibraryError:
    return LibraryError(message, code="library.folder_refused", hint=hint)
