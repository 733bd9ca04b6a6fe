"""The import folder: claims settled pictures by moving them into work/import/, and has them queued."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final, Protocol

from hotfolder.errors import HotfolderError
from hotfolder.files.decoding import readable_extensions
from hotfolder.files.names import display_text
from hotfolder.imports.incoming import Incoming
from hotfolder.watchers.ignore import is_ignored, is_ignored_folder

log = logging.getLogger(__name__)


_FORBIDDEN: Final = frozenset({errno.EPERM, errno.EACCES, errno.EROFS})
"""Somebody has to change that: such a file is left, and looked at again when it has changed."""


class Desk(Protocol):
    """What the folder needs of the import desk."""

    def claim(self, file: Path, name: PurePath, original_path: str) -> Incoming:
        """Rename a file to its place under a new id."""

    def enqueue(self, files: Sequence[Incoming]) -> None:
        """Put claimed files into the queue."""

    def find_lost(self) -> list[Incoming]:
        """Files that an earlier run claimed and did not queue."""


class ImportFolder:
    """From a settled file to a work item; a claimed file without one is taken up at the next start."""

    def __init__(self, root: Path, desk: Desk) -> None:
        self._root = root
        self._desk = desk
        self._waiting: list[Incoming] = []  # claimed, and not in the queue yet
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Claim no other file. From any thread, for good."""
        self._stopping.set()

    def take_all(self, files: Sequence[Path]) -> None:
        """Claim settled files in order, then enqueue them all."""
        try:
            for file in files:
                if self._stopping.is_set():
                    break
                self._claim(file)
        finally:
            self.retry_unfinished()

    def recover(self) -> int:
        """At start: enqueue what an earlier run claimed and did not; gives the number of files."""
        lost = self._desk.find_lost()
        with self._lock:
            self._waiting += lost
        self.retry_unfinished()
        return len(lost)

    def retry_unfinished(self) -> int:
        """Enqueue what is claimed, also what could not be before (a full disk); gives what is left."""
        with self._lock:
            try:
                if self._waiting:
                    self._desk.enqueue(self._waiting)
                self._waiting = []
            except (HotfolderError, OSError) as error:
                log.warning("%d claimed pictures wait: %s", len(self._waiting), error)
            return len(self._waiting)

    def _claim(self, file: Path) -> None:
        """One that is gone, or can never be moved, is left out."""
        relative = file.relative_to(self._root)
        try:
            claimed = self._desk.claim(file, relative, f"{self._root.name}/{relative.as_posix()}")
        except FileNotFoundError:
            log.info("%s was withdrawn before it was claimed", display_text(str(relative)))
        except OSError as error:
            if error.errno not in _FORBIDDEN:
                raise
            log.warning("%s stays: it may not be moved (%s)", display_text(str(relative)), error.strerror)
        else:
            with self._lock:
                self._waiting.append(claimed)


def build_rule() -> Callable[[PurePath], bool]:
    """Whether a file is imported, by its name alone; asked once what can be read here."""
    extensions = readable_extensions()
    return lambda relative: relative.suffix.casefold() in extensions


@dataclass(frozen=True, slots=True)
class Found:
    """Pictures, and how many other files were passed over."""

    pictures: list[Path]
    skipped: int


def find_pictures(places: Sequence[Path], *, spare: Path) -> Found:
    """The pictures here and below, each once; links are not followed, `spare` is not entered."""
    found: dict[Path, bool] = {}
    is_picture = build_rule()
    for place in places:
        is_folder = place.is_dir() and not place.is_symlink()
        for file in _walk(place.resolve(), spare) if is_folder else [place.absolute()]:
            found[file] = is_picture(file) and not is_ignored(file.name) and _is_regular(file)
    pictures = [file for file, is_wanted in found.items() if is_wanted]
    return Found(pictures, len(found) - len(pictures))


def _walk(top: Path, spare: Path) -> Iterator[Path]:
    for path, folders, names in os.walk(top):
        folder = Path(path)
        folders[:] = sorted(
            name for name in folders if not is_ignored_folder(name) and folder / name != spare
        )
        yield from (folder / name for name in sorted(names))


def _is_regular(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def list_left(import_folder: Path) -> list[str]:
    """What lies in the import folder and will stay there, relative to it."""
    is_picture = build_rule()
    left = []
    for path in sorted(import_folder.rglob("*")):
        relative = path.relative_to(import_folder)
        if is_ignored(path.name) or any(map(is_ignored_folder, relative.parts[:-1])):
            continue
        is_folder = path.is_dir() and not path.is_symlink()
        if not is_folder and not (_is_regular(path) and is_picture(relative)):
            left.append(relative.as_posix())
    return left
