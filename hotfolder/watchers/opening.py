"""What was claimed, opened: a job file or a bundle."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from hotfolder.files.bundles import BundleRules, read_bundle
from hotfolder.files.storage import open_regular
from hotfolder.generation.service import ClaimedFile, Split
from hotfolder.library.jobs import Job
from hotfolder.watchers.claiming import Claim
from hotfolder.watchers.inbox_files import is_bundle, is_ignored_in_bundle, is_named_like_a_job


class Returns(Protocol):
    """What is needed of the return desk."""

    def find(self, place: PurePosixPath, data: bytes, sha256: str, identity: tuple[int, int]) -> Job | None:
        """The ended job whose file this is."""


class ClaimOpener:
    """Reads at most as much as a job file may hold, and one byte more; zips are unpacked into `unpacked`."""

    def __init__(self, returns: Returns, unpacked: Path, rules: BundleRules) -> None:
        self._returns = returns
        self._unpacked = unpacked
        self._rules = rules

    def open(self, claim: Claim) -> ClaimedFile | Split:
        """The job file; the system's error, LibraryError or JobFileError when it cannot be read."""
        opened = self._open_bundle(claim) if is_bundle(PurePosixPath(claim.name)) else self._open_file(claim)
        found = claim.file.lstat()
        return self._returned(opened, (found.st_dev, found.st_ino))

    def close(self, claim: Claim) -> None:
        """Remove what was unpacked."""
        shutil.rmtree(self._unpacked / claim.job_id, ignore_errors=True)

    def _open_file(self, claim: Claim) -> ClaimedFile:
        with open_regular(claim.file) as stream:
            data = stream.read(self._rules.max_job_bytes + 1)
        return ClaimedFile(claim.job_id, claim.name, claim.place, data)

    def _open_bundle(self, claim: Claim) -> ClaimedFile:
        bundle = read_bundle(claim.file, self._rules)
        folder = bundle.unpack(self._unpacked / claim.job_id)
        return ClaimedFile(
            claim.job_id, claim.name, claim.place, bundle.data, bundle.job_file.name, folder
        )

    def _returned(self, opened: ClaimedFile, identity: tuple[int, int]) -> ClaimedFile:
        """A file that was dragged back keeps the place that it had at first, and all that follows from it."""
        sha256 = hashlib.sha256(opened.data).hexdigest()
        job = self._returns.find(opened.job_file, opened.data, sha256, identity)
        if job is None or job.job_id == opened.job_id:
            return opened
        return replace(opened, job_file=PurePosixPath(job.job_file), again=job.job_id)


def build_rules(*, max_bytes: int, max_job_bytes: int) -> BundleRules:
    """What a bundle of the inbox may hold."""
    return BundleRules(
        max_bytes,
        max_job_bytes,
        is_job_file=lambda path: is_named_like_a_job(path.name),
        is_ignored=is_ignored_in_bundle,
    )
