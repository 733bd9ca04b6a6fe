"""What was claimed, opened: a job file, a bundle, or the lines of a text in a recipe folder."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from hotfolder.domain.instants import derived_id
from hotfolder.domain.recipe_jobs import jobs_of_lines
from hotfolder.files.bundles import BundleRules, read_bundle
from hotfolder.files.storage import open_regular
from hotfolder.generation.claimed import ClaimedFile, Split
from hotfolder.generation.returning import Identity
from hotfolder.library.jobs import Job
from hotfolder.watchers.claiming import Claim
from hotfolder.watchers.inbox_files import (
    is_bundle,
    is_ignored_in_bundle,
    is_named_like_a_job,
    is_prompt_list,
)


class Returns(Protocol):
    """What is needed of the return desk."""

    def find(
        self, place: PurePosixPath, data: bytes, sha256: str, identity: Identity, claim_id: str = ""
    ) -> Job | None:
        """The ended job whose file this is."""

    def remove_documents(self, job: Job) -> None:
        """Remove what says how a job ended whose file became other jobs."""


class ClaimOpener:
    """Reads at most as much as a job file may hold, and one byte more; zips are unpacked into `unpacked`."""

    def __init__(self, returns: Returns, unpacked: Path, rules: BundleRules) -> None:
        self._returns = returns
        self._unpacked = unpacked
        self._rules = rules

    def open(self, claim: Claim) -> ClaimedFile | Split:
        """The job file; the system's error, LibraryError or JobFileError when it cannot be read."""
        if is_bundle(PurePosixPath(claim.name)):
            opened = self._open_bundle(claim)
        elif is_prompt_list(PurePosixPath(claim.name)):
            return self._open_lines(claim)
        else:
            opened = ClaimedFile(claim.job_id, claim.name, claim.place, self._read(claim))
        job = None if claim.is_made else self._find_returned(claim, opened.data)
        if job is None:
            return opened
        # It keeps the place that it had at first, and all that follows from it.
        return replace(opened, job_file=PurePosixPath(job.job_file), again=job.job_id)

    def forget_returned(self, claim: Claim, data: bytes) -> None:
        """The file becomes other jobs: if it was dragged back, the reports on it go."""
        if (job := self._find_returned(claim, data)) is not None:
            self._returns.remove_documents(job)

    def close(self, claim: Claim) -> None:
        """Remove what was unpacked."""
        shutil.rmtree(self._unpacked / claim.job_id, ignore_errors=True)

    def _read(self, claim: Claim) -> bytes:
        with open_regular(claim.file) as stream:
            return stream.read(self._rules.max_job_bytes + 1)

    def _open_lines(self, claim: Claim) -> Split:
        """A text in a recipe folder: each line is the prompt of a job."""
        stem, data = PurePosixPath(claim.name).stem, self._read(claim)
        self.forget_returned(claim, data)
        texts = enumerate(jobs_of_lines(data), 1)
        return Split(
            [(derived_id(claim.job_id, str(number)), f"{stem}.{number}.json", text) for number, text in texts]
        )

    def _open_bundle(self, claim: Claim) -> ClaimedFile:
        """A zip is unpacked once, and laid out until its job is accepted."""
        bundle = read_bundle(claim.file, self._rules)
        target = self._unpacked / claim.job_id
        folder = target if target.is_dir() else bundle.unpack(target)
        return ClaimedFile(claim.job_id, claim.name, claim.place, bundle.data, bundle.job_file.name, folder)

    def _find_returned(self, claim: Claim, data: bytes) -> Job | None:
        found = claim.file.lstat()
        identity = Identity(found.st_dev, found.st_ino, found.st_mtime_ns)
        sha256 = hashlib.sha256(data).hexdigest()
        job = self._returns.find(claim.place, data, sha256, identity, claim.job_id)
        return None if job is None or job.job_id == claim.job_id else job


def build_rules(*, max_bytes: int, max_job_bytes: int) -> BundleRules:
    """What a bundle of the inbox may hold."""
    return BundleRules(
        max_bytes,
        max_job_bytes,
        is_job_file=lambda path: is_named_like_a_job(path.name),
        is_ignored=is_ignored_in_bundle,
    )
