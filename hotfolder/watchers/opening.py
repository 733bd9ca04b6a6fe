"""What was claimed, opened: a job file, the lines of a text, or a bundle."""

from __future__ import annotations

import hashlib
import os
from pathlib import PurePosixPath
from typing import Protocol

from hotfolder.files.storage import open_regular
from hotfolder.generation.service import ClaimedFile, Split
from hotfolder.library.jobs import Job
from hotfolder.watchers.claiming import Claim


class Returns(Protocol):
    """What is needed of the return desk."""

    def find(self, place: PurePosixPath, data: bytes, sha256: str, identity: tuple[int, int]) -> Job | None:
        """The ended job whose file this is."""


class ClaimOpener:
    """Reads at most as much as a job file may hold, and one byte more."""

    def __init__(self, returns: Returns, *, max_job_bytes: int) -> None:
        self._returns = returns
        self._max_read_bytes = max_job_bytes + 1

    def open(self, claim: Claim) -> ClaimedFile | Split:
        """The job file; the system's error, or LibraryError, when it cannot be read."""
        with open_regular(claim.file) as stream:
            data = stream.read(self._max_read_bytes)
            found = os.fstat(stream.fileno())
        return self._returned(
            ClaimedFile(claim.job_id, claim.name, claim.place, data), (found.st_dev, found.st_ino)
        )

    def close(self, claim: Claim) -> None:
        """Nothing is left of it."""

    def _returned(self, claimed: ClaimedFile, identity: tuple[int, int]) -> ClaimedFile:
        """A file that was dragged back keeps the place that it had at first, and all that follows from it."""
        sha256 = hashlib.sha256(claimed.data).hexdigest()
        job = self._returns.find(claimed.job_file, claimed.data, sha256, identity)
        if job is None or job.job_id == claimed.job_id:
            return claimed
        return ClaimedFile(
            claimed.job_id,
            claimed.name,
            PurePosixPath(job.job_file),
            claimed.data,
            claimed.text_name,
            claimed.bundle,
            job.job_id,
        )
