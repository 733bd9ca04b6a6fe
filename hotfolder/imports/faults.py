"""Whose fault it is that a file could not be read or moved: its own, or that of the disk."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hotfolder.errors import DiskFull, LibraryError, LibraryUnwritable
from hotfolder.files.names import display_name

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
# Another attempt may find it gone.
_PASSING: Final = frozenset(
    {errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.ESTALE, errno.EAGAIN}
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
        raise LibraryError(
            f"{display_name(file)} cannot be read: {error.strerror or error}.",
            code="library.unreadable",
            hint="Give the user of the service the right to read it, then drop it again.",
            retryable=error.errno in _PASSING,
        ) from error


@contextmanager
def writing() -> Iterator[None]:
    """Turn a fault of the library's own disk into an error that lets the work wait."""
    try:
        yield
    except FileNotFoundError:  # the picture itself went away
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull("There is no room left for an import.") from error
        place = display_name(Path(str(error.filename or "the library")))
        message = f"An import cannot be written into the library: {error.strerror or error} ({place})."
        raise LibraryUnwritable(message) from error
