"""Pictures that are jobs: dropped into a recipe folder, or into rerun/ to be made again."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from hotfolder.domain.instants import uuid7
from hotfolder.errors import HotfolderError, JobFileError
from hotfolder.files.decoding import MAX_FILE_BYTES
from hotfolder.files.names import claim_name, display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import sha256_file, write_atomic
from hotfolder.generation.claimed import ClaimedFile
from hotfolder.library.seen import Origin
from hotfolder.watchers.claiming import Claim, read_origin
from hotfolder.watchers.door import Door
from hotfolder.watchers.inbox_files import RERUN, has_coming_job

log = logging.getLogger(__name__)

PATIENCE_S: Final = 2.0
"""A job file that names the picture may come after it."""
BUSY_S: Final = 0.3


class Seen(Protocol):
    """What is needed of the record of seen files."""

    def record_claims(self, origins: Mapping[str, Origin]) -> None:
        """Note where job files lay."""

    def record_used(self, path: str, origin: Origin, sha256: str) -> None:
        """Note that the picture at this place became a job."""

    def find_used(self, path: str) -> tuple[int | None, str] | None:
        """The inode and content of the picture that a job used at this place."""


class Jobs(Protocol):
    """What is needed of jobs."""

    def is_known(self, job_id: str) -> bool:
        """Whether the job has a row."""

    def refuse(self, claimed: ClaimedFile, error: JobFileError) -> object:
        """End the job of a picture that cannot be one."""


class Pictures(Protocol):
    """What is needed of the pictures of the inbox."""

    def take_used(self, used: Mapping[Path, str]) -> None:
        """Bring them into the library."""

    def is_named(self, picture: Path) -> bool:
        """Whether a waiting job names it."""

    def is_arriving(self, picture: Path) -> bool:
        """Whether somebody may still be writing it."""


class PictureJobs:
    """Writes the job file of such a picture into processing/, under an id that follows from the picture."""

    def __init__(
        self,
        paths: LibraryPaths,
        seen: Seen,
        jobs: Jobs,
        door: Door,
        pictures: Pictures,
        *,
        text_of_recipe_picture: Callable[[str], bytes],
        text_of_rerun: Callable[[Path], bytes],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._paths = paths
        self._seen = seen
        self._jobs = jobs
        self._door = door
        self._pictures = pictures
        self._text_of_recipe_picture = text_of_recipe_picture
        self._text_of_rerun = text_of_rerun
        self._clock = clock
        self._due: dict[Path, float] = {}
        self._asked: dict[Path, int] = {}  # what the door had taken in when it was looked at
        self._told: set[Path] = set()  # that the log was told about
        self._lock = threading.Lock()

    def arrive(self, picture: Path, *, is_rerun: bool) -> None:
        """A picture has settled in such a folder."""
        with self._lock:
            self._due[picture] = self._clock() + (0.0 if is_rerun else PATIENCE_S)

    def count(self) -> int:
        """How many wait to become jobs, but for those that wait for what may never come.

        That is: which were looked at, and nothing has come through the door since.
        """
        with self._lock:
            return sum(self._asked.get(each) != self._door.taken for each in self._due)

    def work_off(self) -> None:
        """Make jobs of those whose time has come, for a moment at most: its thread has more to do."""
        now_s = self._clock()
        with self._lock:
            due = [picture for picture, at_s in self._due.items() if at_s <= now_s]
        busy: dict[Path, bool] = {}  # whether job files lie in a folder that have not settled
        for picture in due:
            taken = self._door.taken
            is_done = self._is_decided(picture, busy)
            with self._lock:
                if is_done:
                    self._due.pop(picture, None)
                    self._asked.pop(picture, None)
                else:
                    self._asked[picture] = taken
                    self._due[picture] = now_s + PATIENCE_S
            if self._clock() - now_s >= BUSY_S:
                return

    def _is_decided(self, picture: Path, busy: dict[Path, bool]) -> bool:
        """A border: one picture that cannot be made into a job keeps no other, and not the service."""
        try:
            is_done = self._make(picture, busy)
        except Exception as error:  # it is tried again
            if picture not in self._told:
                is_ours = isinstance(error, HotfolderError | OSError)
                log.warning(
                    "%s is not taken yet: %s", display_text(picture.name), error, exc_info=not is_ours
                )
            self._told.add(picture)
            return False
        self._told.discard(picture)
        return is_done

    def _make(self, picture: Path, busy: dict[Path, bool]) -> bool:
        """Whether it is decided: a job, or none."""
        place = PurePosixPath(picture.relative_to(self._paths.inbox).as_posix())
        try:
            origin = read_origin(picture, place)
        except FileNotFoundError:
            return True  # a job has taken it
        is_rerun = place.parts[0] == RERUN
        if not is_rerun and self._may_be_named(picture, place.parent, busy):
            return False  # whose job it is will be seen when they are taken in
        if self._is_touched_only(picture, origin):
            return True
        claim = self._plan(picture, place, origin)
        if not self._jobs.is_known(claim.job_id) and not os.path.lexists(claim.file):
            self._write(claim, picture, origin, is_rerun=is_rerun)
        if is_rerun:
            self._pictures.take_used({picture: _content_of(picture, origin)})
        return True

    def _may_be_named(self, picture: Path, folder: PurePosixPath, busy: dict[Path, bool]) -> bool:
        """Whether job files beside it are still on their way: in the folder first, then at the door."""
        if picture.parent not in busy:
            busy[picture.parent] = has_coming_job(picture.parent)
        return (
            busy[picture.parent]
            or self._pictures.is_arriving(picture)
            or self._door.awaits(folder)
            or self._pictures.is_named(picture)
        )

    def _is_touched_only(self, picture: Path, origin: Origin) -> bool:
        """The same file with the same content was a job already; what is dropped again is another file."""
        used = self._seen.find_used(origin.path)
        return used is not None and used[0] == origin.inode and used[1] == _content_of(picture, origin)

    def _plan(self, picture: Path, place: PurePosixPath, origin: Origin) -> Claim:
        state = f"{origin.path}/{origin.device}/{origin.inode}/{origin.size}/{origin.mtime_ns}"
        digest = hashlib.sha256(state.encode()).digest()
        milliseconds = (origin.ctime_ns or 0) // 1_000_000
        job_id = uuid7(milliseconds, int.from_bytes(digest[:10], "big"))
        name = f"{picture.name}.json"
        file = self._paths.processing / claim_name(job_id, name)
        return Claim(file, job_id, name, place.with_name(name), is_made=True)

    def _write(self, claim: Claim, picture: Path, origin: Origin, *, is_rerun: bool) -> None:
        self._seen.record_claims({claim.job_id: Origin(display_text(str(claim.place)))})
        try:
            text = self._text_of_rerun(picture) if is_rerun else self._text_of_recipe_picture(picture.name)
        except JobFileError as error:
            note = f"# {display_text(picture.name)} cannot become a job.\n".encode()
            self._jobs.refuse(ClaimedFile(claim.job_id, claim.name, claim.place, note), error)
            return
        write_atomic(claim.file, text)
        self._door.put([claim])
        if not is_rerun:
            self._seen.record_used(origin.path, origin, _content_of(picture, origin))


def _content_of(picture: Path, origin: Origin) -> str:
    """Its SHA-256; one that is too large for any picture is known by size and time, and not read."""
    if origin.size is not None and origin.size > MAX_FILE_BYTES:
        return f"{origin.size} bytes of {origin.mtime_ns}"
    return sha256_file(picture)
