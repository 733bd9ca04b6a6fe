"""The import folder: claims settled pictures by moving them into work/import/, and has them queued."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Final, Protocol

from hotfolder.errors import DiskFull, HotfolderError
from hotfolder.files.names import display_text
from hotfolder.imports.incoming import Incoming

log = logging.getLogger(__name__)


_FORBIDDEN: Final = frozenset({errno.EPERM, errno.EACCES, errno.EROFS})
"""Somebody has to change that: such a file is left, and looked at again when it has changed."""


class Desk(Protocol):
    """What the folder needs of the import desk."""

    def claim(self, file: Path, name: PurePath, original_path: str) -> Incoming:
        """Move a file to its place under a new id."""

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
        self._once = threading.Event()
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Claim no other file. From any thread, for good."""
        self._stopping.set()

    def try_once(self) -> None:
        """Leave what cannot be claimed instead of failing. From any thread, for good."""
        self._once.set()

    def take_all(self, files: Sequence[Path]) -> None:
        """Claim settled files in order, then enqueue them all; the first fault of one keeps no other."""
        faults: list[Exception] = []
        try:
            for file in files:
                if self._stopping.is_set():
                    break
                try:
                    self._claim(file)
                except (HotfolderError, OSError) as error:
                    faults.append(error)
                    if isinstance(error, DiskFull):
                        break
        finally:
            self.retry_unfinished()
        if faults and not self._once.is_set():
            raise faults[0]  # the files that still lie there are given again
        for fault in faults:
            log.warning("A picture stays: %s", fault)

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
            except Exception:  # a border: whatever the database says, the service goes on
                log.exception("%d claimed pictures wait", len(self._waiting))
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
