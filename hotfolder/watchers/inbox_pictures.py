"""Pictures in the inbox: they wake jobs that wait for them, and join the library once used or forgotten."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Literal, Protocol

from hotfolder.errors import HotfolderError
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.imports.incoming import Incoming
from hotfolder.library.seen import Origin
from hotfolder.watchers.claiming import read_origin
from hotfolder.watchers.doorbell import WAIT_SUFFIX
from hotfolder.watchers.inbox_files import list_pictures
from hotfolder.watchers.lease import is_changing
from hotfolder.watchers.waiting import WaitingRoom

log = logging.getLogger(__name__)


class Seen(Protocol):
    """What is needed of the record of seen files."""

    def record_used(self, path: str, origin: Origin, sha256: str) -> None:
        """Note that a job used the picture at this place."""

    def find_used(self, path: str) -> tuple[int | None, str] | None:
        """The inode and content of the picture that a job used at this place."""


class Desk(Protocol):
    """What is needed of the import desk."""

    def claim(self, file: Path, name: PurePath, original_path: str) -> Incoming:
        """Move a file to its place under a new id."""

    def enqueue(self, files: Sequence[Incoming]) -> None:
        """Put claimed files into the queue."""


class InboxPictures:
    """A picture of the inbox stays until a job takes it or its time has passed; then it is imported."""

    def __init__(
        self,
        paths: LibraryPaths,
        seen: Seen,
        desk: Desk,
        room: WaitingRoom,
        *,
        keep: Literal["move", "leave"],
        settle_s: float,
        timeout_s: float,
        is_job: Callable[[PurePosixPath], bool],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._paths = paths
        self._is_job = is_job
        self._seen = seen
        self._desk = desk
        self._room = room
        self._keep = keep
        self._settle_s = settle_s
        self._timeout_s = timeout_s
        self._wall_clock = wall_clock

    def arrive(self, relative: PurePosixPath) -> None:
        """A picture has settled: jobs that wait for one of this name are looked at again."""
        if self._room.announce(relative):
            log.debug("%s has arrived", display_text(str(relative)))

    def is_named(self, picture: Path) -> bool:
        """Whether a waiting job names it."""
        return self._room.names(picture)

    def is_arriving(self, picture: Path) -> bool:
        """Whether it changed in the last moment, or somebody has it open for writing."""
        return is_changing(picture, settle_s=self._settle_s, now_s=self._wall_clock())

    def take_used(self, used: Mapping[Path, str]) -> None:
        """Jobs have accepted these: noted, and brought into the library unless they are to stay."""
        moved = []
        inbox = self._paths.inbox.resolve()  # as references are: the library may be reached by a link
        for picture, sha256 in used.items():
            if picture.is_relative_to(inbox):
                moved += self._take(self._paths.inbox / picture.relative_to(inbox), sha256)
        self._enqueue(moved)

    def sweep(self) -> None:
        """Import the pictures that no job has named in their time, and that are none themselves."""
        moved = []
        for picture, found in list_pictures(self._paths.inbox):
            if self._wall_clock() - found.st_ctime >= self._timeout_s and not self._is_wanted(picture, found):
                moved += self._claim(picture)
        self._enqueue(moved)

    def _is_wanted(self, picture: Path, found: os.stat_result) -> bool:
        relative = PurePosixPath(picture.relative_to(self._paths.inbox).as_posix())
        if os.path.lexists(f"{picture}{WAIT_SUFFIX}"):
            return True
        if self._is_job(relative) or self._room.names(picture) or self.is_arriving(picture):
            return True
        if self._keep == "move":
            return False
        used = self._seen.find_used(self._place(picture))
        return used is not None and used[0] == found.st_ino

    def _take(self, picture: Path, sha256: str) -> list[Incoming]:
        relative = PurePosixPath(picture.relative_to(self._paths.inbox).as_posix())
        try:
            self._seen.record_used(self._place(picture), read_origin(picture, relative), sha256)
        except (HotfolderError, OSError) as error:  # the job has its copy; the picture is found by a sweep
            log.warning("%s stays in the inbox: %s", display_text(str(relative)), error)
            return []
        return [] if self._keep == "leave" or self._room.names(picture) else self._claim(picture)

    def _claim(self, picture: Path) -> list[Incoming]:
        place = self._place(picture)
        try:
            return [self._desk.claim(picture, PurePath(picture.name), f"inbox/{place}")]
        except (HotfolderError, OSError) as error:
            log.warning("%s stays in the inbox: %s", place, error)
            return []

    def _enqueue(self, moved: Sequence[Incoming]) -> None:
        try:
            if moved:
                self._desk.enqueue(moved)
        except (HotfolderError, OSError) as error:  # the next start finds them
            log.warning("%d pictures of the inbox wait to be imported: %s", len(moved), error)

    def _place(self, picture: Path) -> str:
        return display_text(picture.relative_to(self._paths.inbox).as_posix())
