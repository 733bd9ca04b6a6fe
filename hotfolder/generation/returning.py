"""A job file that was dragged back from failed/ is told from a new one: by inode, content or name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from hotfolder.domain.generation import ACTIVE, RETRYABLE
from hotfolder.domain.instants import format_instant, instant_of_id
from hotfolder.files.names import REPORT_SUFFIX, RESULT_SUFFIX, display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.library.jobs import Job, JobStore

_ALIKE: Final = 0.5
_COMPARED_CHARACTERS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Identity:
    """What the system says of a file, which a rename leaves as it is."""

    device: int
    inode: int
    mtime_ns: int


class Seen(Protocol):
    """What is needed of the record of seen files."""

    def find_jobs(self, *, device: int, inode: int, mtime_ns: int, sha256: str) -> list[tuple[str, bool]]:
        """Ids of jobs whose file this may be, and whether it is what it was; the newest first."""


class ReturnDesk:
    """Only a job counts that ended without success, and whose file has left failed/."""

    def __init__(self, paths: LibraryPaths, jobs: JobStore, seen: Seen) -> None:
        self._paths = paths
        self._jobs = jobs
        self._seen = seen

    def find(
        self, place: PurePosixPath, data: bytes, sha256: str, identity: Identity, claim_id: str = ""
    ) -> Job | None:
        """The job whose file this is, given its place below inbox/ and the id under which it was claimed."""
        for job, is_untouched in self._list_candidates(sha256, identity):
            if not is_untouched or job.text != data:
                pass
            elif self._has_left(job) or self._was_taken_in(job, claim_id):
                return job
            # Another file may have the same text, and a new one the inode of one that is gone: then it is the
            # job's own only under the job's name, and while the reports lie where it was.
            if self._is_missed(job, place) and _is_alike(job.text, data):
                return job
        for job in self._jobs.find_by_final_name(display_text(place.name)):
            if self._has_left(job) and self._is_dragged_here(job, place):
                return job
        return None

    def remove_documents(self, job: Job) -> None:
        """Its file became other jobs: what said how it ended is of no more use."""
        if job.final_path is None:
            return
        final = self._final(job)
        for suffix in (REPORT_SUFFIX, RESULT_SUFFIX):
            final.with_name(final.name + suffix).unlink(missing_ok=True)

    def _list_candidates(self, sha256: str, identity: Identity) -> Iterator[tuple[Job, bool]]:
        found = self._seen.find_jobs(
            device=identity.device, inode=identity.inode, mtime_ns=identity.mtime_ns, sha256=sha256
        )
        for job_id, is_untouched in found:
            if (job := self._jobs.find(job_id)) is not None:
                yield job, is_untouched

    def _has_left(self, job: Job) -> bool:
        return job.status in RETRYABLE and job.final_path is not None and not self._final(job).exists()

    def _was_taken_in(self, job: Job, claim_id: str) -> bool:
        """Whether the job runs again because of its file, which a crash kept from taking on its id.

        It may have ended again by now: then its run began after the file was claimed.
        """
        return (
            (job.status in ACTIVE or _is_claimed_before(claim_id, job.queued_at))
            and job.retry_of_path is not None
            and not self._paths.absolute(job.retry_of_path).exists()
            and not any(self._paths.processing.glob(f"{job.job_id}--*"))
        )

    def _is_missed(self, job: Job, place: PurePosixPath) -> bool:
        """Whether a file of this name has left failed/, but not the reports on it."""
        name = display_text(place.name)
        return (
            self._has_left(job) and self._has_report(job) and name in (job.file_name, self._final(job).name)
        )

    def _is_dragged_here(self, job: Job, place: PurePosixPath) -> bool:
        """The name alone counts while the reports lie in failed/, and in the job's own folder or the top."""
        own_folder = PurePosixPath(job.job_file).parent
        return place.parent in (PurePosixPath(), own_folder) and self._has_report(job)

    def _has_report(self, job: Job) -> bool:
        final = self._final(job)
        return final.with_name(final.name + RESULT_SUFFIX).exists()

    def _final(self, job: Job) -> Path:
        assert job.final_path is not None
        return self._paths.absolute(job.final_path)


def _is_claimed_before(claim_id: str, at: str | None) -> bool:
    try:
        return at is not None and format_instant(instant_of_id(claim_id)) <= at
    except ValueError:  # it was not claimed under an id of ours
        return False


def _is_alike(before: bytes, now: bytes) -> bool:
    old, new = (each.decode("utf-8", "replace")[:_COMPARED_CHARACTERS].splitlines() for each in (before, now))
    return difflib.SequenceMatcher(None, old, new).ratio() >= _ALIKE
