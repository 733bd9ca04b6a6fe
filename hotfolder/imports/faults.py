"""Whose fault it is that a file could not be read or moved: its own, or that of the disk."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hotfolder.errors import DiskFull, LibraryError, LibraryUnwritable
from hotfolder.files.names import display_name, display_text
from hotfolder.imports.incoming import Incoming

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
# Another attempt may find it gone.
_PASSING: Final = frozenset(
    {errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.ESTALE, errno.EAGAIN}
)


def is_full(error: OSError) -> bool:
    """Whether the disk, or the share of it that a user may fill, has no room left."""
    return error.errno in _FULL


def unreadable(file: Path, error: OSError) -> LibraryError:
    """What the system said of a file or folder that cannot be read."""
    return LibraryError(
        f"{display_name(file)} cannot be read: {error.strerror or error}.",
        code="library.unreadable",
        hint="Give the user of the service the right to read it, then drop it again.",
        retryable=error.errno in _PASSING,
    )


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turn what the system says of a file that cannot be read into a LibraryError."""
    try:
        yield
    except FileNotFoundError as error:
        message = f"{display_name(file)} cannot be imported: it is gone."
        raise LibraryError(message, code="library.content_missing", hint="Drop it again.") from error
    except OSError as error:
        raise unreadable(file, error) from error


@contextmanager
def writing() -> Iterator[None]:
    """Turn a fault of the library's own disk into an error that lets the work wait."""
    try:
        yield
    except FileNotFoundError:  # the picture itself went away
        raise
    except OSError as error:
        if is_full(error):
            raise DiskFull("There is no room left for an import.") from error
        place = display_name(Path(str(error.filename or "the library")))
        message = f"An import cannot be written into the library: {error.strerror or error} ({place})."
        raise LibraryUnwritable(message) from error


def changed_meanwhile(file: Incoming) -> LibraryError:
    """Somebody writes to a picture whose turn it is."""
    return LibraryError(
        f"{display_text(file.name)} is being written to.",
        code="library.changed",
        hint="Import it again once nobody writes to it.",
        retryable=True,
    )


def folder_removed(file: Incoming) -> LibraryError:
    """The user took the import folder back before the file was moved."""
    return LibraryError(
        f"{display_text(file.name)} stays: its folder is no import folder any more.",
        code="library.folder_removed",
    )


def place_taken(file: Incoming) -> LibraryError:
    """A file that is referred to has another content now; its path can stand for one picture only."""
    return LibraryError(
        f"{display_text(file.name)} cannot be referred to: a picture of the library has this place already, "
        "with another content.",
        code="library.place_taken",
        hint="Import it with --copy: then the library keeps both.",
    )
