"""May files be made, renamed and deleted in a folder, and renamed from there into the library?"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from hotfolder.clock import NewId
from hotfolder.errors import LibraryError
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths


class Probe:
    """Tries with an empty file of its own, once a folder and device."""

    def __init__(self, paths: LibraryPaths, *, make_id: NewId) -> None:
        self._paths = paths
        self._make_id = make_id
        self._known: dict[tuple[Path, int], bool] = {}

    def can_rename(self, file: Path, link_count: int) -> bool:
        """Whether a file can be renamed into the library; LibraryError when it may not even be removed.

        A file with a second name could be changed under that one, so it has to be copied.
        """
        folder = file.parent
        with suppress(FileNotFoundError):
            place = (folder, folder.stat().st_dev)
            if place not in self._known:
                self._known[place] = self._try(folder)
            return self._known[place] and link_count == 1
        return False  # gone: reading it says so

    def _try(self, folder: Path) -> bool:
        name = f".hotfolder-{self._make_id()}.tmp"
        remove_probes(folder)
        try:
            return try_rename(folder / name, self._paths.root / "work" / name)
        except OSError as error:
            raise LibraryError(
                f"Files may not be moved out of {display_text(str(folder))}: {error.strerror}.",
                code="library.not_movable",
                hint="Give the user of the service the right to do so, or add the folder with --mode copy.",
                retryable=True,  # nothing about the file itself will change
            ) from error


def remove_probes(folder: Path) -> None:
    """Remove what a power cut in the middle of a try has left there: empty files with names of ours."""
    with suppress(OSError):
        for each in folder.glob(".hotfolder-*.tmp"):
            if each.is_file() and each.stat().st_size == 0:
                each.unlink()


def try_rename(probe: Path, target: Path) -> bool:
    """Make an empty file, rename it to the target if they share a file system, and remove it."""
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    made = probe
    try:
        probe.rename(target)
        made = target
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        renamed = probe.with_name(f"{probe.name}.2.tmp")
        made = probe.rename(renamed)
    finally:
        made.unlink()
    return made == target
