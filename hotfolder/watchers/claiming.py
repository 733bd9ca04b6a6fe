"""Claiming: what settled in the inbox is renamed into processing/ under a new job id."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from hotfolder.clock import NewId
from hotfolder.domain.instants import is_uuid
from hotfolder.errors import LibraryError
from hotfolder.files.names import claim_name, display_text, parse_claim_name
from hotfolder.files.paths import LibraryPaths, ensure_folder, sync_folder
from hotfolder.library.seen import Origin

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A file or bundle in processing/: under which id, its own name, where it lay below inbox/.

    `is_found` says that an earlier run claimed it: its tries are counted, for one may have ended the process.
    `is_made` says that its text was written here: nobody can have dragged it back.
    """

    file: Path
    job_id: str
    name: str
    place: PurePosixPath
    is_found: bool = False
    is_made: bool = False


class Seen(Protocol):
    """What claiming needs of the record of seen files."""

    def record_claims(self, origins: Mapping[str, Origin]) -> None:
        """Note where files lay, before they are moved."""

    def find_path(self, job_id: str) -> str | None:
        """Where the file of a job lay."""


class ClaimDesk:
    """Every step is repeatable after a crash: a file in processing/ without a job is found again."""

    def __init__(self, paths: LibraryPaths, seen: Seen, make_id: NewId) -> None:
        self._paths = paths
        self._seen = seen
        self._make_id = make_id
        self._unmovable: set[PurePosixPath] = set()  # places that the log was told about
        self._planned: dict[Path, Claim] = {}  # that could not be moved yet: each is noted under one id
        self._stopping = threading.Event()

    def check(self) -> None:
        """Raise LibraryError if a file can never be renamed from the inbox into processing/."""
        if self._paths.inbox.stat().st_dev != self._paths.processing.stat().st_dev:
            raise LibraryError(
                f"{self._paths.inbox} and {self._paths.processing} are on two file systems.",
                code="library.unusable",
                hint="Put the whole library on one; only then does a job file move in one step.",
            )

    def stop(self) -> None:
        """Claim no other file. From any thread, for good."""
        self._stopping.set()

    def claim_all(self, files: Sequence[Path]) -> Iterator[Claim]:
        """Claim settled files in order; one that is gone, or can never be moved, is left out."""
        claims = [self._plan(file) for file in files]
        self._seen.record_claims(
            {each.job_id: find_origin(file, each.place) for file, each in zip(files, claims, strict=True)}
        )
        ensure_folder(self._paths.processing)
        try:
            for file, claim in zip(files, claims, strict=True):
                if self._stopping.is_set():
                    return
                if self._is_moved(file, claim):
                    yield claim
        finally:
            sync_folder(self._paths.processing)

    def find_claims(self) -> Iterator[Claim]:
        """At start: what earlier runs claimed; parts of a file after the file that they were split from.

        A part's name is the longer one: were it taken in first, a part that has taken on its submitter's id
        would be written, and answered, once more.
        """
        for file in sorted(self._paths.processing.iterdir(), key=lambda each: (len(each.name), each.name)):
            named = parse_claim_name(file.name)
            if named is not None and is_uuid(named[0]) and not file.is_symlink():
                place = self._seen.find_path(named[0])
                yield Claim(file, *named, PurePosixPath(place or named[1]), is_found=True)

    def _plan(self, file: Path) -> Claim:
        if file in self._planned:
            return self._planned[file]
        job_id = self._make_id()
        place = PurePosixPath(file.relative_to(self._paths.inbox).as_posix())
        claim = Claim(self._paths.processing / claim_name(job_id, file.name), job_id, file.name, place)
        self._planned[file] = claim
        return claim

    def _is_moved(self, file: Path, claim: Claim) -> bool:
        place = display_text(str(claim.place))
        try:
            os.rename(file, claim.file)  # noqa: PTH104 - names may not be valid UTF-8
        except FileNotFoundError:
            if os.path.lexists(file):  # it is processing/ that is gone: the watcher gives the file again
                raise
            log.info("%s was withdrawn before it was claimed", place)
            del self._planned[file]
            return False
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            if claim.place not in self._unmovable:
                self._unmovable.add(claim.place)
                log.warning("%s stays where it is: its folder is on another file system", place)
            return False
        del self._planned[file]
        return True


def read_origin(file: Path, place: PurePosixPath) -> Origin:
    """What a file is now, to know it again by."""
    found = file.lstat()
    return Origin(
        display_text(str(place)),
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def find_origin(file: Path, place: PurePosixPath) -> Origin:
    """The same of a file that may be gone by now."""
    try:
        return read_origin(file, place)
    except OSError:  # it goes in this moment
        return Origin(display_text(str(place)))
