"""The inbox: claims settled job files by renaming them into processing/, and has them taken in."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Protocol

from hotfolder.clock import Clock, NewId
from hotfolder.domain.document import format_of
from hotfolder.files.names import claim_name, free_name, parse_claim_name
from hotfolder.files.paths import LibraryPaths, sync_folder
from hotfolder.files.storage import replace_file, write_atomic
from hotfolder.generation.service import Accepted, ClaimedFile, Split

log = logging.getLogger(__name__)

HOLD = "hold"


class Service(Protocol):
    """What the inbox needs of the generation service."""

    def take_in(self, claimed: ClaimedFile) -> Accepted | Split:
        """Accept, refuse or split a claimed file."""


class Seen(Protocol):
    """What the inbox needs of the record of seen files."""

    def record_claims(self, paths: Mapping[str, str]) -> None:
        """Note where files lay, before they are moved."""

    def find_path(self, job_id: str) -> str | None:
        """Where the file of a job lay."""


class Jobs(Protocol):
    """What the inbox needs to know and say of jobs."""

    def is_known(self, job_id: str) -> bool:
        """Whether the job has a row."""

    def is_final_path_taken(self, path: str) -> bool:
        """Whether an ended job has reserved this place, relative to the library."""

    def deliver_if_ended(self, job_id: str) -> None:
        """Hand out the result of a job once more, if it has ended: another file stands for it."""


def is_job_file(relative: PurePath) -> bool:
    """Whether the inbox takes this file: named like a job, not in hold/, and no `_folder.yaml`."""
    return (
        relative.parts[0] != HOLD
        and not relative.name.startswith("_folder.")
        and format_of(relative.name) is not None
    )


def list_held(inbox: Path) -> list[str]:
    """Job files in hold/, relative to the inbox: they wait until somebody moves them out."""
    folder = inbox / HOLD
    files = (each for each in folder.rglob("*") if each.is_file() and format_of(each.name) is not None)
    return sorted(each.relative_to(inbox).as_posix() for each in files)


def list_waiting(inbox: Path) -> list[str]:
    """Job files that have not been claimed yet, relative to the inbox."""
    files = (each.relative_to(inbox) for each in inbox.rglob("*") if each.is_file())
    return sorted(each.as_posix() for each in files if is_job_file(each))


class Inbox:
    """The door: from a settled file to a job with a row. Every step is repeatable after a crash."""

    def __init__(
        self,
        paths: LibraryPaths,
        seen: Seen,
        service: Service,
        jobs: Jobs,
        *,
        make_id: NewId,
        clock: Clock,
        max_read_bytes: int,
    ) -> None:
        self._paths = paths
        self._seen = seen
        self._service = service
        self._jobs = jobs
        self._make_id = make_id
        self._clock = clock
        self._max_read_bytes = max_read_bytes

    def take_all(self, files: Sequence[Path]) -> None:
        """Claim settled files in order, then take each in."""
        claims = {self._make_id(): file for file in files}
        places = {job_id: self._relative(file) for job_id, file in claims.items()}
        self._seen.record_claims({job_id: str(place) for job_id, place in places.items()})
        for job_id, file in claims.items():
            target = self._paths.processing / claim_name(job_id, file.name)
            try:
                os.rename(file, target)  # noqa: PTH104 - names may not be valid UTF-8
            except FileNotFoundError:
                log.info("%s was withdrawn before it was claimed", places[job_id])
                continue
            self._take(target, job_id, file.name, places[job_id])
        sync_folder(self._paths.processing)

    def recover(self) -> int:
        """At start: every claimed file without a job goes through the door again; gives their number."""
        recovered = 0
        for file in sorted(self._paths.processing.iterdir()):
            claim = parse_claim_name(file.name)
            if claim is None or not file.is_file():
                continue
            job_id, name = claim
            if self._jobs.is_known(job_id):
                self._jobs.deliver_if_ended(job_id)
                continue
            place = self._seen.find_path(job_id)
            recovered += 1
            self._take(file, job_id, name, PurePosixPath(place) if place else PurePosixPath(name))
        return recovered

    def _relative(self, file: Path) -> PurePosixPath:
        return PurePosixPath(file.relative_to(self._paths.inbox).as_posix())

    def _take(self, file: Path, job_id: str, name: str, place: PurePosixPath) -> None:
        with file.open("rb") as stream:
            data = stream.read(self._max_read_bytes)
        outcome = self._service.take_in(ClaimedFile(job_id, place.name or name, place, data))
        if isinstance(outcome, Split):
            self._split(file, place, outcome)
        elif outcome.job_id != job_id:
            self._rename_claim(file, outcome.job_id, name)

    def _rename_claim(self, file: Path, job_id: str, name: str) -> None:
        """The submitter's id, known only now, becomes the file's; several files may stand for one job."""
        processing = self._paths.processing
        target = free_name(processing, claim_name(job_id, name), lambda path: path.exists())
        os.rename(file, processing / target)  # noqa: PTH104 - names may not be valid UTF-8
        sync_folder(processing)
        self._jobs.deliver_if_ended(job_id)

    def _split(self, file: Path, place: PurePosixPath, split: Split) -> None:
        """Write one claimed file for each job, move the original to done/, then take the parts in."""
        self._seen.record_claims({job_id: str(place.with_name(name)) for job_id, name, _ in split.parts})
        parts = []
        for job_id, name, data in split.parts:
            target = self._paths.processing / claim_name(job_id, name)
            if not self._jobs.is_known(job_id):
                write_atomic(target, data)
                parts.append((target, job_id, name))
        self._put_away(file, place.name)
        for target, job_id, name in parts:
            self._take(target, job_id, name, place.with_name(name))

    def _put_away(self, file: Path, name: str) -> None:
        """The file that was split goes to done/; what became of its jobs stands beside each of them."""
        folder = self._paths.done_dir(self._clock())
        free = free_name(folder, name, self._is_taken)
        replace_file(file, folder / free)

    def _is_taken(self, path: Path) -> bool:
        return path.exists() or self._jobs.is_final_path_taken(self._paths.relative(path))
