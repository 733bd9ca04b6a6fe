"""A job file that was dragged back from failed/ is told from a new one: by inode, content or name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from hotfolder.domain.generation import ACTIVE, RETRYABLE
from hotfolder.files.names import RESULT_SUFFIX, display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.library.jobs import Job, JobStore

_ALIKE: Final = 0.5
_COMPARED_CHARACTERS: Final = 20_000


class Seen(Protocol):
    """What is needed of the record of seen files."""

    def find_jobs(self, *, device: int, inode: int, sha256: str) -> list[str]:
        """Ids of jobs whose file was this one, or had this content; the newest first."""


class ReturnDesk:
    """Only a job counts that ended without success, and whose file has left failed/."""

    def __init__(self, paths: LibraryPaths, jobs: JobStore, seen: Seen) -> None:
        self._paths = paths
        self._jobs = jobs
        self._seen = seen

    def find(self, place: PurePosixPath, data: bytes, sha256: str, identity: tuple[int, int]) -> Job | None:
        """The job whose file this is, given its place below inbox/ and its device and inode."""
        device, inode = identity
        for job in self._list_candidates(self._seen.find_jobs(device=device, inode=inode, sha256=sha256)):
            if job.text == data and (self._has_left(job) or self._was_taken_in(job)):
                return job
            # An inode is used again once its file is gone: then the text is another, or the reports went too.
            if self._has_left(job) and self._has_report(job) and _is_alike(job.text, data):
                return job
        for job in self._jobs.find_by_final_name(display_text(place.name)):
            if self._has_left(job) and self._is_dragged_here(job, place):
                return job
        return None

    def _list_candidates(self, job_ids: list[str]) -> Iterator[Job]:
        return filter(None, (self._jobs.find(each) for each in dict.fromkeys(job_ids)))

    def _has_left(self, job: Job) -> bool:
        return job.status in RETRYABLE and job.final_path is not None and not self._final(job).exists()

    def _was_taken_in(self, job: Job) -> bool:
        """Whether the job runs again because of its file, which a crash kept from taking on its id."""
        return (
            job.status in ACTIVE
            and job.retry_of_path is not None
            and not self._paths.absolute(job.retry_of_path).exists()
            and not any(self._paths.processing.glob(f"{job.job_id}--*"))
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


def _is_alike(before: bytes, now: bytes) -> bool:
    old, new = (each.decode("utf-8", "replace")[:_COMPARED_CHARACTERS].splitlines() for each in (before, now))
    return difflib.SequenceMatcher(None, old, new).ratio() >= _ALIKE
