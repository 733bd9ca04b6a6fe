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
        if is_bundle(PurePosixPath(claim.name)):
            opened = self._open_bundle(claim)
        elif is_prompt_list(PurePosixPath(claim.name)):
            return self._open_lines(claim)
        else:
            opened = ClaimedFile(claim.job_id, claim.name, claim.place, self._read(claim))
        found = claim.file.lstat()
        return self._returned(opened, (found.st_dev, found.st_ino))

    def close(self, claim: Claim) -> None:
        """Remove what was unpacked."""
        shutil.rmtree(self._unpacked / claim.job_id, ignore_errors=True)

    def _read(self, claim: Claim) -> bytes:
        with open_regular(claim.file) as stream:
            return stream.read(self._rules.max_job_bytes + 1)

    def _open_lines(self, claim: Claim) -> Split:
        """A text in a recipe folder: each line is the prompt of a job."""
        stem = PurePosixPath(claim.name).stem
        texts = enumerate(jobs_of_lines(self._read(claim)), 1)
        return Split(
            [(derived_id(claim.job_id, str(number)), f"{stem}.{number}.json", text) for number, text in texts]
        )

    def _open_bundle(self, claim: Claim) -> ClaimedFile:
        """A zip is unpacked once, and laid out until its job is accepted."""
        bundle = read_bundle(claim.file, self._rules)
        target = self._unpacked / claim.job_id
        folder = target if target.is_dir() else bundle.unpack(target)
        return ClaimedFile(claim.job_id, claim.name, claim.place, bundle.data, bundle.job_file.name, folder)

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
